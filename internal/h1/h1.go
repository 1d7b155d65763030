// Package h1 is a client of HTTP/1.1 servers for requests whose body is in
// memory. Who asks also writes the request and reads the answer, so that a call
// needs neither a goroutine nor a channel of its own, which is most of what
// net/http's client costs. What is not of that kind goes to net/http.
package h1

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"outcrop/internal/tether"
)

// A Transport is an http.RoundTripper that keeps connections for reuse. It
// gives a request up when its context ends, and leaves how long to wait for an
// answer to that context. It is safe for concurrent use.
type Transport struct {
	base *http.Transport
	idle pool
}

// Over makes a Transport with the settings of base, which also takes all that
// this one does not: requests through a proxy, requests with a body other than
// a Body, with an Upgrade or with anything else that is about the connection,
// and everything under https where base is to speak HTTP/2.
func Over(base *http.Transport) *Transport {
	t := &Transport{base: base}
	t.idle.timeout, t.idle.most = base.IdleConnTimeout, base.MaxIdleConns
	return t
}

// CloseIdleConnections closes what nobody uses. Calls under way go on.
func (t *Transport) CloseIdleConnections() {
	t.idle.close()
	t.base.CloseIdleConnections()
}

// withOwnBody is r with a copy of its Body: net/http may read on for a while
// after the response is closed.
func withOwnBody(r *http.Request) *http.Request {
	b, ok := r.Body.(*Body)
	if !ok {
		return r
	}
	text := bytes.Clone(b.text)
	own := *r
	own.Body, own.GetBody = NewBody(text), func() (io.ReadCloser, error) { return NewBody(text), nil }
	return &own
}

// A Body is a request's body in memory. Nobody may change its text before the
// response is closed, or the request has failed; then everybody may.
type Body struct {
	text []byte
	at   int
}

// NewBody reads text.
func NewBody(text []byte) *Body { return &Body{text: text} }

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.at >= len(b.text) {
		return 0, io.EOF
	}
	n := copy(p, b.text[b.at:])
	b.at += n
	return n, nil
}

// Close implements io.Closer.
func (b *Body) Close() error { return nil }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	out := outgoingPool.Get().(*outgoing)
	defer out.release()
	if !out.write(r) || t.others(r) {
		return t.base.RoundTrip(withOwnBody(r))
	}
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, tether.Cause(ctx)
	}
	for fresh := false; ; fresh = true {
		c, err := t.connect(ctx, serverOf(r), fresh)
		if err != nil {
			return nil, err
		}
		x := exchanges.Get().(*exchange)
		x.c, x.ctx, x.again = c, ctx, c.answers > 0
		if err = x.begin(r, out); err == nil {
			return &x.response, nil
		}
		if c.answers == 0 || !x.repeatable(r) || ctx.Err() != nil {
			return nil, err
		}
	}
}

// others says whether the request is for net/http although this package could
// write it.
func (t *Transport) others(r *http.Request) bool {
	if r.URL.Scheme == "https" && (t.base.ForceAttemptHTTP2 || t.base.Protocols == nil || t.base.Protocols.HTTP2()) {
		return true
	}
	if t.base.Proxy == nil {
		return false
	}
	proxy, err := t.base.Proxy(r)
	return proxy != nil || err != nil
}

// repeatable says, of a request that found its connection closed, whether it
// may be sent on another: when the server cannot have seen it, or has said
// nothing and repeating does no harm. A model's call that was sent is never
// repeated here, as it may have been carried out.
func (x *exchange) repeatable(r *http.Request) bool {
	if x.heard {
		return false
	}
	if x.sent == 0 {
		return true
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return len(r.Header["Idempotency-Key"]) > 0 || len(r.Header["X-Idempotency-Key"]) > 0
}

// Errors of servers that do not speak HTTP/1.1.
var (
	errMalformed = errors.New("malformed HTTP response")
	errTooLong   = errors.New("the HTTP response's header is too long")
	errFraming   = errors.New("the HTTP response does not say clearly where its body ends")
	errChunk     = errors.New("malformed chunk in an HTTP response")
)
