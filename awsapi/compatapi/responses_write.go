package compatapi

import (
	"encoding/json"
	"strings"
	"time"

	"outcrop"
	"outcrop/converse"
)

// A reply is the response object while it is being made.
type reply struct {
	id      string
	body    *responseBody
	created time.Time
	stored  bool

	output []map[string]any
	status string // completed, incomplete or in_progress
	reason string // why it is incomplete
	usage  *converse.TokenUsage

	settled func() outcrop.Usage // known with the usage; may be nil
}

// object is the response as OpenAI writes it.
func (p *reply) object() map[string]any {
	b := p.body
	output := p.output
	if output == nil {
		output = []map[string]any{}
	}
	o := map[string]any{
		"id": p.id, "object": "response", "created_at": p.created.Unix(), "status": p.status, "background": false, "error": nil, "incomplete_details": nil,
		"instructions": orNull(b.Instructions), "max_output_tokens": b.MaxTokens, "model": b.Model, "output": output, "parallel_tool_calls": true,
		"previous_response_id": orNull(b.Previous), "reasoning": map[string]any{"effort": orNull(b.Reasoning.Effort), "summary": orNull(b.Reasoning.Summary)},
		"store": p.stored, "temperature": b.Temperature, "text": map[string]any{"format": b.formatOrText()}, "tool_choice": rawOr(b.ToolChoice, "auto"),
		"tools": rawOr(b.members["tools"], []any{}), "top_p": b.TopP, "truncation": "disabled", "usage": nil, "user": orNull(b.User), "metadata": orEmpty(b.Metadata),
	}
	if p.reason != "" {
		o["incomplete_details"] = map[string]any{"reason": p.reason}
	}
	if p.usage != nil {
		var settled outcrop.Usage
		if p.settled != nil {
			settled = p.settled()
		}
		o["usage"] = responseUsage(p.usage, settled)
	}
	return o
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func rawOr(raw json.RawMessage, otherwise any) any {
	if len(raw) == 0 || string(raw) == "null" {
		return otherwise
	}
	return raw
}

func (b *responseBody) formatOrText() any {
	var text struct {
		Format json.RawMessage `json:"format"`
	}
	if json.Unmarshal(b.members["text"], &text) == nil && len(text.Format) > 0 {
		return text.Format
	}
	return map[string]string{"type": "text"}
}

// responseUsage counts as OpenAI does: cached tokens are among the input, and
// reasoning among the output.
func responseUsage(u *converse.TokenUsage, settled outcrop.Usage) map[string]any {
	var cached int64
	if u.CacheReadInputTokens != nil {
		cached = *u.CacheReadInputTokens
	}
	return map[string]any{
		"input_tokens": u.TotalTokens - u.OutputTokens, "input_tokens_details": map[string]any{"cached_tokens": cached},
		"output_tokens": u.OutputTokens, "output_tokens_details": map[string]any{"reasoning_tokens": settled.Of(outcrop.ReasoningTokens)}, "total_tokens": u.TotalTokens,
	}
}

// stop notes how the model ended.
func (p *reply) stop(reason string) {
	p.status = "completed"
	switch reason {
	case "max_tokens", "model_context_window_exceeded":
		p.status, p.reason = "incomplete", "max_output_tokens"
	case "content_filtered", "guardrail_intervened":
		p.status, p.reason = "incomplete", "content_filter"
	}
}

// itemID names an output item: the same for each event about it.
func (p *reply) itemID(prefix string, n int) string {
	return prefix + "_" + strings.TrimPrefix(p.id, "resp_") + digit36(n)
}

func digit36(n int) string {
	const digits = "0123456789abcdefghijklmnopqrstuvwxyz"
	if n < 36 {
		return string(digits[n])
	}
	return digit36(n/36) + string(digits[n%36])
}

func messageItem(id, status string, content ...any) map[string]any {
	if content == nil {
		content = []any{}
	}
	return map[string]any{"id": id, "type": "message", "role": "assistant", "status": status, "content": content}
}

func textPart(text string) map[string]any {
	return map[string]any{"type": "output_text", "text": text, "annotations": []any{}, "logprobs": []any{}}
}

func callItem(id, status, callID, name, arguments string) map[string]any {
	return map[string]any{"id": id, "type": "function_call", "status": status, "call_id": callID, "name": name, "arguments": arguments}
}

func reasoningItem(id, text, signature string) map[string]any {
	it := map[string]any{"id": id, "type": "reasoning", "summary": []any{}}
	if text != "" {
		it["summary"] = []any{summaryPart(text)}
	}
	if signature != "" {
		it["encrypted_content"] = signature
	}
	return it
}

func summaryPart(text string) map[string]any {
	return map[string]any{"type": "summary_text", "text": text}
}
