package awsapi

import (
	"context"
	"net/http"
	"time"

	"outcrop"
	"outcrop/awsapi/wire"
	"outcrop/iam"
	"outcrop/sigv4"
)

// A Handler is one operation behind the door. Make one with Op, OpOn, Own,
// Open or Raw.
type Handler struct {
	name  string
	asks  Asking
	typed func(ctx context.Context, who outcrop.Caller, may permit, in map[string]any) (map[string]any, error)
	raw   func(w http.ResponseWriter, r *Request) error

	duplex string // how the URI ends whose body must not be read; empty for the others
}

// Name is the operation's AWS name.
func (h Handler) Name() string { return h.name }

// An Asking is how an operation comes to the decision whether its caller may
// have it. Its zero value is the strictest.
type Asking uint8

// The ways to a decision.
const (
	AsksForAll       Asking = iota // Op: the door asks about every resource
	AsksForResources               // OpOn: the door asks about those the request names
	AsksItself                     // Own and Raw: the operation asks
	AsksNobody                     // Open: its input is its proof
)

// Asks is how the operation's decision is made.
func (h Handler) Asks() Asking { return h.asks }

// Op puts a plain function behind the door. The door authenticates, decodes,
// checks the model's constraints, asks whether the caller may do this at all
// (to any resource), and renders the answer or the error.
func Op[In, Out any](name string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) Handler {
	return OpOn(name, nil, fn)
}

// OpOn is Op for an operation on resources: on lists what the request touches,
// each with the condition keys that belong to it. It is called before fn, and
// what it cannot find it leaves to fn to report.
func OpOn[In, Out any](
	name string,
	on func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check,
	fn func(context.Context, outcrop.Caller, *In) (*Out, error),
) Handler {
	asks := AsksForAll
	if on != nil {
		asks = AsksForResources
	}
	return Handler{name: name, asks: asks, typed: func(ctx context.Context, who outcrop.Caller, may permit, tree map[string]any) (map[string]any, error) {
		in := new(In)
		if err := wire.Bind(tree, in); err != nil {
			return nil, err
		}
		var checks []iam.Check
		if on != nil {
			checks = on(ctx, who, may.operation, in)
		}
		if err := may.ask(ctx, checks); err != nil {
			return nil, err
		}
		out, err := fn(ctx, who, in)
		if err != nil {
			return nil, err
		}
		return wire.Answer(out), nil
	}}
}

// Own is Op for an operation that decides by itself who may have it, because
// more than the caller's policies has a say: a role's trust policy, of
// AssumeRole.
func Own[In, Out any](name string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) Handler {
	return Handler{name: name, asks: AsksItself, typed: func(ctx context.Context, who outcrop.Caller, _ permit, tree map[string]any) (map[string]any, error) {
		in := new(In)
		if err := wire.Bind(tree, in); err != nil {
			return nil, err
		}
		out, err := fn(ctx, who, in)
		if err != nil {
			return nil, err
		}
		return wire.Answer(out), nil
	}}
}

// Open is Own for an operation that carries its proof in its input and is sent
// unsigned, as AssumeRoleWithWebIdentity is. Its caller is empty but for the
// Region and the Origin: there is nobody whose policies could be asked.
func Open[In, Out any](name string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) Handler {
	h := Own(name, fn)
	h.asks = AsksNobody
	return h
}

// Raw puts a function behind the door that reads and writes the wire itself:
// the data plane and streams. It asks for permission itself (gateway.Policy),
// since what to ask about is known only once the model is resolved. It returns an error only while it has written
// nothing, and the door then renders that error.
func Raw(name string, fn func(http.ResponseWriter, *Request) error) Handler {
	return Handler{name: name, asks: AsksItself, raw: fn}
}

// A Request is what the door hands to a Raw operation.
type Request struct {
	HTTP      *http.Request
	Operation *wire.Operation
	ID        outcrop.InvocationID
	Caller    outcrop.Caller
	Labels    wire.Labels
	Body      []byte
	Digest    string         // sigv4.PayloadHash of Body, where its signature covers it; else empty
	Payload   *sigv4.Payload // of a Streamed service: vouches for HTTP.Body, which is not read yet
	Events    *sigv4.Events  // of a Duplex operation: verify the frames of HTTP.Body
	Received  time.Time
	ServedIn  outcrop.Region // set by the operation: where a model answered, for the audit
	freed     bool
}

// Free says that nothing which outlives the operation has r, its HTTP request or
// a part of its Body, but for texts of the request's head, so that their memory may serve another request once the operation has
// returned without an error.
func (r *Request) Free() { r.freed = true }

// Context ends when the client goes away.
func (r *Request) Context() context.Context { return r.HTTP.Context() }
