package wire

import (
	"maps"
	"slices"
	"strings"

	"outcrop/internal/jsonlex"
)

// failure writes the body of an error: its type when the body names it, its
// message and the further members of its shape, which may be nil.
func (e *jsonEncoder) failure(shape *Shape, f *Failure, kind string) {
	e.buf = append(e.buf, '{')
	first := true
	if kind != "" {
		e.key("__type", &first)
		e.buf = jsonlex.AppendString(e.buf, kind)
	}
	if f.Message != "" {
		e.key(messageName(shape, f.Auth), &first)
		e.buf = jsonlex.AppendString(e.buf, f.Message)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Fields)) {
		if !strings.EqualFold(name, "message") {
			e.failureField(shape, name, f.Fields[name], &first)
		}
	}
	e.buf = append(e.buf, '}')
}

// failureField writes one further member. What cannot be written is left out:
// the client still learns code and message.
func (e *jsonEncoder) failureField(shape *Shape, name string, v any, first *bool) {
	if shape == nil {
		return
	}
	m := shape.Member(name)
	if m == nil || v == nil || e.names && m.Location != InBody {
		return
	}
	wireName := m.Name
	if e.names {
		wireName = m.WireName()
	}
	length, wasFirst := len(e.buf), *first
	e.key(wireName, first)
	if e.value(m, v) != nil {
		e.buf, *first = e.buf[:length], wasFirst
	}
}

// messageName is what the model calls the message; clients generated from it
// look for that. The layer before the services writes "Message".
func messageName(shape *Shape, auth bool) string {
	if auth {
		return "Message"
	}
	if shape != nil {
		for _, m := range shape.Members {
			if strings.EqualFold(m.Name, "message") {
				return m.Name
			}
		}
	}
	return "message"
}
