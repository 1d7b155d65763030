package compatapi

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/converse"
)

var claude = &outcrop.Target{Model: outcrop.FoundationModel{ID: "anthropic.claude-sonnet-4-5-20250929-v1:0", MaxOutput: 64_000}}

// blocks are the content of an answer: text, thoughts and calls in any order.
func blocks() *rapid.Generator[[]converse.ContentBlock] {
	text := rapid.StringMatching(`[a-zé€ ]{0,20}`)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) converse.ContentBlock {
		s := text.Draw(t, "text")
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			return converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: "t" + s, Signature: "sig"}}}
		case 1:
			input, _ := json.Marshal(map[string]string{"q": s})
			return converse.ContentBlock{ToolUse: &converse.ToolUseBlock{ToolUseId: "tooluse_" + rapid.StringMatching(`[a-z]{4}`).Draw(t, "id"), Name: "find", Input: input}}
		}
		s = "x" + s
		return converse.ContentBlock{Text: &s}
	}), 1, 5)
}

// Property: what a stream of a response says piece by piece is what its last
// event says whole; its numbers have no gaps; and its items, given back as
// input, are the answer again.
func TestAStreamedResponseAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answer := &converse.Response{
			Output:     converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: blocks().Draw(t, "content")}},
			StopReason: rapid.SampledFrom([]string{"end_turn", "max_tokens", "tool_use"}).Draw(t, "stop"),
			Usage:      &converse.TokenUsage{InputTokens: 3, OutputTokens: 4, TotalTokens: 7},
		}
		p := &reply{id: "resp_1", body: &responseBody{header: header{Model: "m"}}}
		pieces, next := map[string]string{}, 0
		told := newTeller(p, func(name string, e map[string]any) error {
			if e["sequence_number"] != next || e["type"] != name {
				t.Errorf("event %s has number %v, want %d", name, e["sequence_number"], next)
			}
			next++
			if d, ok := e["delta"].(string); ok {
				pieces[e["item_id"].(string)] += d
			}
			return nil
		})
		for e := range answer.Events() {
			if err := told.event(&e); err != nil {
				t.Fatal(err)
			}
		}
		if err := told.end(); err != nil {
			t.Fatal(err)
		}
		items, err := p.items()
		if err != nil {
			t.Fatal(err)
		}
		b := &responseBody{}
		again, err := b.conversation(items, claude)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(said(answer.Output.Message.Content))
		got, _ := json.Marshal(said(again.Messages[0].Content))
		if string(want) != string(got) || len(again.Messages) != 1 {
			t.Errorf("given back: %s\nanswered:   %s", got, want)
		}
		whole := ""
		for _, s := range said(answer.Output.Message.Content) {
			whole += s[strings.Index(s, ":")+1:]
		}
		told1 := 0
		for _, s := range pieces {
			told1 += len(s)
		}
		if told1 != len(whole) {
			t.Errorf("pieces come to %d bytes, the whole to %d", told1, len(whole))
		}
		if wantStatus := map[string]string{"max_tokens": "incomplete"}[answer.StopReason]; wantStatus != "" && p.status != wantStatus {
			t.Errorf("status %s", p.status)
		}
	})
}

// said is what blocks say, by kind.
func said(content []converse.ContentBlock) (all []string) {
	for _, b := range content {
		switch {
		case b.Text != nil:
			all = append(all, "text:"+*b.Text)
		case b.ToolUse != nil:
			all = append(all, "call:"+string(b.ToolUse.Input))
		case b.ReasoningContent != nil:
			all = append(all, "thought:"+b.ReasoningContent.ReasoningText.Text)
		}
	}
	return all
}

func TestEffortBecomesAThinkingBudget(t *testing.T) {
	for _, row := range []struct{ body, want string }{
		{`{"messages":[],"max_tokens":10000,"reasoning_effort":"low","temperature":0.5}`, `{"thinking":{"budget_tokens":3000,"type":"enabled"}}`},
		{`{"messages":[],"max_tokens":10000,"reasoning_effort":"high"}`, `{"thinking":{"budget_tokens":9999,"type":"enabled"}}`},
		{`{"messages":[],"max_tokens":500,"reasoning_effort":"high"}`, ``},
		{`{"messages":[],"reasoning_effort":"none"}`, ``},
		{`{"messages":[],"seed":7}`, `{"seed":7}`},
		{`{"messages":[],"n":1,"logprobs":false,"store":true,"user":"ann","presence_penalty":0}`, ``},
	} {
		r, err := readChat([]byte(row.body), claude)
		if err != nil {
			t.Errorf("%s: %v", row.body, err)
			continue
		}
		if got := string(r.AdditionalModelRequestFields); got != row.want {
			t.Errorf("%s: fields %s, want %s", row.body, got, row.want)
		}
		if strings.Contains(row.want, "thinking") && r.InferenceConfig.Temperature != nil {
			t.Errorf("%s: Claude takes no temperature while it thinks", row.body)
		}
	}
	if _, err := readChat([]byte(`{"messages":[],"reasoning_effort":"enormous"}`), claude); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("an unknown effort: %v", err)
	}
	gpt := &outcrop.Target{Model: outcrop.FoundationModel{ID: "openai.gpt-oss-120b-1:0"}}
	if r, err := readChat([]byte(`{"messages":[],"reasoning_effort":"high"}`), gpt); err != nil || string(r.AdditionalModelRequestFields) != `{"reasoning_effort":"high"}` {
		t.Errorf("gpt-oss: %v", err)
	}
}

// Whatever a client sends is read or refused as its own mistake.
func FuzzReadResponse(f *testing.F) {
	f.Add(`{"model":"m","input":"hi"}`)
	f.Add(`{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"data:image/png;base64,AA=="}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"y"},{"type":"reasoning","summary":[{"text":"t"}],"encrypted_content":"s"}],"tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"json_schema","name":"a","schema":{}}},"reasoning":{"effort":"low"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		b, err := readResponse([]byte(body))
		var items []json.RawMessage
		if err == nil {
			items, err = b.items()
		}
		if err == nil {
			_, err = b.conversation(items, claude)
		}
		if err != nil && outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%s: %v is not for the client", body, err)
		}
	})
}

// Whatever a client sends is read or refused as its own mistake.
func FuzzReadChat(f *testing.F) {
	f.Add(`{"messages":[{"role":"user","content":"hi"}],"metadata":{"a":"b"},"service_tier":"flex","reasoning_effort":"low"}`)
	f.Add(`{"messages":[{"role":"tool","tool_call_id":"x","content":[{"type":"text","text":"y"}]}],"tools":[{"function":{"name":"f"}}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		if _, err := readChat([]byte(body), claude); err != nil && outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%s: %v is not for the client", body, err)
		}
	})
}
