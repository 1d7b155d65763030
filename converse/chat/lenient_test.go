package chat

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"outcrop/internal/jsonlex"
)

var jsonSamples = []string{
	`{}`, `[]`, `null`, `true`, `false`, `0`, `-1.5e+3`, `"a"`, `"\u00e9\ud83d\ude00\ud800x\n\/"`, ` { "a" : [ 1 , { "b" : null } , "c" ] } `,
	`{"a":1,}`, `[1,]`, `[,1]`, `{,}`, `{"a"}`, `{"a":}`, `{"a" 1}`, `[1 2]`, `nul`, `tru`, `01`, `1.`, `.5`, `-`, `+1`, `"`, `"\x"`, `"\u12"`, "\"\n\"", `{}{}`, `[`, `{`, `]`, ``, ` `, `{"a":1 "b":2}`, `"a`, `{"a":"\`,
	"\"\x80\"", "\"\xff\\n\"", `1e`, `1e5`, `[[[[]]]]`, `{"a":{"a":{"a":[]}}}`, `nullx`, "\u00a0{}",
}

// value reads any value into what encoding/json would make of it.
func value(l *lenient) any {
	switch l.Peek() {
	case jsonlex.ObjectValue:
		out := map[string]any{}
		l.object()
		for l.Member() {
			key := l.Name()
			out[key] = value(l)
		}
		return out
	case jsonlex.ListValue:
		out := []any{}
		l.array()
		for l.Element() {
			out = append(out, value(l))
		}
		return out
	case jsonlex.StringValue:
		return l.str()
	}
	var v any
	json.Unmarshal(l.Raw(), &v) // checked by the caller
	return v
}

// Property: what is JSON and what it says is as encoding/json has it.
func checkLenient(t interface {
	Fatalf(string, ...any)
}, in string) {
	if strings.Count(in, "[")+strings.Count(in, "{") > jsonlex.MaxDepth {
		return
	}
	var want any
	err := json.Unmarshal([]byte(in), &want)
	if err != nil && json.Valid([]byte(in)) {
		return // a number too large for float64
	}
	var l lenient
	l.reset([]byte(in))
	got := value(&l)
	if good := l.Done() == nil; good != (err == nil) {
		t.Fatalf("reading %q: good = %v, encoding/json says %v", in, good, err)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("reading %q: %#v, want %#v", in, got, want)
	}
	l.reset([]byte(in))
	l.Skip()
	if good := l.Done() == nil; good != (err == nil) {
		t.Fatalf("skipping %q: good = %v, encoding/json says %v", in, good, err)
	}
}

func TestLenient(t *testing.T) {
	for _, s := range jsonSamples {
		checkLenient(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(jsonSamples), rapid.SampledFrom(strings.Split(`{ } [ ] , : " \ "a" "b": 1 null \u00`, " "))))
		checkLenient(t, strings.Join(parts.Draw(t, "parts"), ""))
	})
}

func FuzzLenient(f *testing.F) {
	for _, s := range jsonSamples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) { checkLenient(t, in) })
}

func TestDepthIsBounded(t *testing.T) {
	for _, bracket := range []string{"[", `{"a":`} {
		var l lenient
		l.reset([]byte(strings.Repeat(bracket, 1_000_000)))
		l.Skip()
		if l.Done() == nil {
			t.Errorf("%s: taken", bracket)
		}
	}
}

// What has another sort than was asked for reads as nothing, and what comes
// behind it is still read.
func TestOtherSortsAreSkipped(t *testing.T) {
	for _, in := range []string{`{"a":[1,{}]}`, `[[],"x"]`, `"s"`, `-7`, `2.5`, `12`, `true`, `false`, `null`} {
		var l lenient
		l.reset([]byte("[" + in + "," + in + "," + in + "," + in + "," + in + `,"end"]`))
		l.array()
		list := l.Element() && l.array()
		for list && l.Element() {
			l.Skip()
		}
		object := l.Element() && l.object()
		for object && l.Member() {
			l.Skip()
		}
		l.Element()
		s := l.str()
		l.Element()
		n, whole := l.integer()
		l.Element()
		word := l.word()
		if l.Element(); l.str() != "end" || l.Element() || l.Done() != nil {
			t.Errorf("%s: lost the way: %v", in, l.Done())
		}
		if list != (in[0] == '[') || object != (in[0] == '{') || s != "" != (in[0] == '"') || whole != (in == "12") || whole && n != 12 {
			t.Errorf("%s: list %v, object %v, string %q, integer %d %v", in, list, object, s, n, whole)
		}
		if want := map[string]string{`"s"`: "s", "-7": "-7", "2.5": "2.5", "12": "12"}[in]; word != want {
			t.Errorf("%s: word %q, want %q", in, word, want)
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
		var c Chunk
		good := c.Decode([]byte(in))
		if good && !json.Valid([]byte(in)) {
			t.Errorf("%q is taken for JSON", in)
		}
		if u := c.Usage; u != nil && (u.InputTokens < 0 || u.OutputTokens < 0 || u.CacheReadInputTokens != nil && *u.CacheReadInputTokens+u.InputTokens+u.OutputTokens != u.TotalTokens) {
			t.Errorf("%q: usage %+v", in, u)
		}
		for _, call := range c.Calls {
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
