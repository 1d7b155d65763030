package jsonlex

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// inside is where the strings of these names are in a text.
func inside(text string, names ...string) (holes []Span) {
	for _, name := range names {
		from := strings.Index(text, `"`+name+`":"`) + len(name) + len(`"":"`)
		holes = append(holes, Span{from, from + strings.IndexByte(text[from:], '"')})
	}
	return holes
}

func TestFit(t *testing.T) {
	const form = `{"i":0,"delta":{"text":"Hello"},"p":"abc"}`
	for _, c := range []struct {
		text string
		want []string // nil where it does not fit
	}{
		{form, []string{"Hello", "abc"}},
		{`{"i":0,"delta":{"text":""},"p":"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}`, []string{"", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}},
		{`{"i":0,"delta":{"text":"größer 🙂"},"p":""}`, []string{"größer 🙂", ""}},
		{`{"i":0,"delta":{"text":"a\nb"},"p":"abc"}`, nil},
		{`{"i":0,"delta":{"text":"a\"},"p":"abc"}`, nil},
		{"{\"i\":0,\"delta\":{\"text\":\"a\nb\"},\"p\":\"abc\"}", nil},
		{"{\"i\":0,\"delta\":{\"text\":\"a\xff\"},\"p\":\"abc\"}", nil},
		{`{"i":1,"delta":{"text":"Hello"},"p":"abc"}`, nil},
		{`{"i":0,"delta":{"text":"Hello"},"p":"abc"} `, nil},
		{`{"i":0,"delta":{"text":"Hello"},"p":"abc"`, nil},
		{`{"i":0,"delta":{"text":"Hello"`, nil},
		{`{"i":0,"delta":{"text":"Hello`, nil},
		{``, nil},
	} {
		var m Mold
		if _, fits := m.Fit([]byte(form)); fits {
			t.Error("an empty mold fits")
		}
		own := []byte(form)
		m.Make(own, inside(form, "text", "p")...)
		clear(own) // what is remembered is the mold's own
		holes, fits := m.Fit([]byte(c.text))
		if fits != (c.want != nil) || fits && (string(holes[0]) != c.want[0] || string(holes[1]) != c.want[1]) {
			t.Errorf("%s: %q, %t", c.text, holes, fits)
		}
	}
}

// Property: what fits is JSON, and says in the holes what encoding/json reads.
func TestWhatFitsIsReadAlike(t *testing.T) {
	type said struct{ A, B, C string }
	words := rapid.SampledFrom([]string{"", "a", `"`, `\`, `\n`, `\u00e9`, `","b":"`, "é", "\xc3", "\xa9", "\x00", "\n", "}", " and so on for as long as it takes, which is more than 32 bytes"})
	text := rapid.Custom(func(t *rapid.T) string {
		one := func() string { return strings.Join(rapid.SliceOfN(words, 0, 3).Draw(t, "words"), "") }
		return `{"a":"` + one() + `","b":"` + one() + `","c":"` + rapid.SampledFrom([]string{"", "x"}).Draw(t, "c") + `"}`
	})
	rapid.Check(t, func(t *rapid.T) {
		var m Mold
		m.Make([]byte(`{"a":"1","b":"2","c":""}`), inside(`{"a":"1","b":"2","c":""}`, "a", "b")...)
		text := text.Draw(t, "text")
		var want said
		err := json.Unmarshal([]byte(text), &want)
		holes, fits := m.Fit([]byte(text))
		if fits && (err != nil || want != said{string(holes[0]), string(holes[1]), ""}) {
			t.Fatalf("%q: %q, but %q %v", text, holes, want, err)
		}
		if !fits && err == nil && want.C == "" && !strings.Contains(text, `\`) && !strings.ContainsRune(want.A+want.B, '\uFFFD') && strings.Count(text, `"b"`) == 1 {
			t.Fatalf("%q does not fit", text)
		}
	})
}

func BenchmarkFit(b *testing.B) {
	const text = `{"contentBlockIndex":0,"delta":{"text":"sixteen bytes..."},"p":"abcdefghijkl"}`
	var m Mold
	m.Make([]byte(text), inside(text, "text", "p")...)
	b.ReportAllocs()
	for b.Loop() {
		if _, fits := m.Fit([]byte(text)); !fits {
			b.Fatal("it does not fit")
		}
	}
}
