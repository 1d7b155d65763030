package chat

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/sse"
)

// heard is what a Chunk says.
type heard struct {
	Choice                           bool
	Text, Reasoning, Finish, Matched string
	Calls                            []Call
	Usage                            *converse.TokenUsage
	Parts                            outcrop.PerKind[outcrop.Tokens]
	Failure                          *Failure
}

func (c *Chunk) heard() heard {
	return heard{c.Choice, c.Text, c.Reasoning, c.Finish, c.Matched, append([]Call{}, c.Calls...), c.Usage, c.Parts, c.Failure}
}

// Property: whatever a Chunk has read before, it reads in a text what a fresh
// one reads, and what it has read stays as it was.
func TestWhatWasReadBeforeChangesNothing(t *testing.T) {
	words := rapid.SampledFrom([]string{"", "a", " token", `\"`, `\n`, `\u00e9`, "é", "\xff", "\n", `"`, strings.Repeat("long ", 60)})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(words, 0, 3).Draw(t, "words"), "") })
	chunk := rapid.Custom(func(t *rapid.T) string {
		s := text.Draw(t, "text")
		one := `"choices":[{"index":0,"delta":{` + rapid.SampledFrom([]string{
			`"content":"` + s + `"`, `"content":"` + s + `"`, `"content":"` + s + `"`, `"content":"` + s + `","refusal":"` + s + `"`, `"reasoning_content":"` + s + `"`, `"content":"","reasoning":"` + s + `"`,
			`"content":[{"type":"text","text":"` + s + `"}]`, `"content":null`, `"content":{"text":"` + s + `"}`, `"role":"` + s + `"`, `"tool_calls":[{"function":{"name":"f","arguments":"` + s + `"}}]`,
		}).Draw(t, "delta") + `},"finish_reason":` + rapid.SampledFrom([]string{"null", "null", `"stop"`}).Draw(t, "finish") + `}]`
		return rapid.SampledFrom([]string{
			`{"id":"c",` + one + `}`, `{"id":"c",` + one + `}`, `{"id":"c",` + one + `,"usage":null}`, `{"id":"c",` + one + `,"usage":{"prompt_tokens":1,"completion_tokens":2}}`, `{` + one + `}`, `{` + one + `,` + one + `}`,
			`{` + one, `{"message":"` + s + `"}`, `{"error":{"message":"` + s + `"}}`, `{"id":"` + s + `",` + one + `}`,
		}).Draw(t, "chunk")
	})
	rapid.Check(t, func(t *rapid.T) {
		var c Chunk
		var said []string
		var want []string
		for range rapid.IntRange(1, 8).Draw(t, "chunks") {
			text := []byte(chunk.Draw(t, "chunk"))
			var fresh Chunk
			wantOK := fresh.Decode(bytes.Clone(text))
			if ok := c.Decode(text); ok != wantOK || ok && !reflect.DeepEqual(c.heard(), fresh.heard()) {
				t.Fatalf("%q: %+v %t, want %+v %t", text, c.heard(), ok, fresh.heard(), wantOK)
			}
			said, want = append(said, c.Text, c.Reasoning), append(want, strings.Clone(fresh.Text), strings.Clone(fresh.Reasoning))
			clear(text) // the reader's buffer is used again
		}
		if !reflect.DeepEqual(said, want) {
			t.Fatalf("what was said became %q, want %q", said, want)
		}
	})
}

// A chunk like the one before costs a share of an allocation, and so does its
// event.
func TestAChunkHardlyAllocates(t *testing.T) {
	text := []byte(`{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"sixteen bytes..."},"finish_reason":null}]}`)
	var c Chunk
	s := Speaker{Yield: func(converse.Event, error) bool { return true }}
	if n := testing.AllocsPerRun(1000, func() {
		if !c.Decode(text) {
			t.Fatal("not decoded")
		}
		s.Reasoning(c.Reasoning)
		s.Text(c.Text)
	}); n > 0 { // AllocsPerRun rounds down
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEvents(b *testing.B) {
	in := bytes.Repeat([]byte(`data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}`+"\n\n"), 100)
	var c Chunk
	b.ReportAllocs()
	for b.Loop() {
		events := sse.Splitter{Longest: 1 << 20, Limit: 1 << 30, Each: func(data []byte) error {
			if !c.Decode(data) || c.Text != " token" {
				b.Fatal("not decoded")
			}
			return nil
		}}
		if _, err := events.Write(in); err != nil {
			b.Fatal(err)
		}
	}
}
