package simulator

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"outcrop"
	"outcrop/converse"
	"outcrop/upstream/upstreamtest"
)

func use(id string) converse.ContentBlock {
	return converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: id, Name: "get_time", Input: json.RawMessage("{}")}}
}

func result(id string) converse.ContentBlock {
	return converse.ContentBlock{ToolResult: &converse.ToolResultBlock{ToolUseId: id, Content: []converse.ToolResultContentBlock{{Text: new("noon")}}}}
}

func tooled(messages ...converse.Message) *converse.Request {
	return &converse.Request{Messages: messages, ToolConfig: weather()}
}

func configured(c converse.InferenceConfiguration) *converse.Request {
	r := upstreamtest.Ask("Hello")
	r.InferenceConfig = &c
	return r
}

func withFields(r *converse.Request, fields string) *converse.Request {
	r.AdditionalModelRequestFields = json.RawMessage(fields)
	return r
}

func TestRefusesWhatAWSRefuses(t *testing.T) {
	doc := converse.ContentBlock{Document: &converse.DocumentBlock{Format: "txt", Name: "n"}}
	forced := tooled(user(text("a")))
	forced.ToolConfig.ToolChoice = &converse.ToolChoice{Any: &converse.AnyToolChoice{}}
	unknown := tooled(user(text("a")))
	unknown.ToolConfig.ToolChoice = &converse.ToolChoice{Tool: &converse.SpecificToolChoice{Name: "other"}}
	twice := tooled(user(text("a")))
	twice.ToolConfig.Tools = append(twice.ToolConfig.Tools, twice.ToolConfig.Tools[0])
	cachedTools := tooled(user(text("a")))
	cachedTools.ToolConfig.Tools = append(cachedTools.ToolConfig.Tools, converse.Tool{CachePoint: &converse.CachePointBlock{Type: "default"}})
	for want, r := range map[string]*converse.Request{
		"A conversation must start with a user message. Try again with a conversation that starts with a user message.":                                         conversation(assistant(text("a"))),
		"A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.": conversation(user(text("a")), user(text("b"))),
		"The messages field is required":                        conversation(),
		"Member must satisfy enum value set: [user, assistant]": conversation(converse.Message{Role: "robot"}),
		"The text field in the ContentBlock object at messages.0.content.1 is blank. Add text to the text field, and try again.":  conversation(user(text("a"), text(" \n"))),
		"The content field in the Message object at messages.0 is empty. Add a ContentBlock object to the content field":          conversation(user()),
		"final assistant content cannot end with trailing whitespace":                                                             conversation(user(text("a")), assistant(text("So "))),
		"holds a block that only a user may send":                                                                                 conversation(user(text("a")), assistant(text("b"), doc), user(text("c"))),
		"A text block must be included in the message at messages.0":                                                              conversation(user(doc)),
		"The toolConfig field must be defined when using toolUse and toolResult content blocks.":                                  conversation(user(text("a")), assistant(use("1")), user(result("1"))),
		"Expected toolResult blocks at messages.2.content for the following Ids: 2":                                               tooled(user(text("a")), assistant(use("1"), use("2")), user(result("1"))),
		"Expected toolResult blocks at messages.2.content for the following Ids: 1":                                               tooled(user(text("a")), assistant(use("1"))),
		"The number of toolResult blocks at messages.2.content exceeds the number of toolUse blocks of previous turn.":            tooled(user(text("a")), assistant(use("1")), user(result("1"), result("2"))),
		"The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn.":            tooled(user(result("1"))),
		"The toolUse blocks at messages.1.content contain duplicate Ids: 1":                                                       tooled(user(text("a")), assistant(use("1"), use("1")), user(result("1"))),
		"must be in an assistant message":                                                                                         tooled(user(use("1"))),
		"contains duplicate tool names: get_time":                                                                                 twice,
		"Tool 'other' not found in provided tools":                                                                                unknown,
		"Value '1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to": configured(converse.InferenceConfiguration{Temperature: new(1.5)}),
		"Value 'NaN' at 'inferenceConfig.topP'":                                                                                   configured(converse.InferenceConfiguration{TopP: new(math.NaN())}),
		"Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to":  configured(converse.InferenceConfiguration{MaxTokens: new(int64(0))}),
		"'inferenceConfig.stopSequences'":                                                                                         configured(converse.InferenceConfiguration{StopSequences: []string{""}}),
		"The additional field system conflicts with an existing field.":                                                           withFields(upstreamtest.Ask("a"), `{"system":"x"}`),
		"The additional field max_tokens conflicts with an existing field.":                                                       withFields(configured(converse.InferenceConfiguration{MaxTokens: new(int64(9))}), `{"max_tokens":5}`),
		"additionalModelRequestFields has a member of the wrong type":                                                             withFields(upstreamtest.Ask("a"), `{"thinking":5}`),
		"budget_tokens: Input should be greater than or equal to 1024":                                                            withFields(upstreamtest.Ask("a"), `{"thinking":{"type":"enabled","budget_tokens":10}}`),
		"`max_tokens` must be greater than `thinking.budget_tokens`":                                                              withFields(configured(converse.InferenceConfiguration{MaxTokens: new(int64(1024))}), `{"thinking":{"type":"enabled","budget_tokens":1024}}`),
		"Thinking may not be enabled when tool_choice forces tool use.":                                                           withFields(forced, `{"thinking":{"type":"enabled","budget_tokens":1024}}`),
		"A maximum of 4 blocks with cache_control may be provided. Found 5.":                                                      conversation(user(text("a"), point(""), point(""), point(""), point(""), point(""))),
		"a ttl='1h' cache_control block must not come after a ttl='5m'":                                                           conversation(user(text("a"), point("5m"), text("b"), point("1h"))),
		"#/toolConfig/tools/2: extraneous key [cachePoint] is not permitted":                                                      cachedTools,
	} {
		s := New(Options{})
		a := attempt(nova)
		_, err := s.Converse(t.Context(), a, r)
		if outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		events, streamed := upstreamtest.Events(s.ConverseStream(t.Context(), a, r))
		_, counted := s.CountTokens(t.Context(), a, r)
		if len(events) > 0 || streamed == nil || counted == nil || streamed.Error() != err.Error() || counted.Error() != err.Error() {
			t.Errorf("streamed: %v, counted: %v, want %v", streamed, counted, err)
		}
	}
}

// Bodies that LibreChat and the seeds send are taken
// (reference/librechat.md §1.6).
func TestTakesWhatClientsSend(t *testing.T) {
	cachedTools := tooled(user(text("Summarise"), point("1h"), converse.ContentBlock{Document: &converse.DocumentBlock{Format: "txt", Name: "notes", Source: converse.DocumentSource{Bytes: converse.Base64("aGVsbG8=")}}}))
	cachedTools.ToolConfig.Tools = append(cachedTools.ToolConfig.Tools, converse.Tool{CachePoint: &converse.CachePointBlock{Type: "default", Ttl: "1h"}})
	cachedTools.System = []converse.SystemContentBlock{{Text: new("You are terse.")}, {CachePoint: &converse.CachePointBlock{Type: "default", Ttl: "1h"}}}
	cachedTools.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: new(int64(64000))}
	withFields(cachedTools, `{"anthropic_beta":["output-128k-2025-02-19"],"thinking":{"budget_tokens":2000,"type":"enabled"}}`)
	empty := upstreamtest.Ask("Say hi")
	empty.System = []converse.SystemContentBlock{}
	for name, r := range map[string]*converse.Request{
		"everything": cachedTools, "an empty system": empty,
		"a prefill":            conversation(user(text("a")), assistant(text("So"))),
		"a system turn":        conversation(converse.Message{Role: "system", Content: []converse.ContentBlock{text("s")}}, user(text("a"))),
		"a point at the front": conversation(user(point(""), text("a"))),
		"tools in turn":        tooled(user(text("a")), assistant(text("b"), use("1")), user(result("1"), text("c")), assistant(text("d")), user(text("e"))),
	} {
		if _, err := New(Options{}).Converse(t.Context(), attempt("anthropic.claude-sonnet-4-5-20250929-v1:0"), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
