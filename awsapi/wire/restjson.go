package wire

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"sync"
)

// RESTJSON is the protocol of bedrock and bedrock-runtime: members ride in
// path, query and headers, the rest as JSON (restJson1).
type RESTJSON struct{}

// Decode reads op's input from every part of the request.
func (RESTJSON) Decode(op *Operation, r *Request) (map[string]any, error) {
	in := op.Input
	if in == nil {
		return map[string]any{}, nil
	}
	tree, err := decodeBindings(in, r)
	if err != nil {
		return nil, err
	}
	if in.Payload != "" {
		err = decodePayload(in.Member(in.Payload), r.Body, tree)
	} else {
		err = decodeRESTBody(in, r.Body, tree)
	}
	return tree, err
}

// decodeRESTBody reads the members that have no other place. A body that no
// member lives in is not looked at.
func decodeRESTBody(in *Shape, body []byte, tree map[string]any) error {
	if !in.hasBody() || len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	v, err := decodeJSON(body, &Member{Shape: in}, true)
	if err != nil {
		return err
	}
	members, _ := v.(map[string]any) // null is an empty body
	for name, v := range members {
		tree[name] = v
	}
	return nil
}

// decodePayload reads a member that is the whole body. An event stream is
// read by whoever holds the connection.
func decodePayload(m *Member, body []byte, tree map[string]any) error {
	switch {
	case m == nil || m.Shape.EventStream || len(body) == 0:
		return nil
	case m.Shape.Type == Blob:
		tree[m.Name] = body
		return nil
	case m.Shape.Type == String:
		tree[m.Name] = string(body)
		return nil
	}
	v, err := decodeJSON(body, m, true)
	if err == nil {
		put(tree, m.Name, v)
	}
	return err
}

// Encode writes op's answer. A body without members is {}.
func (RESTJSON) Encode(op *Operation, out map[string]any, w *Response) (err error) {
	w.Status = op.Status
	w.Header.Set("Content-Type", "application/json")
	w.Body = []byte("{}")
	if op.Output != nil {
		if w.Body, err = encodeREST(op.Output, out, w); err != nil {
			return fmt.Errorf("encode %s: %w", op.Name, err)
		}
	}
	if w.Status == http.StatusNoContent || w.Status == http.StatusNotModified {
		w.Body = nil
		w.Header.Del("Content-Type")
	}
	return nil
}

func encodeREST(s *Shape, tree map[string]any, w *Response) ([]byte, error) {
	if m := s.Member(s.Payload); m != nil {
		return encodePayload(m, tree, w, func() error { return encodeBindings(s, tree, w) })
	}
	if err := encodeBindings(s, tree, w); err != nil {
		return nil, err
	}
	return encodeJSON(&Member{Shape: s}, tree, true, iso6, w)
}

// encodePayload writes the member that is the whole body. The bindings come
// after the default Content-Type, because they may hold a better one.
func encodePayload(m *Member, tree map[string]any, w *Response, bindings func() error) ([]byte, error) {
	v, present := tree[m.Name]
	switch m.Shape.Type {
	case Blob:
		w.Header.Set("Content-Type", "application/octet-stream")
	case String:
		w.Header.Set("Content-Type", "text/plain")
	}
	if err := bindings(); err != nil {
		return nil, err
	}
	if !present || v == nil {
		if m.Shape.Type == Structure {
			return []byte("{}"), nil
		}
		return nil, nil
	}
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return encodeJSON(m, v, true, iso6, w)
}

// encodeBuffers are used again: a long list would else be copied each time its
// buffer is outgrown.
var encodeBuffers = sync.Pool{New: func() any { return new([]byte) }}

const maxEncodeBuffer = 2 << 20 // a longer one is not kept

// encodeJSON writes v into a buffer that w may give back.
func encodeJSON(m *Member, v any, names bool, iso string, w *Response) ([]byte, error) {
	scratch := encodeBuffers.Get().(*[]byte)
	e := jsonEncoder{names: names, iso: iso, buf: (*scratch)[:0]}
	err := e.value(m, v)
	if *scratch = e.buf; cap(e.buf) <= maxEncodeBuffer {
		w.lent = scratch
	}
	return e.buf, err
}

// Release gives back the memory of Body, when it has been written.
func (w *Response) Release() {
	if w.lent != nil {
		encodeBuffers.Put(w.lent)
	}
	w.Body, w.lent = nil, nil
}

// The namespaces that AWS writes after an error's name: that of the service,
// and that of the layer before it (runtime-metering-billing.md §1.9). The name
// comes first, because clients cut at the first colon.
const (
	errorNamespace     = ":http://internal.amazon.com/coral/com.amazon.%s/"
	authErrorNamespace = ":http://internal.amazon.com/coral/com.amazon.coral.service/"
)

// EncodeError writes the error's name into a header, its message and further
// members into the body.
func (RESTJSON) EncodeError(svc *Service, f *Failure, w *Response) {
	w.Status = f.Status
	namespace := fmt.Sprintf(errorNamespace, cmp.Or(svc.SigningName, "bedrock")) // bedrock's, when no service was recognised
	if f.Auth {
		namespace = authErrorNamespace
	}
	w.Header.Set("x-amzn-ErrorType", f.Code+namespace)
	w.Header.Set("Content-Type", "application/json")
	shape := svc.Error(f.Code)
	if shape != nil {
		// An error member that does not fit its header is left out: the
		// client still learns code and message.
		_ = encodeBindings(shape, f.Fields, w)
	}
	e := jsonEncoder{names: true, iso: iso6}
	e.failure(shape, f, "")
	w.Body = e.buf
}
