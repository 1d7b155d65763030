package anthropic_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/native"
	"outcrop/upstream/anthropic"
)

// sent is what a call sends to the server, which answers nothing useful.
func sent(t *rapid.T, do func(*anthropic.Upstream)) (body map[string]any, betas string) {
	u, err := anthropic.New(anthropic.Config{APIKey: "k"}, tripper(func(r *http.Request) (*http.Response, error) {
		text, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(text, &body); err != nil {
			t.Fatal(err)
		}
		betas = r.Header.Get("Anthropic-Beta")
		return &http.Response{StatusCode: 500, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	do(u)
	return body, betas
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Property: a native body that goes through the middle form is the body that
// is forwarded, member for member: what Converse knows is translated both ways,
// and what it does not know is carried.
func TestNativeBodiesSurviveTheMiddleForm(t *testing.T) {
	family, _ := native.FamilyOf(claude.Destination.Model)
	members := []string{
		`"system":[{"type":"text","text":"be kind","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"be brief"}]`,
		`"temperature":0.5`, `"top_p":0.25`, `"top_k":7`, `"stop_sequences":["x","y"]`, `"thinking":{"type":"enabled","budget_tokens":1024}`,
		`"metadata":{"user_id":"u"}`, `"anthropic_beta":["one-2025","two-2025"]`, `"context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}`,
	}
	tools := []string{
		`"tools":[{"name":"f","description":"d","input_schema":{"type":"object","n":[1,2.50]}},{"name":"g","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}]`,
		`"tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"input_examples":[{"a":1}]},{"type":"bash_20250124","name":"bash"}]`,
	}
	choices := []string{`"tool_choice":{"type":"any"}`, `"tool_choice":{"type":"tool","name":"f"}`, `"tool_choice":{"type":"none"}`, `"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`}
	blocks := []string{
		`{"type":"text","text":"caf\u00e9"}`, `{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}`, `{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aGk="}}`,
		`{"type":"document","title":"paper","source":{"type":"base64","media_type":"application/pdf","data":"aGk="},"citations":{"enabled":true}}`,
		`{"type":"document","title":"note","context":"c","source":{"type":"text","media_type":"text/plain","data":"hello"}}`,
	}
	rapid.Check(t, func(t *rapid.T) {
		parts := []string{`"anthropic_version":"bedrock-2023-05-31"`, `"max_tokens":9`}
		for _, m := range members {
			if rapid.Bool().Draw(t, "has") {
				parts = append(parts, m)
			}
		}
		user := strings.Join(rapid.SliceOfN(rapid.SampledFrom(blocks), 1, 4).Draw(t, "blocks"), ",")
		turns := `{"role":"user","content":[` + user + `]}`
		if rapid.Bool().Draw(t, "tools") {
			parts = append(parts, rapid.SampledFrom(tools).Draw(t, "tools"), rapid.SampledFrom(choices).Draw(t, "choice"))
			turns += `,{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"tool_use","id":"t1","name":"f","input":{"a":[1,null]}}]},` +
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"no"}],"is_error":true}]}`
		}
		body := []byte("{" + strings.Join(append(parts, `"messages":[`+turns+`]`), ",") + "}")
		request, err := family.Decode(body)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		want, wantBetas := sent(t, func(u *anthropic.Upstream) { u.Forward(t.Context(), claude, form(string(body))) })
		got, betas := sent(t, func(u *anthropic.Upstream) { u.Converse(t.Context(), claude, request) })
		if d := cmp.Diff(want, got); d != "" || betas != wantBetas {
			t.Fatalf("betas %q and %q (-forwarded +translated):\n%s", wantBetas, betas, d)
		}
	})
}

func TestMembersThatCannotBeCarriedAreRefused(t *testing.T) {
	family, _ := native.FamilyOf(claude.Destination.Model)
	for _, block := range []string{`{"type":"text","text":"a","future":1}`, `{"type":"server_tool_use","id":"x"}`, `{"type":"image","source":{"type":"url","url":"http://10.0.0.1"}}`} {
		body := `{"anthropic_version":"x","max_tokens":1,"messages":[{"role":"user","content":[` + block + `]}]}`
		if _, err := family.Decode([]byte(body)); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%s: %v, want a refusal", block, err)
		}
	}
}

// Property: an answer written in the model's own form reads as the answer, whole
// and streamed.
func TestNativeAnswersSurviveTheMiddleForm(t *testing.T) {
	family, _ := native.FamilyOf(claude.Destination.Model)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z "\\é漢\n]{1,30}`)
		want := &converse.Response{Output: converse.ConverseOutput{Message: &converse.Message{Role: "assistant"}},
			StopReason: rapid.SampledFrom([]string{"end_turn", "max_tokens", "stop_sequence", "tool_use", "content_filtered"}).Draw(t, "stop")}
		blocks := []converse.ContentBlock{
			{ReasoningContent: &converse.ReasoningContentBlock{ReasoningText: &converse.ReasoningTextBlock{Text: text.Draw(t, "thought"), Signature: "s"}}},
			{ReasoningContent: &converse.ReasoningContentBlock{RedactedContent: converse.Base64("aGk=")}},
			converse.Text(text.Draw(t, "text")),
			{ToolUse: &converse.ToolUseBlock{ToolUseId: "t1", Name: "f", Input: json.RawMessage(`{"a":[1,null]}`)}},
			{CitationsContent: &converse.CitationsContentBlock{Content: []converse.CitationGeneratedContent{{Text: new("cited")}}, Citations: []converse.Citation{{
				Title: "paper", SourceContent: []converse.CitationSourceContent{{Text: new("source")}},
				Location: &converse.CitationLocation{DocumentChar: &converse.DocumentCharLocation{DocumentIndex: new(int64(0)), Start: new(int64(1)), End: new(int64(2))}}}}}},
		}
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(blocks)-1), 1, len(blocks), rapid.ID[int]).Draw(t, "order") {
			want.Output.Message.Content = append(want.Output.Message.Content, blocks[i])
		}
		var u outcrop.Usage
		u.Set(outcrop.InputTokens, 3)
		u.Set(outcrop.OutputTokens, 5)
		if rapid.Bool().Draw(t, "cached") {
			u.Set(outcrop.CacheReadTokens, 7)
			u.Set(outcrop.CacheWrite5mTokens, 0)
			u.Set(outcrop.CacheWrite1hTokens, 9)
		}
		told := converse.UsageOf(u)
		want.Usage = &told
		answer := &native.Answer{ID: "0d8bd1f8-2a3c-4b2e-9d1a-0a1b2c3d4e5f", Model: claude.Destination.Model, Response: want, Metrics: func() native.Metrics { return native.Metrics{} }}
		body, err := family.Encode(answer)
		if err != nil {
			t.Fatal(err)
		}
		var events []string
		chunker := family.Chunks(answer)
		for e := range want.Events() {
			chunks, err := chunker.Chunk(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range chunks {
				events = append(events, string(c))
			}
		}
		for kind, text := range map[string]string{"application/json": string(body), "text/event-stream": sse(events...)} {
			u, err := anthropic.New(anthropic.Config{APIKey: "k"}, tripper(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			got, err := u.Converse(t.Context(), claude, &converse.Request{})
			if kind == "text/event-stream" {
				got, err = converse.Collect(u.ConverseStream(t.Context(), claude, &converse.Request{}))
			}
			if err != nil {
				t.Fatal(err)
			}
			got.Metrics = converse.ConverseMetrics{}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%s (-said +read):\n%s\n%s", kind, d, text)
			}
		}
	})
}
