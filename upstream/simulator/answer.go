package simulator

import (
	"encoding/json"
	"time"

	"outcrop/converse"
)

// Stop reasons of Converse that the simulator gives.
const (
	stopEndTurn   = "end_turn"
	stopToolUse   = "tool_use"
	stopMaxTokens = "max_tokens"
	stopSequence  = "stop_sequence"
)

// An answer is what the simulator will say, in the order in which it says it.
type answer struct {
	reasoning *spoken // nil unless the request asked for it
	signature string
	text      *spoken
	tool      *converse.ToolUseBlock
	toolBits  spoken // the tool's input, as it is streamed

	stopReason string
	sequence   string // the stop sequence that was met
	fields     json.RawMessage
	usage      *converse.TokenUsage // nil when the script leaves it out
}

// toolTokens is what a tool call costs beside its name and input.
const toolTokens = 8

// spend adds up the output tokens.
func (w *answer) spend() int {
	n := 0
	for _, part := range w.parts() {
		n += part.tokens()
	}
	if w.tool != nil {
		n += toolTokens
	}
	return max(n, 1) // a model that says nothing has still said that it ends
}

func (w *answer) parts() []*spoken {
	parts := make([]*spoken, 0, 3)
	if w.reasoning != nil {
		parts = append(parts, w.reasoning)
	}
	if w.text != nil {
		parts = append(parts, w.text)
	}
	if w.tool != nil {
		parts = append(parts, &w.toolBits)
	}
	return parts
}

// pieces is the number of deltas that the answer is streamed in.
func (w *answer) pieces(size int) int {
	n := 0
	for _, part := range w.parts() {
		n += (part.tokens() + size - 1) / size
	}
	return n
}

// response is the answer as a whole.
func (w *answer) response(latency time.Duration) *converse.Response {
	content := make([]converse.ContentBlock, 0, 3)
	if w.reasoning != nil {
		content = append(content, converse.ContentBlock{ReasoningContent: &converse.ReasoningContentBlock{
			ReasoningText: &converse.ReasoningTextBlock{Text: w.reasoning.text, Signature: w.signature}}})
	}
	if w.text != nil {
		content = append(content, converse.ContentBlock{Text: &w.text.text})
	}
	if w.tool != nil {
		content = append(content, converse.ContentBlock{ToolUse: w.tool})
	}
	return &converse.Response{
		Output:                        converse.ConverseOutput{Message: &converse.Message{Role: roleAssistant, Content: content}},
		StopReason:                    w.stopReason,
		Usage:                         w.usage,
		Metrics:                       converse.ConverseMetrics{LatencyMs: latency.Milliseconds()},
		AdditionalModelResponseFields: w.fields,
	}
}

// spoken is a text cut into tokens.
type spoken struct {
	text string
	bits []bit
}

func (p *spoken) tokens() int {
	n := 0
	for _, b := range p.bits {
		n += b.tokens
	}
	return n
}

// limit cuts p to n tokens and says whether something was cut.
func (p *spoken) limit(n int) bool {
	for i, b := range p.bits {
		if n < b.tokens {
			p.keep(i)
			return true
		}
		n -= b.tokens
	}
	return false
}

// keep the first i bits.
func (p *spoken) keep(i int) {
	p.bits = p.bits[:i]
	p.text = p.text[:p.length()]
}

func (p *spoken) length() int {
	if len(p.bits) == 0 {
		return 0
	}
	return p.bits[len(p.bits)-1].end
}
