package compatapi

import (
	"net/http"

	"outcrop/awsapi"
)

// events writes one stream of server-sent events. Nothing is sent, not even the
// status, before the first event: a failure until then is a plain HTTP error.
type events struct {
	w     http.ResponseWriter
	r     *awsapi.Request
	flush func() error
	begun bool
	buf   []byte
}

func newEvents(w http.ResponseWriter, r *awsapi.Request) *events {
	return &events{w: w, r: r, flush: http.NewResponseController(w).Flush}
}

// send writes one event at once; name may be empty.
func (e *events) send(name string, data []byte) error {
	if !e.begun {
		e.begun = true
		h := e.w.Header()
		identify(h, e.r)
		h.Set("Content-Type", "text/event-stream; charset=utf-8")
		h.Set("Cache-Control", "no-cache")
		e.w.WriteHeader(http.StatusOK)
	}
	e.buf = e.buf[:0]
	if name != "" {
		e.buf = append(append(append(e.buf, "event: "...), name...), '\n')
	}
	e.buf = append(append(append(e.buf, "data: "...), data...), '\n', '\n')
	if _, err := e.w.Write(e.buf); err != nil {
		return err
	}
	return e.flush()
}

// fail tells the client that the answer broke: before the first event as an
// HTTP error, afterwards as an event of the form.
func (e *events) fail(form string, err error) error {
	if !e.begun {
		return err
	}
	name := ""
	if form == "anthropic" {
		name = "error"
	}
	e.send(name, awsapi.CompatibleError(form, awsapi.CodeOf(err), awsapi.MessageOf(err), awsapi.StatusOf(err))) // a client that has gone cannot be told
	return nil
}
