package anthropic

import (
	"io"
	"net/http"
	"time"

	"outcrop"
	"outcrop/converse/messages"
	"outcrop/internal/sse"
	"outcrop/upstream"
)

// A stream is one streamed answer under way.
type stream struct {
	u       *Upstream
	attempt outcrop.Attempt
	watch   *upstream.Watch
	began   time.Time
	read    messages.Reader
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
		if !s.read.Yield(e, nil) {
			return nil
		}
	}
	return nil
}

// events follows the body, so its rest is left alone until that is over.
func (s *stream) events(body io.Reader) error {
	over, broken, err := s.hear(body, s.event)
	switch {
	case err != nil:
		return s.fail(err)
	case over:
		return s.end(body)
	case broken != nil:
		return s.ended(broken)
	}
	return nil
}

// hear has take look at each event until it says that one was the last, or
// nobody listens any more. broken is how the stream ended by itself, err take's.
func (s *stream) hear(body io.Reader, take func(data []byte) (over bool, err error)) (over bool, broken, err error) {
	events := sse.Splitter{Longest: upstream.MaxEventBytes, Limit: upstream.MaxStreamBytes, Each: func(data []byte) error {
		s.watch.Wind(s.patience())
		if over, err = take(data); over || err != nil || s.read.Deaf {
			return upstream.ErrEnough
		}
		return nil
	}}
	switch _, broken = io.Copy(&events, body); {
	case broken == nil:
		broken = io.EOF
	case broken == upstream.ErrEnough:
		broken = nil
	}
	return over, broken, err
}

// patience is how long the next event may take.
func (s *stream) patience() time.Duration {
	if s.read.Stop != "" {
		return upstream.ClosingTime
	}
	return s.u.config.IdleTimeout
}

// event takes in one event's data, and says whether it was the last.
func (s *stream) event(data []byte) (over bool, err error) {
	if time.Since(s.began) > upstream.MaxStreamTime {
		return false, outcrop.Errorf(outcrop.ModelTimeout, "The model's stream lasted longer than %s.", upstream.MaxStreamTime)
	}
	over, err = s.read.Event(data)
	return over, s.u.told(s.attempt, err)
}

func (s *stream) failed(message string) *outcrop.Error {
	return s.u.host.Failed(s.attempt, http.StatusOK, "%s", message)
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

func (s *stream) finish() { s.read.Finish(time.Since(s.began)) }

// ended follows the end of the connection. When stop_reason has come, the
// answer stands.
func (s *stream) ended(err error) error {
	if s.read.Stop != "" && !s.watch.Left() {
		s.finish()
		return nil
	}
	return s.fail(s.u.host.Broken(s.watch, s.attempt, err))
}

// fail is the error to yield, nil when nobody listens any more.
func (s *stream) fail(err error) error {
	switch {
	case s.read.Deaf:
		return nil
	case s.read.Begun:
		return upstream.AfterFirst(err)
	}
	return err
}
