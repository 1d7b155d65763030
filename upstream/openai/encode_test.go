package openai

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"outcrop"
	"outcrop/converse"
	"outcrop/upstream/upstreamtest"
)

// What tests say often.
var text, user, assistant = upstreamtest.Block, upstreamtest.User, upstreamtest.Assistant

func toolUse(id, input string) converse.ContentBlock {
	return converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: id, Name: "f", Input: json.RawMessage(input)}}
}

func toolResult(id, status string, content ...converse.ToolResultContentBlock) converse.ContentBlock {
	return converse.ContentBlock{ToolResult: &converse.ToolResultBlock{ToolUseId: id, Status: status, Content: content}}
}

func image(b string) *converse.ImageBlock {
	return &converse.ImageBlock{Format: "png", Source: converse.ImageSource{Bytes: converse.Base64(b)}}
}

func document(format string, b string) converse.ContentBlock {
	return converse.ContentBlock{Document: &converse.DocumentBlock{Format: format, Name: "notes", Source: converse.DocumentSource{Bytes: converse.Encode64([]byte(b))}}}
}

func reasoning(s string) converse.ContentBlock {
	return converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: s}}}
}

var cachePoint = converse.ContentBlock{CachePoint: &converse.CachePointBlock{Type: "default"}}

// The table of reference/runtime-metering-billing.md §2.7, row by row.
func TestEncode(t *testing.T) {
	tools := []converse.Tool{
		{ToolSpec: &converse.ToolSpecification{Name: "f", Description: "does \"it\"", Strict: new(true), InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"type":"object"}`)}}},
		{CachePoint: &converse.CachePointBlock{Type: "default"}},
		{ToolSpec: &converse.ToolSpecification{Name: "g"}},
	}
	for _, c := range []struct {
		name   string
		r      converse.Request
		config Config
		want   string // members beside model
	}{
		{name: "system texts are joined, cache points dropped",
			r:    converse.Request{System: []converse.SystemContentBlock{{Text: new("a\n")}, {CachePoint: &converse.CachePointBlock{}}, {Text: new("b")}}, Messages: []converse.Message{user(text("hi"), cachePoint)}},
			want: `{"messages":[{"role":"system","content":"a\n\nb"},{"role":"user","content":"hi"}]}`},
		{name: "no system", r: converse.Request{System: []converse.SystemContentBlock{}, Messages: []converse.Message{user(text("a"), text("b"))}},
			want: `{"messages":[{"role":"user","content":"a\nb"}]}`},
		{name: "an image", r: converse.Request{Messages: []converse.Message{user(text("see"), converse.ContentBlock{Image: image("aGk=")})}},
			want: `{"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}]}`},
		{name: "a text document", r: converse.Request{Messages: []converse.Message{user(text("see"), document("txt", "hello"))}},
			want: `{"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"text","text":"<document name=\"notes\">\nhello\n</document>"}]}]}`},
		{name: "a file", config: Config{FileParts: true}, r: converse.Request{Messages: []converse.Message{user(text("see"), document("pdf", "%PDF"))}},
			want: `{"messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"file","file":{"filename":"notes.pdf","file_data":"data:application/pdf;base64,JVBERg=="}}]}]}`},
		{name: "audio", r: converse.Request{Messages: []converse.Message{user(converse.ContentBlock{Audio: &converse.AudioBlock{Format: "wav", Source: converse.AudioSource{Bytes: converse.Base64("UklG")}}})}},
			want: `{"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}}]}]}`},
		{name: "parallel tool calls, results before the rest of the turn",
			r: converse.Request{Messages: []converse.Message{user(text("go")), assistant(text("I will"), toolUse("1", `{"a":1}`), toolUse("2", ``)),
				user(text("and?"), toolResult("1", "", converse.ToolResultContentBlock{Json: json.RawMessage(`{"b":2}`)}), toolResult("2", "error", converse.ToolResultContentBlock{Text: new("no")}))}},
			want: `{"messages":[{"role":"user","content":"go"},{"role":"assistant","content":"I will","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"2","type":"function","function":{"name":"f","arguments":"{}"}}]},
				{"role":"tool","tool_call_id":"1","content":"{\"b\":2}"},{"role":"tool","tool_call_id":"2","content":"Error: no"},{"role":"user","content":"and?"}]}`},
		{name: "only results", r: converse.Request{Messages: []converse.Message{user(text("go")), assistant(toolUse("1", `{}`)), user(toolResult("1", "success", converse.ToolResultContentBlock{Text: new("ok")}), cachePoint)}},
			want: `{"messages":[{"role":"user","content":"go"},{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"ok"}]}`},
		{name: "an image in a result", r: converse.Request{Messages: []converse.Message{user(toolResult("1", "", converse.ToolResultContentBlock{Image: image("aGk=")}))}},
			want: `{"messages":[{"role":"tool","tool_call_id":"1","content":"The image follows."},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,aGk="}}]}]}`},
		{name: "reasoning is dropped", r: converse.Request{Messages: []converse.Message{user(text("a")), assistant(reasoning("hm"), text("b")), user(text("c"))}},
			want: `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]}`},
		{name: "reasoning is sent back within the turn only", config: Config{ReasoningField: "reasoning_content"},
			r: converse.Request{Messages: []converse.Message{user(text("a")), assistant(reasoning("old"), text("b")), user(text("c")), assistant(reasoning("new"), toolUse("1", "{}")), user(toolResult("1", "", converse.ToolResultContentBlock{Text: new("r")}))}},
			want: `{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},
				{"role":"assistant","content":null,"reasoning_content":"new","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"1","content":"r"}]}`},
		{name: "inference", r: converse.Request{InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(7)), Temperature: new(0.0), TopP: new(0.25), StopSequences: []string{"a", "\n"}}},
			want: `{"messages":[],"max_tokens":7,"temperature":0,"top_p":0.25,"stop":["a","\n"]}`},
		{name: "OpenAI's name for maxTokens", config: Config{BaseURL: "https://api.openai.com/v1"}, r: converse.Request{InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(7))}},
			want: `{"messages":[],"max_completion_tokens":7}`},
		{name: "tools", r: converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: tools, ToolChoice: &converse.ToolChoice{Auto: &converse.AutoToolChoice{}}}},
			want: `{"messages":[],"tools":[{"type":"function","function":{"name":"f","description":"does \"it\"","parameters":{"type":"object"},"strict":true}},{"type":"function","function":{"name":"g"}}],"tool_choice":"auto"}`},
		{name: "any tool", r: converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: tools[2:], ToolChoice: &converse.ToolChoice{Any: &converse.AnyToolChoice{}}}},
			want: `{"messages":[],"tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":"required"}`},
		{name: "one tool", r: converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: tools[2:], ToolChoice: &converse.ToolChoice{Tool: &converse.SpecificToolChoice{Name: "g"}}}},
			want: `{"messages":[],"tools":[{"type":"function","function":{"name":"g"}}],"tool_choice":{"type":"function","function":{"name":"g"}}}`},
		{name: "a schema", r: converse.Request{OutputConfig: &converse.OutputConfig{TextFormat: &converse.OutputFormat{Type: "json_schema", Structure: converse.OutputFormatStructure{JsonSchema: &converse.JsonSchemaDefinition{Schema: `{"type": "object"}`}}}}},
			want: `{"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"response","schema":{"type":"object"},"strict":true}}}`},
		{name: "additional fields", r: converse.Request{AdditionalModelRequestFields: json.RawMessage(` {"top_k": 5, "reasoning_config":"low", "chat_template_kwargs":{"a":[1]}} `)},
			want: `{"messages":[],"chat_template_kwargs":{"a":[1]},"reasoning_effort":"low","top_k":5}`},
		{name: "thinking", r: converse.Request{InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(2000))}, AdditionalModelRequestFields: json.RawMessage(`{"thinking":{"type":"enabled","budget_tokens":1024}}`)},
			want: `{"messages":[],"max_tokens":2000,"reasoning_effort":"medium"}`},
		{name: "much thinking", r: converse.Request{InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(2000))}, AdditionalModelRequestFields: json.RawMessage(`{"thinking":{"type":"enabled","budget_tokens":1900}}`)},
			want: `{"messages":[],"max_tokens":2000,"reasoning_effort":"high"}`},
		{name: "thinking without a limit", r: converse.Request{AdditionalModelRequestFields: json.RawMessage(`{"thinking":{"type":"enabled","budget_tokens":1024}}`)},
			want: `{"messages":[],"reasoning_effort":"low"}`},
		{name: "no thinking", r: converse.Request{AdditionalModelRequestFields: json.RawMessage(`{"thinking":{"type":"disabled"}}`)},
			want: `{"messages":[]}`},
		{name: "thinking beside an effort", r: converse.Request{AdditionalModelRequestFields: json.RawMessage(`{"thinking":{"type":"enabled","budget_tokens":9000},"reasoning_effort":"low"}`)},
			want: `{"messages":[],"reasoning_effort":"low"}`},
		{name: "thinking it does not know", r: converse.Request{AdditionalModelRequestFields: json.RawMessage(`{"thinking":{"type":"adaptive"}}`)},
			want: `{"messages":[],"thinking":{"type":"adaptive"}}`},
		{name: "Outcrop's own", r: converse.Request{RequestMetadata: map[string]string{"team": "blue"}, ServiceTier: &converse.ServiceTier{Type: "flex"}, PerformanceConfig: &converse.PerformanceConfiguration{Latency: "optimized"}},
			want: `{"messages":[]}`},
	} {
		c.config.BaseURL = cmp.Or(c.config.BaseURL, "http://h")
		if err := c.config.complete(); err != nil {
			t.Fatal(err)
		}
		got, err := appendChat(nil, &c.config, outcrop.Attempt{Model: "m"}, &c.r, false)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		same(t, c.name, got, `{"model":"m",`+strings.TrimPrefix(c.want, "{"))
		streamed, _ := appendChat(nil, &c.config, outcrop.Attempt{Model: "m"}, &c.r, true)
		same(t, c.name+", streamed", streamed, `{"model":"m","stream":true,"stream_options":{"include_usage":true},`+strings.TrimPrefix(c.want, "{"))
	}
}

// same compares JSON, whose strings and numbers decide and whose order does
// not.
func same(t *testing.T, name string, got []byte, want string) {
	t.Helper()
	var g, w any
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal([]byte(want), &w)); err != nil {
		t.Errorf("%s: %v in %s", name, err, got)
		return
	}
	if !reflect.DeepEqual(g, w) {
		var b bytes.Buffer
		json.Compact(&b, []byte(want))
		t.Errorf("%s:\n got %s\nwant %s", name, got, &b)
	}
}

func TestEncodeRefuses(t *testing.T) {
	fields := func(s string) converse.Request {
		return converse.Request{AdditionalModelRequestFields: json.RawMessage(s), InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(1))}}
	}
	s3 := &converse.S3Location{Uri: "s3://b/k"}
	for name, c := range map[string]struct {
		r    converse.Request
		want string
	}{
		"five stop sequences": {converse.Request{InferenceConfig: &converse.InferenceConfiguration{StopSequences: []string{"1", "2", "3", "4", "5"}}}, "at most 4 stop sequences"},
		"a system tool":       {converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: []converse.Tool{{SystemTool: &converse.SystemTool{Name: "nova_grounding"}}}}}, "nova_grounding"},
		"a video":             {converse.Request{Messages: []converse.Message{user(converse.ContentBlock{Video: &converse.VideoBlock{}})}}, "video"},
		"a PDF":               {converse.Request{Messages: []converse.Message{user(document("pdf", "x"))}}, "pdf"},
		"an S3 image":         {converse.Request{Messages: []converse.Message{user(converse.ContentBlock{Image: &converse.ImageBlock{Source: converse.ImageSource{S3Location: s3}}})}}, "S3"},
		"bad base64":          {converse.Request{Messages: []converse.Message{user(converse.ContentBlock{Image: image(`"}]}`)})}}, "base64"},
		"a bad schema":        {converse.Request{OutputConfig: &converse.OutputConfig{TextFormat: &converse.OutputFormat{Structure: converse.OutputFormatStructure{JsonSchema: &converse.JsonSchemaDefinition{Schema: `{`}}}}}, "not JSON"},
		"a bad tool schema":   {converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: []converse.Tool{{ToolSpec: &converse.ToolSpecification{Name: "f", InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{`)}}}}}}, "not JSON"},
		"fields no object":    {fields(`[1]`), "JSON object"},
		"messages again":      {fields(`{"messages":[]}`), "The additional field messages conflicts with an existing field."},
		"system":              {fields(`{"system":"x"}`), "The additional field system conflicts with an existing field."},
		"stream":              {fields(`{"stream":false}`), "conflicts"},
		"max_tokens again":    {fields(`{"max_tokens":5}`), "conflicts"},
		"effort twice":        {fields(`{"reasoning_effort":"low","reasoning_config":"high"}`), "conflicts"},
	} {
		config := Config{BaseURL: "http://h"}
		config.complete()
		_, err := appendChat(nil, &config, outcrop.Attempt{}, &c.r, false)
		if outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want Invalid with %q", name, err, c.want)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for in, want := range map[string]base{
		"http://h:8000":                        {"http://h:8000/v1/chat/completions", "http://h:8000/tokenize"},
		"http://h:8000/":                       {"http://h:8000/v1/chat/completions", "http://h:8000/tokenize"},
		"http://h/v1":                          {"http://h/v1/chat/completions", "http://h/tokenize"},
		"http://h/v1/":                         {"http://h/v1/chat/completions", "http://h/tokenize"},
		"http://h/api/v1":                      {"http://h/api/v1/chat/completions", "http://h/api/tokenize"},
		"http://h/llm":                         {"http://h/llm/v1/chat/completions", "http://h/llm/tokenize"},
		"http://h/v1beta":                      {"http://h/v1beta/chat/completions", "http://h/tokenize"},
		"http://h/chat/completions":            {"http://h/chat/completions", "http://h/tokenize"},
		"https://x.openai.azure.com/openai/v1": {"https://x.openai.azure.com/openai/v1/chat/completions", "https://x.openai.azure.com/openai/tokenize"},
		"https://x.openai.azure.com/openai/deployments/d?api-version=2024": {"https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024", "https://x.openai.azure.com/openai/deployments/d/tokenize"},
	} {
		if got, err := parseBase(in); err != nil || got != want {
			t.Errorf("%s: %+v %v, want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "h:8000", "ftp://h", "http://", "http://user:pass@h", "http://h:port\x7f"} {
		if _, err := New(Config{BaseURL: in}, nil); err == nil || strings.Contains(err.Error(), "pass@") {
			t.Errorf("%q: %v, want an error that shows no secret", in, err)
		}
	}
}

func TestConfigRefusesHeadersThatCannotBeSent(t *testing.T) {
	for _, c := range []Config{{APIKey: "a\nb"}, {Headers: map[string]string{"X": "a\r\nb"}}, {Headers: map[string]string{"a b": "c"}}, {MaxTokensField: `x":1,"y`}} {
		c.BaseURL = "http://h"
		if _, err := New(c, nil); err == nil || strings.Contains(err.Error(), "a\nb") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// kilobyte is a request whose body is about 1 KB.
func kilobyte() *converse.Request {
	return &converse.Request{
		System:          []converse.SystemContentBlock{{Text: new("You are a helpful assistant.\nAnswer briefly.")}},
		Messages:        []converse.Message{user(text(strings.Repeat("What does \"inference profile\" mean?\n", 26)))},
		InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(500)), Temperature: new(0.5)},
	}
}

func BenchmarkEncode1KB(b *testing.B) {
	config := Config{BaseURL: "http://h"}
	config.complete()
	r := kilobyte()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := appendChat(nil, &config, outcrop.Attempt{Model: "m"}, r, true); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode1KB(b *testing.B) {
	body := []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"` +
		strings.Repeat(`An inference profile is a \"name\".\n`, 26) + `","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":180,"total_tokens":380,"prompt_tokens_details":{"cached_tokens":0}}}`)
	u, err := New(Config{BaseURL: "http://h"}, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := u.decodeAnswer(outcrop.Attempt{}, body); err != nil {
			b.Fatal(err)
		}
	}
}
