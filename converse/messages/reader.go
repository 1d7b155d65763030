package messages

import (
	"encoding/json"
	"time"

	"outcrop"
	"outcrop/converse"
)

// A Reader tells one streamed answer as Converse's events. Its blocks come one
// after the other, as Converse tells them, so what comes is told at once
// (reference/runtime-metering-billing.md §2.6).
type Reader struct {
	Yield   func(converse.Event, error) bool
	Attempt outcrop.Attempt // to note in what is known before the end
	Stop    string          // stop_reason; the answer is complete when it has come
	Deaf    bool            // the consumer has stopped listening
	Begun   bool            // messageStart is out

	usage usage
	open  *answerBlock // as it began; nil between blocks
	at    int64        // its index there
	told  bool         // something of it is out
	fed   bool         // so is some of its input
	index int64        // its index here, or the next one's
}

// An event is one event of a stream, with the members of all types.
type event struct {
	Type         string       `json:"type"`
	Index        int64        `json:"index"`
	Message      *answer      `json:"message"`
	ContentBlock *answerBlock `json:"content_block"`
	Delta        struct {
		Type        string    `json:"type"`
		Text        string    `json:"text"`
		PartialJSON string    `json:"partial_json"`
		Thinking    string    `json:"thinking"`
		Signature   string    `json:"signature"`
		Citation    *Citation `json:"citation"`
		StopReason  string    `json:"stop_reason"`
	} `json:"delta"`
	Usage usage      `json:"usage"`
	Error *wireError `json:"error"`
}

// Event takes in one event's data, and says whether it was the last. Its error
// is a *Failure when the server tells one, and else of the kind ModelFailed.
func (s *Reader) Event(data []byte) (over bool, err error) {
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return false, failed("The model's server streamed broken JSON. Tell the operator.").Because(err)
	}
	switch e.Type {
	case "error":
		if e.Error == nil {
			e.Error = new(wireError)
		}
		return false, e.Error.failure()
	case "message_start":
		if e.Message != nil {
			s.usage.take(&e.Message.Usage)
			s.usage.Output = count{} // only what has been said so far: the end tells the rest
			s.usage.tell(s.Attempt)
		}
	case "content_block_start":
		return false, s.start(&e)
	case "content_block_delta":
		return false, s.delta(&e)
	case "content_block_stop":
		s.leave()
	case "message_delta":
		s.usage.take(&e.Usage)
		if e.Delta.StopReason != "" {
			s.Stop = e.Delta.StopReason
		}
	case "message_stop":
		return true, nil
	}
	return false, nil // ping, and what is not known yet
}

// tell sends an event. The message begins with the first thing said, so that a
// failure before it may still be tried elsewhere.
func (s *Reader) tell(e converse.Event) {
	if !s.Begun {
		s.Begun = true
		s.tell(converse.Event{MessageStart: &converse.MessageStartEvent{Role: "assistant"}})
	}
	if !s.Deaf && !s.Yield(e, nil) {
		s.Deaf = true
	}
}

// say sends a delta of the open block.
func (s *Reader) say(d converse.ContentBlockDelta) {
	s.told = true
	s.tell(converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: d, ContentBlockIndex: s.index}})
}

// start begins a block. What it begins with is told like its first delta.
func (s *Reader) start(e *event) error {
	if e.ContentBlock == nil {
		return failed("The model's server began a block of nothing. Tell the operator.")
	}
	s.leave()
	s.open, s.at = e.ContentBlock, e.Index
	switch b := e.ContentBlock; b.Type {
	case "tool_use":
		s.told = true
		s.tell(converse.Event{ContentBlockStart: &converse.ContentBlockStartEvent{
			Start: converse.ContentBlockStart{ToolUse: &converse.ToolUseBlockStart{ToolUseId: b.ID, Name: b.Name}}, ContentBlockIndex: s.index}})
	case "redacted_thinking":
		s.say(converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{RedactedContent: converse.Base64(b.Data)}})
	case "text":
		s.text(b.Text)
	case "thinking":
		s.thought(b.Thinking)
		s.signature(b.Signature)
	}
	return nil
}

// delta takes in a piece of the open block. Pieces of a block that Converse
// has no form for are passed over.
func (s *Reader) delta(e *event) error {
	if s.open == nil || s.at != e.Index {
		return failed("The model's server mixed up its blocks. Tell the operator.")
	}
	switch s.open.Type {
	case "text":
		s.text(e.Delta.Text)
		if e.Delta.Citation != nil {
			s.say(converse.ContentBlockDelta{Citation: e.Delta.Citation.delta()})
		}
	case "thinking":
		s.thought(e.Delta.Thinking)
		s.signature(e.Delta.Signature)
	case "tool_use":
		if e.Delta.PartialJSON != "" {
			s.fed = true
			s.say(converse.ContentBlockDelta{ToolUse: &converse.ToolUseBlockDelta{Input: e.Delta.PartialJSON}})
		}
	}
	return nil
}

func (s *Reader) text(text string) {
	if text != "" {
		s.say(converse.ContentBlockDelta{Text: &text})
	}
}

func (s *Reader) thought(text string) {
	if text != "" {
		s.say(converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{Text: &text}})
	}
}

func (s *Reader) signature(text string) {
	if text != "" {
		s.say(converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{Signature: &text}})
	}
}

// leave closes the open block. One of which nothing was told never was.
func (s *Reader) leave() {
	if s.open == nil {
		return
	}
	if s.open.Type == "tool_use" && !s.fed { // no pieces came: what it began with is all
		s.say(converse.ContentBlockDelta{ToolUse: &converse.ToolUseBlockDelta{Input: string(s.open.input())}})
	}
	if s.told {
		s.tell(converse.Event{ContentBlockStop: &converse.ContentBlockStopEvent{ContentBlockIndex: s.index}})
		s.index++
	}
	s.open, s.told, s.fed = nil, false, false
}

// Finish tells why the answer ended, and what it used.
func (s *Reader) Finish(latency time.Duration) {
	s.leave()
	s.tell(converse.Event{MessageStop: &converse.MessageStopEvent{StopReason: stopReason(s.Stop)}})
	s.tell(converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{
		Usage: s.usage.converse(), Metrics: converse.ConverseStreamMetrics{LatencyMs: latency.Milliseconds()}}})
}
