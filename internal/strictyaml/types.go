package strictyaml

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// A Duration is written with its unit: 200ms, 30s, 10m.
type Duration time.Duration

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (d *Duration) UnmarshalYAML(n ast.Node) error {
	v, err := time.ParseDuration(n.GetToken().Value)
	if err != nil || v < 0 {
		return &yaml.SyntaxError{Message: fmt.Sprintf("%q is no duration: write a number and its unit, such as 200ms, 30s or 10m", n.GetToken().Value), Token: n.GetToken()}
	}
	*d = Duration(v)
	return nil
}

// Whole is a number without a fraction, 0 or more.
type Whole int

// UnmarshalYAML implements yaml.NodeUnmarshaler.
func (w *Whole) UnmarshalYAML(n ast.Node) error {
	v, err := strconv.ParseUint(n.GetToken().Value, 10, 31)
	if err != nil {
		return &yaml.SyntaxError{Message: fmt.Sprintf("%q is no whole number", n.GetToken().Value), Token: n.GetToken()}
	}
	*w = Whole(v)
	return nil
}

// misfit says what was wanted and what was found, in a reader's words.
func misfit(e *yaml.TypeError) string {
	return fmt.Sprintf("want %s, found %s", human(e.DstType), human(e.SrcType))
}

func human(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "keys with values"
	case reflect.Pointer:
		return human(t.Elem())
	}
	return "a number"
}
