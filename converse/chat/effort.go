package chat

import "encoding/json"

// Shares of an answer's most tokens, in per cent, up to which a thinking budget
// is called low and medium.
const (
	lowEffort    = 45
	mediumEffort = 80
)

// effort turns Claude's thinking, which says how many tokens to think with,
// into the word that OpenAI's servers know for it. What it cannot read goes to
// the server as it is, and an effort that was said is kept.
func (e *encoder) effort(members map[string]json.RawMessage) {
	var thinking struct {
		Type   string `json:"type"`
		Budget int64  `json:"budget_tokens"`
	}
	if raw, ok := members["thinking"]; !ok || json.Unmarshal(raw, &thinking) != nil {
		return
	}
	switch {
	case thinking.Type == "disabled":
	case thinking.Type == "enabled" && thinking.Budget > 0:
		if _, said := members["reasoning_effort"]; !said {
			members["reasoning_effort"] = json.RawMessage(`"` + e.effortFor(thinking.Budget) + `"`)
		}
	default:
		return
	}
	delete(members, "thinking")
}

// effortFor is the effort that a budget comes nearest to.
func (e *encoder) effortFor(budget int64) string {
	most := 4 * budget // no limit was set: a budget alone asks for little
	if c := e.request.InferenceConfig; c != nil && c.MaxTokens != nil {
		most = *c.MaxTokens
	}
	switch {
	case budget <= most/100*lowEffort:
		return "low"
	case budget <= most/100*mediumEffort:
		return "medium"
	}
	return "high"
}
