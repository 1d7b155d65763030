package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"
)

// Bind fills the generated struct that into points to from a tree. Members
// without a field are ignored, fields without a member keep their value.
func Bind(tree map[string]any, into any) error {
	p := reflect.ValueOf(into)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("bind: %T is not a pointer to a struct", into)
	}
	return bindStruct(tree, p.Elem())
}

// A plan is how the fields of one struct type meet the members of a tree.
type plan []planField

type planField struct {
	name     string
	index    int
	required bool
	elem     fieldKind
}

// plans are derived from types alone and never change: reflect.Type to plan.
var plans sync.Map

func planOf(t reflect.Type) plan {
	if p, ok := plans.Load(t); ok {
		return p.(plan)
	}
	var p plan
	for i := range t.NumField() {
		tag, ok := t.Field(i).Tag.Lookup("aws")
		if !ok {
			continue
		}
		name, option, _ := strings.Cut(tag, ",")
		p = append(p, planField{name: name, index: i, required: option == "required", elem: kindOf(t.Field(i).Type)})
	}
	plans.Store(t, p)
	return p
}

// A fieldKind is what a Go type stands for in a tree.
type fieldKind uint8

const (
	unknownKind fieldKind = iota
	stringKind
	intKind
	floatKind
	boolKind
	timeKind
	blobKind
	documentKind
	structKind
	listKind
	mapKind
	pointerKind
)

var (
	timeType     = reflect.TypeFor[time.Time]()
	documentType = reflect.TypeFor[json.RawMessage]()
)

func kindOf(t reflect.Type) fieldKind {
	switch t {
	case timeType:
		return timeKind
	case documentType:
		return documentKind
	}
	switch t.Kind() {
	case reflect.String:
		return stringKind
	case reflect.Int, reflect.Int32, reflect.Int64:
		return intKind
	case reflect.Float32, reflect.Float64:
		return floatKind
	case reflect.Bool:
		return boolKind
	case reflect.Struct:
		return structKind
	case reflect.Pointer:
		return pointerKind
	case reflect.Map:
		return mapKind
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return blobKind
		}
		return listKind
	}
	return unknownKind
}

func bindStruct(tree map[string]any, into reflect.Value) error {
	for _, f := range planOf(into.Type()) {
		v, ok := tree[f.name]
		if !ok || v == nil {
			continue
		}
		if err := bindValue(v, into.Field(f.index), f.elem); err != nil {
			return fmt.Errorf("bind %s: %w", f.name, err)
		}
	}
	return nil
}

func bindValue(v any, into reflect.Value, kind fieldKind) error {
	switch kind {
	case pointerKind:
		p := reflect.New(into.Type().Elem())
		into.Set(p)
		return bindValue(v, p.Elem(), kindOf(p.Type().Elem()))
	case structKind:
		if tree, ok := v.(map[string]any); ok {
			return bindStruct(tree, into)
		}
	case listKind:
		if list, ok := v.([]any); ok {
			return bindList(list, into)
		}
	case mapKind:
		if tree, ok := v.(map[string]any); ok {
			return bindMap(tree, into)
		}
	default:
		if bindScalar(v, into, kind) {
			return nil
		}
	}
	return fmt.Errorf("a %T does not fit a %s", v, into.Type())
}

func bindScalar(v any, into reflect.Value, kind fieldKind) bool {
	switch v := v.(type) {
	case string:
		if kind == stringKind {
			into.SetString(v)
			return true
		}
	case int64:
		switch {
		case kind == intKind && !into.OverflowInt(v):
			into.SetInt(v)
			return true
		case kind == floatKind:
			into.SetFloat(float64(v))
			return true
		}
	case float64:
		if kind == floatKind {
			into.SetFloat(v)
			return true
		}
	case bool:
		if kind == boolKind {
			into.SetBool(v)
			return true
		}
	case time.Time:
		if kind == timeKind {
			into.Set(reflect.ValueOf(v))
			return true
		}
	case []byte:
		if kind == blobKind {
			into.SetBytes(v)
			return true
		}
	case Document:
		if kind == documentKind {
			into.SetBytes(v)
			return true
		}
	}
	return false
}

func bindList(list []any, into reflect.Value) error {
	s := reflect.MakeSlice(into.Type(), len(list), len(list))
	kind := kindOf(into.Type().Elem())
	for i, v := range list {
		if v == nil { // of a sparse list
			continue
		}
		if err := bindValue(v, s.Index(i), kind); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	into.Set(s)
	return nil
}

func bindMap(tree map[string]any, into reflect.Value) error {
	t := into.Type()
	m := reflect.MakeMapWithSize(t, len(tree))
	kind := kindOf(t.Elem())
	for key, v := range tree {
		elem := reflect.New(t.Elem()).Elem()
		if v != nil {
			if err := bindValue(v, elem, kind); err != nil {
				return fmt.Errorf("key %q: %w", key, err)
			}
		}
		m.SetMapIndex(reflect.ValueOf(key).Convert(t.Key()), elem)
	}
	into.Set(m)
	return nil
}
