package native

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

var quickSeeds = []string{
	`[{"role":"user","content":"hi"}]`,
	`[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBO\/w=="}},{"type":"text","text":"a\\u00e9b","cache_control":{"type":"ephemeral","ttl":"1h"}}]},{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":{"data":"x", "y":[1,null]}}]}]`,
	`[{"role":"user","content":[{"type":"tool_result","tool_use_id":"t","content":[{"type":"text","text":"r"}]}]}]`,
	`[{"role":"user","content":"a","content":[{"type":"text","text":"b"}]}]`,
	`[{"Role":"user","content":null}]`, `[{"role":"user","surprise":1}]`, `[]`, `null`, `[{}]`, `[{"role":"user","content":[]}]`,
	`[{"role":"user","content":[{"type":"text","text":"a","text":"b"}]}]`, `[1]`, `[{"role":"user","content":[{"source":{"type":"x"},"source":{"data":"y"}}]}]`,
}

// Property: what is read quickly is read as encoding/json reads it.
func FuzzQuick(f *testing.F) {
	for _, s := range quickSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, got, ok := quickBody([]byte(`{"messages":` + text + `}`))
		if !ok || !json.Valid([]byte(text)) { // such as [],"messages":[]
			return
		}
		var want []anthropicMessage
		if err := strictly([]byte(text), &want); err != nil {
			t.Fatalf("%q is refused: %v", text, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %#v\nwant %#v", text, got, want)
		}
	})
}

// Property: an object is taken apart as encoding/json does it.
func FuzzQuickParse(f *testing.F) {
	for _, s := range []string{`{"a":1,"b":[ 2 ],"a":"c"}`, ` {} `, `{"\u0061":{}}`, `[]`, `{"a":1}x`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := quickParse([]byte(text))
		if !ok {
			return
		}
		var want fields
		if err := json.Unmarshal([]byte(text), &want); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %s, want %s, %v", text, got, want, err)
		}
	})
}

func TestPlainMessagesAreReadQuickly(t *testing.T) {
	for _, s := range quickSeeds[:3] {
		if _, _, ok := quickBody([]byte(`{"messages":` + s + `}`)); !ok {
			t.Errorf("not quickly: %s", s)
		}
	}
}

func BenchmarkDecodeImage(b *testing.B) {
	body := []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` +
		strings.Repeat("iVBO", 1<<18) + `"}},{"type":"text","text":"What?"}]}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (anthropic{}).Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
