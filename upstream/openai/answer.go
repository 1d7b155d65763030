package openai

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"outcrop"
	"outcrop/converse"
)

// decodeAnswer reads a whole chat.completion.
func (u *Upstream) decodeAnswer(a outcrop.Attempt, text []byte) (*converse.Response, error) {
	var c chunk
	switch {
	case !c.decode(text):
		return nil, u.host.Failed(a, 200, "The model's server answered with broken JSON. Tell the operator.")
	case c.failure != nil:
		return nil, u.host.InBody(a, c.failure)
	case !c.choice:
		return nil, u.host.Failed(a, 200, "The model's server answered without choices. Tell the operator.")
	}
	c.tell(a)
	content, malformed := c.blocks(a)
	return &converse.Response{
		Output:     converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: content}},
		StopReason: stopReason(c.finish, c.matched, len(c.calls) > 0, malformed),
		Usage:      c.usage,
	}, nil
}

// blocks puts an answer into Converse's blocks: reasoning, text, tool calls.
func (c *chunk) blocks(a outcrop.Attempt) (content []converse.ContentBlock, malformed bool) {
	content = make([]converse.ContentBlock, 0, len(c.calls)+2)
	if c.reasoning != "" {
		content = append(content, converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{
			ReasoningText: &converse.ReasoningTextBlock{Text: c.reasoning}}})
	}
	if c.text != "" {
		text := c.text
		content = append(content, converse.ContentBlock{Text: &text})
	}
	for i, t := range c.calls {
		if t.name == "" {
			malformed = true
			continue
		}
		input, ok := toolInput(t.arguments)
		malformed = malformed || !ok
		content = append(content, converse.ContentBlock{ToolUse: &converse.ToolUseBlock{
			ToolUseId: toolUseID(t.id, a, i), Name: t.name, Input: input}})
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
func toolUseID(id string, a outcrop.Attempt, i int) string {
	const longest = 64
	good := id != "" && len(id) <= longest
	for j := 0; good && j < len(id); j++ {
		c := id[j]
		good = 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '_' || c == '.' || c == ':' || c == '-'
	}
	if good {
		return id
	}
	return "tooluse_" + strconv.FormatUint(xxhash.Sum64String(string(a.Invocation)+"\x00"+id), 36) + "_" + strconv.Itoa(i)
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
