package converse

import (
	"encoding/json"
	"errors"
	"iter"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"outcrop"
)

// well makes a sequence that cannot fail.
func well(events iter.Seq[Event]) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Generators of what a stream can tell: a response is drawn as it would leave
// a decoder, so absent lists are nil and texts may be empty.
var (
	genText   = rapid.String()
	genID     = rapid.StringMatching(`[a-zA-Z0-9_-]{1,20}`)
	genBase64 = rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) Base64 { return append(Base64{}, Encode64(b)...) })
	genDoc    = rapid.Custom(func(t *rapid.T) json.RawMessage {
		return rapid.SampledFrom([]json.RawMessage{json.RawMessage(`{}`), json.RawMessage(`{"a": [1, 2.50, "x"]}`), json.RawMessage(`{"q":"日本"}`), json.RawMessage(`"s"`), json.RawMessage(`7`)}).Draw(t, "doc")
	})
	genCount    = rapid.Int64Range(0, 1<<40)
	genLocation = rapid.Custom(func(t *rapid.T) *CitationLocation {
		return rapid.SampledFrom([]*CitationLocation{nil, {Web: &WebLocation{Url: "https://a", Domain: "a"}}, {DocumentChar: &DocumentCharLocation{new(int64(0)), new(int64(1)), new(int64(2))}}}).Draw(t, "location")
	})
	genCitation = rapid.Custom(func(t *rapid.T) Citation {
		c := Citation{Title: genText.Draw(t, "title"), Source: genText.Draw(t, "source"), Location: genLocation.Draw(t, "location")}
		for range rapid.IntRange(0, 2).Draw(t, "sources") {
			c.SourceContent = append(c.SourceContent, CitationSourceContent{new(genText.Draw(t, "text"))})
		}
		return c
	})
	genBlock = rapid.Custom(func(t *rapid.T) ContentBlock {
		switch rapid.IntRange(0, 6).Draw(t, "sort") {
		case 0:
			return Text(genText.Draw(t, "text"))
		case 1:
			return ContentBlock{ToolUse: &ToolUseBlock{genID.Draw(t, "id"), genID.Draw(t, "name"), genDoc.Draw(t, "input"), rapid.SampledFrom([]string{"", "server_tool_use"}).Draw(t, "type")}}
		case 2:
			return ContentBlock{ReasoningContent: &ReasoningContentBlock{ReasoningText: &ReasoningTextBlock{genText.Draw(t, "text"), genText.Draw(t, "signature")}}}
		case 3:
			return ContentBlock{ReasoningContent: &ReasoningContentBlock{RedactedContent: genBase64.Draw(t, "redacted")}}
		case 4:
			return ContentBlock{CitationsContent: &CitationsContentBlock{[]CitationGeneratedContent{{new(genText.Draw(t, "text"))}}, rapid.SliceOfN(genCitation, 1, 3).Draw(t, "citations")}}
		case 5:
			return ContentBlock{Image: &ImageBlock{Format: "png", Source: ImageSource{Bytes: genBase64.Draw(t, "bytes")}}}
		}
		r := &ToolResultBlock{ToolUseId: genID.Draw(t, "id"), Status: "success", Content: []ToolResultContentBlock{}}
		for range rapid.IntRange(0, 2).Draw(t, "results") {
			r.Content = append(r.Content, ToolResultContentBlock{Text: new(genText.Draw(t, "text"))}, ToolResultContentBlock{Json: genDoc.Draw(t, "json")})
		}
		return ContentBlock{ToolResult: r}
	})
	genUsage = rapid.Custom(func(t *rapid.T) *TokenUsage {
		var u outcrop.Usage
		u.Set(outcrop.InputTokens, outcrop.Tokens(genCount.Draw(t, "input")))
		u.Set(outcrop.OutputTokens, outcrop.Tokens(genCount.Draw(t, "output")))
		for _, k := range []outcrop.TokenKind{outcrop.CacheReadTokens, outcrop.CacheWrite5mTokens, outcrop.CacheWrite1hTokens} {
			if rapid.Bool().Draw(t, "known") {
				u.Set(k, outcrop.Tokens(rapid.SampledFrom([]int64{0, 1, 1 << 40}).Draw(t, "n")))
			}
		}
		return new(UsageOf(u))
	})
	genResponse = rapid.Custom(func(t *rapid.T) *Response {
		r := &Response{
			Output:     ConverseOutput{Message: &Message{Role: "assistant", Content: rapid.SliceOfN(genBlock, 0, 5).Draw(t, "content")}},
			StopReason: rapid.SampledFrom([]string{"end_turn", "tool_use", "max_tokens"}).Draw(t, "stop"),
			Usage:      genUsage.Draw(t, "usage"),
			Metrics:    ConverseMetrics{genCount.Draw(t, "latency")},
		}
		if rapid.Bool().Draw(t, "more") {
			r.AdditionalModelResponseFields = genDoc.Draw(t, "fields")
			r.Trace = &ConverseTrace{PromptRouter: &PromptRouterTrace{genText.Draw(t, "model")}}
			r.PerformanceConfig = &PerformanceConfiguration{"optimized"}
			r.ServiceTier = &ServiceTier{"flex"}
		}
		return r
	})
)

// Property: told as events and put together again, a response is what it was,
// also when every event has crossed the wire.
func TestCollectUndoesEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genResponse.Draw(t, "response")
		got, err := Collect(well(want.Events()))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
		got, err = Collect(func(yield func(Event, error) bool) {
			for e := range want.Events() {
				if !yield(DecodeEvent(e.Name(), e.AppendPadded(nil, rapid.IntRange(0, 62).Draw(t, "padding")))) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want.AppendJSON(nil)), string(got.AppendJSON(nil))); d != "" {
			t.Fatal(d)
		}
	})
}

// Property: a response survives its own JSON.
func TestDecodeUndoesAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genResponse.Draw(t, "response")
		got, err := DecodeResponse(want.AppendJSON(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// Property: events come in the order that clients rely on.
func TestEventsAreWellOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const (
			before = iota
			between
			within
			stopped
			over
		)
		state, index := before, int64(0)
		need := func(ok bool, e Event) {
			if !ok {
				t.Fatalf("%s in state %d, index %d", e.Name(), state, index)
			}
		}
		for e := range genResponse.Draw(t, "response").Events() {
			switch {
			case e.MessageStart != nil:
				need(state == before, e)
				state = between
			case e.ContentBlockStart != nil:
				need(state == between && e.ContentBlockStart.ContentBlockIndex == index, e)
				state = within
			case e.ContentBlockDelta != nil:
				need((state == between || state == within) && e.ContentBlockDelta.ContentBlockIndex == index, e)
				state = within
			case e.ContentBlockStop != nil:
				need(state == within && e.ContentBlockStop.ContentBlockIndex == index, e)
				state, index = between, index+1
			case e.MessageStop != nil:
				need(state == between, e)
				state = stopped
			case e.Metadata != nil:
				need(state == stopped, e)
				state = over
			}
		}
		if state != over {
			t.Fatalf("ended in state %d", state)
		}
	})
}

func TestEventsStopWhenAsked(t *testing.T) {
	r := Response{Output: ConverseOutput{Message: &Message{Role: "assistant", Content: []ContentBlock{Text("a"), Text("b")}}}}
	for want := range 8 {
		n := 0
		for range r.Events() {
			if n++; n > want {
				break
			}
		}
	}
}

func TestBlocksWithoutDeltasAreLeftOut(t *testing.T) {
	r := Response{StopReason: "end_turn", Output: ConverseOutput{Message: &Message{Role: "assistant", Content: []ContentBlock{
		{CachePoint: &CachePointBlock{Type: "default"}}, Text("a"), {}, Text("b")}}}}
	got, err := Collect(well(r.Events()))
	if err != nil {
		t.Fatal(err)
	}
	if c := got.Output.Message.Content; len(c) != 2 || *c[0].Text != "a" || *c[1].Text != "b" {
		t.Errorf("content = %+v", c)
	}
}

func delta(index int64, d ContentBlockDelta) Event {
	return Event{ContentBlockDelta: &ContentBlockDeltaEvent{d, index}}
}

func TestCollector(t *testing.T) {
	stop := Event{MessageStop: &MessageStopEvent{StopReason: "end_turn"}}
	tool := Event{ContentBlockStart: &ContentBlockStartEvent{ContentBlockStart{ToolUse: &ToolUseBlockStart{ToolUseId: "t", Name: "n"}}, 1}}
	input := func(s string) Event {
		return delta(1, ContentBlockDelta{ToolUse: &ToolUseBlockDelta{s}})
	}
	redacted := func(s string) Event {
		return delta(0, ContentBlockDelta{ReasoningContent: &ReasoningContentBlockDelta{RedactedContent: Base64(s)}})
	}
	for _, c := range []struct {
		name   string
		events []Event
		want   string // of the content
	}{
		{"text in pieces", []Event{delta(0, ContentBlockDelta{Text: new("he")}), {}, delta(0, ContentBlockDelta{Text: new("llo")}), stop}, `[{"text":"hello"}]`},
		{"tool input in pieces", []Event{tool, input(`{"ci`), input(`ty":1}`), stop}, `[{"toolUse":{"toolUseId":"t","name":"n","input":{"city":1}}}]`},
		{"tool without input", []Event{tool, stop}, `[{"toolUse":{"toolUseId":"t","name":"n","input":{}}}]`},
		{"tool input cut short", []Event{tool, input(`{"ci`), stop}, `[{"toolUse":{"toolUseId":"t","name":"n","input":"{\"ci"}}]`},
		{"blocks out of order", []Event{tool, delta(0, ContentBlockDelta{Text: new("a")}), stop}, `[{"text":"a"},{"toolUse":{"toolUseId":"t","name":"n","input":{}}}]`},
		{"redacted in pieces", []Event{redacted("QQ=="), redacted("Qg=="), stop}, `[{"reasoningContent":{"redactedContent":"QUI="}}]`},
		{"stop only", []Event{{ContentBlockStop: &ContentBlockStopEvent{0}}, stop}, `[{"text":""}]`},
		{"nothing", []Event{stop}, `[]`},
		{"far apart", []Event{delta(math.MaxInt64, ContentBlockDelta{Text: new("b")}), delta(math.MinInt64, ContentBlockDelta{Text: new("a")}), stop}, `[{"text":"a"},{"text":"b"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var col Collector
			for _, e := range c.events {
				if err := col.Add(e); err != nil {
					t.Fatal(err)
				}
			}
			r, err := col.Response()
			if err != nil {
				t.Fatal(err)
			}
			want := `{"message":{"role":"assistant","content":` + c.want + `}}`
			if got := string(r.Output.append(nil)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if r.Usage != nil {
				t.Error("usage without metadata")
			}
		})
	}
}

func TestCollectFailures(t *testing.T) {
	broken := errors.New("cut")
	if _, err := Collect(func(yield func(Event, error) bool) { yield(Event{}, broken) }); !errors.Is(err, broken) {
		t.Errorf("err = %v", err)
	}
	if _, err := Collect(func(func(Event, error) bool) {}); outcrop.KindOf(err) != outcrop.StreamFailed {
		t.Errorf("a stream without an end: %v", err)
	}
	bad := delta(0, ContentBlockDelta{ReasoningContent: &ReasoningContentBlockDelta{RedactedContent: Base64("!")}})
	stop := Event{MessageStop: &MessageStopEvent{}}
	if _, err := Collect(func(yield func(Event, error) bool) {
		for _, e := range []Event{bad, bad, stop} {
			if !yield(e, nil) {
				return
			}
		}
	}); outcrop.KindOf(err) != outcrop.StreamFailed {
		t.Errorf("bad base64: %v", err)
	}
	long := delta(0, ContentBlockDelta{Text: new(strings.Repeat("x", 1<<20))})
	_, err := Collect(func(yield func(Event, error) bool) {
		for yield(long, nil) {
		}
	})
	if outcrop.KindOf(err) != outcrop.StreamFailed {
		t.Errorf("endless answer: %v", err)
	}
	_, err = Collect(func(yield func(Event, error) bool) {
		for i := int64(0); yield(delta(i, ContentBlockDelta{Text: new("")}), nil); i-- {
		}
	})
	if outcrop.KindOf(err) != outcrop.StreamFailed {
		t.Errorf("endless blocks: %v", err)
	}
}

func TestPadded(t *testing.T) {
	e := Event{MessageStart: &MessageStartEvent{"assistant"}}
	if got := string(e.AppendPadded(nil, 4)); got != `{"p":"abcd","role":"assistant"}` {
		t.Error(got)
	}
	if got := string((&Event{}).AppendPadded([]byte("x"), 99)); got != `x{"p":"`+padding+`"}` {
		t.Error(got)
	}
	if Padding(-1) != "" {
		t.Error("negative padding")
	}
}
