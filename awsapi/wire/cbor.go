package wire

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// RPCv2CBOR is the protocol that the Go SDK speaks to CloudWatch: POST
// /service/NAME/operation/OP with CBOR both ways (smithy.protocols#rpcv2Cbor).
type RPCv2CBOR struct{}

// cborIn reads hostile input: bounded in depth and size, one value per key.
var cborIn = mustMode(cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 64, MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 17,
	IntDec: cbor.IntDecConvertSignedOrFail, DefaultMapType: reflect.TypeFor[map[string]any](),
	UTF8: cbor.UTF8RejectInvalid, TimeTag: cbor.DecTagOptional, TimeTagToAny: cbor.TimeTagToRFC3339Nano,
}.DecMode())

// Decode reads op's input. An empty body is an empty structure.
func (RPCv2CBOR) Decode(op *Operation, r *Request) (map[string]any, error) {
	if len(r.Body) == 0 || op.Input == nil {
		return map[string]any{}, nil
	}
	var raw any
	if err := cborIn.Unmarshal(r.Body, &raw); err != nil {
		return nil, &Malformed{Message: "The CBOR body of the request is not readable: " + err.Error()}
	}
	v, err := fromCBOR(&Member{Shape: op.Input}, raw, op.Input.Name)
	if err != nil {
		return nil, err
	}
	tree, _ := v.(map[string]any)
	if tree == nil {
		tree = map[string]any{}
	}
	return tree, nil
}

// fromCBOR fits a decoded value into m's shape; nil is absent.
func fromCBOR(m *Member, v any, path string) (any, error) {
	if v == nil {
		return nil, nil
	}
	unfit := func() error {
		return &Malformed{Message: fmt.Sprintf("%s is not a %s.", path, m.Shape.Type)}
	}
	switch m.Shape.Type {
	case Structure, Map:
		fields, ok := v.(map[string]any)
		if !ok {
			return nil, unfit()
		}
		return fieldsFromCBOR(m.Shape, fields, path)
	case List:
		list, ok := v.([]any)
		if !ok {
			return nil, unfit()
		}
		return listFromCBOR(m.Shape, list, path)
	}
	out, ok := scalarFromCBOR(m.Shape.Type, v)
	if !ok {
		return nil, unfit()
	}
	return out, nil
}

func fieldsFromCBOR(s *Shape, fields map[string]any, path string) (map[string]any, error) {
	tree := make(map[string]any, len(fields))
	for name, v := range fields {
		m := s.Value
		if s.Type == Structure {
			if m = s.Member(name); m == nil {
				continue // from a newer model
			}
		}
		out, err := fromCBOR(m, v, path+"."+name)
		if err != nil {
			return nil, err
		}
		if out == nil && s.Type == Map && s.Sparse {
			tree[name] = nil
			continue
		}
		put(tree, name, out)
	}
	return tree, nil
}

func listFromCBOR(s *Shape, list []any, path string) ([]any, error) {
	out := make([]any, 0, len(list))
	for i, v := range list {
		e, err := fromCBOR(s.Elem, v, fmt.Sprintf("%s.%d", path, i))
		if err != nil {
			return nil, err
		}
		if e != nil || s.Sparse {
			out = append(out, e)
		}
	}
	return out, nil
}

func scalarFromCBOR(t Type, v any) (any, bool) {
	switch t {
	case Integer, Long:
		return wholeNumber(v, t)
	case Float, Double:
		switch n := v.(type) {
		case float64:
			return n, true
		case int64:
			return float64(n), true
		}
		return nil, false
	case Timestamp:
		return timeFromCBOR(v)
	case Boolean:
		b, ok := v.(bool)
		return b, ok
	case Blob:
		b, ok := v.([]byte)
		return b, ok
	}
	s, ok := v.(string)
	return s, ok
}

func wholeNumber(v any, t Type) (any, bool) {
	n, ok := v.(int64)
	if f, isFloat := v.(float64); isFloat && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		n, ok = int64(f), true
	}
	if t == Integer && (n < math.MinInt32 || n > math.MaxInt32) {
		return nil, false
	}
	return n, ok
}

// timeFromCBOR reads tag 1, and bare seconds for clients that leave it out.
func timeFromCBOR(v any) (any, bool) {
	switch n := v.(type) {
	case string: // how the decoder hands on tag 1
		t, err := time.Parse(time.RFC3339Nano, n)
		return t.UTC().Round(time.Microsecond), err == nil && inRange(t)
	case float64:
		t, ok := epochTime(n)
		return t, ok
	case int64:
		t, ok := epochTime(float64(n))
		return t, ok
	}
	return nil, false
}

// Encode writes op's answer.
func (p RPCv2CBOR) Encode(op *Operation, out map[string]any, w *Response) error {
	w.Status = op.Status
	p.head(w)
	if op.Output == nil {
		return nil
	}
	w.Header.Set("Content-Type", "application/cbor")
	b, err := cborOut.Marshal(toCBOR(&Member{Shape: op.Output}, out))
	w.Body = b
	return err
}

// head writes the header that the protocol demands on every answer.
func (RPCv2CBOR) head(w *Response) { w.Header.Set("Smithy-Protocol", "rpc-v2-cbor") }

// EncodeError names the error in __type; a service that spoke query once
// repeats its old code in x-amzn-query-error.
func (p RPCv2CBOR) EncodeError(svc *Service, f *Failure, w *Response) {
	w.Status = f.Status
	p.head(w)
	w.Header.Set("Content-Type", "application/cbor")
	shape := svc.Error(f.Code)
	name := f.Code
	body := map[string]any{}
	if shape != nil {
		name = shape.Name
		for field, v := range f.Fields {
			if m := shape.Member(field); m != nil {
				body[field] = toCBOR(m, v)
			}
		}
	}
	body["__type"] = svc.namespace(f.Auth) + "#" + name
	if f.Message != "" {
		body[messageName(shape, f.Auth)] = f.Message
	}
	if svc.QueryMode {
		w.Header.Set("x-amzn-query-error", queryError(shape, f))
	}
	w.Body, _ = cborOut.Marshal(body) // made of plain values, which always encode
}

// cborOut writes the shortest form of floats that loses nothing.
var cborOut = mustMode(cbor.EncOptions{ShortestFloat: cbor.ShortestFloatNone, Sort: cbor.SortNone}.EncMode())

func mustMode[M any](m M, err error) M {
	if err != nil {
		panic(err) // the options above are constant: a test would show it
	}
	return m
}

// toCBOR brings a tree into the values that the encoder knows.
func toCBOR(m *Member, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, field := range v {
			at := m.Shape.Value
			if m.Shape.Type == Structure {
				if at = m.Shape.Member(name); at == nil {
					continue
				}
			}
			out[name] = toCBOR(at, field)
		}
		return out
	case Structs:
		return toCBOR(m, v.Trees())
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = toCBOR(m.Shape.Elem, e)
		}
		return out
	case time.Time:
		return cbor.Tag{Number: 1, Content: float64(v.UnixMilli()) / 1000}
	case float64:
		if m.Shape.Type == Float {
			return float32(v)
		}
	case Document:
		return string(v)
	}
	return v
}
