package upstream

import (
	"cmp"
	"context"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"outcrop"
)

// A Post is one request to a Host.
type Post struct {
	URL     string
	Attempt outcrop.Attempt
	Body    []byte
	Digest  string            // SHA-256 of Body in hex, where somebody knows it; else empty
	Header  map[string]string // beside the host's own
	Room    *Room             // the memory of Body, given back with a whole answer where nobody can still read it; may be nil
}

// Stream sends p, whose answer must begin within limit, and has take follow it
// under the watch of the whole. Its status is 200 then. Neither watch nor
// response may be used once take has returned. The invocation's name goes along,
// so that both sides' logs meet.
func (h *Host) Stream(ctx context.Context, limit time.Duration, p *Post, take func(*Watch, *http.Response) error) error {
	j := depart(ctx, limit, p)
	defer j.end()
	res, err := h.send(j)
	if err != nil {
		return err
	}
	return take(j.watch, res)
}

// send begins a journey's exchange. The status of the response is 200.
func (h *Host) send(j *journey) (*http.Response, error) {
	w, request, p := j.watch, j.request, &j.post
	if err := w.Gone(); err != nil {
		return nil, err
	}
	to, err := h.targets.Get(p.URL, placeOf)
	if err != nil {
		return nil, h.Unsent(p, "The model's server has a wrong address. Tell the operator.")
	}
	j.load(h.header, to)
	if h.sign != nil {
		if err := h.sign(request, p, &j.signing); err != nil {
			return nil, cmp.Or(w.Gone(), err)
		}
	}
	if parent := outcrop.TraceParent(&w.line); parent != "" {
		request.Header["Traceparent"] = []string{parent}
	}
	response, err := h.rt.RoundTrip(request)
	if err != nil {
		return nil, h.unanswered(w, err)
	}
	j.response, j.own = response, h.own != nil
	if told := p.Attempt.Told; told != nil {
		told.Request = requestID(response.Header)
	}
	if response.StatusCode != http.StatusOK {
		defer response.Body.Close()
		return nil, h.refused(w, request, p, response)
	}
	return response, nil
}

// requestIDs are the headers in which servers name a request, in canonical
// form: AWS's, Anthropic's, and what OpenAI and most others use.
var requestIDs = [...]string{"X-Amzn-Requestid", "Request-Id", "X-Request-Id"}

// requestID is the server's own name for a request, for its bills and its
// support. What is too long or unprintable is none.
func requestID(h http.Header) string {
	const longest = 128
	for _, name := range requestIDs {
		for _, id := range h[name] {
			if id != "" && len(id) <= longest && strings.IndexFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) < 0 {
				return id
			}
		}
	}
	return ""
}

// Ask sends p and reads the whole answer, which is JSON, within limit.
func (h *Host) Ask(ctx context.Context, limit time.Duration, p Post) (text []byte, err error) {
	err = h.Answer(ctx, limit, &p, nil, func(all []byte, _ http.Header) error {
		text = all
		return nil
	})
	return text, err
}

// Answer is Ask into room, which may be nil, and has take look at the answer
// and its header. The header holds only until take returns.
func (h *Host) Answer(ctx context.Context, limit time.Duration, p *Post, room *Room, take func(text []byte, header http.Header) error) error {
	j := depart(ctx, limit, p)
	defer j.end()
	res, err := h.send(j)
	if err != nil {
		return err
	}
	if room == nil {
		room = new(Room)
	}
	if room.Bytes, err = h.readAnswer(room.Bytes, j.watch, p.Attempt, res); err != nil {
		return err
	}
	return take(room.Bytes, res.Header)
}

// Streams says whether a response to a request for a stream is a stream of
// server-sent events. A server that does not stream answers in JSON; what is
// neither is an error.
func (h *Host) Streams(a outcrop.Attempt, res *http.Response) (bool, error) {
	switch kind := MediaType(res); kind {
	case "text/event-stream":
		return true, nil
	case "application/json":
		return false, nil
	case "":
		return false, h.Failed(a, res.StatusCode, "The model's server answered without a content type. Tell the operator.")
	default:
		return false, h.Failed(a, res.StatusCode, "The model's server answered with %s instead of a stream. Tell the operator.", h.Harmless(kind))
	}
}

// ReadAnswer reads a body of JSON.
func (h *Host) ReadAnswer(w *Watch, a outcrop.Attempt, res *http.Response) ([]byte, error) {
	return h.readAnswer(nil, w, a, res)
}

// readAnswer is ReadAnswer into room, where that is large enough.
func (h *Host) readAnswer(room []byte, w *Watch, a outcrop.Attempt, res *http.Response) ([]byte, error) {
	if kind := MediaType(res); kind != "" && !strings.Contains(kind, "json") {
		return nil, h.Failed(a, res.StatusCode, "The model's server answered with %s instead of JSON. Tell the operator.", h.Harmless(kind))
	}
	if res.ContentLength > MaxAnswerBytes {
		return nil, h.Failed(a, res.StatusCode, "The model's answer is longer than %d bytes.", MaxAnswerBytes).Because(errLong)
	}
	text, err := readUpTo(room, res.Body, MaxAnswerBytes, res.ContentLength)
	switch {
	case err != nil:
		return nil, h.Broken(w, a, err)
	case len(text) > MaxAnswerBytes:
		return nil, h.Failed(a, res.StatusCode, "The model's answer is longer than %d bytes.", MaxAnswerBytes).Because(errLong)
	}
	return text, nil
}

// readUpTo reads to the end, or to a byte more than limit.
func readUpTo(room []byte, r io.Reader, limit int, announced int64) ([]byte, error) {
	if announced < 0 {
		announced = 2048
	}
	text := slices.Grow(room[:0], int(announced)+1) // one more, so that the end needs no growth
	for len(text) <= limit {
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := r.Read(text[len(text):cap(text)])
		if text = text[:len(text)+n]; err == io.EOF {
			return text, nil
		} else if err != nil {
			return nil, err
		}
	}
	return text, nil
}

// MediaType is the content type of a response without its parameters, empty
// when there is none.
func MediaType(res *http.Response) string {
	text := res.Header.Get("Content-Type")
	switch text {
	case "", "application/json", "text/event-stream", "application/vnd.amazon.eventstream":
		return text
	}
	kind, _, err := mime.ParseMediaType(text)
	if err != nil {
		return "an unreadable content type"
	}
	return kind
}
