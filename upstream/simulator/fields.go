package simulator

import (
	"bytes"
	"encoding/json"

	"outcrop"
	"outcrop/converse"
)

// modelFields are the additionalModelRequestFields that ask for reasoning, in
// the spellings of the model families: Anthropic's thinking, its alias
// reasoning_config (also a bare word, as LibreChat sends it), Nova's
// reasoningConfig and the reasoning_effort of OpenAI's models.
type modelFields struct {
	Thinking        *thinking       `json:"thinking"`
	ReasoningConfig json.RawMessage `json:"reasoning_config"`
	NovaReasoning   *thinking       `json:"reasoningConfig"`
	InferenceConfig *struct {
		NovaReasoning *thinking `json:"reasoningConfig"`
	} `json:"inferenceConfig"`
	ReasoningEffort string `json:"reasoning_effort"`
}

type thinking struct {
	Type   string `json:"type"` // enabled, adaptive or disabled
	Budget *int64 `json:"budget_tokens"`
}

func (t *thinking) on() bool { return t != nil && (t.Type == "enabled" || t.Type == "adaptive") }

// reasons says whether the request asks to see reasoning. Clients that did not
// ask may break on it (reference/runtime-metering-billing.md §10, trap 9).
func (f *modelFields) reasons() bool {
	return f.thinking().on() || f.NovaReasoning.on() || f.InferenceConfig != nil && f.InferenceConfig.NovaReasoning.on() ||
		wantsEffort(f.ReasoningEffort)
}

func wantsEffort(s string) bool { return s != "" && s != "none" && s != "disabled" }

// thinking is Anthropic's form, under either of its names.
func (f *modelFields) thinking() *thinking {
	if f.Thinking != nil || len(f.ReasoningConfig) == 0 {
		return f.Thinking
	}
	var effort string
	if json.Unmarshal(f.ReasoningConfig, &effort) == nil {
		if wantsEffort(effort) {
			return &thinking{Type: "adaptive"}
		}
		return nil
	}
	t := new(thinking)
	if json.Unmarshal(f.ReasoningConfig, t) != nil {
		return nil
	}
	return t
}

func readFields(r *converse.Request) (modelFields, error) {
	var f modelFields
	b := bytes.TrimSpace(r.AdditionalModelRequestFields)
	if len(b) == 0 || string(b) == "null" || string(b) == "{}" {
		return f, nil
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, outcrop.Errorf(outcrop.Invalid, "Malformed input request: additionalModelRequestFields has a member of the wrong type, please reformat your input and try again.").Because(err)
	}
	return f, nil
}

// minThinkingBudget is Anthropic's, in tokens.
const minThinkingBudget = 1024

func validateFields(_ outcrop.Attempt, r *converse.Request) error {
	f, err := readFields(r)
	if err != nil {
		return err
	}
	if err := validateConflicts(r); err != nil {
		return err
	}
	t := f.thinking()
	if !t.on() {
		return nil
	}
	if t.Budget != nil {
		if *t.Budget < minThinkingBudget {
			return refused("thinking.enabled.budget_tokens: Input should be greater than or equal to %d", minThinkingBudget)
		}
		if c := r.InferenceConfig; c != nil && c.MaxTokens != nil && *c.MaxTokens <= *t.Budget {
			return refused("`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size")
		}
	}
	if c := r.ToolConfig; c != nil && c.ToolChoice != nil && c.ToolChoice.Auto == nil {
		return refused("Thinking may not be enabled when tool_choice forces tool use.")
	}
	return nil
}

// validateConflicts refuses additional fields that Converse writes itself
// (librechat.md #14029).
func validateConflicts(r *converse.Request) error {
	if len(r.AdditionalModelRequestFields) == 0 {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(r.AdditionalModelRequestFields, &members) != nil {
		return nil // not an object: told by readFields
	}
	c := r.InferenceConfig
	if c == nil {
		c = new(converse.InferenceConfiguration)
	}
	for _, x := range []struct {
		name  string
		taken bool
	}{
		{"messages", true}, {"system", true}, {"tools", r.ToolConfig != nil}, {"tool_choice", r.ToolConfig != nil}, {"max_tokens", c.MaxTokens != nil},
		{"temperature", c.Temperature != nil}, {"top_p", c.TopP != nil}, {"stop_sequences", c.StopSequences != nil},
	} {
		if _, given := members[x.name]; given && x.taken {
			return invalid("The additional field %s conflicts with an existing field.", x.name)
		}
	}
	return nil
}
