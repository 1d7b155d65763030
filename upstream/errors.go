package upstream

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"outcrop"
	"outcrop/internal/sse"
)

var (
	errSlow = errors.New("no answer within the configured time")
	errLong = errors.New("the answer is longer than the limit")
)

// A Failure is an error as a server's body tells it.
type Failure struct {
	Message, Kind string
	Code          string // a word, or a number written out
}

// unanswered is the error of a call that got no response at all.
func (h *Host) unanswered(w *Watch, err error) error {
	if gone := w.Gone(); gone != nil {
		return gone
	}
	return outcrop.Errorf(outcrop.Unavailable, "The model's server cannot be reached. Try again.").Because(err)
}

// Broken is the error of a response that ended, or was no response, in the
// middle, or went on for too long.
func (h *Host) Broken(w *Watch, a outcrop.Attempt, err error) error {
	if errors.Is(err, sse.ErrEventTooLong) || errors.Is(err, sse.ErrStreamTooLong) {
		return h.Failed(a, http.StatusOK, "The model's stream is longer than Outcrop takes.").Because(err)
	}
	if gone := w.Gone(); gone != nil {
		return gone
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return h.Failed(a, 0, "The connection to the model ended in the middle of its answer. Try again.").Because(err)
	}
	return h.Failed(a, 0, "The model's answer could not be read to its end. Try again.").Because(err)
}

// Failed is the error of a server that answered with something that is no
// answer.
func (h *Host) Failed(a outcrop.Attempt, status int, format string, args ...any) *outcrop.Error {
	e := outcrop.Errorf(outcrop.ModelFailed, format, args...)
	e.Status, e.Resource = status, string(a.Destination.Model)
	return e
}

// Unsent is Failed for what could not be sent. It keeps the copy of an Attempt,
// made for an error that hardly ever comes, off the stacks of those that send.
//
//go:noinline
func (h *Host) Unsent(p *Post, format string, args ...any) *outcrop.Error {
	return h.Failed(p.Attempt, 0, format, args...)
}

// AfterFirst turns the error of a stream into the one for a stream that has
// begun: the client has seen a part, so no other attempt can follow. A server
// that says itself that it has too much to do is passed on as such
// (reference/runtime-metering-billing.md §2.6).
func AfterFirst(err error) error {
	var e *outcrop.Error
	if !errors.As(err, &e) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if e.Kind == outcrop.Throttled || e.Kind == outcrop.Unavailable {
		return err
	}
	broken := *e
	broken.Kind = outcrop.StreamFailed
	return &broken
}

// refused makes an error of a response whose status is not 200.
func (h *Host) refused(w *Watch, request *http.Request, p *Post, res *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(res.Body, maxErrorBytes))
	if gone := w.Gone(); gone != nil {
		return gone
	}
	if h.refuse != nil {
		return h.refuse(request, p, res, body) // what was read of a body that broke may still say why
	}
	f := new(Failure)
	if told := h.failure(body); err == nil && told != nil {
		f = told
	}
	return h.statusError(p.Attempt, res.StatusCode, f, RetryAfter(res.Header, time.Now()))
}

// statusError gives a server's HTTP status its kind. 401 and 403 are about
// Outcrop's own key, so their words, which may quote it, stay out.
func (h *Host) statusError(a outcrop.Attempt, status int, f *Failure, retry time.Duration) error {
	said := h.Harmless(f.Message)
	switch status {
	case 400, 413, 422:
		return outcrop.Errorf(outcrop.Invalid, "The model returned the following errors: %s", said)
	case 401, 403:
		return h.Failed(a, status, "The model's server refused the key that Outcrop is configured with. Tell the operator.")
	case 404:
		return h.Failed(a, status, "The model's server does not know the model %s or its own address is wrong. Tell the operator.", a.Model)
	case 408, 504:
		return outcrop.Errorf(outcrop.ModelTimeout, "The model's server took too long. Try again.")
	case 429:
		e := outcrop.Errorf(outcrop.Throttled, "Too many requests, please wait before trying again.")
		e.RetryAfter = retry
		return e
	case 502, 503, 529:
		e := outcrop.Errorf(outcrop.Unavailable, "The model's server is overloaded or not ready. Try again.")
		e.RetryAfter = retry
		return e
	}
	return h.Failed(a, status, "The model returned the following errors: %s", said)
}

// InBody makes an error of a failure that came with status 200, whole or as an
// event.
func (h *Host) InBody(a outcrop.Attempt, f *Failure) error {
	return h.statusError(a, f.status(), f, 0)
}

// status is the HTTP status that a failure would have had.
func (f *Failure) status() int {
	if n, err := strconv.Atoi(f.Code); err == nil && n >= 400 && n <= 599 {
		return n
	}
	for _, word := range []string{f.Kind, f.Code} {
		switch word {
		case "invalid_request_error", "BadRequestError", "exceed_context_size_error", "context_length_exceeded":
			return 400
		case "request_too_large":
			return 413
		case "authentication_error", "invalid_api_key", "permission_error":
			return 401
		case "not_found_error", "model_not_found", "NotFoundError":
			return 404
		case "rate_limit_error", "rate_limit_exceeded", "insufficient_quota", "tokens", "requests":
			return 429
		case "overloaded_error", "unavailable_error", "service_unavailable":
			return 503
		case "timeout_error":
			return 504
		}
	}
	return 500
}

// Harmless shortens a server's words and takes out what is secret.
func (h *Host) Harmless(s string) string {
	const shortest = 4 // bytes; shorter values are found everywhere
	for _, secret := range h.secrets {
		if len(secret) >= shortest {
			s = strings.ReplaceAll(s, secret, "[hidden]")
		}
	}
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\uFFFD")
	if s == "" {
		return "no message"
	}
	if utf8.RuneCountInString(s) > maxErrorRunes {
		return string([]rune(s)[:maxErrorRunes]) + "…"
	}
	return s
}

// RetryAfter reads how long a server asks to wait: the milliseconds of OpenAI
// or AWS, or RFC 9110's seconds or date. More than an hour is an hour.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	var d time.Duration
	value := h.Get("Retry-After")
	if ms, err := strconv.ParseFloat(cmp.Or(h.Get("Retry-After-Ms"), h.Get("X-Amz-Retry-After")), 64); err == nil {
		d = time.Duration(min(ms, 1e9) * float64(time.Millisecond))
	} else if s, err := strconv.ParseFloat(value, 64); err == nil {
		d = time.Duration(min(s, 1e6) * float64(time.Second))
	} else if t, err := http.ParseTime(value); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), time.Hour)
}
