package converse

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Property: whatever a Glancer has seen before, it sees in an event what who
// has seen nothing sees.
func TestWhatWasSeenBeforeChangesNothing(t *testing.T) {
	words := rapid.SampledFrom([]string{"", "a", "Hello", " there", `\"`, `\n`, `\u00e9`, "é", "\xff", "\n", `"`})
	text := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(words, 0, 3).Draw(t, "words"), "") })
	delta := rapid.Custom(func(t *rapid.T) string {
		s := text.Draw(t, "text")
		return rapid.SampledFrom([]string{
			`{"text":"` + s + `"}`, `{"text":"` + s + `"}`, `{"text":"` + s + `","text":"` + s + `"}`, `{"text":null}`, `{"text":["` + s + `"]}`, `null`, `"` + s + `"`,
			`{"toolUse":{"input":"` + s + `"}}`, `{"reasoningContent":{"text":"` + s + `"}}`, `{"reasoningContent":{"signature":"` + s + `"}}`, `{"new":{"text":"` + s + `"}}`,
		}).Draw(t, "delta")
	})
	payload := rapid.Custom(func(t *rapid.T) string {
		d, p, i := `"delta":`+delta.Draw(t, "delta"), `"p":"`+text.Draw(t, "padding")+`"`, `"contentBlockIndex":`+strconv.Itoa(rapid.IntRange(0, 1).Draw(t, "index"))
		return rapid.SampledFrom([]string{
			"{" + i + "," + d + "," + p + "}", "{" + p + "," + i + "," + d + "}", "{" + d + "}", "{" + d + "," + p, "{" + d + "," + p + "," + d + "}", "{" + p + "," + d + "," + p + "} ",
		}).Draw(t, "payload")
	})
	rapid.Check(t, func(t *rapid.T) {
		var s Glancer
		for range rapid.IntRange(1, 8).Draw(t, "events") {
			name, payload := rapid.SampledFrom([]string{"contentBlockDelta", "contentBlockDelta", "contentBlockDelta", "messageStop"}).Draw(t, "name"), payload.Draw(t, "payload")
			want, wantErr := GlanceEvent(name, []byte(payload))
			got, err := s.Event(name, []byte(payload))
			if (err == nil) != (wantErr == nil) || err == nil && got != want {
				t.Fatalf("%q: %+v %v, want %+v %v", payload, got, err, want, wantErr)
			}
		}
	})
}

func BenchmarkGlance(b *testing.B) {
	payload := []byte(`{"contentBlockIndex":0,"delta":{"text":"sixteen bytes..."},"p":"abcdefghijkl"}`)
	var s Glancer
	for name, glance := range map[string]func(string, []byte) (Glimpse, error){"alike": s.Event, "walked": GlanceEvent} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if g, err := glance("contentBlockDelta", payload); g.Output != 16 || err != nil {
					b.Fatal(g, err)
				}
			}
		})
	}
}
