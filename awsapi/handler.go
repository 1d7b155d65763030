package awsapi

import (
	"context"
	"net/http"
	"time"

	"outcrop"
	"outcrop/awsapi/wire"
)

// A Handler is one operation behind the door. Make one with Op or Raw.
type Handler struct {
	name  string
	typed func(ctx context.Context, who outcrop.Caller, in map[string]any) (map[string]any, error)
	raw   func(w http.ResponseWriter, r *Request) error
}

// Name is the operation's AWS name.
func (h Handler) Name() string { return h.name }

// Op puts a plain function behind the door. The door authenticates, decodes,
// checks the model's constraints, and renders the answer or the error.
func Op[In, Out any](name string, fn func(context.Context, outcrop.Caller, *In) (*Out, error)) Handler {
	return Handler{name: name, typed: func(ctx context.Context, who outcrop.Caller, tree map[string]any) (map[string]any, error) {
		in := new(In)
		if err := wire.Bind(tree, in); err != nil {
			return nil, err
		}
		out, err := fn(ctx, who, in)
		if err != nil {
			return nil, err
		}
		return wire.Tree(out), nil
	}}
}

// Raw puts a function behind the door that reads and writes the wire itself:
// the data plane and streams. It returns an error only while it has written
// nothing, and the door then renders that error.
func Raw(name string, fn func(http.ResponseWriter, *Request) error) Handler {
	return Handler{name: name, raw: fn}
}

// A Request is what the door hands to a Raw operation.
type Request struct {
	HTTP      *http.Request
	Operation *wire.Operation
	ID        outcrop.InvocationID
	Caller    outcrop.Caller
	Labels    map[string]string // path labels, decoded once
	Body      []byte
	Received  time.Time
}

// Context ends when the client goes away.
func (r *Request) Context() context.Context { return r.HTTP.Context() }
