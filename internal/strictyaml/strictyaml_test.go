package strictyaml

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Listen    string              `yaml:"listen"`
	Limit     int                 `yaml:"limit"`
	TLS       *bool               `yaml:"tls"`
	Drain     Duration            `yaml:"drain"`
	Quota     Whole               `yaml:"quota"`
	Upstreams map[string]upstream `yaml:"upstreams"`
}

type upstream struct {
	Kind    string `yaml:"kind"`
	BaseURL string `yaml:"baseURL"`
}

func env(name string) (string, bool) {
	if name == "SET" {
		return "value", true
	}
	return "", false
}

func TestGoodFilesDecode(t *testing.T) {
	var s sample
	file := "listen: ${SET}:1\nlimit: 3\ndrain: 2m\nquota: 7\nupstreams:\n  a:\n    kind: ${UNSET:-openai}\n    baseURL: \"http://${SET}/v1\"\n"
	if err := Decode("c.yaml", []byte(file), &s, env); err != nil {
		t.Fatal(err)
	}
	if s.Listen != "value:1" || s.Limit != 3 || s.Drain != Duration(2*time.Minute) || s.Quota != 7 || s.Upstreams["a"] != (upstream{"openai", "http://value/v1"}) {
		t.Errorf("decoded %+v", s)
	}
	for _, empty := range []string{"", "# only a comment\n", "\n---\n"} {
		if err := Decode("c.yaml", []byte(empty), &s, env); err != nil {
			t.Errorf("empty file %q: %v", empty, err)
		}
	}
}

func TestMistakesNameTheirPlaceAndCure(t *testing.T) {
	for _, c := range []struct{ name, file, place, says string }{
		{"unknown key", "listne: x\n", "c.yaml:1:1", `did you mean "listen"`},
		{"unknown nested key", "upstreams:\n  a:\n    baseUrl: x\n", "c.yaml:3:5", `did you mean "baseURL"`},
		{"far-off key", "zzzzzzzz: x\n", "c.yaml:1:1", `unknown key "zzzzzzzz"`},
		{"another word for it", "drain_time: 2m\n", "c.yaml:1:1", `unknown key "drain_time"; there is drain`},
		{"wrong type", "listen: x\nlimit: many\n", "c.yaml:2:8", "want a number, found text"},
		{"wrong bool", "tls: perhaps\n", "c.yaml:1:6", "want true or false, found text"},
		{"list for text", "listen: [a]\n", "c.yaml:1:9", ""},
		{"no duration", "limit: 1\ndrain: soon\n", "c.yaml:2:8", "200ms"},
		{"no unit", "drain: 30\n", "c.yaml:1:8", "unit"},
		{"a fraction", "quota: 1.5\n", "c.yaml:1:8", "no whole number"},
		{"less than none", "quota: -1\n", "c.yaml:1:8", "no whole number"},
		{"unset variable", "listen: a\nupstreams:\n  a: {kind: \"${NOPE}\"}\n", "c.yaml:3:", "NOPE is not set"},
		{"a tag", "upstreams: !000000 000\n", "c.yaml:1:12", "tags such as !000000"},
		{"broken syntax", "listen: [\n", "c.yaml:", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Decode("c.yaml", []byte(c.file), new(sample), env)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("err = %v, want an *Error", err)
			}
			if !strings.HasPrefix(err.Error(), c.place) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("err = %q, want %q … %q", err, c.place, c.says)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("listen: x\nupstreams: {a: {kind: b}}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("upstreams: !000000 000"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s sample
		_ = Decode("c.yaml", data, &s, env) // must not panic
	})
}

func TestPlainKeysMayHoldColons(t *testing.T) {
	type file struct {
		Models map[string]string `yaml:"models"`
		B      string            `yaml:"b"`
	}
	for text, want := range map[string]map[string]string{
		"models: {a.b-v1:0: x/y}\n":                {"a.b-v1:0": "x/y"},
		"models: {a.b-v1:0: x, c:1: y}\n":          {"a.b-v1:0": "x", "c:1": "y"},
		"models: {\n  a.b-v1:0: x,\n  c: y}\n":     {"a.b-v1:0": "x", "c": "y"},
		"models: {\"a.b-v1:0\": x}\n":              {"a.b-v1:0": "x"},
		"models: {a: http://x:80/v1}\n":            {"a": "http://x:80/v1"},
		"{models: {a.b-v1:0: x}, b: c} # {q:0: r}": {"a.b-v1:0": "x"},
		"models:\n  a.b-v1:0: x\n":                 {"a.b-v1:0": "x"},
	} {
		var f file
		if err := Decode("f", []byte(text), &f, env); err != nil || !maps.Equal(f.Models, want) {
			t.Errorf("%q: %v, err %v; want %v", text, f.Models, err, want)
		}
	}
	var e *Error
	err := Decode("f", []byte("{models: {a:0: x}, nope: 1}\n"), new(file), env)
	if !errors.As(err, &e) || e.Line != 1 || e.Column != 20 {
		t.Errorf("err = %v, want column 20, as the file was written", err)
	}
}
