package awsapi

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"outcrop"
	"outcrop/sigv4"
)

// Duplex is Raw for an operation in which both sides send events while they
// like: its body is left unread, and its frames are verified through the
// request's Events. Its URI ends in suffix.
func Duplex(name, suffix string, fn func(http.ResponseWriter, *Request) error) Handler {
	return Handler{name: name, asks: AsksItself, raw: fn, duplex: suffix}
}

// duplex finds the operation for which the body must not be read.
func (s *service) duplex(r *http.Request) bool {
	for _, suffix := range s.duplexes {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, suffix) {
			return true
		}
	}
	return false
}

// converse is serve for such an operation.
func (c *call) converse(sig credentials) error {
	control := http.NewResponseController(c.w)
	control.EnableFullDuplex() // over HTTP/2 it is
	said := &toItsEnd{ReadCloser: c.r.Body}
	c.r.Body = said
	defer func() {
		c.r.Body = said.ReadCloser
		control.SetReadDeadline(time.Unix(1, 0)) // what is not read by now never will be
		if !said.over.Load() {
			closeAfter(c.w)
		}
	}()
	events, err := c.head(sig)
	if err != nil {
		return err
	}
	op, labels, err := c.service.route(c.r, nil)
	if err != nil {
		return err
	}
	c.op = op
	c.request = Request{HTTP: c.r, Operation: op, ID: c.id, Caller: c.who, Labels: labels, Events: events, Received: c.received}
	return c.raw(c.service.handlers[op.Name])
}

// toItsEnd notes whether a body was read to its end.
type toItsEnd struct {
	io.ReadCloser
	over atomic.Bool // who listens may do so beside the handler
}

func (b *toItsEnd) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	if err == io.EOF {
		b.over.Store(true)
	}
	return n, err
}

// closeAfter has net/http close the connection behind the answer. In full
// duplex it would take the rest of a body that it may not read for the next
// request. It has no door for that but the one of bodies that are too large.
func closeAfter(w http.ResponseWriter) {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	http.MaxBytesReader(w, io.NopCloser(strings.NewReader("more")), 0).Read(make([]byte, 1))
}

// head authenticates by the request's head.
func (c *call) head(sig credentials) (events *sigv4.Events, err error) {
	switch {
	case sig.absent():
		return nil, missingToken()
	case sig.signature == nil:
		e := outcrop.Errorf(outcrop.Denied, "Amazon Bedrock API keys cannot be used for this operation. Sign the request and its events with an access key.")
		e.Auth = true
		return nil, e
	}
	who, err := c.mux.guarded(c.r, sig, c.service, func() (who outcrop.Caller, err error) {
		who, events, err = c.mux.identifyEvents(c.r, sig.signature, c.received)
		return who, err
	})
	c.who, c.admitted = who, err == nil
	c.who.Origin = originOf(c.r)
	return events, err
}

func (m *Mux) identifyEvents(r *http.Request, sig *sigv4.Signature, now time.Time) (outcrop.Caller, *sigv4.Events, error) {
	key, err := m.keys.SecretForSession(r.Context(), sig.AccessKey, sig.SecurityToken)
	if err != nil {
		return outcrop.Caller{}, nil, err
	}
	events, err := m.verifier.VerifyEvents(sig, r, key.Secret, now)
	if err != nil {
		return outcrop.Caller{Account: key.Caller.Account}, nil, err
	}
	who, err := m.scoped(key.Caller, sig.Region)
	return who, events, err
}

// scoped is a caller in the Region that was signed for.
func (m *Mux) scoped(who outcrop.Caller, region outcrop.Region) (outcrop.Caller, error) {
	who.Region = region
	if m.regions(region) {
		return who, nil
	}
	e := outcrop.Errorf(outcrop.Denied, "Credential should be scoped to a valid region, not '%s'.", region)
	e.Code, e.Auth = "InvalidSignatureException", true
	return outcrop.Caller{}, e
}
