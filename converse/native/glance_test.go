package native

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"outcrop"
	"outcrop/converse"
)

// drawn is an answer as the formats can tell it: text, and in some families
// reasoning and a tool call.
func drawn(t *rapid.T) *converse.Response {
	r := answer()
	blocks := r.Output.Message.Content
	text := rapid.StringMatching(`[a-z "\\{}é漢\n]{1,40}`)
	blocks[0].ReasoningContent.ReasoningText.Text = text.Draw(t, "thinking")
	blocks[1].Text = new(text.Draw(t, "text"))
	n := rapid.Int64Range(0, 1<<30)
	var u outcrop.Usage
	u.Set(outcrop.InputTokens, outcrop.Tokens(n.Draw(t, "input")))
	u.Set(outcrop.OutputTokens, outcrop.Tokens(n.Draw(t, "output")))
	if rapid.Bool().Draw(t, "caches") {
		u.Set(outcrop.CacheReadTokens, outcrop.Tokens(n.Draw(t, "read")))
		u.Set(outcrop.CacheWrite5mTokens, outcrop.Tokens(n.Draw(t, "short")))
		u.Set(outcrop.CacheWrite1hTokens, outcrop.Tokens(n.Draw(t, "long")))
	}
	told := converse.UsageOf(u)
	r.Usage = &told
	return r
}

// Property: glancing at a native answer meters it as reading the answer would.
func TestAGlanceMetersWhatWasSaid(t *testing.T) {
	counts := map[outcrop.ModelID]bool{models[0]: true, models[1]: true} // with caches by lifetime, or whole
	rapid.Check(t, func(t *rapid.T) {
		model := rapid.SampledFrom(models).Draw(t, "model")
		f, _ := FamilyOf(model)
		a := testAnswer(model)
		a.Response = drawn(t)
		a.Metrics = func() Metrics {
			u := a.Response.Usage
			return Metrics{InputTokens: u.InputTokens, OutputTokens: u.OutputTokens, CacheRead: u.CacheReadInputTokens, CacheWrite: u.CacheWriteInputTokens}
		}
		body, err := f.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		var whole, stream Glance
		if err := whole.Read(body); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		chunker := f.Chunks(a)
		for e := range a.Response.Events() {
			chunks, err := chunker.Chunk(e)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range chunks {
				if stream.Metrics {
					t.Fatal("metrics before the end")
				}
				if err := stream.Read(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !stream.Metrics || stream.Output != whole.Output {
			t.Fatalf("%s: streamed %d bytes (metrics %t), whole %d\n%s", model, stream.Output, stream.Metrics, whole.Output, body)
		}
		text := len(*a.Response.Output.Message.Content[1].Text)
		if whole.Output < text {
			t.Fatalf("%d bytes of text were seen as %d", text, whole.Output)
		}
		if got := stream.Usage(); got == nil || got.OutputTokens != a.Response.Usage.OutputTokens || got.TotalTokens != a.Response.Usage.TotalTokens {
			t.Fatalf("%s: usage %+v, want %+v", model, got, a.Response.Usage)
		}
		if counts[model] {
			if got := whole.Usage(); got.TotalTokens != a.Response.Usage.TotalTokens {
				t.Fatalf("%s: whole usage %+v, want %+v", model, got, a.Response.Usage)
			}
		}
		if model == models[0] {
			if d := cmp.Diff(a.Response.Usage, whole.Usage()); d != "" {
				t.Fatalf("lifetimes of the cache:\n%s", d)
			}
		}
	})
}

func TestWhyAnAnswerEndedIsSaidInConversesWords(t *testing.T) {
	for text, want := range map[string]string{
		`{"stop_reason":"end_turn"}`: "end_turn", `{"choices":[{"finish_reason":"length"}]}`: "max_tokens", `{"stop_reason":null}`: "",
		`{"choices":[{"finish_reason":"tool_calls"}]}`: "tool_use", `{"results":[{"completionReason":"CONTENT_FILTERED"}]}`: "content_filtered",
		`{"messageStop":{"stopReason":"stop_sequence"}}`: "stop_sequence", `{"outputs":[{"stop_reason":"stop"}]}`: "end_turn", `{"finish_reason":"MAX_TOKENS"}`: "max_tokens",
	} {
		var g Glance
		if err := g.Read([]byte(text)); err != nil || g.Stop != want {
			t.Errorf("%s: %q, %v; want %q", text, g.Stop, err, want)
		}
	}
}

func TestOutputTokensAreCumulative(t *testing.T) {
	var g Glance
	for _, chunk := range []string{
		`{"type":"message_start","message":{"usage":{"input_tokens":10,"output_tokens":1}}}`,
		`{"type":"message_delta","delta":{},"usage":{"output_tokens":4}}`,
		`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}`,
	} {
		if err := g.Read([]byte(chunk)); err != nil {
			t.Fatal(err)
		}
	}
	if u := g.Usage(); u == nil || u.InputTokens != 10 || u.OutputTokens != 9 {
		t.Errorf("usage %+v, want 10 and the last 9", u)
	}
	var cut Glance
	if cut.Read([]byte(`{"type":"message_start","message":{"usage":{"input_tokens":10,"output_tokens":1}}}`)); cut.Usage() != nil {
		t.Error("half a usage was told: the end never came")
	}
	var odd Glance
	if odd.Read([]byte(`{"usage":{"input_tokens":-1,"output_tokens":99999999999999999999}}`)); odd.Usage() != nil {
		t.Error("counts that cannot be believed were")
	}
}

// Property: a chunk with the metrics added is the chunk and the metrics.
func TestAppendMetrics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunk := rapid.SampledFrom([]string{`{}`, `{ }`, ` {"a":1} `, `{"type":"message_stop"}`, "{\"a\":\"}\"}\n"}).Draw(t, "chunk")
		m := Metrics{InputTokens: rapid.Int64().Draw(t, "in"), FirstByte: 3}
		if rapid.Bool().Draw(t, "cache") {
			m.CacheRead = new(int64(7))
		}
		var got, want map[string]any
		if err := json.Unmarshal(AppendMetrics(nil, []byte(chunk), m), &got); err != nil {
			t.Fatalf("%s: %v", AppendMetrics(nil, []byte(chunk), m), err)
		}
		told, _ := json.Marshal(m)
		json.Unmarshal([]byte(chunk), &want)
		var metrics any
		json.Unmarshal(told, &metrics)
		want[metricsKey] = metrics
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzGlance(f *testing.F) {
	f.Add([]byte(`{"usage":{"input_tokens":1},"content":[{"text":"x","input":{}}]}`))
	f.Add([]byte(`{"input":null,"message":[{"message":{}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var g Glance
		if err := g.Read(text); err == nil && !json.Valid(text) {
			t.Errorf("%q was read", text)
		}
		if g.Output < 0 || g.Output > 2*len(text) {
			t.Errorf("%d bytes of output in %d", g.Output, len(text))
		}
	})
}

func BenchmarkGlance(b *testing.B) {
	chunk := []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"` + strings.Repeat("word ", 4) + `"}}`)
	b.ReportAllocs()
	var g Glance
	for b.Loop() {
		if err := g.Read(chunk); err != nil {
			b.Fatal(err)
		}
	}
}
