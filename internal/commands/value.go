package commands

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Set takes a value from the command line. The first takes the default's
// place; a list or map takes more.
func (o *option) Set(text string) error {
	if o.enum != nil && !slices.Contains(o.enum, text) {
		return fmt.Errorf("want %s, not %q", oneOf(o.enum), text)
	}
	if o.many && !o.given {
		o.field.SetZero()
	}
	o.given = true
	switch o.field.Kind() {
	case reflect.Slice:
		return o.add(text)
	case reflect.Map:
		return o.put(text)
	}
	return scan(o.field, text)
}

// Type says to cobra whether more than one value may come.
func (o *option) Type() string {
	if o.many {
		return "stringSlice"
	}
	return "string"
}

// supported reports whether values of the field's type can be read at all.
func (o *option) supported() error {
	t := o.field.Type()
	if t.Kind() == reflect.Map && t.Key().Kind() != reflect.String {
		return fmt.Errorf("keys of a %s cannot be read", t)
	}
	if o.many || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !slices.Contains(kinds, t.Kind()) {
		return fmt.Errorf("a %s cannot be read", t)
	}
	return nil
}

var kinds = []reflect.Kind{reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64, reflect.Float64}

// add appends the values that text lists.
func (o *option) add(text string) error {
	for _, part := range split(text, o.sep) {
		v := reflect.New(o.field.Type().Elem()).Elem()
		if err := scan(v, part); err != nil {
			return err
		}
		o.field.Set(reflect.Append(o.field, v))
	}
	return nil
}

// put adds the pairs that text lists to a map.
func (o *option) put(text string) error {
	if o.field.IsNil() {
		o.field.Set(reflect.MakeMap(o.field.Type()))
	}
	for _, pair := range split(text, o.sep) {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("want KEY=VALUE, not %q", pair)
		}
		v := reflect.New(o.field.Type().Elem()).Elem()
		if err := scan(v, value); err != nil {
			return err
		}
		o.field.SetMapIndex(reflect.ValueOf(key).Convert(o.field.Type().Key()), v)
	}
	return nil
}

// split cuts at each sep that no backslash precedes. Nothing after the last is
// no part, so that an empty text has none.
func split(text, sep string) []string {
	if sep == "none" {
		return []string{text}
	}
	var parts []string
	part := ""
	for text != "" {
		if rest, ok := strings.CutPrefix(text, sep); ok {
			parts, part, text = append(parts, part), "", rest
			continue
		}
		if rest, ok := strings.CutPrefix(text, `\`+sep); ok {
			part, text = part+sep, rest
			continue
		}
		part, text = part+text[:1], text[1:]
	}
	if part != "" {
		parts = append(parts, part)
	}
	return parts
}

// scan reads one value.
func scan(v reflect.Value, text string) error {
	var err error
	want := ""
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return scan(v.Elem(), text)
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = truth(text)
		v.SetBool(b)
		want = "true or false"
	case reflect.Int, reflect.Int64:
		var n int64
		n, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(n)
		want = "a whole number"
	case reflect.Uint, reflect.Uint64:
		var n uint64
		n, err = strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
		want = "a whole number, 0 or more"
	case reflect.Float64:
		var x float64
		x, err = strconv.ParseFloat(text, 64)
		v.SetFloat(x)
		want = "a number"
	default:
		return fmt.Errorf("a %s cannot be read", v.Type())
	}
	if err != nil {
		return fmt.Errorf("want %s, not %q", want, text)
	}
	return nil
}

func truth(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1", "yes":
		return true, nil
	case "false", "0", "no":
		return false, nil
	}
	return false, strconv.ErrSyntax
}

// negated is a flag's --no- form.
type negated struct{ *option }

// Set takes the opposite.
func (n negated) Set(text string) error {
	no, err := truth(text)
	if err != nil {
		return fmt.Errorf("want true or false, not %q", text)
	}
	return n.option.Set(strconv.FormatBool(!no))
}
