package native

import (
	"errors"
	"testing"

	"outcrop"
	"outcrop/converse"
)

var (
	answerSeeds = []string{
		`{"generation":"a","prompt_token_count":1,"generation_token_count":2,"stop_reason":"stop"}`, `{"outputs":[{"text":"a","stop_reason":"length"}]}`,
		`{"choices":[{"text":"<think>\na\n</think>\n\nb","stop_reason":"stop"}]}`, `{"choices":[{"index":0,"message":{"role":"assistant","content":"<reasoning>a</reasoning>b","tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},"stop_reason":"tool_calls"}]}`,
		`{"inputTextTokenCount":1,"results":[{"tokenCount":2,"outputText":"a","completionReason":"FINISH"}]}`, `{"generations":[{"text":"a","finish_reason":"COMPLETE"}]}`,
		`{"text":"a","finish_reason":"COMPLETE","tool_calls":[{"name":"f","parameters":{"a":1}}]}`, `{"output":{"message":{"role":"assistant","content":[{"text":"a"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"cacheReadInputTokenCount":3}}`,
		`{"type":"message","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}`, `{"type":"error","error":{"message":"m"}}`,
		`{"__type":"x","message":"m"}`, `{}`, `[]`, `null`, `{"choices":[]}`, `{"outputs":[null]}`, `{"output":{"message":null}}`, `{"tool_calls":[{}],"text":null}`,
	}
	chunkSeeds = []string{
		`{"generation":"a"}`, `{"outputText":"a","index":0}`, `{"text":"a","is_finished":false}`, `{"event_type":"tool-calls-generation","tool_calls":[{"name":"f"}]}`,
		`{"event_type":"stream-end","response":{"tool_calls":[{"name":"f"}]},"finish_reason":"COMPLETE"}`, `{"contentBlockDelta":{"delta":{"text":"a"},"contentBlockIndex":0}}`, `{"messageStop":{"stopReason":"end_turn"},"contentBlockStop":{}}`,
		`{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f"}}`, `{"type":"message_stop"}`, `{"choices":[{"delta":{"content":"<th"}}]}`, `{"choices":[{"text":"ink>"}]}`,
		`{"amazon-bedrock-invocationMetrics":{"inputTokenCount":1,"outputTokenCount":2}}`,
	}
)

// Whatever a server answers, in whichever form, it is an answer or a failure of
// the model.
func FuzzDecodeAnswer(f *testing.F) {
	for i := range FamilyNames() {
		for _, s := range answerSeeds {
			f.Add(uint8(i), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		names := FamilyNames()
		family, _ := FamilyNamed(names[int(which)%len(names)])
		r, err := family.DecodeAnswer(outcrop.Attempt{Told: new(outcrop.Told)}, body)
		switch {
		case (r == nil) == (err == nil):
			t.Fatalf("%+v and %v", r, err)
		case err != nil && outcrop.KindOf(err) != outcrop.ModelFailed:
			t.Fatalf("%v, want ModelFailed", err)
		case r != nil:
			r.AppendJSON(nil)
		}
	})
}

// Whatever chunks come, blocks come one after the other, and nothing follows
// the end.
func FuzzReader(f *testing.F) {
	for i := range FamilyNames() {
		for j, s := range chunkSeeds {
			f.Add(uint8(i), []byte(s), []byte(chunkSeeds[(j+1)%len(chunkSeeds)]), []byte(chunkSeeds[len(chunkSeeds)-1]))
		}
		for _, s := range answerSeeds {
			f.Add(uint8(i), []byte(s), []byte(s), []byte(`{}`))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, one, two, three []byte) {
		names := FamilyNames()
		name := names[int(which)%len(names)]
		family, _ := FamilyNamed(name)
		var events []converse.Event
		r := family.Reader(outcrop.Attempt{Told: new(outcrop.Told)}, func(e converse.Event, err error) bool {
			if err != nil {
				t.Fatalf("%v is yielded", err)
			}
			events = append(events, e)
			return len(events) < 50
		})
		for _, chunk := range [][]byte{one, two, three} {
			last, err := r.Read(chunk)
			if err != nil {
				var e *outcrop.Error
				if !errors.As(err, &e) || e.Kind != outcrop.ModelFailed && e.Kind != outcrop.StreamFailed {
					t.Fatalf("%v, want ModelFailed", err)
				}
				return
			}
			if last {
				break
			}
		}
		r.Finish(0)
		if !r.Deaf() {
			inOrder(t, name, events)
		}
	})
}

func inOrder(t *testing.T, name string, events []converse.Event) {
	t.Helper()
	n := len(events)
	if n < 3 || events[0].MessageStart == nil || events[n-2].MessageStop == nil || events[n-1].Metadata == nil {
		t.Fatalf("%s: %+v does not go from messageStart to messageStop and metadata", name, events)
	}
	for _, e := range events[1 : n-2] {
		if e.MessageStart != nil || e.MessageStop != nil || e.Metadata != nil {
			t.Fatalf("%s: %+v in the middle", name, e)
		}
	}
	if name == "nova" { // its blocks are numbered by the model
		return
	}
	index, open := int64(0), false
	for _, e := range events[1 : n-2] {
		switch {
		case e.ContentBlockStart != nil:
			if open || e.ContentBlockStart.ContentBlockIndex != index {
				t.Fatalf("%s: block %d starts, want %d", name, e.ContentBlockStart.ContentBlockIndex, index)
			}
			open = true
		case e.ContentBlockDelta != nil:
			if e.ContentBlockDelta.ContentBlockIndex != index {
				t.Fatalf("%s: a piece of block %d, want %d", name, e.ContentBlockDelta.ContentBlockIndex, index)
			}
			open = true
		case e.ContentBlockStop != nil:
			if !open || e.ContentBlockStop.ContentBlockIndex != index {
				t.Fatalf("%s: block %d stops, want %d", name, e.ContentBlockStop.ContentBlockIndex, index)
			}
			open, index = false, index+1
		}
	}
	if open {
		t.Fatalf("%s: block %d never stops", name, index)
	}
}
