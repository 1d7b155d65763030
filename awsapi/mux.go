// Package awsapi is the door: every AWS service on one port. It recognises the
// service, authenticates the caller, decodes and checks the input, calls one
// plain function and renders its answer or its error as AWS would.
package awsapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/awsapi/wire"
	"outcrop/identity"
	"outcrop/identity/guess"
	"outcrop/internal/bodypool"
	"outcrop/sigv4"
)

// Limits of a request body. The larger one is InvokeModel's 25 MB with room
// for the base64 and the members around it.
const (
	maxControlBodyBytes = 4 << 20
	maxRuntimeBodyBytes = 36 << 20
)

// Keys finds who a request comes from (package identity).
type Keys interface {
	// SecretForSession is asked with an empty token for a long-term key.
	SecretForSession(ctx context.Context, accessKey, sessionToken string) (identity.Key, error)
	APIKey(ctx context.Context, token string) (outcrop.Caller, error)
	// Touch notes that a key was used, in memory.
	Touch(accessKey, service string, region outcrop.Region)
}

// A Mux serves every AWS endpoint. Register services first, then serve.
type Mux struct {
	keys     Keys
	policy   Policy
	guard    *guess.Guard
	regions  func(outcrop.Region) bool
	fallback outcrop.Region // Region of a call that names none: a long-term API key
	now      func() time.Time
	log      *slog.Logger
	audit    func(outcrop.AuditEvent)
	audits   func(service string, refused bool) bool
	services []*service
	verifier sigv4.Verifier // remembers derived signing keys
}

// Options of a Mux.
type Options struct {
	Keys          Keys
	Policy        Policy
	KnownRegion   func(outcrop.Region) bool // Regions that exist, for Bedrock's services
	DefaultRegion outcrop.Region
	Now           func() time.Time
	Log           *slog.Logger
	Audit         func(outcrop.AuditEvent)                // told of every request once it was answered; it must not block. nil is off
	Audits        func(service string, refused bool) bool // what Audit wants to be told of; nil is everything
}

// NewMux makes a Mux that serves nothing yet.
func NewMux(o Options) *Mux {
	return &Mux{keys: o.Keys, policy: o.Policy, guard: guess.New(o.Now), regions: o.KnownRegion, fallback: o.DefaultRegion, now: o.Now, log: o.Log, audit: o.Audit, audits: o.Audits}
}

// Serve registers a service by the name of its model (see ModelNames) and the
// operations that are served. A modelled operation without a handler answers
// that it is not served.
func (m *Mux) Serve(model string, handlers ...Handler) {
	m.services = append(m.services, newService(model, handlers))
}

// Served lists every operation there is, by the name of its service's model.
func (m *Mux) Served() iter.Seq2[string, Handler] {
	return func(yield func(string, Handler) bool) {
		for _, s := range m.services {
			for _, name := range slices.Sorted(maps.Keys(s.handlers)) {
				if !yield(s.name, s.handlers[name]) {
					return
				}
			}
		}
	}
}

// ServeHTTP answers one request of any service.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := calls.Get().(*call)
	c.mux, c.w, c.r, c.id, c.received = m, w, r, NewInvocationID(), m.now()
	w.Header()[requestIDHeader] = []string{string(c.id)}
	defer c.release()
	defer c.audit()
	defer c.recover()
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

// requestIDHeader is x-amzn-RequestId as net/http spells it.
const requestIDHeader = "X-Amzn-Requestid"

// A call is one request on its way through the door.
type call struct {
	mux      *Mux
	w        http.ResponseWriter
	r        *http.Request
	id       outcrop.InvocationID
	received time.Time
	service  *service
	protocol wire.Protocol
	request  Request // of a raw operation
	released bool    // nobody has anything of it any more

	// What the audit tells, as far as the call came.
	sig      credentials
	room     sigv4.Signature // what sig points to
	body     []byte
	admitted bool
	who      outcrop.Caller
	op       *wire.Operation
	in, out  map[string]any
	failure  *wire.Failure
	status   int
	servedIn outcrop.Region
}

// calls are those that were released: a call is a kilobyte, and most end in
// the way that lets it serve again.
var calls = sync.Pool{New: func() any { return new(call) }}

// release is the last that happens to a call.
func (c *call) release() {
	if !c.released {
		return
	}
	if lent, ok := c.w.(lender); ok {
		lent.Free()
	}
	*c = call{}
	calls.Put(c)
}

// A lender is a writer whose request and header serve again after a call of
// which nobody keeps more than texts (plainhttp).
type lender interface{ Free() }

// serve tells the way through: recognise, read, authenticate, route, decode,
// check, call, answer.
func (c *call) serve() error {
	sig, err := signatureOf(c.r, &c.room)
	if err != nil {
		scope := ""
		if signedOld(c.r) {
			scope = "s3"
		}
		c.service, c.protocol = c.mux.guess(c.r, scope)
		return err
	}
	c.sig = sig
	c.service, c.protocol = c.mux.guess(c.r, sig.service())
	if c.service == nil {
		return outcrop.Errorf(outcrop.Unimplemented, "%s", unknownService(c.r, sig.service()))
	}
	if c.service.streamed != nil {
		return c.stream(sig)
	}
	if c.service.duplex(c.r) {
		return c.converse(sig)
	}
	read, err := c.readBody()
	if err != nil {
		return err
	}
	body := read.Text
	c.body = body
	if err := c.authenticate(sig, body); err != nil {
		return err
	}
	op, labels, err := c.service.route(c.r, body)
	if err != nil {
		return err
	}
	c.op = op
	h, ok := c.service.handlers[op.Name]
	if !ok {
		return outcrop.Errorf(outcrop.Unimplemented, "Outcrop does not serve the operation %s of %s.", op.Name, op.Service.ID)
	}
	if h.raw == nil {
		return c.typed(h, labels)
	}
	c.ask(labels)
	if err = c.raw(h); err == nil && c.request.freed {
		c.body, c.released = nil, true
		read.Return()
	}
	return err
}

// ask fills in the request of a raw operation.
func (c *call) ask(labels wire.Labels) {
	r := &c.request // field by field: a whole one would stand on the stack while the operation runs
	r.HTTP, r.Operation, r.ID, r.Caller, r.Labels = c.r, c.op, c.id, c.who, labels
	r.Body, r.Digest, r.Received = c.body, c.sig.signature.Digest(), c.received
}

// authenticate finds who is calling. Only an operation that is Open may be
// called by nobody.
func (c *call) authenticate(sig credentials, body []byte) (err error) {
	if sig.absent() && c.opens(body) {
		c.who.Region = c.mux.fallback
	} else if c.who, err = c.mux.authenticate(c.r, sig, body, c.received, c.service); err != nil {
		return err
	}
	c.who.Origin, c.admitted = originOf(c.r), true
	return nil
}

func (c *call) opens(body []byte) bool {
	op, _, err := c.service.route(c.r, body)
	return err == nil && c.service.handlers[op.Name].asks == AsksNobody
}

// raw leaves the wire to the operation.
func (c *call) raw(h Handler) error {
	err := h.raw(c.w, &c.request)
	c.status, c.servedIn = http.StatusOK, c.request.ServedIn
	return err
}

func (c *call) typed(h Handler, labels wire.Labels) error {
	op := c.op
	in, err := c.protocol.Decode(op, &wire.Request{
		Method: c.r.Method, Path: c.r.URL.EscapedPath(), RawQuery: c.r.URL.RawQuery,
		Header: c.r.Header, Body: c.body, Labels: labels,
	})
	if err != nil {
		return err
	}
	c.in = in
	if op.Input != nil {
		if err := wire.Validate(op.Input, in); err != nil {
			return err
		}
	}
	may, err := c.mux.permit(c.service.name, op.Name, c.who)
	if err != nil {
		return err
	}
	out, err := h.typed(WithRequestID(c.r.Context(), c.id), c.who, may, in)
	if err != nil {
		return err
	}
	c.out = out
	answer := wire.Response{Status: op.Status, Header: c.w.Header()}
	if err := c.protocol.Encode(op, out, &answer); err != nil {
		return fmt.Errorf("encode %s: %w", op.Name, err)
	}
	c.write(&answer)
	answer.Release()
	return nil
}

func (c *call) write(answer *wire.Response) {
	c.status = answer.Status
	if len(answer.Body) > 0 {
		answer.Header.Set("Content-Length", strconv.Itoa(len(answer.Body)))
	}
	c.w.WriteHeader(answer.Status)
	if _, err := c.w.Write(answer.Body); err != nil {
		c.mux.log.Debug("client went away before its answer", "request", c.id, "err", err)
	}
}

func (c *call) readBody() (body bodypool.Body, err error) {
	limit := int64(maxControlBodyBytes)
	if c.service.invokes() {
		limit = maxRuntimeBodyBytes
	}
	if c.r.ContentLength > limit {
		return body, tooLarge(limit)
	}
	from := c.r.Body
	if c.r.ContentLength < 0 { // else the server lets no more through than was announced
		from = http.MaxBytesReader(c.w, from, limit)
	}
	body, err = bodypool.Read(from, c.r.ContentLength)
	if err == nil {
		return body, nil
	}
	if strings.Contains(err.Error(), "too large") {
		return body, tooLarge(limit)
	}
	return body, outcrop.Errorf(outcrop.Invalid, "The request body ended before it was complete.").Because(err)
}

func tooLarge(limit int64) error {
	return outcrop.Errorf(outcrop.TooLarge, "The request body is larger than %d bytes.", limit)
}

// recover turns a panic into AWS's internal error and a log entry; the server
// goes on.
func (c *call) recover() {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	c.mux.log.Error("operation panicked", "request", c.id, "panic", v, "stack", string(debug.Stack()))
	c.fail(outcrop.Errorf(outcrop.Internal, "The server encountered an internal error while processing the request."))
}

// NewInvocationID mints a UUID of version 7: the time, then 74 random bits. Ids
// that come one after another stand beside each other in the store's index,
// which random ones would make slow once it is larger than memory.
func NewInvocationID() outcrop.InvocationID {
	var b [16]byte
	rand.Read(b[6:]) // never fails: crypto/rand aborts the program instead
	ms := uint64(time.Now().UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	b[6], b[8] = b[6]&0x0f|0x70, b[8]&0x3f|0x80
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, v := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, digits[v>>4], digits[v&15])
	}
	return outcrop.InvocationID(out)
}

type requestIDKey struct{}

// WithRequestID makes id readable to what runs under ctx.
func WithRequestID(ctx context.Context, id outcrop.InvocationID) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID of the request that ctx belongs to, or empty.
func RequestID(ctx context.Context) outcrop.InvocationID {
	id, _ := ctx.Value(requestIDKey{}).(outcrop.InvocationID)
	return id
}
