package openai

import (
	"io"
	"net/http"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/chat"
	"outcrop/internal/sse"
	"outcrop/upstream"
)

// A stream is one streamed answer under way.
type stream struct {
	u        *Upstream
	attempt  outcrop.Attempt
	watch    *upstream.Watch
	began    time.Time
	say      chat.Speaker
	chunk    chat.Chunk
	finished bool // finish_reason has come, and messageStop gone
	done     bool // [DONE] has come
	failure  error
	usage    *converse.TokenUsage
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
	switch {
	case !s.chunk.Decode(text):
		return s.u.host.Failed(s.attempt, res.StatusCode, "The model's server answered with broken JSON. Tell the operator.")
	case s.chunk.Failure == nil && !s.chunk.Choice:
		return s.u.host.Failed(s.attempt, res.StatusCode, "The model's server answered without choices. Tell the operator.")
	case s.chunk.Finish == "":
		s.chunk.Finish = "stop" // it is whole, whatever it says
	}
	if err := s.take(); err != nil {
		return s.fail(err)
	}
	s.metadata()
	return nil
}

// events follows the body, so its rest is left alone until that is over.
func (s *stream) events(body io.Reader) error {
	_, err := io.Copy(&sse.Splitter{Each: s.hear, Longest: upstream.MaxEventBytes, Limit: upstream.MaxStreamBytes}, body)
	switch {
	case s.failure != nil:
		return s.fail(s.failure)
	case s.say.Deaf:
		return nil
	case s.done:
		return s.end(body)
	case err == nil:
		err = io.EOF
	}
	return s.ended(err)
}

// hear takes in one event's data while somebody listens.
func (s *stream) hear(data []byte) error {
	if s.done = string(data) == "[DONE]"; s.done {
		return upstream.ErrEnough
	}
	patience := s.u.config.IdleTimeout
	if s.finished {
		patience = upstream.ClosingTime
	}
	if s.failure = s.event(data, s.watch.Wind(patience)); s.failure != nil || s.say.Deaf {
		return upstream.ErrEnough
	}
	return nil
}

// event takes in one event's data, so long after the call began.
func (s *stream) event(data []byte, ran time.Duration) error {
	if ran > upstream.MaxStreamTime {
		return outcrop.Errorf(outcrop.ModelTimeout, "The model's stream lasted longer than %s.", upstream.MaxStreamTime)
	}
	if !s.chunk.Decode(data) {
		return s.u.host.Failed(s.attempt, 200, "The model's server streamed broken JSON. Tell the operator.")
	}
	return s.take()
}

// take passes on what the chunk says.
func (s *stream) take() error {
	c := &s.chunk
	if c.Failure != nil {
		return s.u.host.InBody(s.attempt, (*upstream.Failure)(c.Failure))
	}
	if c.Usage != nil {
		c.Tell(s.attempt)
		s.usage = c.Usage // the last one counts: some servers send it along with every chunk
	}
	if !c.Choice || s.finished {
		return nil
	}
	s.say.Reasoning(c.Reasoning)
	s.say.Text(c.Text)
	for i := range c.Calls {
		if err := s.say.Call(&c.Calls[i]); err != nil {
			return err
		}
	}
	if c.Finish != "" {
		s.finish(c.Finish, c.Matched)
	}
	return nil
}

func (s *stream) finish(reason, matched string) {
	s.say.Finish(reason, matched)
	s.finished = true
	s.watch.Wind(upstream.ClosingTime)
}

// end follows [DONE]. A stream without a finish_reason has ended by itself.
func (s *stream) end(body io.Reader) error {
	if !s.finished {
		s.finish("stop", "")
	}
	s.watch.Drain(body)
	if s.watch.Left() {
		return s.fail(s.watch.Gone())
	}
	s.metadata()
	return nil
}

// ended follows the end of the connection. When all was said but the usage,
// the answer stands, and its usage is absent.
func (s *stream) ended(err error) error {
	if s.finished && !s.watch.Left() {
		s.metadata()
		return nil
	}
	return s.fail(s.u.host.Broken(s.watch, s.attempt, err))
}

// fail is the error to yield, nil when nobody listens any more.
func (s *stream) fail(err error) error {
	switch {
	case s.say.Deaf:
		return nil
	case s.say.Begun:
		return upstream.AfterFirst(err)
	}
	return err
}

func (s *stream) metadata() {
	s.say.Event(converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{
		Usage: s.usage, Metrics: converse.ConverseStreamMetrics{LatencyMs: time.Since(s.began).Milliseconds()}}})
}
