package native

import (
	"encoding/json"

	"outcrop"
	"outcrop/converse"
)

// Silent fills in what an InvokeModel body must say and is silent about, where
// the profile that was called has a default for it. What else a profile has
// defaults for is filled in later, for every form of call alike.
func Silent(body []byte, t *outcrop.Target) []byte {
	if t.Defaults == nil || !converse.SettingsOf(t.Model.ID).Anthropic {
		return body
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil || members == nil {
		return body // for the family to refuse
	}
	filled := false
	fill := func(name string, value any, has bool) {
		if _, there := members[name]; !there && has {
			members[name], _ = json.Marshal(value) // a string or a number
			filled = true
		}
	}
	fill("anthropic_version", t.Defaults.AnthropicVersion, t.Defaults.AnthropicVersion != "")
	fill("max_tokens", t.Defaults.MaxTokens, t.Defaults.MaxTokens != nil)
	if !filled {
		return body
	}
	out, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return out
}
