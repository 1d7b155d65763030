package native

import (
	"encoding/json"

	"outcrop"
	"outcrop/converse"
)

// Thinking budgets of Claude, in per cent of the answer's most tokens
// (reference/runtime-metering-billing.md §2.8).
var effortPercent = map[string]int64{"minimal": 10, "low": 30, "medium": 60, "high": 100, "xhigh": 100}

const (
	leastThinking    = 1024 // Claude's least budget
	usualMaxThinking = 16_384
)

// SetEffort asks a model to think as hard as OpenAI's reasoning_effort says:
// Claude by a budget, all others in OpenAI's own word. Empty and "none" ask for
// nothing.
func SetEffort(r *converse.Request, m outcrop.FoundationModel, effort string) error {
	if effort == "" || effort == "none" {
		return nil
	}
	percent, known := effortPercent[effort]
	if !known {
		return outcrop.Errorf(outcrop.Invalid, "reasoning_effort %q is not one of none, minimal, low, medium, high, xhigh.", effort)
	}
	if !converse.SettingsOf(m.ID).Anthropic {
		return addField(r, "reasoning_effort", effort)
	}
	if r.InferenceConfig == nil {
		r.InferenceConfig = new(converse.InferenceConfiguration)
	}
	most := int64(usualMaxThinking)
	if m.MaxOutput > 0 {
		most = min(most, int64(m.MaxOutput))
	}
	if r.InferenceConfig.MaxTokens == nil {
		r.InferenceConfig.MaxTokens = &most
	}
	limit := *r.InferenceConfig.MaxTokens
	budget := max(min(limit*percent/100, limit-1), leastThinking)
	if budget >= limit {
		return nil // no room to think in: the answer is short by the caller's own word
	}
	r.InferenceConfig.Temperature, r.InferenceConfig.TopP = nil, nil // Claude takes neither while it thinks
	return addField(r, "thinking", map[string]any{"type": "enabled", "budget_tokens": budget})
}

// addField sets a member of AdditionalModelRequestFields.
func addField(r *converse.Request, name string, value any) error {
	members := map[string]any{}
	if len(r.AdditionalModelRequestFields) > 0 {
		if err := json.Unmarshal(r.AdditionalModelRequestFields, &members); err != nil {
			return malformed("#: %s", plain(err))
		}
	}
	members[name] = value
	b, err := json.Marshal(members)
	r.AdditionalModelRequestFields = b
	return err
}
