package native

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/converse"

	"github.com/google/go-cmp/cmp"
)

// models has one model of each family.
var models = []outcrop.ModelID{
	"anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0", "amazon.titan-text-express-v1",
	"meta.llama3-1-8b-instruct-v1:0", "deepseek.r1-v1:0", "mistral.mistral-7b-instruct-v0:2", "openai.gpt-oss-120b-1:0", commandR, "cohere.command-text-v14",
}

func decode(t *testing.T, model outcrop.ModelID, body string) *converse.Request {
	t.Helper()
	f, ok := FamilyOf(model)
	if !ok {
		t.Fatalf("%s has no family", model)
	}
	r, err := f.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRequestsReadAsConversations(t *testing.T) {
	for _, c := range []struct {
		name  string
		model outcrop.ModelID
		body  string
		want  string // as a Converse request
	}{
		{"anthropic, everything", models[0], `{"anthropic_version":"bedrock-2023-05-31","max_tokens":10,"temperature":0.5,"stop_sequences":["x"],"thinking":{"type":"enabled","budget_tokens":1024},
			"system":[{"type":"text","text":"be kind","cache_control":{"type":"ephemeral","ttl":"1h"}}],
			"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}},{"type":"text","text":"hi","cache_control":{"type":"ephemeral"}}]},
			{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"t1","name":"f","input":{"a":1}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"done","is_error":true}]}],
			"tools":[{"name":"f","description":"d","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}}`,
			`{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"aGk="}}},{"text":"hi"},{"cachePoint":{"type":"default"}}]},
			{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"s"}}},{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"done"}],"status":"error"}}]}],
			"system":[{"text":"be kind"},{"cachePoint":{"type":"default","ttl":"1h"}}],
			"inferenceConfig":{"maxTokens":10,"temperature":0.5,"stopSequences":["x"]},
			"toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"d","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}},
			"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}}`},
		{"nova", models[1], `{"schemaVersion":"messages-v1","messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"s"}],"inferenceConfig":{"max_new_tokens":5,"topK":3}}`,
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"s"}],"inferenceConfig":{"maxTokens":5},"additionalModelRequestFields":{"inferenceConfig":{"topK":3}}}`},
		{"titan", models[2], `{"inputText":"hi","textGenerationConfig":{"maxTokenCount":7}}`,
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":7}}`},
		{"llama with its template", models[3], `{"prompt":"<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\ns<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n","max_gen_len":9}`,
			`{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"s"}],"inferenceConfig":{"maxTokens":9}}`},
		{"mistral with its template", models[5], `{"prompt":"<s>[INST] one [/INST] two</s>[INST] three [/INST]","max_tokens":9}`,
			`{"messages":[{"role":"user","content":[{"text":"one"}]},{"role":"assistant","content":[{"text":"two"}]},{"role":"user","content":[{"text":"three"}]}],"inferenceConfig":{"maxTokens":9}}`},
		{"chat completions", models[6], `{"model":"ignored","max_completion_tokens":4,"stop":"x","reasoning_effort":"low","messages":[{"role":"developer","content":"s"},{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:image/jpg;base64,aGk="}}]},
			{"role":"assistant","content":null,"tool_calls":[{"id":"t1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"t1","content":"ok"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}}}`,
			`{"messages":[{"role":"user","content":[{"text":"hi"},{"image":{"format":"jpeg","source":{"bytes":"aGk="}}}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"ok"}]}}]}],"system":[{"text":"s"}],"inferenceConfig":{"maxTokens":4,"stopSequences":["x"]},
			"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"tool":{"name":"f"}}},"additionalModelRequestFields":{"reasoning_effort":"low"}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got, want any
			if err := json.Unmarshal(decode(t, c.model, c.body).AppendJSON(nil), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFaultyBodiesAreRefusedInBedrocksWords(t *testing.T) {
	for _, c := range []struct {
		model      outcrop.ModelID
		body, says string
	}{
		{models[0], `{"anthropic_version":"bedrock-2023-05-31","messages":[]}`, "required key [max_tokens] not found, please reformat your input and try again."},
		{models[0], `[]`, "Malformed input request: #: expected a JSON object"},
		{models[0], `{"anthropic_version":"x","max_tokens":"many","messages":[]}`, "#/max_tokens"},
		{models[0], `{"anthropic_version":"x","max_tokens":1,"messages":[{"role":"user","content":[{"type":"hologram"}]}]}`, "hologram"},
		{models[1], `{}`, "required key [messages] not found"},
		{models[3], `{"max_gen_len":3}`, "required key [prompt] not found"},
		{models[6], `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://10.0.0.1/x.png"}}]}]}`, "only data:image/"},
	} {
		f, _ := FamilyOf(c.model)
		_, err := f.Decode([]byte(c.body))
		if outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: err = %v, want a ValidationException with %q", c.model, c.body, err, c.says)
		}
	}
}

// answer is a response with every block that the formats can tell.
func answer() *converse.Response {
	return &converse.Response{
		Output: converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: []converse.ContentBlock{
			{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: "thinking", Signature: "sig"}}},
			{Text: new("Hello there")},
			{ToolUse: &converse.ToolUseBlock{ToolUseId: "t1", Name: "f", Input: json.RawMessage(`{"a":1}`)}},
		}}},
		StopReason: "tool_use",
		Usage:      &converse.TokenUsage{InputTokens: 3, OutputTokens: 5, TotalTokens: 8},
	}
}

func testAnswer(model outcrop.ModelID) *Answer {
	return &Answer{ID: "0d8bd1f8-2a3c-4b2e-9d1a-0a1b2c3d4e5f", Model: model, Created: time.Unix(1700000000, 0),
		Response: answer(), Metrics: func() Metrics { return Metrics{InputTokens: 3, OutputTokens: 5} }}
}

func TestAnswersCarryTextAndUsage(t *testing.T) {
	for _, c := range []struct {
		model outcrop.ModelID
		want  []string
	}{
		{models[0], []string{`"id":"msg_bdrk_0d8bd1f82a3c4b2e9d1a0a1b"`, `"model":"claude-sonnet-4-5-20250929"`, `"thinking":"thinking"`, `"text":"Hello there"`, `"type":"tool_use"`, `"stop_reason":"tool_use"`, `"input_tokens":3`, `"output_tokens":5`}},
		{models[1], []string{`"output":{"message":`, `"stopReason":"tool_use"`, `"totalTokens":8`}},
		{models[2], []string{`"inputTextTokenCount":3`, `"outputText":"Hello there"`, `"tokenCount":5`}},
		{models[3], []string{`"generation":"Hello there"`, `"prompt_token_count":3`, `"generation_token_count":5`, `"stop_reason":"stop"`}},
		{models[4], []string{`"choices":[{`, `thinking\n\u003c/think\u003e\n\nHello there"`}},
		{models[5], []string{`"outputs":[{`, `"text":"Hello there"`}},
		{models[6], []string{`"object":"chat.completion"`, `"finish_reason":"tool_calls"`, `"arguments":"{\"a\":1}"`, `"prompt_tokens":3`, `"reasoning_content":"thinking"`}},
	} {
		f, _ := FamilyOf(c.model)
		b, err := f.Encode(testAnswer(c.model))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(b), want) {
				t.Errorf("%s: answer %s lacks %s", c.model, b, want)
			}
		}
	}
}

// Promise: the invocation metrics ride on the last chunk, once; every chunk is
// one JSON object; the text arrives whole.
func TestStreamsEndWithTheInvocationMetrics(t *testing.T) {
	for _, model := range models {
		f, _ := FamilyOf(model)
		a := testAnswer(model)
		chunker := f.Chunks(a)
		var all [][]byte
		for e := range a.Response.Events() {
			chunks, err := chunker.Chunk(e)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, chunks...)
		}
		for i, b := range all {
			if !json.Valid(b) {
				t.Errorf("%s: chunk %d is no JSON: %s", model, i, b)
			}
			if has := strings.Contains(string(b), "amazon-bedrock-invocationMetrics"); has != (i == len(all)-1) {
				t.Errorf("%s: chunk %d of %d has metrics: %v", model, i, len(all), has)
			}
		}
		if text := string(joinChunks(all)); !strings.Contains(text, "Hello") {
			t.Errorf("%s: the text is missing in %s", model, text)
		}
	}
}

func joinChunks(chunks [][]byte) []byte {
	var all []byte
	for _, c := range chunks {
		all = append(all, c...)
	}
	return all
}

func TestAnthropicStreamHasItsOwnOrder(t *testing.T) {
	a := testAnswer(models[0])
	chunker := anthropic{}.Chunks(a)
	var order []string
	for e := range a.Response.Events() {
		chunks, _ := chunker.Chunk(e)
		for _, b := range chunks {
			var c struct{ Type string }
			if err := json.Unmarshal(b, &c); err != nil {
				t.Fatal(err)
			}
			if n := len(order); n == 0 || order[n-1] != c.Type {
				order = append(order, c.Type)
			}
		}
	}
	want := "message_start content_block_start content_block_delta content_block_stop content_block_start content_block_delta content_block_stop content_block_start content_block_delta content_block_stop message_delta message_stop"
	if got := strings.Join(order, " "); got != want {
		t.Errorf("order\n got %s\nwant %s", got, want)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range models {
		f.Add(string(m), []byte(`{"messages":[{"role":"user","content":"hi"}],"prompt":"[INST]x","inputText":"y","anthropic_version":"z","max_tokens":1}`))
	}
	f.Fuzz(func(t *testing.T, model string, body []byte) {
		family, ok := FamilyOf(outcrop.ModelID(model))
		if !ok {
			return
		}
		if r, err := family.Decode(body); err == nil {
			r.AppendJSON(nil) // what was read can be written
		} else if outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("err = %v, want a ValidationException", err)
		}
	})
}

// A member of the wrong type is named in the words of Bedrock's schemas.
func TestWrongTypesAreNamedAsBedrockNamesThem(t *testing.T) {
	for body, want := range map[string]string{
		`{"messages":"hi"}`:                           "#/messages: expected type: JSONArray, found: String",
		`{"messages":{"role":"user"}}`:                "#/messages: expected type: JSONArray, found: JSONObject",
		`{"messages":[],"temperature":"0.5"}`:         "#/temperature: expected type: Number, found: String",
		`{"messages":[],"max_tokens":[1]}`:            "#/max_tokens: expected type: Integer, found: JSONArray",
		`{"messages":[],"max_tokens":1.5}`:            "#/max_tokens: expected type: Integer, found: Number",
		`{"messages":[{"role":7,"content":"hello"}]}`: "expected type: String, found: Number",
	} {
		_, err := openAIChat{}.Decode([]byte(body))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}
