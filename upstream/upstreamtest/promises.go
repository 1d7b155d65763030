package upstreamtest

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/converse"
)

// stream asks, and refuses events out of order.
func stream(t *testing.T, u Upstream, r *converse.Request) *converse.Response {
	t.Helper()
	events, err := Events(u.ConverseStream(t.Context(), Attempt, r))
	if err != nil {
		t.Fatalf("stream: %v", err)
	}
	whole, err := Collect(events)
	if err != nil {
		t.Fatalf("stream: %v", err)
	}
	return whole
}

func whole(t *testing.T, u Upstream, r *converse.Request) *converse.Response {
	t.Helper()
	response, err := u.Converse(t.Context(), Attempt, r)
	if err != nil {
		t.Fatalf("Converse: %v", err)
	}
	if response.Output.Message == nil || response.Output.Message.Role != "assistant" {
		t.Fatalf("Converse: no message of the assistant in %+v", response)
	}
	return response
}

// Text is all text of an answer.
func Text(r *converse.Response) string {
	var b strings.Builder
	for _, c := range r.Output.Message.Content {
		if c.Text != nil {
			b.WriteString(*c.Text)
		}
	}
	return b.String()
}

func ordered(t *testing.T, u Upstream) {
	for name, r := range questions() {
		if got := stream(t, u, r); got.StopReason == "" {
			t.Errorf("%s: no stop reason", name)
		}
	}
}

func questions() map[string]*converse.Request {
	return map[string]*converse.Request{
		"plain": Ask("What is an inference profile?"), "other scripts": Ask("你好,你是什么模型? 안녕하세요 👩‍👩‍👧"),
		"tool": withTool(Ask("Weather in Paris, please."), &converse.ToolChoice{Any: &converse.AnyToolChoice{}}),
		"long": Play("tokens=600", "Say a lot."), "short": limited(Ask("Say little."), 1),
	}
}

func limited(r *converse.Request, tokens int64) *converse.Request {
	r.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: &tokens}
	return r
}

func streamIsWhole(t *testing.T, u Upstream) {
	for name, r := range questions() {
		want, got := whole(t, u, r), stream(t, u, r)
		want.Metrics, want.AdditionalModelResponseFields = got.Metrics, got.AdditionalModelResponseFields
		if len(want.Output.Message.Content) == 0 {
			want.Output.Message.Content = got.Output.Message.Content[:0]
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: stream differs from whole (-whole +stream):\n%s", name, d)
		}
	}
}

func usageAddsUp(t *testing.T, u Upstream) {
	for name, r := range questions() {
		usage := whole(t, u, r).Usage
		if usage == nil {
			t.Fatalf("%s: no usage", name)
		}
		sum := usage.InputTokens + usage.OutputTokens
		for _, cache := range []*int64{usage.CacheReadInputTokens, usage.CacheWriteInputTokens} {
			if cache != nil {
				sum += *cache
			}
		}
		if usage.InputTokens <= 0 || usage.OutputTokens <= 0 || sum != usage.TotalTokens {
			t.Errorf("%s: usage %+v does not add up", name, usage)
		}
	}
}

func absentUsage(t *testing.T, u Upstream) {
	r := Play("nousage", "Hello")
	if usage := whole(t, u, r).Usage; usage != nil {
		t.Errorf("Converse reports %+v, want nil", usage)
	}
	if usage := stream(t, u, r).Usage; usage != nil {
		t.Errorf("ConverseStream reports %+v, want nil", usage)
	}
}

// withTool gives r a tool to call.
func withTool(r *converse.Request, choice *converse.ToolChoice) *converse.Request {
	r.ToolConfig = &converse.ToolConfiguration{ToolChoice: choice, Tools: []converse.Tool{{ToolSpec: &converse.ToolSpecification{
		Name: "get_weather", Description: "Weather by city",
		InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}`)},
	}}}}
	return r
}

func toolRoundTrip(t *testing.T, u Upstream) {
	for _, ask := range []func(*testing.T, Upstream, *converse.Request) *converse.Response{whole, stream} {
		r := withTool(Ask("Use get_weather for Paris."), nil)
		first := ask(t, u, r)
		use := toolUse(first)
		if first.StopReason != "tool_use" || use == nil {
			t.Fatalf("stop reason %s, content %+v; want a tool call", first.StopReason, first.Output.Message.Content)
		}
		var input struct{ City string }
		if err := json.Unmarshal(use.Input, &input); err != nil || input.City == "" || use.ToolUseId == "" || use.Name != "get_weather" {
			t.Errorf("tool call %+v with input %s (%v)", use, use.Input, err)
		}
		answer := "It is 21 degrees and sunny."
		r.Messages = append(r.Messages, *first.Output.Message, converse.Message{Role: "user", Content: []converse.ContentBlock{{
			ToolResult: &converse.ToolResultBlock{ToolUseId: use.ToolUseId, Content: []converse.ToolResultContentBlock{{Text: &answer}}}}}})
		second := ask(t, u, r)
		if second.StopReason != "end_turn" || !strings.Contains(Text(second), answer) {
			t.Errorf("after the result: %s %q, want end_turn with %q", second.StopReason, Text(second), answer)
		}
	}
}

func toolUse(r *converse.Response) *converse.ToolUseBlock {
	for _, c := range r.Output.Message.Content {
		if c.ToolUse != nil {
			return c.ToolUse
		}
	}
	return nil
}

func forcedTool(t *testing.T, u Upstream) {
	for name, choice := range map[string]*converse.ToolChoice{
		"any": {Any: &converse.AnyToolChoice{}}, "tool": {Tool: &converse.SpecificToolChoice{Name: "get_weather"}},
	} {
		if got := whole(t, u, withTool(Ask("Hello!"), choice)); toolUse(got) == nil || got.StopReason != "tool_use" {
			t.Errorf("%s: %s %+v, want a tool call", name, got.StopReason, got.Output.Message.Content)
		}
	}
}

func maxTokens(t *testing.T, u Upstream) {
	got := whole(t, u, limited(Play("tokens=200", "Say a lot."), 7))
	if got.StopReason != "max_tokens" || got.Usage.OutputTokens > 7 {
		t.Errorf("stop reason %s after %d tokens, want max_tokens after 7", got.StopReason, got.Usage.OutputTokens)
	}
}

func stopSequence(t *testing.T, u Upstream) {
	r := Ask("apple PINEAPPLE cherry")
	r.InferenceConfig = &converse.InferenceConfiguration{StopSequences: []string{"never said", "PINEAPPLE"}}
	for _, ask := range []func(*testing.T, Upstream, *converse.Request) *converse.Response{whole, stream} {
		got := ask(t, u, r)
		if got.StopReason != "stop_sequence" || strings.Contains(Text(got), "PINEAPPLE") || !strings.Contains(Text(got), "apple") {
			t.Errorf("%s %q, want stop_sequence before PINEAPPLE", got.StopReason, Text(got))
		}
	}
}

func unaskedReasoning(t *testing.T, u Upstream) {
	reasons := func(r *converse.Response) bool {
		for _, c := range r.Output.Message.Content {
			if c.ReasoningContent != nil {
				return true
			}
		}
		return false
	}
	r := Ask("Think about seven times eight.")
	if reasons(whole(t, u, r)) || reasons(stream(t, u, r)) {
		t.Error("reasoning that nobody asked for")
	}
	r.AdditionalModelRequestFields = json.RawMessage(`{"reasoning_effort":"low"}`)
	if !reasons(whole(t, u, r)) || !reasons(stream(t, u, r)) {
		t.Error("no reasoning though it was asked for")
	}
}

func deterministic(t *testing.T, u Upstream) {
	for name, r := range questions() {
		a, b := whole(t, u, r), whole(t, u, r)
		if d := cmp.Diff(a.Output, b.Output); d != "" {
			t.Errorf("%s: the second answer differs:\n%s", name, d)
		}
	}
}

func unchanged(t *testing.T, u Upstream) {
	for name, r := range questions() {
		before, _ := json.Marshal(r)
		whole(t, u, r)
		stream(t, u, r)
		if after, _ := json.Marshal(r); string(after) != string(before) {
			t.Errorf("%s: the request was changed from\n%s to\n%s", name, before, after)
		}
	}
}

func counted(t *testing.T, u Upstream) {
	short, err := u.CountTokens(t.Context(), Attempt, Ask("Hello"))
	long, err2 := u.CountTokens(t.Context(), Attempt, Ask("Hello, "+strings.Repeat("how are you doing today? ", 20)))
	if err != nil || err2 != nil || short == 0 || long < short+100 {
		t.Errorf("CountTokens = %d (%v) and %d (%v), want few and many", short, err, long, err2)
	}
}

// guarded: no upstream of the suite applies guardrails, so it must say no.
func guarded(t *testing.T, u Upstream) {
	r := Ask("Hello")
	r.GuardrailConfig = &converse.GuardrailStreamConfiguration{GuardrailIdentifier: "gr12345678", GuardrailVersion: "1"}
	if _, err := u.Converse(t.Context(), Attempt, r); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("Converse: %v, want a ValidationException", err)
	}
	if _, err := Events(u.ConverseStream(t.Context(), Attempt, r)); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("ConverseStream: %v, want a ValidationException", err)
	}
}
