package chat

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
)

// Property: whatever a server claims, the kinds are disjoint, add up to what it
// counted, and what it did not tell is not known.
func TestEveryKindOfTokenIsMeteredOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		claim := func(name string) (string, int, bool) {
			n := rapid.IntRange(0, 100).Draw(t, name)
			if rapid.Bool().Draw(t, "has "+name) {
				return fmt.Sprintf("%q:%d", name, n), n, true
			}
			return "", 0, false
		}
		prompt, completion := rapid.IntRange(0, 200).Draw(t, "prompt"), rapid.IntRange(0, 200).Draw(t, "completion")
		cached, cachedN, hasCached := claim("cached_tokens")
		heard, _, hasHeard := claim("audio_tokens")
		thought, thoughtN, hasThought := claim("reasoning_tokens")
		said, _, hasSaid := claim("audio_tokens")
		var c Chunk
		if !c.Decode(fmt.Appendf(nil, `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":%d,
			"prompt_tokens_details":{%s},"completion_tokens_details":{%s}}}`, prompt, completion, members(cached, heard), members(thought, said))) {
			t.Fatal("not read")
		}
		a := outcrop.Attempt{Told: new(outcrop.Told)}
		c.Tell(a)
		u := c.Usage.Usage()
		u.Part(&a.Told.Parts)
		if int(u.Total()) != prompt+completion || int(u.Output()) != completion {
			t.Fatalf("%+v is not %d + %d", u, prompt, completion)
		}
		for kind, has := range map[outcrop.TokenKind]bool{outcrop.CacheReadTokens: hasCached, outcrop.InputAudioTokens: hasHeard,
			outcrop.ReasoningTokens: hasThought, outcrop.OutputAudioTokens: hasSaid, outcrop.CacheWrite5mTokens: false, outcrop.OutputImages: false} {
			if _, known := u.Get(kind); known != has {
				t.Fatalf("%s known = %t, told = %t", kind, known, has)
			}
		}
		if hasCached && int(u.Of(outcrop.CacheReadTokens)) != min(cachedN, prompt) || hasThought && int(u.Of(outcrop.ReasoningTokens)) != min(thoughtN, completion) {
			t.Fatalf("%+v from %s and %s", u, cached, thought)
		}
	})
}

func members(list ...string) string {
	var some []string
	for _, m := range list {
		if m != "" {
			some = append(some, m)
		}
	}
	return strings.Join(some, ",")
}
