package native

import (
	"testing"

	"outcrop"
)

// A body that says everything is the very same bytes; one that is silent gets
// what its profile says, and only what a body must say.
func TestSilentBodies(t *testing.T) {
	claude := outcrop.FoundationModel{ID: "anthropic.claude-3-haiku-20240307-v1:0"}
	d := &outcrop.Defaults{AnthropicVersion: "bedrock-2023-05-31", MaxTokens: new(int64(300)), Temperature: new(0.1)}
	for _, c := range []struct {
		name, body, want string
		target           outcrop.Target
	}{
		{"no defaults", `{"messages":[]}`, `{"messages":[]}`, outcrop.Target{Model: claude}},
		{"another family", `{"messages":[]}`, `{"messages":[]}`, outcrop.Target{Model: outcrop.FoundationModel{ID: "amazon.nova-lite-v1:0"}, Defaults: d}},
		{"silent", `{"messages":[]}`, `{"anthropic_version":"bedrock-2023-05-31","max_tokens":300,"messages":[]}`, outcrop.Target{Model: claude, Defaults: d}},
		{"own values", `{"max_tokens":5, "anthropic_version":"x"}`, `{"max_tokens":5, "anthropic_version":"x"}`, outcrop.Target{Model: claude, Defaults: d}},
		{"no object", `[1]`, `[1]`, outcrop.Target{Model: claude, Defaults: d}},
		{"nothing to say", `{}`, `{}`, outcrop.Target{Model: claude, Defaults: &outcrop.Defaults{TopP: new(0.5)}}},
	} {
		if got := string(Silent([]byte(c.body), &c.target)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
