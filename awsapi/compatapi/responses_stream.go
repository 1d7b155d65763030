package compatapi

import (
	"encoding/json"
	"strings"

	"outcrop/converse"
)

// A teller turns the events of Converse into those of a response. The answer
// at once is told the same way, to nobody, and its last event is the response.
type teller struct {
	reply *reply
	send  func(name string, event map[string]any) error

	sequence int
	block    int64 // index of Converse's block that is open, -1 for none
	kind     string
	id       string
	callID   string
	name     string
	text     strings.Builder
	sign     string
}

func newTeller(p *reply, send func(string, map[string]any) error) *teller {
	return &teller{reply: p, send: send, block: -1}
}

func (t *teller) tell(name string, event map[string]any) error {
	event["type"], event["sequence_number"] = name, t.sequence
	t.sequence++
	return t.send(name, event)
}

func (t *teller) begin() error {
	t.reply.status = "in_progress"
	if err := t.tell("response.created", map[string]any{"response": t.reply.object()}); err != nil {
		return err
	}
	return t.tell("response.in_progress", map[string]any{"response": t.reply.object()})
}

// event tells one event of the model's answer.
func (t *teller) event(e *converse.Event) error {
	switch {
	case e.MessageStart != nil:
		return t.begin()
	case e.ContentBlockStart != nil && e.ContentBlockStart.Start.ToolUse != nil:
		use := e.ContentBlockStart.Start.ToolUse
		t.callID, t.name = use.ToolUseId, use.Name
		return t.open(e.ContentBlockStart.ContentBlockIndex, "function_call")
	case e.ContentBlockDelta != nil:
		return t.delta(e.ContentBlockDelta)
	case e.ContentBlockStop != nil:
		return t.close()
	case e.MessageStop != nil:
		t.reply.stop(e.MessageStop.StopReason)
	case e.Metadata != nil:
		t.reply.usage = e.Metadata.Usage
	}
	return nil
}

func (t *teller) delta(e *converse.ContentBlockDeltaEvent) error {
	switch d := &e.Delta; {
	case d.Text != nil:
		return t.grow(e.ContentBlockIndex, "message", *d.Text)
	case d.ToolUse != nil:
		return t.grow(e.ContentBlockIndex, "function_call", d.ToolUse.Input)
	case d.ReasoningContent != nil && d.ReasoningContent.Text != nil:
		return t.grow(e.ContentBlockIndex, "reasoning", *d.ReasoningContent.Text)
	case d.ReasoningContent != nil && d.ReasoningContent.Signature != nil:
		t.sign = *d.ReasoningContent.Signature
		return t.grow(e.ContentBlockIndex, "reasoning", "")
	}
	return nil
}

// place is where the open item stands.
func (t *teller) place(more map[string]any) map[string]any {
	event := map[string]any{"item_id": t.id, "output_index": len(t.reply.output)}
	switch t.kind {
	case "message":
		event["content_index"] = 0
	case "reasoning":
		event["summary_index"] = 0
	}
	for k, v := range more {
		event[k] = v
	}
	return event
}

// open begins an item of the output.
func (t *teller) open(block int64, kind string) error {
	n := len(t.reply.output)
	t.block, t.kind, t.sign = block, kind, ""
	t.text.Reset()
	var first map[string]any
	switch kind {
	case "message":
		t.id = t.reply.itemID("msg", n)
		first = messageItem(t.id, "in_progress")
	case "function_call":
		t.id = t.reply.itemID("fc", n)
		first = callItem(t.id, "in_progress", t.callID, t.name, "")
	default:
		t.id = t.reply.itemID("rs", n)
		first = reasoningItem(t.id, "", "")
	}
	if err := t.tell("response.output_item.added", map[string]any{"output_index": n, "item": first}); err != nil {
		return err
	}
	switch kind {
	case "message":
		return t.tell("response.content_part.added", t.place(map[string]any{"part": textPart("")}))
	case "reasoning":
		return t.tell("response.reasoning_summary_part.added", t.place(map[string]any{"part": summaryPart("")}))
	}
	return nil
}

// deltaNames are the events that carry a piece of an item.
var deltaNames = map[string]string{
	"message": "response.output_text", "function_call": "response.function_call_arguments", "reasoning": "response.reasoning_summary_text",
}

func (t *teller) grow(block int64, kind, piece string) error {
	if t.block != block || t.kind != kind {
		if err := t.open(block, kind); err != nil {
			return err
		}
	}
	t.text.WriteString(piece)
	if piece == "" {
		return nil
	}
	event := t.place(map[string]any{"delta": piece})
	if kind == "message" {
		event["logprobs"] = []any{}
	}
	return t.tell(deltaNames[kind]+".delta", event)
}

// close ends the open item, if any.
func (t *teller) close() error {
	if t.block < 0 {
		return nil
	}
	text := t.text.String()
	var whole, done, part map[string]any
	partName := ""
	switch t.kind {
	case "message":
		whole, done = messageItem(t.id, "completed", textPart(text)), map[string]any{"text": text, "logprobs": []any{}}
		part, partName = textPart(text), "response.content_part.done"
	case "function_call":
		if text == "" {
			text = "{}"
		}
		whole, done = callItem(t.id, "completed", t.callID, t.name, text), map[string]any{"arguments": text, "name": t.name}
	default:
		whole, done = reasoningItem(t.id, text, t.sign), map[string]any{"text": text}
		part, partName = summaryPart(text), "response.reasoning_summary_part.done"
	}
	if err := t.tell(deltaNames[t.kind]+".done", t.place(done)); err != nil {
		return err
	}
	if part != nil {
		if err := t.tell(partName, t.place(map[string]any{"part": part})); err != nil {
			return err
		}
	}
	if err := t.tell("response.output_item.done", map[string]any{"output_index": len(t.reply.output), "item": whole}); err != nil {
		return err
	}
	t.reply.output = append(t.reply.output, whole)
	t.block = -1
	return nil
}

// end tells that the response is complete, or not.
func (t *teller) end() error {
	name := "response.completed"
	if t.reply.status == "incomplete" {
		name = "response.incomplete"
	}
	return t.tell(name, map[string]any{"response": t.reply.object()})
}

// items are what the answer adds to the conversation, for the next response.
func (p *reply) items() ([]json.RawMessage, error) {
	var all []json.RawMessage
	for _, one := range p.output {
		raw, err := json.Marshal(one)
		if err != nil {
			return nil, err
		}
		all = append(all, raw)
	}
	return all, nil
}
