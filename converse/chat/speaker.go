package chat

import (
	"bytes"
	"encoding/json"

	"outcrop"
	"outcrop/converse"
)

// Bounds of the tool calls of one answer.
const (
	maxCalls     = 128
	maxCallBytes = 8 << 20 // of arguments, all calls together
)

// A Speaker tells an answer as Converse events: one block open at a time, each
// closed before the next (reference/runtime-metering-billing.md §1.8). The
// message begins with the first thing said, so that a failure before it may
// still be tried elsewhere.
type Speaker struct {
	Yield      func(converse.Event, error) bool
	Invocation outcrop.InvocationID // makes ids of calls that have none
	Deaf       bool                 // the consumer has stopped listening
	Begun      bool                 // messageStart is out

	open  blockKind
	index int64 // of the open block, or the next

	calls     []*toolCall
	current   *toolCall // whose block is open
	callBytes int
	late      string // text that came while a tool call was half told

	deltas []textDelta // not used yet
}

type blockKind uint8

const (
	noBlock blockKind = iota
	textBlock
	reasoningBlock
	toolBlock
)

// A toolCall is one call, as far as it is known.
type toolCall struct {
	Call
	input []byte // all of it so far
	sent  int    // how much of input has been told
	done  bool   // its block is closed
}

// Event tells an event as it is.
func (s *Speaker) Event(e converse.Event) {
	if !s.Deaf && !s.Yield(e, nil) {
		s.Deaf = true
	}
}

func (s *Speaker) begin() {
	if !s.Begun {
		s.Begun = true
		s.Event(converse.Event{MessageStart: &converse.MessageStartEvent{Role: "assistant"}})
	}
}

// enter makes kind the open block.
func (s *Speaker) enter(kind blockKind) {
	s.begin()
	if s.open != kind {
		s.close()
		s.open = kind
	}
}

func (s *Speaker) close() {
	if s.open == noBlock {
		return
	}
	s.Event(converse.Event{ContentBlockStop: &converse.ContentBlockStopEvent{ContentBlockIndex: s.index}})
	s.index++
	s.open = noBlock
}

func (s *Speaker) delta(d converse.ContentBlockDelta) {
	s.Event(converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: d, ContentBlockIndex: s.index}})
}

// Reasoning tells a piece of the model's thoughts.
func (s *Speaker) Reasoning(text string) {
	if text == "" || s.current != nil {
		return // reasoning between the pieces of a tool call has no place
	}
	s.enter(reasoningBlock)
	own := text // what is pointed to is on the heap
	s.delta(converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{Text: &own}})
}

// Text tells a piece of the answer's text.
func (s *Speaker) Text(text string) {
	if text == "" {
		return
	}
	if s.current != nil && !json.Valid(s.current.input) {
		s.late += text
		return
	}
	s.leaveCall()
	s.enter(textBlock)
	one := s.next()
	one.text = text
	one.event = converse.ContentBlockDeltaEvent{Delta: converse.ContentBlockDelta{Text: &one.text}, ContentBlockIndex: s.index}
	s.Event(converse.Event{ContentBlockDelta: &one.event})
}

// A textDelta is an event with what it points to.
type textDelta struct {
	event converse.ContentBlockDeltaEvent
	text  string
}

// next is a textDelta that nobody has seen: one allocation is for several, as
// there is one for every chunk.
func (s *Speaker) next() (one *textDelta) {
	if len(s.deltas) == 0 {
		s.deltas = make([]textDelta, 8)
	}
	one, s.deltas = &s.deltas[0], s.deltas[1:]
	return one
}

// Call takes in a piece of a tool call.
func (s *Speaker) Call(c *Call) error {
	t := s.find(c)
	if s.callBytes += len(c.arguments); t == nil || s.callBytes > maxCallBytes {
		return outcrop.Errorf(outcrop.ModelFailed, "The model's tool calls are more or longer than Outcrop takes.")
	}
	if t.done && len(bytes.TrimSpace([]byte(c.arguments))) > 0 {
		return outcrop.Errorf(outcrop.ModelFailed, "The model went on with a tool call that it had ended.")
	}
	t.id = first(t.id, c.id)
	t.name = first(t.name, c.name)
	t.input = append(t.input, c.arguments...)
	s.advance()
	return nil
}

// find the call that a piece belongs to. A new id under an old index is a new
// call: some servers number every call 0.
func (s *Speaker) find(c *Call) *toolCall {
	for i := len(s.calls) - 1; i >= 0; i-- {
		t := s.calls[i]
		if t.index == c.index && (c.id == "" || t.id == "" || c.id == t.id) {
			return t
		}
	}
	if len(s.calls) >= maxCalls {
		return nil
	}
	t := &toolCall{Call: Call{index: c.index}}
	s.calls = append(s.calls, t)
	return t
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// advance tells what can be told of the calls. Their pieces may come
// interleaved, and blocks may not, so a call waits until the one before it is
// whole JSON.
func (s *Speaker) advance() {
	for {
		if s.current == nil {
			if s.current = s.waiting(); s.current == nil {
				return
			}
			s.start(s.current)
		}
		s.tell(s.current)
		if s.waiting() == nil || !json.Valid(s.current.input) {
			return
		}
		s.leaveCall()
	}
}

// waiting is the first call that could be begun.
func (s *Speaker) waiting() *toolCall {
	for _, t := range s.calls {
		if t != s.current && !t.done && t.name != "" {
			return t
		}
	}
	return nil
}

func (s *Speaker) start(t *toolCall) {
	s.begin()
	s.close()
	s.open = toolBlock
	t.id = toolUseID(t.id, s.Invocation, s.number(t))
	start := converse.ContentBlockStart{ToolUse: &converse.ToolUseBlockStart{ToolUseId: t.id, Name: t.name}}
	s.Event(converse.Event{ContentBlockStart: &converse.ContentBlockStartEvent{Start: start, ContentBlockIndex: s.index}})
}

func (s *Speaker) number(t *toolCall) int {
	for i, other := range s.calls {
		if other == t {
			return i
		}
	}
	return len(s.calls)
}

// tell what has come of a call's input since it was last told.
func (s *Speaker) tell(t *toolCall) {
	if t.sent == len(t.input) {
		return
	}
	s.delta(converse.ContentBlockDelta{ToolUse: &converse.ToolUseBlockDelta{Input: string(t.input[t.sent:])}})
	t.sent = len(t.input)
}

// leaveCall closes the block of the current call.
func (s *Speaker) leaveCall() {
	if s.current == nil {
		return
	}
	if len(bytes.TrimSpace(s.current.input)) == 0 { // no arguments are an empty object
		s.current.input = append(s.current.input, "{}"...)
	}
	s.tell(s.current)
	s.current.done = true
	s.current = nil
	s.close()
}

// Finish tells what is left, and why the answer ended.
func (s *Speaker) Finish(reason, matched string) {
	malformed := s.leave()
	s.stop(stopReason(reason, matched, len(s.calls) > 0, malformed))
}

// Stop is Finish for a reason in Converse's own word.
func (s *Speaker) Stop(reason string) {
	s.leave()
	s.stop(reason)
}

// leave tells what is left, and says whether a call was malformed.
func (s *Speaker) leave() (malformed bool) {
	for s.current != nil || s.waiting() != nil {
		if s.current == nil {
			s.current = s.waiting()
			s.start(s.current)
		}
		s.leaveCall()
	}
	for _, t := range s.calls {
		malformed = malformed || t.name == "" || !json.Valid(t.input)
	}
	late := s.late
	s.Text(late)
	return malformed
}

func (s *Speaker) stop(reason string) {
	s.begin()
	s.close()
	s.Event(converse.Event{MessageStop: &converse.MessageStopEvent{StopReason: reason}})
}

// NewCall is a call that is whole, the n-th of its answer.
func NewCall(n int, name string, arguments []byte) *Call {
	return &Call{index: int64(n), name: name, arguments: string(arguments)}
}
