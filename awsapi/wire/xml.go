package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// An xmlWriter writes trees as the XML of query answers.
type xmlWriter struct{ b []byte }

func (x *xmlWriter) open(name, attributes string) {
	x.b = append(x.b, '<')
	x.b = append(x.b, name...)
	x.b = append(x.b, attributes...)
	x.b = append(x.b, '>')
}

func (x *xmlWriter) close(name string) {
	x.b = append(x.b, "</"...)
	x.b = append(x.b, name...)
	x.b = append(x.b, '>')
}

func (x *xmlWriter) element(name, text string) {
	x.open(name, "")
	x.text(text)
	x.close(name)
}

func (x *xmlWriter) text(s string) {
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(s)) // a Buffer does not fail
	x.b = append(x.b, b.Bytes()...)
}

func (x *xmlWriter) structure(s *Shape, tree map[string]any) error {
	for _, m := range s.Members {
		if v, ok := tree[m.Name]; ok && v != nil {
			if err := x.member(m, m.WireName(), v); err != nil {
				return fmt.Errorf("%s.%s: %w", s.Name, m.Name, err)
			}
		}
	}
	return nil
}

// furtherMembers are those of an error beside its message.
func (x *xmlWriter) furtherMembers(s *Shape, fields map[string]any) {
	for _, m := range s.Members {
		if v, ok := fields[m.Name]; ok && !strings.EqualFold(m.Name, "message") {
			length := len(x.b)
			if x.member(m, m.WireName(), v) != nil {
				x.b = x.b[:length] // the client still learns code and message
			}
		}
	}
}

// member writes v under name, as often as a flattened list or map wants.
func (x *xmlWriter) member(m *Member, name string, v any) error {
	if s, ok := v.(Structs); ok {
		v = s.Trees()
	}
	switch m.Shape.Type {
	case List:
		return x.list(m, name, v.([]any))
	case Map:
		return x.mapping(m, name, v.(map[string]any))
	}
	return x.enclosed(m, name, func() error { return x.value(m, v) })
}

func (x *xmlWriter) enclosed(m *Member, name string, content func() error) error {
	x.open(name, m.xmlns())
	if err := content(); err != nil {
		return err
	}
	x.close(name)
	return nil
}

// xmlns is the namespace declaration that m asks for.
func (m *Member) xmlns() string {
	switch {
	case m.XMLNamespace == "":
		return ""
	case m.XMLPrefix == "":
		return ` xmlns="` + m.XMLNamespace + `"`
	}
	return ` xmlns:` + m.XMLPrefix + `="` + m.XMLNamespace + `"`
}

func (x *xmlWriter) value(m *Member, v any) error {
	switch v := v.(type) {
	case map[string]any:
		return x.structure(m.Shape, v)
	case []byte:
		x.b = base64.StdEncoding.AppendEncode(x.b, v)
		return nil
	case string:
		x.text(v)
		return nil
	case time.Time:
		x.b = appendTimestamp(x.b, v, m.timestampFormat(ISO8601), iso3)
		return nil
	}
	text, err := encodeText(m, v, ISO8601)
	x.text(text)
	return err
}

func (x *xmlWriter) list(m *Member, name string, list []any) error {
	elem, each := m.Shape.Elem, name
	if !m.flattened() {
		x.open(name, m.xmlns())
		defer x.close(name)
		if each = elem.WireName(); each == "" {
			each = "member"
		}
	}
	for _, v := range list {
		if err := x.member(elem, each, v); err != nil {
			return err
		}
	}
	return nil
}

func (x *xmlWriter) mapping(m *Member, name string, tree map[string]any) error {
	entry := name
	if !m.flattened() {
		x.open(name, m.xmlns())
		defer x.close(name)
		entry = "entry"
	}
	keyName, valueName := m.Shape.entryNames()
	for _, key := range slices.Sorted(maps.Keys(tree)) {
		err := x.enclosed(&Member{Shape: &Shape{}, XMLNamespace: m.entryNamespace()}, entry, func() error {
			if err := x.member(m.Shape.Key, keyName, key); err != nil {
				return err
			}
			return x.member(m.Shape.Value, valueName, tree[key])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entryNamespace is declared on each entry of a flattened map, which has no
// element of its own around them.
func (m *Member) entryNamespace() string {
	if m.flattened() {
		return m.XMLNamespace
	}
	return ""
}
