package commands

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Each has one field whose tags are wrong.
type (
	slip1 struct {
		A string `help:"A." placehodler:"X"`
	}
	slip2 struct {
		A string
	}
	slip3 struct {
		A chan int `help:"A."`
	}
	slip4 struct {
		A int `help:"A." default:"x"`
	}
	slip5 struct {
		A string `help:"A." enum:"a,b" default:"c"`
	}
	slip6 struct {
		A string `help:"A." type:"exsitingfile"`
	}
	slip7 struct {
		A string `help:"${nobody}."`
	}
	slip8 struct {
		A string `help:"A." negatable:""`
	}
	slip9 struct {
		A string `help:"A." short:"ab"`
	}
	slip10 struct {
		A string `help:"A." arg:"" short:"a"`
	}
	slip11 struct {
		A map[int]string `help:"A."`
	}
	slip12 struct {
		A []chan int `help:"A."`
	}
)

func (slip1) Run(context.Context) error  { return nil }
func (slip2) Run(context.Context) error  { return nil }
func (slip3) Run(context.Context) error  { return nil }
func (slip4) Run(context.Context) error  { return nil }
func (slip5) Run(context.Context) error  { return nil }
func (slip6) Run(context.Context) error  { return nil }
func (slip7) Run(context.Context) error  { return nil }
func (slip8) Run(context.Context) error  { return nil }
func (slip9) Run(context.Context) error  { return nil }
func (slip10) Run(context.Context) error { return nil }
func (slip11) Run(context.Context) error { return nil }
func (slip12) Run(context.Context) error { return nil }

type in[T any] struct {
	Do T `cmd:"" help:"Do."`
}

func TestWrongTagsAreFound(t *testing.T) {
	for name, check := range map[string]func(map[string]string) error{
		`tag "placehodler" is not known`: Check[in[slip1]], "has no help": Check[in[slip2]], "a chan int cannot be read": Check[in[slip3]],
		`want a whole number, not "x"`: Check[in[slip4]], `want a or b, not "c"`: Check[in[slip5]], `type "exsitingfile" is none`: Check[in[slip6]],
		"a variable in it is not known": Check[in[slip7]], "is negatable, but no bool": Check[in[slip8]], "its tags do not go together": Check[in[slip9]],
		"field A: its tags do not go together": Check[in[slip10]], "keys of a map[int]string cannot be read": Check[in[slip11]], "field A: a chan int cannot be read": Check[in[slip12]],
		"has no method Run": Check[struct {
			Do struct {
				No struct{ int } `cmd:"" default:"withargs" help:"No."`
			} `cmd:"" help:"Do."`
		}],
	} {
		if err := check(nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if err := Check[world](place); err != nil {
		t.Errorf("the tags of the other tests: %v", err)
	}
}

// all has a field of every kind that can be read.
type all struct {
	Text     string             `help:"H."`
	Yes      bool               `help:"H."`
	Count    int                `help:"H."`
	Wide     int64              `help:"H."`
	Size     uint               `help:"H."`
	Seed     uint64             `help:"H."`
	Share    float64            `help:"H."`
	MaybeN   *int64             `help:"H."`
	MaybeX   *float64           `help:"H."`
	MaybeYes *bool              `help:"H."`
	MaybeS   *string            `help:"H."`
	Texts    []string           `help:"H."`
	Shares   []float64          `help:"H."`
	Counts   []int              `help:"H."`
	Notes    map[string]string  `help:"H."`
	Scores   map[string]float64 `help:"H."`
}

func (*all) Run(context.Context) error { return nil }

// Property: a field of any kind is set by its flag, in either way of writing,
// to what was written; and no other field is.
func TestEveryKindOfFieldIsSetByItsFlag(t *testing.T) {
	shape := reflect.TypeFor[all]()
	rapid.Check(t, func(t *rapid.T) {
		f := shape.Field(rapid.IntRange(0, shape.NumField()-1).Draw(t, "field"))
		want := drawn(t, f.Type)
		args := []string{"do", "--" + kebab(f.Name) + "=" + written(want)}
		if k := f.Type.Kind(); k != reflect.Bool && (k != reflect.Pointer || f.Type.Elem().Kind() != reflect.Bool) && rapid.Bool().Draw(t, "apart") {
			args = []string{"do", "--" + kebab(f.Name), written(want)}
		}
		got, err := New[in[all]]("p", "", nil).Parse(args)
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		expected := reflect.New(shape)
		expected.Elem().FieldByIndex(f.Index).Set(want)
		if !reflect.DeepEqual(got, expected.Interface()) {
			t.Errorf("%q: %+v, want %+v", args, got, expected.Interface())
		}
	})
}

// drawn is a value of type t.
func drawn(t *rapid.T, of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
		v.Elem().Set(drawn(t, of.Elem()))
	case reflect.Slice:
		for range rapid.IntRange(1, 3).Draw(t, "how many") {
			v = reflect.Append(v, drawn(t, of.Elem()))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(of))
		for i := range rapid.IntRange(1, 3).Draw(t, "how many") {
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint("key", i)), drawn(t, of.Elem()))
		}
	case reflect.String:
		v.SetString(rapid.StringMatching(`[-a-zü =/.]{1,9}`).Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "float"))
	}
	return v
}

// written is v as a person writes it.
func written(v reflect.Value) string {
	var parts []string
	switch v.Kind() {
	case reflect.Pointer:
		return written(v.Elem())
	case reflect.Slice:
		for i := range v.Len() {
			parts = append(parts, written(v.Index(i)))
		}
		return strings.Join(parts, ",")
	case reflect.Map:
		for _, k := range v.MapKeys() {
			parts = append(parts, k.String()+"="+written(v.MapIndex(k)))
		}
		return strings.Join(parts, ";")
	}
	return fmt.Sprint(v.Interface())
}
