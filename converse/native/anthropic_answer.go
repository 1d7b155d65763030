package native

import (
	"encoding/json"
	"strings"

	"outcrop"
	"outcrop/converse"
)

// anthropicUsage is usage in Anthropic's words.
type anthropicUsage struct {
	Input      int64             `json:"input_tokens"`
	CacheWrite *int64            `json:"cache_creation_input_tokens,omitempty"`
	CacheRead  *int64            `json:"cache_read_input_tokens,omitempty"`
	Creation   *anthropicWritten `json:"cache_creation,omitempty"`
	Output     int64             `json:"output_tokens"`
}

type anthropicWritten struct {
	FiveMinutes int64 `json:"ephemeral_5m_input_tokens"`
	OneHour     int64 `json:"ephemeral_1h_input_tokens"`
}

func anthropicUsageOf(u *converse.TokenUsage) anthropicUsage {
	out := anthropicUsage{Input: u.InputTokens, Output: u.OutputTokens, CacheRead: u.CacheReadInputTokens, CacheWrite: u.CacheWriteInputTokens}
	if u.CacheWriteInputTokens != nil {
		usage := u.Usage()
		out.Creation = &anthropicWritten{
			FiveMinutes: int64(usage.Of(outcrop.CacheWrite5mTokens)), OneHour: int64(usage.Of(outcrop.CacheWrite1hTokens)),
		}
	}
	return out
}

// anthropicStops are the stop reasons that Anthropic names otherwise.
var anthropicStops = map[string]string{"content_filtered": "refusal", "guardrail_intervened": "refusal", "malformed_model_output": "end_turn", "malformed_tool_use": "tool_use"}

func anthropicStop(reason string) string {
	if s, ok := anthropicStops[reason]; ok {
		return s
	}
	return reason
}

// messageID is an id as Bedrock gives Anthropic's messages.
func messageID(a *Answer) string { return "msg_bdrk_" + strings.ReplaceAll(a.ID, "-", "")[:24] }

// modelName is what Anthropic calls the model: "claude-sonnet-4-5-20250929".
func modelName(id outcrop.ModelID) string {
	name := strings.TrimPrefix(string(id), "anthropic.")
	name, _, _ = strings.Cut(name, ":")
	if i := strings.LastIndex(name, "-v"); i > 0 && len(name)-i <= 3 {
		name = name[:i]
	}
	return name
}

func (anthropic) Encode(a *Answer) ([]byte, error) {
	r := a.Response
	message := map[string]any{
		"id": messageID(a), "type": "message", "role": "assistant", "model": modelName(a.Model),
		"content": writeBlocks(r.Output.Message), "stop_reason": anthropicStop(r.StopReason), "stop_sequence": nil,
		"usage": anthropicUsageOf(r.Usage),
	}
	return json.Marshal(message)
}

func writeBlocks(m *converse.Message) []map[string]any {
	blocks := []map[string]any{}
	if m == nil {
		return blocks
	}
	for _, b := range m.Content {
		switch {
		case b.Text != nil:
			blocks = append(blocks, map[string]any{"type": "text", "text": *b.Text})
		case b.CitationsContent != nil:
			blocks = append(blocks, writeCited(b.CitationsContent))
		case b.ToolUse != nil:
			blocks = append(blocks, map[string]any{"type": "tool_use", "id": b.ToolUse.ToolUseId, "name": b.ToolUse.Name, "input": orEmptyObject(b.ToolUse.Input)})
		case b.ReasoningContent != nil && b.ReasoningContent.ReasoningText != nil:
			t := b.ReasoningContent.ReasoningText
			blocks = append(blocks, map[string]any{"type": "thinking", "thinking": t.Text, "signature": t.Signature})
		case b.ReasoningContent != nil:
			blocks = append(blocks, map[string]any{"type": "redacted_thinking", "data": string(b.ReasoningContent.RedactedContent)})
		}
	}
	return blocks
}
