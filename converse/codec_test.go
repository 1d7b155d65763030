package converse

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"outcrop"
)

// A request that uses every sort of member.
const fullRequest = `{
 "messages":[
  {"role":"user","content":[
   {"text":"héllo \"wörld\"\n"},
   {"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}},
   {"document":{"format":"pdf","name":"doc 1","source":{"s3Location":{"uri":"s3://bucket/key","bucketOwner":"123456789012"}},"citations":{"enabled":true}}},
   {"video":{"format":"mp4","source":{"bytes":"AAAA"}}},
   {"audio":{"format":"x-aac","source":{"bytes":"AAAA"}}},
   {"cachePoint":{"type":"default","ttl":"1h"}}]},
  {"role":"assistant","content":[
   {"reasoningContent":{"reasoningText":{"text":"hmm","signature":"sig"}}},
   {"reasoningContent":{"redactedContent":"AAEC"}},
   {"toolUse":{"toolUseId":"t-1","name":"get_weather","input":{"city":"Zürich","n":1.50,"big":12345678901234567890}}}]},
  {"role":"user","content":[
   {"toolResult":{"toolUseId":"t-1","content":[{"json":{"a":[1,2,null]}},{"text":""},{"searchResult":{"source":"s","title":"t","content":[{"text":"x"}]}}],"status":"success"}},
   {"guardContent":{"text":{"text":"g","qualifiers":["query"]}}}]}],
 "system":[{"text":"Be brief."},{"cachePoint":{"type":"default"}}],
 "inferenceConfig":{"maxTokens":512,"temperature":0.5,"topP":1,"stopSequences":["END"]},
 "toolConfig":{"tools":[{"toolSpec":{"name":"get_weather","description":"d","inputSchema":{"json":{"type":"object"}},"strict":false}},{"cachePoint":{"type":"default"}}],"toolChoice":{"auto":{}}},
 "guardrailConfig":{"guardrailIdentifier":"abc123","guardrailVersion":"DRAFT","trace":"enabled"},
 "additionalModelRequestFields":{"top_k":50},
 "promptVariables":{"x":{"text":"y"}},
 "additionalModelResponseFieldPaths":["/a/b"],
 "requestMetadata":{"team":"blue","app":"chat"},
 "performanceConfig":{"latency":"standard"},
 "serviceTier":{"type":"flex"},
 "outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{}","name":"n"}}}}
}`

const fullResponse = `{"output":{"message":{"role":"assistant","content":[{"text":"hi"},{"toolUse":{"toolUseId":"a","name":"b","input":{}}},{"citationsContent":{"content":[{"text":"c"}],"citations":[{"title":"t","location":{"web":{"url":"u"}}},{"location":{"documentChar":{"documentIndex":0,"start":1,"end":2}}}]}}]}},` +
	`"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cacheReadInputTokens":0,"cacheDetails":[]},"metrics":{"latencyMs":7},` +
	`"additionalModelResponseFields":{"stop_sequence":"x"},"trace":{"guardrail":{"modelOutput":["m"],"inputAssessment":{"g":{"topicPolicy":{"topics":[{"name":"n","type":"DENY","action":"BLOCKED","detected":true}]}}},"outputAssessments":{"g":[{"contextualGroundingPolicy":{"filters":[{"type":"GROUNDING","threshold":0.5,"score":0.25,"action":"NONE"}]}}]}},"promptRouter":{"invokedModelId":"m"}},` +
	`"performanceConfig":{"latency":"standard"},"serviceTier":{"type":"default"}}`

func equalJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(g, w) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRequestRoundTrip(t *testing.T) {
	r, err := DecodeRequest([]byte(fullRequest))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	equalJSON(t, string(r.AppendJSON(nil)), fullRequest)
	if got := string(r.Messages[1].Content[2].ToolUse.Input); !strings.Contains(got, "1.50") || !strings.Contains(got, "12345678901234567890") {
		t.Errorf("document changed: %s", got)
	}
}

func TestResponseRoundTrip(t *testing.T) {
	r, err := DecodeResponse([]byte(fullResponse))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(r.AppendJSON([]byte("x"))); got != "x"+fullResponse {
		t.Errorf("got  %s\nwant %s", got, fullResponse)
	}
}

func TestEventRoundTrip(t *testing.T) {
	for name, payload := range map[string]string{
		"messageStart":      `{"role":"assistant"}`,
		"contentBlockStart": `{"start":{"toolUse":{"toolUseId":"a","name":"b"}},"contentBlockIndex":1}`,
		"contentBlockDelta": `{"delta":{"text":""},"contentBlockIndex":0}`,
		"contentBlockStop":  `{"contentBlockIndex":0}`,
		"messageStop":       `{"stopReason":"end_turn","additionalModelResponseFields":{"a":1}}`,
		"metadata":          `{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":7}}`,
	} {
		padded := `{"p":"abc",` + payload[1:]
		e, err := DecodeEvent(name, []byte(padded))
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() != name || string(e.AppendPayload(nil)) != payload {
			t.Errorf("%s: %s %s", name, e.Name(), e.AppendPayload(nil))
		}
	}
	if e, err := DecodeEvent("somethingNew", []byte(`{"a":1}`)); err != nil || e.Name() != "" {
		t.Errorf("unknown event: %v %v", e, err)
	}
	if _, err := DecodeEvent("metadata", []byte(`{"usage":`)); err == nil {
		t.Error("broken payload taken")
	}
}

func TestCountTokensRoundTrip(t *testing.T) {
	for _, body := range []string{
		`{"input":{"invokeModel":{"body":"e30="}}}`,
		`{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}]}}}`,
	} {
		r, err := DecodeCountTokensRequest([]byte(body))
		if err != nil || r.Validate() != nil {
			t.Fatal(err, r.Validate())
		}
		if got := string(r.AppendJSON(nil)); got != body {
			t.Errorf("got %s", got)
		}
	}
	if got := string((&CountTokensResponse{InputTokens: 7}).AppendJSON(nil)); got != `{"inputTokens":7}` {
		t.Errorf("got %s", got)
	}
}

// The wording of errors is what clients match on.
func TestRequestErrors(t *testing.T) {
	block := func(b string) string { return `{"messages":[{"role":"user","content":[` + b + `]}]}` }
	tool := func(spec string) string { return `{"toolConfig":{"tools":[{"toolSpec":` + spec + `}]}}` }
	const keys = "text, image, document, video, audio, toolUse, toolResult, guardContent, cachePoint, reasoningContent, citationsContent, searchResult"
	for _, c := range []struct{ name, body, code, want string }{
		{"syntax", `{"messages":[}`, "SerializationException", `unexpected '}' looking for a value at messages.0 (offset 13)`},
		{"trailing", `{} {}`, "SerializationException", `unexpected '{' after the top-level value (offset 3)`},
		{"top is a list", `[]`, "SerializationException", `START_ARRAY can not be converted to a Structure`},
		{"wrong type", `{"messages":[{"role":5}]}`, "SerializationException", `NUMBER_VALUE can not be converted to a String at messages.0.role`},
		{"string for list", `{"messages":"hi"}`, "SerializationException", `STRING_VALUE can not be converted to a List at messages`},
		{"content string", `{"messages":[{"role":"user","content":"hi"}]}`, "SerializationException", `STRING_VALUE can not be converted to a List at messages.0.content`},
		{"fraction", `{"inferenceConfig":{"maxTokens":1.5}}`, "SerializationException", `number is not a 64-bit integer at inferenceConfig.maxTokens (offset 32)`},
		{"base64", block(`{"image":{"format":"png","source":{"bytes":"@@"}}}`), "SerializationException", `string is not base64 at messages.0.content.0.image.source.bytes (offset 82)`},
		{"two in a union", block(`{"text":"a","image":{"format":"png","source":{"bytes":"AAAA"}}}`), "SerializationException", `union holds more than one member at messages.0.content.0 (offset 39)`},
		{"same twice in a union", block(`{"text":"a","text":"b"}`), "SerializationException", `union holds more than one member at messages.0.content.0 (offset 39)`},
		{"empty union", block(`{"text":"a"},{}`), "", `ContentBlock object at messages.0.content.1 must set one of the following keys: ` + keys + `.`},
		{"unknown member only", block(`{"toolAddition":{"tool":{"name":"x"}}}`), "", `ContentBlock object at messages.0.content.0 must set one of the following keys: ` + keys + `.`},
		{"missing role", `{"messages":[{"content":[]}]}`, "", `1 validation error detected: Value at 'messages.1.member.role' failed to satisfy constraint: Member must not be null`},
		{"missing source", block(`{"image":{"format":"png"}}`), "", `1 validation error detected: Value at 'messages.1.member.content.1.member.image.source' failed to satisfy constraint: Member must not be null`},
		{"null element", `{"messages":[null]}`, "", `1 validation error detected: Value at 'messages.1.member' failed to satisfy constraint: Member must not be null`},
		{"missing and more", `{"messages":[{"role":"bot"}]}`, "", `2 validation errors detected: Value at 'messages.1.member.content' failed to satisfy constraint: Member must not be null; Value 'bot' at 'messages.1.member.role' failed to satisfy constraint: Member must satisfy enum value set: [user, assistant]`},
		{"pattern", block(`{"toolUse":{"toolUseId":"a","name":"a b","input":{}}}`), "", `1 validation error detected: Value 'a b' at 'messages.1.member.content.1.member.toolUse.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`},
		{"length", block(`{"toolUse":{"toolUseId":"` + strings.Repeat("a", 65) + `","name":"a","input":{}}}`), "", `1 validation error detected: Value '` + strings.Repeat("a", 65) + `' at 'messages.1.member.content.1.member.toolUse.toolUseId' failed to satisfy constraint: Member must have length less than or equal to 64`},
		{"empty required", tool(`{"name":"","inputSchema":{"json":{}}}`), "", `2 validation errors detected: Value '' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+`},
		{"empty optional", tool(`{"name":"a","description":"","inputSchema":{"json":{}}}`), "", `1 validation error detected: Value '' at 'toolConfig.tools.1.member.toolSpec.description' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"range", `{"inferenceConfig":{"maxTokens":0,"temperature":2}}`, "", `2 validation errors detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1; Value '2.0' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1`},
		{"enum", block(`{"image":{"format":"bmp","source":{"bytes":"AAAA"}}}`), "", `1 validation error detected: Value 'bmp' at 'messages.1.member.content.1.member.image.format' failed to satisfy constraint: Member must satisfy enum value set: [png, jpeg, gif, webp]`},
		{"empty blob", block(`{"image":{"format":"png","source":{"bytes":""}}}`), "", `1 validation error detected: Value at 'messages.1.member.content.1.member.image.source.bytes' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"empty list", `{"toolConfig":{"tools":[]}}`, "", `1 validation error detected: Value at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"list element", `{"inferenceConfig":{"stopSequences":["a",""]}}`, "", `1 validation error detected: Value '[a, ]' at 'inferenceConfig.stopSequences' failed to satisfy constraint: Member must satisfy constraint: [Member must have length greater than or equal to 1]`},
		{"metadata value", `{"requestMetadata":{"a":"{}"}}`, "", `1 validation error detected: Value at 'requestMetadata' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: [a-zA-Z0-9\s:_@$#=/+,-.]{0,256}]`},
		{"metadata key", `{"requestMetadata":{"":"x"}}`, "", `1 validation error detected: Value at 'requestMetadata' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [a-zA-Z0-9\s:_@$#=/+,-.]{1,256}]`},
		{"variable", `{"promptVariables":{"a":{}}}`, "", `PromptVariableValues object at promptVariables.a.member must set one of the following keys: text.`},
		{"qualifier", block(`{"guardContent":{"text":{"text":"x","qualifiers":["query","other"]}}}`), "", `1 validation error detected: Value '[query, other]' at 'messages.1.member.content.1.member.guardContent.text.qualifiers' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [grounding_source, query, guard_content]]`},
		{"metadata empty", `{"requestMetadata":{}}`, "", `1 validation error detected: Value at 'requestMetadata' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"s3", block(`{"video":{"format":"mp4","source":{"s3Location":{"uri":"http://x"}}}}`), "", `1 validation error detected: Value 'http://x' at 'messages.1.member.content.1.member.video.source.s3Location.uri' failed to satisfy constraint: Member must satisfy regular expression pattern: s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := DecodeRequest([]byte(c.body))
			if err == nil {
				err = r.Validate()
			}
			var e *outcrop.Error
			if !errors.As(err, &e) {
				t.Fatalf("err = %v", err)
			}
			if e.Kind != outcrop.Invalid || e.Message != c.want || e.Code != c.code {
				t.Errorf("kind %v code %q\n got %s\nwant %s", e.Kind, e.Code, e.Message, c.want)
			}
		})
	}
}

func TestRequestsThatHold(t *testing.T) {
	for _, body := range []string{
		``, `{}`, ` { } `, `{"messages":null}`, `{"messages":[]}`, `{"unknown":[{"x":1}]}`,
		`{"messages":[{"role":"system","content":[{"text":"x"}]}]}`,
		`{"messages":[{"role":"user","content":[{"__type":"x","text":"x","new":1}]}]}`,
		`{"messages":[{"role":"user","content":[{"image":null,"text":"x"}]}]}`,
		`{"messages":[{"role":"user","content":[{"text":""}]}]}`,
		`{"inferenceConfig":{"maxTokens":1e2,"temperature":0,"topP":1.0}}`,
		`{"guardrailConfig":{"guardrailIdentifier":"","guardrailVersion":""}}`,
		`{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"iVBO\/w0K\nGgo="}}}]}]}`,
	} {
		r, err := DecodeRequest([]byte(body))
		if err == nil {
			err = r.Validate()
		}
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A record may outlive the body by months, and must not keep an image alive.
func TestMapsDoNotShareTheBody(t *testing.T) {
	body := []byte(`{"requestMetadata":{"team":"blue"}}`)
	r, err := DecodeRequest(body)
	if err != nil {
		t.Fatal(err)
	}
	for i := range body {
		body[i] = 'x'
	}
	if r.RequestMetadata["team"] != "blue" {
		t.Errorf("metadata = %v", r.RequestMetadata)
	}
}

// However many values are wrong, the message stays short and counts them all.
func TestErrorsAreBounded(t *testing.T) {
	body := `{"messages":[` + strings.Repeat(`{},`, 19999) + `{}]}`
	_, err := DecodeRequest([]byte(body))
	if err == nil || len(err.Error()) > 10000 || !strings.HasPrefix(err.Error(), "40000 validation errors detected: ") {
		t.Errorf("%d bytes: %.80s", len(err.Error()), err)
	}
	_, err = DecodeRequest([]byte(`{"messages":[{"role":"` + strings.Repeat("x", 1<<20) + `","content":[]}]}`))
	if err != nil {
		t.Fatal(err)
	}
}

func TestElementsAreBounded(t *testing.T) {
	for _, body := range []string{
		`{"messages":[{"role":"user","content":[` + strings.Repeat(`{},`, maxElements) + `{}]}]}`,
		`{"requestMetadata":{` + strings.Repeat(`"a":"b",`, maxElements) + `"a":"b"}}`,
	} {
		if _, err := DecodeRequest([]byte(body)); err == nil || !strings.Contains(err.Error(), "more than 131072 list elements") {
			t.Errorf("err = %.100v", err)
		}
	}
}

func TestUnionWithTwoMembersInGo(t *testing.T) {
	text := "x"
	r := Request{System: []SystemContentBlock{{Text: &text, CachePoint: &CachePointBlock{Type: "default"}}}}
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "SystemContentBlock object at system.0 must set only one of the following keys: text, guardContent, cachePoint.") {
		t.Errorf("err = %v", err)
	}
}
