package native

import (
	"encoding/json"

	"outcrop/converse"
	"outcrop/converse/messages"
)

// Chunks implements Family: message_start to message_stop, as Anthropic's
// server-sent events would carry them.
func (anthropic) Chunks(a *Answer) Chunker { return &anthropicChunks{answer: a, open: -1} }

// anthropicChunks follows the blocks of one answer. Converse has no start for
// text and reasoning blocks; Anthropic has one for every block.
type anthropicChunks struct {
	answer *Answer
	open   int64 // index of the block that is open, or -1
	stop   string
}

func (c *anthropicChunks) Chunk(e converse.Event) ([][]byte, error) {
	switch {
	case e.MessageStart != nil:
		return c.emit(map[string]any{"type": "message_start", "message": map[string]any{
			"id": messageID(c.answer), "type": "message", "role": "assistant", "model": modelName(c.answer.Model),
			"content": []any{}, "stop_reason": nil, "stop_sequence": nil, "usage": anthropicUsage{},
		}})
	case e.ContentBlockStart != nil:
		return c.start(e.ContentBlockStart)
	case e.ContentBlockDelta != nil:
		return c.delta(e.ContentBlockDelta)
	case e.ContentBlockStop != nil:
		c.open = -1
		return c.emit(map[string]any{"type": "content_block_stop", "index": e.ContentBlockStop.ContentBlockIndex})
	case e.MessageStop != nil:
		c.stop = anthropicStop(e.MessageStop.StopReason)
		return nil, nil
	case e.Metadata != nil:
		return c.emit(
			map[string]any{"type": "message_delta", "delta": map[string]any{"stop_reason": c.stop, "stop_sequence": nil}, "usage": anthropicUsageOf(e.Metadata.Usage)},
			withMetrics(map[string]any{"type": "message_stop"}, c.answer),
		)
	}
	return nil, nil
}

func (c *anthropicChunks) start(e *converse.ContentBlockStartEvent) ([][]byte, error) {
	if e.Start.ToolUse == nil {
		return nil, nil
	}
	c.open = e.ContentBlockIndex
	return c.emit(blockStart(c.open, map[string]any{"type": "tool_use", "id": e.Start.ToolUse.ToolUseId, "name": e.Start.ToolUse.Name, "input": struct{}{}}))
}

func blockStart(index int64, block map[string]any) map[string]any {
	return map[string]any{"type": "content_block_start", "index": index, "content_block": block}
}

func (c *anthropicChunks) delta(e *converse.ContentBlockDeltaEvent) ([][]byte, error) {
	var opening, delta map[string]any
	switch d := &e.Delta; {
	case d.Text != nil:
		opening = map[string]any{"type": "text", "text": ""}
		delta = map[string]any{"type": "text_delta", "text": *d.Text}
	case d.ToolUse != nil:
		delta = map[string]any{"type": "input_json_delta", "partial_json": d.ToolUse.Input}
	case d.ReasoningContent != nil && d.ReasoningContent.Text != nil:
		opening = map[string]any{"type": "thinking", "thinking": "", "signature": ""}
		delta = map[string]any{"type": "thinking_delta", "thinking": *d.ReasoningContent.Text}
	case d.ReasoningContent != nil && d.ReasoningContent.Signature != nil:
		opening = map[string]any{"type": "thinking", "thinking": "", "signature": ""}
		delta = map[string]any{"type": "signature_delta", "signature": *d.ReasoningContent.Signature}
	case d.ReasoningContent != nil:
		opening = map[string]any{"type": "redacted_thinking", "data": string(d.ReasoningContent.RedactedContent)}
	case d.Citation != nil:
		opening = map[string]any{"type": "text", "text": ""}
		delta = map[string]any{"type": "citations_delta", "citation": messages.CitationOf(d.Citation)}
	default:
		return nil, nil
	}
	var chunks []map[string]any
	if c.open != e.ContentBlockIndex && opening != nil {
		c.open = e.ContentBlockIndex
		chunks = append(chunks, blockStart(c.open, opening))
	}
	if delta != nil {
		chunks = append(chunks, map[string]any{"type": "content_block_delta", "index": e.ContentBlockIndex, "delta": delta})
	}
	return c.emit(chunks...)
}

func (c *anthropicChunks) emit(chunks ...map[string]any) ([][]byte, error) {
	var out [][]byte
	for _, chunk := range chunks {
		b, err := json.Marshal(chunk)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
