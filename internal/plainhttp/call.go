package plainhttp

import (
	"context"
	"net/http"
	"net/url"
	"sync"

	"outcrop/internal/headmem"
	"outcrop/internal/tether"
)

// A call is a request with its answer, and the memory that both are made of.
// That serves again only if the handler has said that nobody keeps any of it
// (Free): otherwise it is the collector's. The request's context is not part of
// it, as what runs beside a call may hold that for longer.
type call struct {
	request  http.Request
	head     memory
	body     body
	response response
	free     bool
}

// A memory is what heads are read into.
type memory struct {
	fields headmem.Memory
	target string
	parsed url.URL // target, as it was read
	url    url.URL // the request's own copy
}

var calls = sync.Pool{New: func() any { return &call{response: response{header: make(http.Header, 8)}} }}

// prepare makes the call's request a new one. The copy that WithContext makes is
// not to stand on the stack while the handler runs.
//
//go:noinline
func (x *call) prepare(ctx context.Context) {
	x.request = *blank.WithContext(ctx)
	x.free = false
}

// blank is what every request begins as.
var blank http.Request

// begin readies a call that was read for its handler.
func (x *call) begin(c *conn, line *tether.Tether) {
	x.request.RemoteAddr = c.remote
	x.body = body{conn: c, left: x.request.ContentLength}
	x.response = response{conn: c, call: x, header: x.response.header, line: line}
	clear(x.response.header)
}

// Free says that once the handler has returned nobody has the request, the
// answer's header, or anything that hangs from them, but for texts and the
// context.
func (w *response) Free() { w.call.free = true }

// maxKeptFields is how many an answer may have whose header is kept.
const maxKeptFields = 32

// Spoil, where a test sets it, is given what a handler has freed, to see that
// nobody uses it.
var Spoil func(r *http.Request, answered http.Header)

// release ends the call. Its memory serves again if it was freed.
func (x *call) release() {
	switch {
	case !x.free:
	case Spoil != nil:
		Spoil(&x.request, x.response.header)
	case x.head.fields.Small() && len(x.response.header) <= maxKeptFields:
		calls.Put(x)
	}
}
