package bedrock

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/internal/eventstream"
	"outcrop/upstream"
)

// Bounds in time of a stream, beside those of Config.
const (
	drainTime  = 250 * time.Millisecond // for the last bytes, so that the connection can be used again
	drainBytes = 4 << 10
)

// A stream is one streamed answer under way.
type stream struct {
	u       *Upstream
	attempt outcrop.Attempt
	watch   *upstream.Watch
	yield   func(converse.Event, error) bool
	begun   bool // an event has gone out
	stopped bool // messageStop has gone out
	deaf    bool // nobody listens any more
}

// follow reads the response to its end.
func (s *stream) follow(res *http.Response) error {
	if err := s.streams(res); err != nil {
		return err
	}
	limited := &io.LimitedReader{R: res.Body, N: upstream.MaxStreamBytes}
	frames := eventstream.NewDecoder(limited) // a response has a buffer of its own
	for deadline := time.Now().Add(upstream.MaxStreamTime); ; {
		message, err := frames.Next()
		if err != nil {
			return s.ended(err, limited.N <= 0)
		}
		event, known, err := s.read(&message)
		switch {
		case err != nil:
			return s.fail(err)
		case !known:
			continue
		case event.Metadata != nil:
			return s.close(event, res.Body)
		case time.Now().After(deadline):
			return s.fail(outcrop.Errorf(outcrop.ModelTimeout, "The model's stream lasted longer than %s.", upstream.MaxStreamTime))
		}
		s.watch.Wind(s.u.config.IdleTimeout)
		s.stopped = s.stopped || event.MessageStop != nil
		if s.send(event); s.deaf {
			return nil
		}
	}
}

// streams is the error of a response that is no event stream.
func (s *stream) streams(res *http.Response) error {
	switch kind := upstream.MediaType(res); kind {
	case "application/vnd.amazon.eventstream":
		return nil
	case "application/json":
		text, err := s.u.host.ReadAnswer(s.watch, s.attempt, res)
		if err != nil {
			return err
		}
		return s.u.noAnswer(s.attempt, text)
	default:
		return s.u.host.Failed(s.attempt, res.StatusCode, "The model's server answered with %s instead of an event stream. Tell the operator.", s.u.host.Harmless(kind))
	}
}

// read makes an event or an error of a frame. Kinds of events that are not
// known here are passed over.
func (s *stream) read(m *eventstream.Message) (e converse.Event, known bool, err error) {
	switch m.Headers.Text(eventstream.MessageType) {
	case eventstream.Event:
		// The decoder's buffer is used again for the next frame, and events share
		// memory with what they were read from.
		e, err = converse.DecodeEvent(m.Headers.Text(eventstream.EventType), bytes.Clone(m.Payload))
		if err != nil {
			return e, false, s.u.host.Failed(s.attempt, http.StatusOK, "The model's server streamed broken JSON. Tell the operator.").Because(err)
		}
		return e, e != converse.Event{}, nil
	case eventstream.Exception:
		f := refusalOf(m.Payload)
		f.name = exceptionName(m.Headers.Text(eventstream.ExceptionType))
		return e, false, s.u.error(s.attempt, f)
	case eventstream.Error:
		return e, false, s.u.error(s.attempt, &refusal{
			name: exceptionName(m.Headers.Text(eventstream.ErrorCode)), message: m.Headers.Text(eventstream.ErrorMessage)})
	}
	return e, false, nil
}

func (s *stream) send(e converse.Event) {
	s.begun = true
	s.deaf = s.deaf || !s.yield(e, nil)
}

// close follows the metadata, which ends every answer.
func (s *stream) close(metadata converse.Event, body io.Reader) error {
	s.watch.Wind(drainTime)
	io.CopyN(io.Discard, body, drainBytes) // what goes wrong now costs a connection, not the answer
	if s.watch.Left() {
		return s.fail(s.watch.Gone())
	}
	s.send(metadata)
	return nil
}

// ended follows the end of the connection. When all was said but the metadata,
// the answer stands, and its usage is absent.
func (s *stream) ended(err error, full bool) error {
	if s.stopped && !s.watch.Left() {
		s.send(converse.Event{Metadata: new(converse.ConverseStreamMetadataEvent)})
		return nil
	}
	if full || errors.Is(err, eventstream.ErrLength) {
		return s.fail(s.u.host.Failed(s.attempt, http.StatusOK, "The model's stream is longer than Outcrop takes.").Because(err))
	}
	return s.fail(s.u.host.Broken(s.watch, s.attempt, err))
}

// fail is the error to yield: another one once the client has seen a part.
func (s *stream) fail(err error) error {
	if s.begun {
		return afterFirst(err)
	}
	return err
}
