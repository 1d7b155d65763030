package simulator

import (
	"context"
	"time"

	"outcrop"
	"outcrop/converse"
)

// An emitter turns an answer into the events of ConverseStream, in the order
// of reference/runtime-metering-billing.md §1.8. It stops for good when the
// consumer, the context or the script says so.
type emitter struct {
	ctx   context.Context
	yield func(converse.Event, error) bool
	pace  time.Duration
	cut   int // events left before the script breaks off; 0 means never
	size  int // tokens in one piece
	index int64
	done  bool
}

func (e *emitter) answer(w *answer, began time.Time) {
	e.send(converse.Event{MessageStart: &converse.MessageStartEvent{Role: roleAssistant}})
	if w.reasoning != nil {
		e.pieces(w.reasoning, reasoningDelta)
		e.delta(&converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{Signature: &w.signature}})
		e.stop()
	}
	if w.text != nil {
		e.pieces(w.text, textDelta)
		e.stop()
	}
	if w.tool != nil {
		e.tool(w)
	}
	e.send(converse.Event{MessageStop: &converse.MessageStopEvent{StopReason: w.stopReason, AdditionalModelResponseFields: w.fields}})
	e.send(converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{
		Usage: w.usage, Metrics: converse.ConverseStreamMetrics{LatencyMs: time.Since(began).Milliseconds()}}})
}

func (e *emitter) tool(w *answer) {
	start := converse.ContentBlockStart{ToolUse: &converse.ToolUseBlockStart{ToolUseId: w.tool.ToolUseId, Name: w.tool.Name}}
	e.send(converse.Event{ContentBlockStart: &converse.ContentBlockStartEvent{Start: start, ContentBlockIndex: e.index}})
	e.pieces(&w.toolBits, toolDelta)
	e.stop()
}

// pieces sends p in deltas of a few tokens.
func (e *emitter) pieces(p *spoken, wrap func(string) converse.ContentBlockDelta) {
	from, tokens := 0, 0
	for i, b := range p.bits {
		tokens += b.tokens
		if tokens < e.size && i < len(p.bits)-1 {
			continue
		}
		if !e.wait() {
			return
		}
		d := wrap(p.text[from:b.end])
		e.delta(&d)
		from, tokens = b.end, 0
	}
}

func (e *emitter) wait() bool {
	if e.done {
		return false
	}
	if err := pause(e.ctx, e.pace); err != nil {
		e.fail(err)
	}
	return !e.done
}

func (e *emitter) delta(d *converse.ContentBlockDelta) {
	e.send(converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: *d, ContentBlockIndex: e.index}})
}

func (e *emitter) stop() {
	e.send(converse.Event{ContentBlockStop: &converse.ContentBlockStopEvent{ContentBlockIndex: e.index}})
	e.index++
}

func (e *emitter) send(event converse.Event) {
	if e.done {
		return
	}
	if !e.yield(event, nil) {
		e.done = true
		return
	}
	if e.cut == 1 {
		e.fail(outcrop.Errorf(outcrop.StreamFailed, "The simulator broke off its stream, as the request asked."))
	}
	e.cut = max(0, e.cut-1)
}

func (e *emitter) fail(err error) {
	e.done = true
	e.yield(converse.Event{}, err)
}

func textDelta(s string) converse.ContentBlockDelta { return converse.ContentBlockDelta{Text: &s} }

func toolDelta(s string) converse.ContentBlockDelta {
	return converse.ContentBlockDelta{ToolUse: &converse.ToolUseBlockDelta{Input: s}}
}

func reasoningDelta(s string) converse.ContentBlockDelta {
	return converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{Text: &s}}
}
