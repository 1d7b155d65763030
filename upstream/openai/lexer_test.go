package openai

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

var jsonSamples = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-1.5e+3`, `"a"`, `"\u00e9\ud83d\ude00\ud800x\n\/"`, ` { "a" : [ 1 , { "b" : null } , "c" ] } `,
	`{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `[1 2]`, `nul`, `tru`, `01`, `1.`, `.5`, `-`, `+1`, `"`, `"\x"`, `"\u12"`, "\"\n\"", `{}{}`, `[`, `{`, `]`, ``, ` `, `{"a":1 "b":2}`, `"a`, `{"a":"\`,
	"\"\x80\"", "\"\xff\\n\"", `1e`, `1e5`, `[[[[]]]]`, `{"a":{"a":{"a":[]}}}`, `nullx`, "\u00a0{}",
}

// value reads any value into what encoding/json would make of it.
func value(l *lexer) any {
	switch c := l.peek(); c {
	case '{':
		out := map[string]any{}
		if !l.open('{') {
			return nil
		}
		for first := true; l.member(&first); {
			key := string(l.key)
			out[key] = value(l)
		}
		return out
	case '[':
		out := []any{}
		if !l.open('[') {
			return nil
		}
		for first := true; l.next(&first); {
			out = append(out, value(l))
		}
		return out
	case '"':
		return l.string()
	}
	var v any
	json.Unmarshal(l.raw(), &v) // checked by the caller
	return v
}

// Property: what is JSON and what it says is as encoding/json has it.
func checkLexer(t interface {
	Fatalf(string, ...any)
}, in string) {
	if strings.Count(in, "[")+strings.Count(in, "{") > maxDepth {
		return
	}
	var want any
	err := json.Unmarshal([]byte(in), &want)
	if err != nil && json.Valid([]byte(in)) {
		return // a number too large for float64
	}
	var l lexer
	l.reset([]byte(in))
	got := value(&l)
	if good := l.end(); good != (err == nil) {
		t.Fatalf("reading %q: good = %v, encoding/json says %v", in, good, err)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("reading %q: %#v, want %#v", in, got, want)
	}
	l.reset([]byte(in))
	l.skip()
	if good := l.end(); good != (err == nil) {
		t.Fatalf("skipping %q: good = %v, encoding/json says %v", in, good, err)
	}
}

func TestLexer(t *testing.T) {
	for _, s := range jsonSamples {
		checkLexer(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(jsonSamples), rapid.SampledFrom(strings.Split(`{ } [ ] , : " \ "a" "b": 1 null \u00`, " "))))
		checkLexer(t, strings.Join(parts.Draw(t, "parts"), ""))
	})
}

func FuzzLexer(f *testing.F) {
	for _, s := range jsonSamples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) { checkLexer(t, in) })
}

func TestDepthIsBounded(t *testing.T) {
	for _, bracket := range []string{"[", `{"a":`} {
		var l lexer
		l.reset([]byte(strings.Repeat(bracket, 1_000_000)))
		l.skip()
		if l.end() {
			t.Errorf("%s: taken", bracket)
		}
	}
}

// Property: a string written is the string that encoding/json reads.
func TestWriterStrings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "in")
		var w writer
		w.string(in)
		var got string
		if err := json.Unmarshal(w.b, &got); err != nil {
			t.Fatalf("%q is written as %s: %v", in, w.b, err)
		}
		want := in
		if !utf8.ValidString(in) {
			b, _ := json.Marshal(in)
			json.Unmarshal(b, &want)
		}
		if got != want {
			t.Fatalf("%q is read as %q", want, got)
		}
	})
}

// No chunk makes the decoder panic, and text it accepts is JSON.
func FuzzChunk(f *testing.F) {
	for _, s := range chunkSamples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		var c chunk
		good := c.decode([]byte(in))
		if good && !json.Valid([]byte(in)) {
			t.Errorf("%q is taken for JSON", in)
		}
		if u := c.usage; u != nil && (u.InputTokens < 0 || u.OutputTokens < 0 || u.CacheReadInputTokens != nil && *u.CacheReadInputTokens+u.InputTokens+u.OutputTokens != u.TotalTokens) {
			t.Errorf("%q: usage %+v", in, u)
		}
		for _, call := range c.calls {
			toolInput(call.arguments)
		}
	})
}

var chunkSamples = []string{
	`{"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning_content":null},"finish_reason":null}]}`,
	`{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]}}]}`,
	`{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"finish_reason":"stop","stop_reason":"END"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4}}}`,
	`{"choices":[],"usage":null}`, `{"error":{"message":"m","type":"t","code":429}}`, `{"error":"text"}`, `{"object":"error","message":"m","code":400}`,
	`{"choices":[{"delta":{"function_call":{"name":"f","arguments":{"a":1}}}}]}`, `{"choices":[null,7,"x",[]]}`, `{"choices":{}}`, `[]`, `{"usage":{"prompt_tokens":-1,"completion_tokens":1e3}}`,
}
