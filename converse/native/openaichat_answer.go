package native

import (
	"encoding/json"

	"outcrop"
	"outcrop/converse"
)

// chatFinish are the finish reasons of chat completions.
var chatFinish = map[string]string{"max_tokens": "length", "tool_use": "tool_calls", "content_filtered": "content_filter", "guardrail_intervened": "content_filter"}

func finishReason(stop string) string {
	if f, ok := chatFinish[stop]; ok {
		return f
	}
	return "stop"
}

// chatUsage counts reasoning among the completion, where it is known.
func chatUsage(a *Answer, u *converse.TokenUsage) map[string]any {
	usage := map[string]any{"prompt_tokens": u.TotalTokens - u.OutputTokens, "completion_tokens": u.OutputTokens, "total_tokens": u.TotalTokens}
	if u.CacheReadInputTokens != nil {
		usage["prompt_tokens_details"] = map[string]any{"cached_tokens": *u.CacheReadInputTokens}
	}
	if a.Usage == nil {
		return usage
	}
	settled := a.Usage()
	if thought, known := settled.Get(outcrop.ReasoningTokens); known {
		usage["completion_tokens_details"] = map[string]any{"reasoning_tokens": thought}
	}
	return usage
}

func chatObject(a *Answer, object string, choices ...any) map[string]any {
	if choices == nil {
		choices = []any{}
	}
	return map[string]any{"id": "chatcmpl-" + a.ID, "object": object, "created": a.Created.Unix(), "model": string(a.Model), "choices": choices}
}

func (openAIChat) Encode(a *Answer) ([]byte, error) {
	message := map[string]any{"role": "assistant", "content": nil}
	if text := textOf(a.Response); text != "" {
		message["content"] = text
	}
	var calls []any
	if m := a.Response.Output.Message; m != nil {
		for _, b := range m.Content {
			if b.ToolUse != nil {
				calls = append(calls, map[string]any{"id": b.ToolUse.ToolUseId, "type": "function",
					"function": map[string]any{"name": b.ToolUse.Name, "arguments": string(orEmptyObject(b.ToolUse.Input))}})
			}
		}
	}
	if thought := thoughtOf(a.Response); thought != "" {
		message["reasoning_content"] = thought
	}
	if calls != nil {
		message["tool_calls"] = calls
	}
	answer := chatObject(a, "chat.completion", map[string]any{"index": 0, "message": message, "finish_reason": finishReason(a.Response.StopReason)})
	answer["usage"] = chatUsage(a, a.Response.Usage)
	return json.Marshal(answer)
}

func (openAIChat) Chunks(a *Answer) Chunker { return &chatChunks{answer: a, tool: -1} }

// chatChunks numbers the tool calls as they come.
type chatChunks struct {
	answer *Answer
	tool   int
}

func (c *chatChunks) Chunk(e converse.Event) ([][]byte, error) {
	switch {
	case e.MessageStart != nil:
		return c.delta(map[string]any{"role": "assistant", "content": ""}, nil)
	case e.ContentBlockStart != nil && e.ContentBlockStart.Start.ToolUse != nil:
		c.tool++
		t := e.ContentBlockStart.Start.ToolUse
		return c.call(map[string]any{"index": c.tool, "id": t.ToolUseId, "type": "function", "function": map[string]any{"name": t.Name, "arguments": ""}})
	case e.ContentBlockDelta != nil:
		d := &e.ContentBlockDelta.Delta
		switch {
		case d.Text != nil:
			return c.delta(map[string]any{"content": *d.Text}, nil)
		case d.ToolUse != nil:
			return c.call(map[string]any{"index": c.tool, "function": map[string]any{"arguments": d.ToolUse.Input}})
		case d.ReasoningContent != nil && d.ReasoningContent.Text != nil:
			return c.delta(map[string]any{"reasoning_content": *d.ReasoningContent.Text}, nil)
		}
	case e.MessageStop != nil:
		return c.delta(map[string]any{}, finishReason(e.MessageStop.StopReason))
	case e.Metadata != nil:
		last := chatObject(c.answer, "chat.completion.chunk")
		last["usage"] = chatUsage(c.answer, e.Metadata.Usage)
		return marshal(withMetrics(last, c.answer))
	}
	return nil, nil
}

func (c *chatChunks) call(call map[string]any) ([][]byte, error) {
	return c.delta(map[string]any{"tool_calls": []any{call}}, nil)
}

func (c *chatChunks) delta(delta map[string]any, finish any) ([][]byte, error) {
	return marshal(chatObject(c.answer, "chat.completion.chunk", map[string]any{"index": 0, "delta": delta, "finish_reason": finish}))
}
