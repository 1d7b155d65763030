package converse

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"outcrop"
)

func defaulted(t *testing.T, body string, d outcrop.Defaults, model outcrop.ModelID) *Request {
	t.Helper()
	r, err := DecodeRequest([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Default(&d, model)
	return r
}

// Each setting: filled in where the call is silent, left alone where it is not,
// and left out where it would break the call beside what the call says.
func TestDefaults(t *testing.T) {
	const (
		nova   = outcrop.ModelID("amazon.nova-lite-v1:0")
		sonnet = outcrop.ModelID("anthropic.claude-sonnet-4-5-20250929-v1:0")
		old    = outcrop.ModelID("anthropic.claude-3-haiku-20240307-v1:0")
		opus   = outcrop.ModelID("anthropic.claude-opus-4-7")
		llama  = outcrop.ModelID("meta.llama3-3-70b-instruct-v1:0")
	)
	all := outcrop.Defaults{
		Temperature: new(0.2), TopP: new(0.9), TopK: new(int64(7)), MaxTokens: new(int64(500)), StopSequences: []string{"END"},
		ResponseFormat: json.RawMessage(`{"type":"object"}`),
	}
	const silent = `"messages":[{"role":"user","content":[{"text":"hi"}]}]`
	for _, c := range []struct {
		name, call string
		model      outcrop.ModelID
		want       string // members of the body beside the messages
	}{
		{"silent, Nova", ``, nova, `"inferenceConfig":{"maxTokens":500,"temperature":0.2,"topP":0.9,"stopSequences":["END"]},"additionalModelRequestFields":{"inferenceConfig":{"topK":7}}`},
		{"silent, old Claude", ``, old, `"inferenceConfig":{"maxTokens":500,"temperature":0.2,"topP":0.9,"stopSequences":["END"]},"additionalModelRequestFields":{"top_k":7}`},
		{"either temperature or topP", ``, sonnet, `"inferenceConfig":{"maxTokens":500,"temperature":0.2,"stopSequences":["END"]},"additionalModelRequestFields":{"top_k":7}`},
		{"own topP keeps temperature out", `"inferenceConfig":{"topP":0.5},`, sonnet, `"inferenceConfig":{"maxTokens":500,"topP":0.5,"stopSequences":["END"]},"additionalModelRequestFields":{"top_k":7}`},
		{"no sampling", ``, opus, `"inferenceConfig":{"maxTokens":500,"stopSequences":["END"]}`},
		{"no topK", ``, llama, `"inferenceConfig":{"maxTokens":500,"temperature":0.2,"topP":0.9,"stopSequences":["END"]}`},
		{"own values win", `"inferenceConfig":{"maxTokens":9,"temperature":1,"topP":0.1,"stopSequences":["X"]},"additionalModelRequestFields":{"inferenceConfig":{"topK":1}},`, nova,
			`"inferenceConfig":{"maxTokens":9,"temperature":1,"topP":0.1,"stopSequences":["X"]},"additionalModelRequestFields":{"inferenceConfig":{"topK":1}}`},
		{"thinking keeps sampling out", `"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}},`, old,
			`"inferenceConfig":{"stopSequences":["END"]},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}}`},
		{"thinking within the maximum", `"additionalModelRequestFields":{"thinking":{"type":"adaptive"}},`, old,
			`"inferenceConfig":{"maxTokens":500,"stopSequences":["END"]},"additionalModelRequestFields":{"thinking":{"type":"adaptive"}}`},
		{"thinking that is off", `"additionalModelRequestFields":{"thinking":{"type":"disabled"}},`, old,
			`"inferenceConfig":{"maxTokens":500,"temperature":0.2,"topP":0.9,"stopSequences":["END"]},"additionalModelRequestFields":{"thinking":{"type":"disabled"},"top_k":7}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := defaulted(t, "{"+c.call+silent+"}", all, c.model)
			want := defaulted(t, "{"+c.want+`,"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"answer"}}}},`+silent+"}", outcrop.Defaults{}, c.model)
			if !reflect.DeepEqual(canonical(t, got), canonical(t, want)) {
				t.Errorf("got  %s\nwant %s", got.AppendJSON(nil), want.AppendJSON(nil))
			}
		})
	}
}

func canonical(t *testing.T, r *Request) (v any) {
	t.Helper()
	if err := json.Unmarshal(r.AppendJSON(nil), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDefaultsLeaveOwnFormatsAlone(t *testing.T) {
	d := outcrop.Defaults{ResponseFormat: json.RawMessage(`{"type":"object"}`), TopK: new(int64(3))}
	r := defaulted(t, `{"messages":[],"additionalModelRequestFields":{"output_config":{"format":{}},"top_k":9}}`, d, "anthropic.claude-3-haiku-20240307-v1:0")
	if r.OutputConfig != nil || strings.Contains(string(r.AdditionalModelRequestFields), "3") {
		t.Errorf("%s", r.AppendJSON(nil))
	}
	for _, odd := range []string{`[1]`, `"x"`} { // no object: refused elsewhere, unchanged here
		r := &Request{AdditionalModelRequestFields: json.RawMessage(odd)}
		r.Default(&d, "anthropic.claude-3-haiku-20240307-v1:0")
		if string(r.AdditionalModelRequestFields) != odd {
			t.Errorf("%s became %s", odd, r.AdditionalModelRequestFields)
		}
	}
}

func TestSettingsOf(t *testing.T) {
	for id, want := range map[outcrop.ModelID]string{
		"anthropic.claude-3-5-sonnet-20241022-v2:0": "topK anthropic", "anthropic.claude-sonnet-4-20250514-v1:0": "topK anthropic",
		"anthropic.claude-opus-4-1-20250805-v1:0": "topK anthropic", "anthropic.claude-haiku-4-5-20251001-v1:0": "topK notBoth anthropic",
		"anthropic.claude-opus-4-6-v1": "topK notBoth anthropic", "anthropic.claude-opus-4-8": "notBoth noSampling anthropic",
		"anthropic.claude-sonnet-5": "notBoth noSampling anthropic", "anthropic.claude-fable-5-1": "notBoth noSampling anthropic",
		"amazon.nova-pro-v1:0": "topK", "cohere.command-r-v1:0": "topK", "openai.gpt-oss-20b-1:0": "",
	} {
		s := SettingsOf(id)
		var got []string
		for _, one := range []struct {
			name string
			on   bool
		}{{"topK", len(s.TopK) > 0}, {"notBoth", s.NotBoth}, {"noSampling", s.NoSampling}, {"anthropic", s.Anthropic}} {
			if one.on {
				got = append(got, one.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", id, got, want)
		}
	}
}
