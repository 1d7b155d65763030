package anthropic

import (
	"encoding/json"
	"io"
	"net/http"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/sse"
	"outcrop/upstream"
)

// A stream is one streamed answer under way. Its blocks come one after the
// other, as Converse tells them, so what comes is told at once
// (reference/runtime-metering-billing.md §2.6).
type stream struct {
	u       *Upstream
	attempt outcrop.Attempt
	watch   *upstream.Watch
	began   time.Time
	yield   func(converse.Event, error) bool

	usage usage
	stop  string // stop_reason; the answer is complete when it has come
	deaf  bool   // the consumer has stopped listening
	begun bool   // messageStart is out

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
		Citation    *citation `json:"citation"`
		StopReason  string    `json:"stop_reason"`
	} `json:"delta"`
	Usage usage      `json:"usage"`
	Error *wireError `json:"error"`
}

// follow reads the response to its end. A server that does not stream answers
// in JSON, which is then told as events.
func (s *stream) follow(res *http.Response) error {
	streams, err := s.u.host.Streams(s.attempt, res)
	switch {
	case err != nil:
		return err
	case streams:
		return s.events(res.Body)
	}
	return s.whole(res)
}

func (s *stream) whole(res *http.Response) error {
	text, err := s.u.host.ReadAnswer(s.watch, s.attempt, res)
	if err != nil {
		return err
	}
	response, err := s.u.decodeAnswer(s.attempt, text)
	if err != nil {
		return err
	}
	response.Metrics.LatencyMs = time.Since(s.began).Milliseconds()
	for e := range response.Events() {
		if !s.yield(e, nil) {
			return nil
		}
	}
	return nil
}

func (s *stream) events(body io.Reader) error {
	reader := sse.NewReader(body, upstream.MaxEventBytes, upstream.MaxStreamBytes)
	for {
		data, err := reader.Next()
		if err != nil {
			return s.ended(err)
		}
		s.watch.Wind(s.patience())
		over, err := s.event(data)
		switch {
		case err != nil:
			return s.fail(err)
		case s.deaf:
			return nil
		case over:
			return s.end(body)
		}
	}
}

// patience is how long the next event may take.
func (s *stream) patience() time.Duration {
	if s.stop != "" {
		return upstream.ClosingTime
	}
	return s.u.config.IdleTimeout
}

// event takes in one event's data, and says whether it was the last.
func (s *stream) event(data []byte) (over bool, err error) {
	if time.Since(s.began) > upstream.MaxStreamTime {
		return false, outcrop.Errorf(outcrop.ModelTimeout, "The model's stream lasted longer than %s.", upstream.MaxStreamTime)
	}
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return false, s.failed("The model's server streamed broken JSON. Tell the operator.").Because(err)
	}
	switch e.Type {
	case "error":
		if e.Error == nil {
			e.Error = new(wireError)
		}
		return false, s.u.host.InBody(s.attempt, e.Error.failure())
	case "message_start":
		if e.Message != nil {
			s.usage.take(&e.Message.Usage)
			s.usage.Output = count{} // only what has been said so far: the end tells the rest
			s.usage.tell(s.attempt)
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
			s.stop = e.Delta.StopReason
		}
	case "message_stop":
		return true, nil
	}
	return false, nil // ping, and what is not known yet
}

func (s *stream) failed(message string) *outcrop.Error {
	return s.u.host.Failed(s.attempt, http.StatusOK, "%s", message)
}

// tell sends an event. The message begins with the first thing said, so that a
// failure before it may still be tried elsewhere.
func (s *stream) tell(e converse.Event) {
	if !s.begun {
		s.begun = true
		s.tell(converse.Event{MessageStart: &converse.MessageStartEvent{Role: "assistant"}})
	}
	if !s.deaf && !s.yield(e, nil) {
		s.deaf = true
	}
}

// say sends a delta of the open block.
func (s *stream) say(d converse.ContentBlockDelta) {
	s.told = true
	s.tell(converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: d, ContentBlockIndex: s.index}})
}

// start begins a block. What it begins with is told like its first delta.
func (s *stream) start(e *event) error {
	if e.ContentBlock == nil {
		return s.failed("The model's server began a block of nothing. Tell the operator.")
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
func (s *stream) delta(e *event) error {
	if s.open == nil || s.at != e.Index {
		return s.failed("The model's server mixed up its blocks. Tell the operator.")
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

func (s *stream) text(text string) {
	if text != "" {
		s.say(converse.ContentBlockDelta{Text: &text})
	}
}

func (s *stream) thought(text string) {
	if text != "" {
		s.say(converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{Text: &text}})
	}
}

func (s *stream) signature(text string) {
	if text != "" {
		s.say(converse.ContentBlockDelta{ReasoningContent: &converse.ReasoningContentBlockDelta{Signature: &text}})
	}
}

// leave closes the open block. One of which nothing was told never was.
func (s *stream) leave() {
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

// end follows message_stop.
func (s *stream) end(body io.Reader) error {
	s.watch.Drain(body)
	if s.watch.Left() {
		return s.fail(s.watch.Gone())
	}
	s.finish()
	return nil
}

// finish tells why the answer ended, and what it used.
func (s *stream) finish() {
	s.leave()
	s.tell(converse.Event{MessageStop: &converse.MessageStopEvent{StopReason: stopReason(s.stop)}})
	s.tell(converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{
		Usage: s.usage.converse(), Metrics: converse.ConverseStreamMetrics{LatencyMs: time.Since(s.began).Milliseconds()}}})
}

// ended follows the end of the connection. When stop_reason has come, the
// answer stands.
func (s *stream) ended(err error) error {
	if s.stop != "" && !s.watch.Left() {
		s.finish()
		return nil
	}
	return s.fail(s.u.host.Broken(s.watch, s.attempt, err))
}

// fail is the error to yield, nil when nobody listens any more.
func (s *stream) fail(err error) error {
	switch {
	case s.deaf:
		return nil
	case s.begun:
		return upstream.AfterFirst(err)
	}
	return err
}
