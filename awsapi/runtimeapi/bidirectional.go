package runtimeapi

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse/speech"
	"outcrop/internal/eventstream"
)

// Limits of a spoken conversation. The first two are AWS's, whose PartBody has
// at most a million bytes before base64.
const (
	defaultSilence = 55 * time.Second
	defaultSession = speech.MaxSessionSeconds * time.Second
	maxHeardBytes  = 1_500_000
	partingWait    = 250 * time.Millisecond // for a client that has said sessionEnd to close its side
)

// invokeModelBidirectional lets a client and a model speak at once. The status
// is sent as soon as the call is admitted, since clients wait for it before
// they speak; what fails later is told in the stream.
func (a *API) invokeModelBidirectional(w http.ResponseWriter, r *awsapi.Request) error {
	in := a.listener(w, r)
	c := call(r, outcrop.OpInvokeModelBidirectional)
	c.Hear = in.hear
	talk, err := a.Gateway.Speak(r.Context(), c)
	if err != nil {
		return refused(r, err)
	}
	out := a.frames(w)
	defer out.release()
	defer func() { r.ServedIn = talk.ServedIn() }()
	out.begin()
	out.flush() // a client that has gone is noticed when it is listened to
	for said, err := range talk.Events {
		in.mayWrite()
		if err != nil {
			out.sever(err)
			return nil
		}
		if out.chunk(said.Body) != nil {
			return nil
		}
	}
	in.part()
	return nil
}

// sever ends the stream with why.
func (f *frames) sever(err error) {
	headers := eventstream.ExceptionHeaders(duplexException(err), "application/json")
	var e *outcrop.Error
	if errors.As(err, &e) && e.Auth { // no exception of the stream is that of a bad signature
		headers = eventstream.ErrorHeaders(awsapi.CodeOf(err), e.Message)
	}
	f.write(headers, exceptionPayload(err)) // a client that has gone cannot be told
}

// duplexException is exceptionName with the one that this stream has beside.
func duplexException(err error) string {
	if outcrop.KindOf(err) == outcrop.ModelTimeout {
		return "modelTimeoutException"
	}
	return exceptionName(outcrop.KindOf(err))
}

// A listener reads the events of a client, each within its time.
type listener struct {
	control *http.ResponseController
	request *awsapi.Request
	bounded *io.LimitedReader // one frame at a time
	frames  *eventstream.Decoder
	silence time.Duration
	end     time.Time // of the session
}

func (a *API) listener(w http.ResponseWriter, r *awsapi.Request) *listener {
	l := &listener{control: http.NewResponseController(w), request: r, silence: cmp.Or(a.SilenceLimit, defaultSilence)}
	l.end = time.Now().Add(cmp.Or(a.SessionLimit, defaultSession))
	l.bounded = &io.LimitedReader{R: bufio.NewReader(r.HTTP.Body)}
	l.frames = eventstream.NewDecoder(l.bounded)
	return l
}

// hear implements gateway.Hear.
func (l *listener) hear() (speech.Event, error) {
	m, err := l.next()
	if err != nil {
		return speech.Event{}, err
	}
	return heard(m.Payload)
}

// heard reads what a signed frame holds.
func heard(payload []byte) (speech.Event, error) {
	if len(payload) == 0 { // a signed end
		return speech.Event{}, io.EOF
	}
	inner, rest, err := eventstream.Decode(payload)
	if err != nil || len(rest) > 0 {
		return speech.Event{}, unreadable("a signed frame must hold one frame")
	}
	if !inner.Headers.Is(eventstream.MessageType, eventstream.Event) || !inner.Headers.Is(eventstream.EventType, "chunk") {
		return speech.Event{}, unreadable("only events of type chunk are taken")
	}
	body, err := chunkBytes(inner.Payload)
	if err != nil {
		return speech.Event{}, err
	}
	return speech.Parse(body)
}

// next reads a frame and verifies its signature.
func (l *listener) next() (eventstream.Message, error) {
	l.bounded.N = maxHeardBytes
	until := time.Now().Add(l.silence)
	if until.After(l.end) {
		until = l.end
	}
	l.control.SetReadDeadline(until)
	m, err := l.frames.Next()
	if err != nil {
		return m, l.unheard(err)
	}
	return m, l.verify(m)
}

func (l *listener) verify(m eventstream.Message) error {
	at, dated := m.Headers.Get(":date")
	signature, signed := m.Headers.Get(":chunk-signature")
	if !dated || !signed {
		return unreadable("a frame must have the headers :date and :chunk-signature")
	}
	return l.request.Events.Verify(at.Time(), eventstream.Headers(nil).Time(":date", at.Time()), m.Payload, signature.Bytes(), time.Now())
}

// unheard says why there is no next frame.
func (l *listener) unheard(err error) error {
	switch {
	case l.bounded.N <= 0:
		return unreadable(fmt.Sprintf("a frame is larger than %d bytes", maxHeardBytes))
	case err == io.EOF:
		return err
	case errors.Is(err, eventstream.ErrChecksum), errors.Is(err, eventstream.ErrLength), errors.Is(err, eventstream.ErrHeaders):
		return unreadable(err.Error())
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %w", context.Canceled, err)
	case time.Now().Before(l.end):
		return outcrop.Errorf(outcrop.ModelTimeout, "Timed out waiting for input events (%v).", l.silence)
	}
	return outcrop.Errorf(outcrop.ModelTimeout, "The session has reached its longest time. Begin another one with what was said so far.")
}

func unreadable(why string) error {
	return outcrop.Errorf(outcrop.Invalid, "The event stream cannot be read: %s.", why)
}

// chunkBytes is what a chunk event holds, in memory of its own.
func chunkBytes(payload []byte) ([]byte, error) {
	var chunk struct {
		Bytes []byte `json:"bytes"`
	}
	if err := json.Unmarshal(payload, &chunk); err != nil {
		return nil, unreadable(`a chunk must be {"bytes":"..."} with base64`)
	}
	return chunk.Bytes, nil
}

// mayWrite gives the next event its time to leave.
func (l *listener) mayWrite() { l.control.SetWriteDeadline(time.Now().Add(l.silence)) }

// part waits a moment for the client to close its side as well, so that its
// connection can be used again.
func (l *listener) part() {
	l.control.SetWriteDeadline(time.Time{})
	l.control.SetReadDeadline(time.Now().Add(partingWait))
	l.bounded.N = maxHeardBytes
	io.Copy(io.Discard, l.bounded)
}
