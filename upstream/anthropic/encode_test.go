package anthropic

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/messages"
	"outcrop/upstream/upstreamtest"
)

// What tests say often.
var (
	text, user, assistant = upstreamtest.Block, upstreamtest.User, upstreamtest.Assistant

	point     = &converse.CachePointBlock{Type: "default"}
	longPoint = &converse.CachePointBlock{Type: "default", Ttl: "1h"}
)

func turns(messages ...converse.Message) converse.Request {
	return converse.Request{Messages: messages}
}

func file(d converse.DocumentBlock) converse.Request {
	d.Name = "notes"
	return turns(user(converse.ContentBlock{Document: &d}))
}

func extra(fields string) converse.Request {
	return converse.Request{AdditionalModelRequestFields: json.RawMessage(fields)}
}

var tools = []converse.Tool{
	{ToolSpec: &converse.ToolSpecification{Name: "f", Description: "does \"it\"", Strict: new(true), InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"type":"object"}`)}}},
	{ToolSpec: &converse.ToolSpecification{Name: "g"}},
}

func schema(s string) *converse.OutputConfig {
	return &converse.OutputConfig{TextFormat: &converse.OutputFormat{Type: "json_schema", Structure: converse.OutputFormatStructure{JsonSchema: &converse.JsonSchemaDefinition{Schema: s, Name: "n"}}}}
}

// The table of reference/runtime-metering-billing.md §2.6, row by row.
func TestEncode(t *testing.T) {
	for _, c := range []struct {
		name  string
		r     converse.Request
		want  string // members beside model; max_tokens and messages unless they are the default
		betas string
	}{
		{name: "system", r: converse.Request{System: []converse.SystemContentBlock{{Text: new("a")}, {GuardContent: &converse.GuardrailConverseContentBlock{Text: &converse.GuardrailConverseTextBlock{Text: "b"}}}, {CachePoint: longPoint}}},
			want: `{"system":[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{"type":"ephemeral","ttl":"1h"}}]}`},
		{name: "a cache point in a turn", r: turns(user(text("a"), converse.ContentBlock{CachePoint: point}, text("b"))),
			want: `{"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"text","text":"b"}]}]}`},
		{name: "a cache point before everything", r: turns(user(converse.ContentBlock{CachePoint: point}, text("b"))),
			want: `{"messages":[{"role":"user","content":[{"type":"text","text":"b"}]}]}`},
		{name: "a cache point that begins a part ends the one before", r: converse.Request{
			ToolConfig: &converse.ToolConfiguration{Tools: tools[1:]}, System: []converse.SystemContentBlock{{CachePoint: point}, {Text: new("s")}}, Messages: []converse.Message{user(converse.ContentBlock{CachePoint: longPoint}, text("b"))}},
			want: `{"tools":[{"name":"g","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":[{"type":"text","text":"b"}]}]}`},
		{name: "a cache point behind a thought marks the block before it", r: turns(assistant(text("a"), converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: "hm", Signature: "s"}}}, converse.ContentBlock{CachePoint: point})),
			want: `{"messages":[{"role":"assistant","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"thinking","thinking":"hm","signature":"s"}]}]}`},
		{name: "an image", r: turns(user(converse.ContentBlock{Image: &converse.ImageBlock{Format: "png", Source: converse.ImageSource{Bytes: converse.Base64("aGk=")}}})),
			want: `{"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}]}]}`},
		{name: "a PDF", r: file(converse.DocumentBlock{Format: "pdf", Source: converse.DocumentSource{Bytes: converse.Base64("JVBERg==")}, Context: "ours", Citations: &converse.CitationsConfig{Enabled: true}}),
			want: `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERg=="},"title":"notes","context":"ours","citations":{"enabled":true}}]}]}`},
		{name: "a text document", r: file(converse.DocumentBlock{Format: "csv", Source: converse.DocumentSource{Bytes: converse.Encode64([]byte("a,é\xff"))}}),
			want: `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,é\ufffd"},"title":"notes"}]}]}`},
		{name: "a document that is text", r: file(converse.DocumentBlock{Source: converse.DocumentSource{Text: new("hi")}}),
			want: `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"},"title":"notes"}]}]}`},
		{name: "a document in parts", r: file(converse.DocumentBlock{Source: converse.DocumentSource{Content: []converse.DocumentContentBlock{{Text: new("a")}, {Text: new("b")}}}}),
			want: `{"messages":[{"role":"user","content":[{"type":"document","source":{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"title":"notes"}]}]}`},
		{name: "tool calls and results", r: turns(
			assistant(converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: "a.b:1", Name: "f", Input: json.RawMessage(`{"x":1}`)}}, converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: "2", Name: "g"}}),
			user(converse.ContentBlock{ToolResult: &converse.ToolResultBlock{ToolUseId: "a.b:1", Status: "success", Content: []converse.ToolResultContentBlock{{Json: json.RawMessage(`{"y": 2}`)}, {Image: &converse.ImageBlock{Format: "gif", Source: converse.ImageSource{Bytes: converse.Base64("aGk=")}}}}}},
				converse.ContentBlock{ToolResult: &converse.ToolResultBlock{ToolUseId: "2", Status: "error", Content: []converse.ToolResultContentBlock{{Text: new("no")}}}})),
			want: `{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a_b_1","name":"f","input":{"x":1}},{"type":"tool_use","id":"2","name":"g","input":{}}]},
				{"role":"user","content":[{"type":"tool_result","tool_use_id":"a_b_1","content":[{"type":"text","text":"{\"y\": 2}"},{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"aGk="}}]},
				{"type":"tool_result","tool_use_id":"2","content":[{"type":"text","text":"no"}],"is_error":true}]}]}`},
		{name: "thoughts", r: turns(assistant(
			converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: "", Signature: "s"}}},
			converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{RedactedContent: converse.Base64("c2Vj")}},
			converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: "another model's"}}}, text("b")),
			assistant(converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: "another model's"}}})),
			want: `{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"s"},{"type":"redacted_thinking","data":"c2Vj"},{"type":"text","text":"b"}]}]}`},
		{name: "search results and citations", r: turns(user(converse.ContentBlock{SearchResult: &converse.SearchResultBlock{Source: "https://a", Title: "A", Content: []converse.SearchResultContentBlock{{Text: "x"}}, Citations: &converse.CitationsConfig{Enabled: true}}}),
			assistant(converse.ContentBlock{CitationsContent: &converse.CitationsContentBlock{Content: []converse.CitationGeneratedContent{{Text: new("as ")}, {Text: new("said")}}}})),
			want: `{"messages":[{"role":"user","content":[{"type":"search_result","source":"https://a","title":"A","content":[{"type":"text","text":"x"}],"citations":{"enabled":true}}]},{"role":"assistant","content":[{"type":"text","text":"as said"}]}]}`},
		{name: "inference", r: converse.Request{InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(7)), Temperature: new(0.0), TopP: new(0.25), StopSequences: []string{"a", "\n"}}},
			want: `{"max_tokens":7,"temperature":0,"top_p":0.25,"stop_sequences":["a","\n"]}`},
		{name: "tools", r: converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: append(tools[:2:2], converse.Tool{CachePoint: point}), ToolChoice: &converse.ToolChoice{Auto: &converse.AutoToolChoice{}}}},
			want: `{"tools":[{"name":"f","description":"does \"it\"","input_schema":{"type":"object"},"strict":true},{"name":"g","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"auto"}}`},
		{name: "any tool", r: converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: tools[1:], ToolChoice: &converse.ToolChoice{Any: &converse.AnyToolChoice{}}}},
			want: `{"tools":[{"name":"g","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}}`},
		{name: "one tool", r: converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: tools[1:], ToolChoice: &converse.ToolChoice{Tool: &converse.SpecificToolChoice{Name: "g"}}}},
			want: `{"tools":[{"name":"g","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"g"}}`},
		{name: "a schema, and effort beside it", r: converse.Request{OutputConfig: schema(`{"type": "object"}`), AdditionalModelRequestFields: json.RawMessage(`{"output_config":{"effort":"low"}}`)},
			want: `{"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}},"effort":"low"}}`},
		{name: "additional fields", r: extra(` {"top_k": 5, "thinking":{"type":"adaptive"}, "anthropic_version":"bedrock-2023-05-31", "anthropic_beta":["a-1","b-2"], "max_tokens": 9, "system":"s"} `),
			want: `{"top_k":5,"thinking":{"type":"adaptive"},"max_tokens":9,"system":"s"}`, betas: "a-1,b-2"},
		{name: "one beta", r: extra(`{"anthropic_beta":"a-1, b-2"}`), want: `{}`, betas: "a-1,b-2"},
		{name: "typed tools beside one's own", r: converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: tools[1:]}, AdditionalModelRequestFields: json.RawMessage(`{"tools":[{"type":"bash_20250124","name":"bash"}]}`)},
			want: `{"tools":[{"name":"g","input_schema":{"type":"object"}},{"type":"bash_20250124","name":"bash"}]}`},
		{name: "reasoning_config", r: extra(`{"reasoning_config":{"type":"enabled","budget_tokens":2000}}`), want: `{"thinking":{"type":"enabled","budget_tokens":2000}}`},
		{name: "a word of effort", r: extra(`{"reasoning_effort":"medium"}`), want: `{"thinking":{"type":"enabled","budget_tokens":2048}}`},
		{name: "no effort", r: extra(`{"reasoning_config":"none"}`), want: `{}`},
		{name: "Outcrop's own", r: converse.Request{RequestMetadata: map[string]string{"team": "blue"}, ServiceTier: &converse.ServiceTier{Type: "flex"}, PerformanceConfig: &converse.PerformanceConfiguration{Latency: "optimized"}}, want: `{}`},
	} {
		b, err := upstreamOf(t).encode(outcrop.Attempt{Model: "m", Destination: outcrop.Destination{Model: "known"}}, &c.r)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got, want := asMap(t, b.Members), asMap(t, json.RawMessage(c.want))
		for name, value := range map[string]any{"model": "m", "messages": []any{}, "max_tokens": 777.0} {
			if _, ok := want[name]; !ok {
				want[name] = value
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
		if betas := messages.JoinBetas("", b.Betas); betas != c.betas {
			t.Errorf("%s: betas %q, want %q", c.name, betas, c.betas)
		}
	}
}

func upstreamOf(t *testing.T) *Upstream {
	t.Helper()
	u, err := New(Config{APIKey: "k", MaxOutput: func(id outcrop.ModelID) outcrop.Tokens {
		if id == "known" {
			return 777
		}
		return 0
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// asMap is what JSON says, however it is written.
func asMap(t *testing.T, v any) map[string]any {
	t.Helper()
	var m map[string]any
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return m
}

func TestEncodeRefuses(t *testing.T) {
	s3 := &converse.S3Location{Uri: "s3://b/k"}
	for _, c := range []struct {
		r     converse.Request
		words string
	}{
		{turns(user(converse.ContentBlock{Video: &converse.VideoBlock{}})), "doesn't support the video field"},
		{turns(user(converse.ContentBlock{Audio: &converse.AudioBlock{}})), "doesn't support the audio field"},
		{turns(user(converse.ContentBlock{Image: &converse.ImageBlock{Source: converse.ImageSource{S3Location: s3}}})), "S3 locations in the image field"},
		{file(converse.DocumentBlock{Source: converse.DocumentSource{S3Location: s3}}), "S3 locations in the document field"},
		{file(converse.DocumentBlock{Format: "docx"}), "documents in the format docx"},
		{file(converse.DocumentBlock{Format: "txt", Source: converse.DocumentSource{Bytes: converse.Base64("!")}}), "not base64"},
		{turns(user(converse.ContentBlock{ToolResult: &converse.ToolResultBlock{Content: []converse.ToolResultContentBlock{{Video: &converse.VideoBlock{}}}}})), "video"},
		{turns(assistant(converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: "1", Input: json.RawMessage(`{`)}})), "tool call 1 is not JSON"},
		{converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: []converse.Tool{{SystemTool: &converse.SystemTool{Name: "nova_grounding"}}}}}, "system tool nova_grounding"},
		{converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: []converse.Tool{{ToolSpec: &converse.ToolSpecification{Name: "f", InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{`)}}}}}}, "inputSchema of tool f"},
		{converse.Request{OutputConfig: schema("{")}, "outputConfig.textFormat"},
		{converse.Request{OutputConfig: schema("{}"), AdditionalModelRequestFields: json.RawMessage(`{"output_config":{"format":{}}}`)}, "output_config conflicts"},
		{extra(`[]`), "must be a JSON object"}, {extra(`{"model":"x"}`), "model conflicts"}, {extra(`{"stream":true}`), "stream conflicts"}, {extra(`{"messages":[]}`), "messages conflicts"},
		{extra(`{"anthropic_beta":[1]}`), "list of strings"}, {extra(`{"anthropic_beta":["a\r\nX-Evil: 1"]}`), "no name of a beta"},
		{extra(`{"thinking":{},"reasoning_config":{}}`), "reasoning_config conflicts"},
		{converse.Request{InferenceConfig: &converse.InferenceConfiguration{MaxTokens: new(int64(1))}, AdditionalModelRequestFields: json.RawMessage(`{"max_tokens":2}`)}, "max_tokens conflicts"},
		{converse.Request{ToolConfig: &converse.ToolConfiguration{Tools: tools}, AdditionalModelRequestFields: json.RawMessage(`{"tools":{}}`)}, "tools conflicts"},
	} {
		_, err := upstreamOf(t).encode(outcrop.Attempt{}, &c.r)
		if outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v, want Invalid with %q", err, c.words)
		}
	}
}

func TestDefaultMaxTokens(t *testing.T) {
	b, err := upstreamOf(t).encode(outcrop.Attempt{Destination: outcrop.Destination{Model: "unknown"}}, new(converse.Request))
	if err != nil || b.Members["max_tokens"] != outcrop.Tokens(defaultMaxTokens) {
		t.Errorf("%v, %v", b.Members["max_tokens"], err)
	}
}

func TestMessagesURL(t *testing.T) {
	for base, want := range map[string]string{
		"": "https://api.anthropic.com/v1/messages", "https://h": "https://h/v1/messages", "https://h/": "https://h/v1/messages", "http://h:1/v1/": "http://h:1/v1/messages",
		"https://h/v1/messages": "https://h/v1/messages", "https://h/proxy/anthropic?x=y": "https://h/proxy/anthropic/v1/messages?x=y",
		"ftp://h": "", "https://": "", "https://u:secret@h": "", "https://h/%zz": "", "h": "",
	} {
		u, err := New(Config{APIKey: "k", BaseURL: base}, nil)
		switch {
		case want == "" && (err == nil || strings.Contains(err.Error(), "secret")):
			t.Errorf("%q: %v", base, err)
		case want != "" && (err != nil || u.address != want || !strings.Contains(u.count, "/messages/count_tokens")):
			t.Errorf("%q: %v, %+v", base, err, u)
		}
	}
	for _, c := range []Config{{}, {APIKey: "a\nb"}, {APIKey: "k", Headers: map[string]string{"a b": "c"}}, {APIKey: "k", Headers: map[string]string{"a": "b\r\n"}}} {
		if _, err := New(c, nil); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
