package chat

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"outcrop"
	"outcrop/converse"
)

// Response is the answer that a whole chat.completion tells. Calls without ids
// are named after the invocation.
func (c *Chunk) Response(invocation outcrop.InvocationID) *converse.Response {
	content, malformed := c.blocks(invocation)
	return &converse.Response{
		Output:     converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: content}},
		StopReason: stopReason(c.Finish, c.Matched, len(c.Calls) > 0, malformed),
		Usage:      c.Usage,
	}
}

// blocks puts an answer into Converse's blocks: reasoning, text, tool calls.
func (c *Chunk) blocks(invocation outcrop.InvocationID) (content []converse.ContentBlock, malformed bool) {
	content = make([]converse.ContentBlock, 0, len(c.Calls)+2)
	if c.Reasoning != "" {
		content = append(content, converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{
			ReasoningText: &converse.ReasoningTextBlock{Text: c.Reasoning}}})
	}
	if c.Text != "" {
		text := c.Text
		content = append(content, converse.ContentBlock{Text: &text})
	}
	for i, t := range c.Calls {
		if t.name == "" {
			malformed = true
			continue
		}
		input, ok := toolInput(t.arguments)
		malformed = malformed || !ok
		content = append(content, converse.ContentBlock{ToolUse: &converse.ToolUseBlock{
			ToolUseId: toolUseID(t.id, invocation, i), Name: t.name, Input: input}})
	}
	return content, malformed
}

// toolInput is the document a model wrote as arguments. What is not JSON is
// kept as a string, so that nothing is lost.
func toolInput(arguments string) (json.RawMessage, bool) {
	b := bytes.TrimSpace([]byte(arguments))
	if len(b) == 0 {
		return json.RawMessage("{}"), true
	}
	if json.Valid(b) {
		return b, true
	}
	var w writer
	w.string(arguments)
	return w.b, false
}

// toolUseID is id when Bedrock's pattern [a-zA-Z0-9_.:-]{1,64} takes it, else
// one made for the i-th call of this invocation.
func toolUseID(id string, invocation outcrop.InvocationID, i int) string {
	const longest = 64
	good := id != "" && len(id) <= longest
	for j := 0; good && j < len(id); j++ {
		c := id[j]
		good = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == ':' || c == '-'
	}
	if good {
		return id
	}
	return "tooluse_" + strconv.FormatUint(xxhash.Sum64String(string(invocation)+"\x00"+id), 36) + "_" + strconv.Itoa(i)
}

// stopReason is Converse's word for a finish_reason
// (reference/runtime-metering-billing.md §2.7). Some servers say "stop" behind
// a tool call.
func stopReason(finish, matched string, calls, malformed bool) string {
	switch {
	case finish == "length":
		return "max_tokens"
	case finish == "content_filter":
		return "content_filtered"
	case calls && malformed:
		return "malformed_tool_use"
	case calls:
		return "tool_use"
	case matched != "":
		return "stop_sequence"
	}
	return "end_turn"
}
