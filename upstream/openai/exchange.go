package openai

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outcrop"
)

// A watch ends a call that takes too long. It is wound up again whenever the
// server shows life.
type watch struct {
	ctx    context.Context
	parent context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func newWatch(parent context.Context, limit time.Duration) *watch {
	ctx, cancel := context.WithCancelCause(parent)
	return &watch{ctx, parent, cancel, time.AfterFunc(limit, func() { cancel(errSlow) })}
}

func (w *watch) wind(limit time.Duration) { w.timer.Reset(limit) }

func (w *watch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

// gone is the error of a call that ended because its context did, or because
// its time ran out; nil when neither is so.
func (w *watch) gone() error {
	if err := w.parent.Err(); err != nil {
		return outcrop.Errorf(outcrop.ModelTimeout, "The request ended before the model answered.").Because(err)
	}
	if errors.Is(context.Cause(w.ctx), errSlow) {
		return outcrop.Errorf(outcrop.ModelTimeout, "The model took too long. Try again.").Because(errSlow)
	}
	return nil
}

// post sends body and returns a response whose status is 200; its body must be
// closed. The invocation's name goes along, so that both sides' logs meet.
func (u *Upstream) post(w *watch, address string, a outcrop.Attempt, body []byte) (*http.Response, error) {
	if err := w.gone(); err != nil {
		return nil, err
	}
	target, err := url.Parse(address)
	if err != nil {
		return nil, u.failed(a, 0, "The model's server has a wrong address. Tell the operator.")
	}
	header := maps.Clone(u.header)
	if a.Invocation != "" {
		header["X-Request-Id"] = []string{string(a.Invocation)}
	}
	request := (&http.Request{
		Method: http.MethodPost, URL: target, Host: target.Host, Header: header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		// Lets the transport replace an idle connection that the server has
		// closed, when nothing was written to it.
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}).WithContext(w.ctx)
	response, err := u.rt.RoundTrip(request)
	if err != nil {
		return nil, u.unanswered(w, err)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, u.refused(w, a, response)
	}
	return response, nil
}

// readAnswer reads a body of JSON.
func (u *Upstream) readAnswer(w *watch, a outcrop.Attempt, res *http.Response) ([]byte, error) {
	if kind := mediaType(res); kind != "" && !strings.Contains(kind, "json") {
		return nil, u.failed(a, res.StatusCode, "The model's server answered with %s instead of JSON. Tell the operator.", u.harmless(kind))
	}
	if res.ContentLength > maxAnswerBytes {
		return nil, u.failed(a, res.StatusCode, "The model's answer is longer than %d bytes.", maxAnswerBytes).Because(errLong)
	}
	buffer := bytes.NewBuffer(make([]byte, 0, max(res.ContentLength, 2048)+bytes.MinRead))
	n, err := buffer.ReadFrom(io.LimitReader(res.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return nil, u.broken(w, a, err)
	case n > maxAnswerBytes:
		return nil, u.failed(a, res.StatusCode, "The model's answer is longer than %d bytes.", maxAnswerBytes).Because(errLong)
	}
	return buffer.Bytes(), nil
}

func mediaType(res *http.Response) string {
	text := res.Header.Get("Content-Type")
	if text == "" || text == "application/json" || text == "text/event-stream" {
		return text
	}
	kind, _, err := mime.ParseMediaType(text)
	if err != nil {
		return "an unreadable content type"
	}
	return kind
}
