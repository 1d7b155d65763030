package wire

import (
	"encoding/json"
	"reflect"
	"time"
)

// Tree reads a generated struct, or a pointer to one, into a tree. Absent are
// nil pointers, slices, maps and documents, and optional strings and times
// that are zero. Required slices and maps that are nil become empty ones.
func Tree(from any) map[string]any {
	v := reflect.ValueOf(from)
	for v.Kind() == reflect.Pointer {
		v = v.Elem() // of nil: the zero Value, whose kind is Invalid
	}
	if v.Kind() != reflect.Struct {
		return map[string]any{}
	}
	return structTree(v)
}

func structTree(v reflect.Value) map[string]any { return readStruct(v, treeValue) }

func readStruct(v reflect.Value, read func(reflect.Value, fieldKind) any) map[string]any {
	fields := planOf(v.Type())
	tree := make(map[string]any, len(fields))
	for i := range fields {
		f := &fields[i]
		field := v.Field(f.index)
		if value := read(field, f.elem); value != nil && (f.required || !f.absent(value)) {
			tree[f.name] = value
		} else if empty := emptyOf(f.elem); f.required && empty != nil {
			tree[f.name] = empty
		}
	}
	return tree
}

// absent says whether an optional member is left out although its field
// cannot be nil. Behind a pointer, as in a union, zero is a value like others.
func (f *planField) absent(value any) bool {
	switch f.elem {
	case stringKind:
		return value == ""
	case timeKind:
		return value.(time.Time).IsZero()
	}
	return false
}

// emptyOf stands in for a required member whose field is nil.
func emptyOf(kind fieldKind) any {
	switch kind {
	case listKind:
		return []any{}
	case mapKind:
		return map[string]any{}
	case blobKind:
		return []byte{}
	}
	return nil
}

// treeValue is nil for what is nil.
func treeValue(v reflect.Value, kind fieldKind) any {
	switch kind {
	case stringKind:
		return v.String()
	case intKind:
		return v.Int()
	case floatKind:
		return v.Float()
	case boolKind:
		return v.Bool()
	case structKind:
		return structTree(v)
	case timeKind:
		return v.Interface().(time.Time)
	}
	if kind == unknownKind || v.IsNil() {
		return nil
	}
	switch kind {
	case blobKind:
		return v.Bytes()
	case documentKind:
		return Document(v.Interface().(json.RawMessage))
	case pointerKind:
		return treeValue(v.Elem(), kindOf(v.Type().Elem()))
	case listKind:
		return listTree(v)
	}
	return mapTree(v)
}

func listTree(v reflect.Value) []any {
	kind := kindOf(v.Type().Elem())
	list := make([]any, v.Len())
	for i := range list {
		list[i] = treeValue(v.Index(i), kind)
	}
	return list
}

func mapTree(v reflect.Value) map[string]any {
	kind := kindOf(v.Type().Elem())
	tree := make(map[string]any, v.Len())
	for it := v.MapRange(); it.Next(); {
		tree[it.Key().String()] = treeValue(it.Value(), kind)
	}
	return tree
}
