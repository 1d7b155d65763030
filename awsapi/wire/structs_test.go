package wire

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// A pageOfAll is an answer with a list of structs.
type pageOfAll struct {
	All   []everything `aws:"all"`
	Token string       `aws:"token"`
}

// shapeOf is the shape that a generated type would come from. Pointers in
// lists stand for the nulls of a sparse one.
func shapeOf(t reflect.Type, as map[reflect.Type]*Shape) *Shape {
	if s := as[t]; s != nil {
		return s
	}
	if kindOf(t) == pointerKind {
		return shapeOf(t.Elem(), as)
	}
	s := &Shape{Name: t.String()}
	as[t] = s
	member := func(t reflect.Type) *Member { return &Member{Shape: shapeOf(t, as)} }
	switch kindOf(t) {
	case stringKind:
		s.Type = String
	case intKind:
		s.Type = Long
	case floatKind:
		s.Type = Double
	case boolKind:
		s.Type = Boolean
	case timeKind:
		s.Type = Timestamp
	case blobKind:
		s.Type = Blob
	case documentKind:
		s.Type = Doc
	case listKind:
		s.Type, s.Elem, s.Sparse = List, member(t.Elem()), t.Elem().Kind() == reflect.Pointer
	case mapKind:
		s.Type, s.Key, s.Value = Map, member(t.Key()), member(t.Elem())
	case structKind:
		s.Type = Structure
		for _, f := range planOf(t) {
			m := member(t.Field(f.index).Type)
			m.Name = f.name
			s.Members = append(s.Members, m)
		}
	}
	return s
}

// Property: JSON and CBOR write of structs what they write of their trees.
func TestStructsAreWrittenAsTheirTrees(t *testing.T) {
	whole := &Member{Shape: shapeOf(reflect.TypeFor[pageOfAll](), map[reflect.Type]*Shape{})}
	rapid.Check(t, func(t *rapid.T) {
		out := &pageOfAll{All: []everything{}, Token: rapid.String().Draw(t, "token")}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			out.All = append(out.All, *drawEverything(t), everything{})
		}
		tree, answer := Tree(out), Answer(out)
		if _, ok := answer["all"].(Structs); !ok {
			t.Fatalf("the list is a %T", answer["all"])
		}
		for _, names := range []bool{false, true} {
			want, err := encodeJSON(whole, tree, names, iso6, new(Response))
			got, err2 := encodeJSON(whole, answer, names, iso6, new(Response))
			if err != nil || err2 != nil || string(got) != string(want) {
				t.Fatalf("JSON of structs: %s, %v\nof trees: %s, %v", got, err2, want, err)
			}
		}
		if d := cmp.Diff(toCBOR(whole, tree), toCBOR(whole, answer), cmpopts.EquateNaNs()); d != "" {
			t.Fatalf("CBOR of trees and of structs: %s", d)
		}
	})
}

// A value that its shape has no form for is an error, as in a tree.
func TestStructsOfAnotherShape(t *testing.T) {
	whole := &Member{Shape: shapeOf(reflect.TypeFor[pageOfAll](), map[reflect.Type]*Shape{})}
	whole.Shape.Member("all").Shape.Elem.Shape.Member("text").Shape = &Shape{Name: "Number", Type: Long}
	out := &pageOfAll{All: []everything{{Text: "no number"}}}
	for _, tree := range []map[string]any{Tree(out), Answer(out)} {
		if text, err := encodeJSON(whole, tree, false, iso6, new(Response)); err == nil {
			t.Errorf("wrote %s", text)
		}
	}
}

// Property: a time is written as its layout says.
func TestMicrosAreWrittenAsTheirLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(minEpoch, maxEpoch).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano")).UTC()
		if got, want := string(appendMicros(nil, at)), at.Format(iso6); got != want {
			t.Errorf("%v is written %s, not %s", at, got, want)
		}
	})
}
