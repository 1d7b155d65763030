package wire

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"outcrop/internal/jsonlex"
)

// Structs is a list of generated structs in a tree, not read into trees of
// their own: an answer can hold a thousand, and JSON is written from them as
// they are.
type Structs struct{ list reflect.Value }

// Trees reads the structs.
func (s Structs) Trees() []any { return listTree(s.list) }

// Answer is Tree for an answer that is about to be written: its lists of
// structs are Structs.
func Answer(from any) map[string]any {
	v := reflect.ValueOf(from)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return map[string]any{}
	}
	return readStruct(v, func(field reflect.Value, kind fieldKind) any {
		if kind == listKind && !field.IsNil() && kindOf(field.Type().Elem()) == structKind {
			return Structs{field}
		}
		return treeValue(field, kind)
	})
}

// A pairing is how a struct's fields are written as a structure's members, in
// the model's order.
type pairing []paired

type paired struct {
	field        *planField
	member       *Member
	key, wireKey string // what its name begins with, `"name":`: as a member, and where members go by their locationName
}

// pairings are derived from types and models, which never change.
var pairings sync.Map // pairingKey to pairing

type pairingKey struct {
	of    reflect.Type
	shape *Shape
}

func pairingOf(of reflect.Type, s *Shape) pairing {
	key := pairingKey{of, s}
	if p, ok := pairings.Load(key); ok {
		return p.(pairing)
	}
	fields, p := planOf(of), pairing{}
	for _, m := range s.Members {
		for i := range fields {
			if fields[i].name == m.Name {
				key := func(name string) string { return string(append(jsonlex.AppendString(nil, name), ':')) }
				p = append(p, paired{&fields[i], m, key(m.Name), key(m.WireName())})
			}
		}
	}
	pairings.Store(key, p)
	return p
}

// elements writes what list would write of the elements' trees.
func (e *jsonEncoder) elements(m *Member, list reflect.Value, kind fieldKind) error {
	one := func(v reflect.Value) error { return e.field(m, v, kind) }
	if kind == structKind && m.Shape.Type == Structure {
		p := pairingOf(list.Type().Elem(), m.Shape)
		one = func(v reflect.Value) error { return e.fields(p, v) }
	}
	e.buf = append(e.buf, '[')
	for i := range list.Len() {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		if err := one(list.Index(i)); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

// fields writes what structure would write of the struct's tree.
func (e *jsonEncoder) fields(pairs pairing, v reflect.Value) error {
	e.buf = append(e.buf, '{')
	empty := len(e.buf)
	for _, p := range pairs {
		field := v.Field(p.field.index)
		if !p.field.present(field) || e.names && p.member.Location != InBody {
			continue
		}
		if len(e.buf) > empty {
			e.buf = append(e.buf, ',')
		}
		if e.names {
			e.buf = append(e.buf, p.wireKey...)
		} else {
			e.buf = append(e.buf, p.key...)
		}
		if err := e.field(p.member, field, p.field.elem); err != nil {
			return fmt.Errorf("%s: %w", p.member.Name, err)
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// field writes what value would write of a field's tree.
func (e *jsonEncoder) field(m *Member, v reflect.Value, kind fieldKind) error {
	shape := m.Shape.Type
	switch {
	case kind == stringKind && shape == String:
		e.buf = jsonlex.AppendString(e.buf, v.String())
		return nil
	case kind == timeKind && shape == Timestamp:
		e.timestamp(m, timeIn(v))
		return nil
	case kind == structKind && shape == Structure:
		return e.fields(pairingOf(v.Type(), m.Shape), v)
	case kind == listKind && shape == List:
		if elem := kindOf(v.Type().Elem()); elem == structKind || elem == stringKind {
			return e.elements(m.Shape.Elem, v, elem)
		}
	}
	if value := treeValue(v, kind); value != nil {
		return e.value(m, value)
	}
	return e.value(m, emptyOf(kind))
}

// present says whether readStruct would find the field's member.
func (f *planField) present(v reflect.Value) bool {
	switch f.elem {
	case stringKind:
		return f.required || v.Len() > 0
	case timeKind:
		return f.required || !timeIn(v).IsZero()
	case listKind, mapKind, blobKind:
		return f.required || !v.IsNil()
	case pointerKind, documentKind:
		return !v.IsNil()
	}
	return f.elem != unknownKind
}

// timeIn reads a time without a copy of its own where it can.
func timeIn(v reflect.Value) time.Time {
	if v.CanAddr() {
		return *v.Addr().Interface().(*time.Time)
	}
	return v.Interface().(time.Time)
}
