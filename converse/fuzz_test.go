package converse

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// reference decodes a body the straightforward way: encoding/json into a tree,
// then reflection over the same generated types. It follows the rules of the
// wire as DecodeRequest documents them, and nothing of its code.
type reference struct {
	wrong   bool // a value of the wrong type, or several members of a union
	missing bool // a required member, or an element that is null
	empty   bool // an optional string that is there and empty
}

func (r *reference) decode(body []byte, v any) bool {
	if len(body) == 0 {
		body = []byte("{}")
	}
	if !utf8.Valid(body) || !json.Valid(body) {
		return false
	}
	r.object(body, reflect.ValueOf(v).Elem())
	return true
}

// members lists an object's members in order, null ones left out.
func members(text []byte) (names []string, values []json.RawMessage, ok bool) {
	dec := json.NewDecoder(strings.NewReader(string(text)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, false
	}
	for dec.More() {
		name, _ := dec.Token()
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil, nil, false
		}
		if string(value) != "null" {
			names, values = append(names, name.(string)), append(values, value)
		}
	}
	return names, values, true
}

func (r *reference) object(text []byte, v reflect.Value) {
	names, values, ok := members(text)
	if !ok {
		r.wrong = true
		return
	}
	union := isUnion(v.Type())
	count := 0
	seen := map[string]bool{}
	for i, name := range names {
		for f := range v.NumField() {
			tag, _, _ := strings.Cut(v.Type().Field(f).Tag.Get("aws"), ",")
			if tag != name {
				continue
			}
			seen[name] = true
			if count++; union && count > 1 {
				r.wrong = true
			}
			r.value(values[i], v.Field(f))
			if s := v.Field(f); s.Kind() == reflect.String && s.String() == "" {
				r.empty = true
			}
		}
	}
	for f := range v.NumField() {
		name, flag, _ := strings.Cut(v.Type().Field(f).Tag.Get("aws"), ",")
		if flag == "required" && !seen[name] {
			r.missing = true
		}
	}
}

// isUnion goes by what unions look like: every field can be absent, and none
// is required. Types that look so without being unions are named.
func isUnion(t reflect.Type) bool {
	switch t.Name() {
	case "ContentBlock", "SystemContentBlock", "ImageSource", "VideoSource", "AudioSource", "DocumentSource", "DocumentContentBlock", "Tool", "ToolChoice",
		"ToolInputSchema", "ToolResultContentBlock", "GuardrailConverseContentBlock", "GuardrailConverseImageSource", "ReasoningContentBlock", "CitationLocation",
		"CitationGeneratedContent", "CitationSourceContent", "PromptVariableValues", "OutputFormatStructure", "CountTokensInput":
		return true
	}
	return false
}

var (
	base64Type   = reflect.TypeFor[Base64]()
	documentType = reflect.TypeFor[json.RawMessage]()
)

func (r *reference) value(text []byte, v reflect.Value) {
	switch {
	case v.Type() == documentType:
		v.SetBytes(text)
		return
	case v.Type() == base64Type:
		var s string
		if json.Unmarshal(text, &s) != nil {
			r.wrong = true
			return
		}
		s = strings.NewReplacer("\n", "", "\r", "").Replace(s)
		if _, err := base64.StdEncoding.DecodeString(s); err != nil {
			r.wrong = true
		}
		v.SetBytes([]byte(s))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		r.value(text, v.Elem())
	case reflect.Struct:
		v.SetZero()
		r.object(text, v)
	case reflect.Slice:
		r.list(text, v)
	case reflect.Map:
		r.mapping(text, v)
	case reflect.Int64:
		var f json.Number
		if text[0] == '"' || json.Unmarshal(text, &f) != nil {
			r.wrong = true
		} else if n, err := f.Int64(); err == nil {
			v.SetInt(n)
		} else if x, err := f.Float64(); err == nil && x == math.Trunc(x) && math.Abs(x) < 1<<53 && strings.ContainsAny(f.String(), ".eE") {
			v.SetInt(int64(x))
		} else {
			r.wrong = true
		}
	default:
		if json.Unmarshal(text, v.Addr().Interface()) != nil {
			r.wrong = true
		}
	}
}

func (r *reference) list(text []byte, v reflect.Value) {
	var elems []json.RawMessage
	if text[0] != '[' || json.Unmarshal(text, &elems) != nil {
		r.wrong = true
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(elems), len(elems)))
	for i, e := range elems {
		if string(e) == "null" {
			r.missing = true
			continue
		}
		r.value(e, v.Index(i))
	}
}

func (r *reference) mapping(text []byte, v reflect.Value) {
	names, values, ok := members(text)
	if !ok {
		r.wrong = true
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i, name := range names {
		e := reflect.New(v.Type().Elem()).Elem()
		r.value(values[i], e)
		v.SetMapIndex(reflect.ValueOf(name), e)
	}
}

// Property: DecodeRequest takes what the reference takes and reads the same
// request; and what it read survives being written and read again.
func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(fullRequest))
	for _, s := range []string{
		``, `{}`, `null`, `[]`, `{"messages":[]}`, `{"messages":null,"system":[null]}`, `{"messages":[{"role":"user","content":[{"text":"a","text":"b"}]}]}`,
		`{"messages":[{"role":"user","role":"assistant","content":[],"content":[{"text":"x"}]}]}`, `{"inferenceConfig":{"maxTokens":1e2,"temperature":1e999}}`,
		`{"inferenceConfig":{"maxTokens":10.0,"topP":0.1},"inferenceConfig":{}}`, `{"requestMetadata":{"a":null,"b":"c","b":"d"}}`, `{"messages":[{"content":[{"image":{"format":"","source":{"bytes":"QQ\u003d="}}}]}]}`,
		`{"toolConfig":{"tools":[{"toolSpec":{"name":"n","inputSchema":{"json":{"a":[1,{"b":null}]}},"strict":true}}],"toolChoice":{"any":{},"auto":null}}}`,
		`{"x":{"y":[{}]},"promptVariables":{"\u0061":{"text":"\ud83d\ude00"}}}`, `{"messages":[{"role":"user","content":[{"toolResult":{"toolUseId":"t","content":[{"json":null},{"json":7}],"status":""}}]}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if deep(body) {
			return
		}
		var ref reference
		want := new(Request)
		fine := ref.decode(body, want) && !ref.wrong
		got, err := DecodeRequest(append([]byte{}, body...))
		switch {
		case !fine || ref.missing:
			if err == nil {
				t.Fatalf("taken, but syntax or types are wrong (%v) or members missing (%v)", !fine, ref.missing)
			}
			return
		case err != nil && ref.empty:
			return
		case err != nil:
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("\n got %s\nwant %s", got.AppendJSON(nil), want.AppendJSON(nil))
		}
		again, err := DecodeRequest(got.AppendJSON(nil))
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, got.AppendJSON(nil))
		}
		if string(again.AppendJSON(nil)) != string(got.AppendJSON(nil)) {
			t.Fatalf("\n got %s\nwant %s", again.AppendJSON(nil), got.AppendJSON(nil))
		}
		if err := got.Validate(); err != nil && len(err.Error()) > 200<<10 {
			t.Fatalf("%d bytes of error", len(err.Error()))
		}
		EstimateInputTokens(got)
	})
}

// deep says whether a body may exceed the limits on nesting and elements.
func deep(body []byte) bool {
	return strings.Count(string(body), "[")+strings.Count(string(body), "{") > 500 || len(body) > 100<<10
}

// Property: whatever an upstream sends, reading it neither panics nor keeps
// what it wrote from being read again.
func FuzzDecodeResponse(f *testing.F) {
	f.Add([]byte(fullResponse), "metadata")
	f.Add([]byte(`{"start":{"toolUse":{}},"contentBlockIndex":1}`), "contentBlockStart")
	f.Add([]byte(`{"delta":{"reasoningContent":{"redactedContent":"QQ=="}}}`), "contentBlockDelta")
	f.Fuzz(func(t *testing.T, body []byte, name string) {
		if r, err := DecodeResponse(body); err == nil {
			text := r.AppendJSON(nil)
			again, err := DecodeResponse(text)
			if err != nil || string(again.AppendJSON(nil)) != string(text) {
				t.Fatalf("%v\n%s", err, text)
			}
			if _, err := Collect(well(r.Events())); err != nil {
				t.Log(err)
			}
			if r.Usage != nil {
				r.Usage.Usage()
			}
		}
		if e, err := DecodeEvent(name, body); err == nil && e.Name() != "" {
			payload := e.AppendPayload(nil)
			again, err := DecodeEvent(name, payload)
			if err != nil || string(again.AppendPayload(nil)) != string(payload) {
				t.Fatalf("%v\n%s", err, payload)
			}
		}
		DecodeCountTokensRequest(body)
	})
}
