package messages

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
)

// Property: cache writes are split by lifetime without losing any, kinds are
// disjoint, and what is known before the end is what the end tells of the input.
func TestEveryKindOfTokenIsMeteredOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int { return rapid.IntRange(0, 1000).Draw(t, name) }
		in, out, read, short, long := n("in"), n("out"), n("read"), n("5m"), n("1h")
		text := fmt.Sprintf(`{"input_tokens":%d,"output_tokens":%d`, in, out)
		told := rapid.SampledFrom([]string{"nothing", "sum", "lifetimes"}).Draw(t, "told")
		if told != "nothing" {
			text += fmt.Sprintf(`,"cache_read_input_tokens":%d,"cache_creation_input_tokens":%d`, read, short+long)
		} else {
			read, short, long = 0, 0, 0
		}
		if told == "lifetimes" {
			text += fmt.Sprintf(`,"cache_creation":{"ephemeral_5m_input_tokens":%d,"ephemeral_1h_input_tokens":%d}`, short, long)
		} else {
			short, long = short+long, 0
		}
		var counted usage
		if err := json.Unmarshal([]byte(text+"}"), &counted); err != nil {
			t.Fatal(err)
		}
		u := counted.converse().Usage()
		for kind, want := range map[outcrop.TokenKind]int{outcrop.InputTokens: in, outcrop.OutputTokens: out, outcrop.CacheReadTokens: read,
			outcrop.CacheWrite5mTokens: short, outcrop.CacheWrite1hTokens: long} {
			if int(u.Of(kind)) != want {
				t.Fatalf("%s: %s is %d, want %d", text, kind, u.Of(kind), want)
			}
		}
		if _, known := u.Get(outcrop.CacheReadTokens); known == (told == "nothing") {
			t.Fatalf("%s: a cache read is known: %t", text, known)
		}
		a := outcrop.Attempt{Told: new(outcrop.Told)}
		counted.tell(a)
		for k, n := range u.All() {
			if seen := a.Told.Seen.Of(k); k != outcrop.OutputTokens && seen != n {
				t.Fatalf("%s: %s was %d before the end, %d at it", text, k, seen, n)
			}
		}
	})
}
