package bedrock

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/native"
	"outcrop/gateway"
	"outcrop/internal/eventstream"
	"outcrop/internal/jsonlex"
	"outcrop/upstream"
)

// Forwards implements gateway.Forwarder: Bedrock speaks both protocols, but for
// models that have no Converse operation, and those that are called in another
// form than their id names.
func (u *Upstream) Forwards(a outcrop.Attempt, f *gateway.Form) bool {
	form := u.form(a)
	if form == nil {
		return true
	}
	named, ok := native.FamilyOf(a.Destination.Model)
	return f.Protocol == gateway.InvokeProtocol && (!ok || named == form)
}

// operations are the last segment of the path, by whether it streams.
var operations = map[gateway.Protocol][2]string{
	gateway.ConverseProtocol: {"converse", "converse-stream"},
	gateway.InvokeProtocol:   {"invoke", "invoke-with-response-stream"},
}

// forward addresses a form.
func (u *Upstream) forward(p *upstream.Post, a outcrop.Attempt, f *gateway.Form, stream int) error {
	model, err := u.called(a)
	if err != nil {
		return err
	}
	*p, err = u.post(a, model, operations[f.Protocol][stream], f.Body)
	p.Digest, p.Header = f.Digest, f.Header
	return err
}

// Forward implements gateway.Forwarder.
func (u *Upstream) Forward(ctx context.Context, a outcrop.Attempt, f *gateway.Form) (*gateway.Forwarded, error) {
	var p upstream.Post
	if err := u.forward(&p, a, f, 0); err != nil {
		return nil, err
	}
	var out *gateway.Forwarded
	room := upstream.Borrow()
	err := u.host.Answer(ctx, u.config.Timeout, &p, room, func(text []byte, header http.Header) (err error) {
		out, err = u.forwarded(a, f, text, header)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.Lent = room
	return out, nil
}

// forwarded is an answer as it came.
func (u *Upstream) forwarded(a outcrop.Attempt, f *gateway.Form, text []byte, header http.Header) (_ *gateway.Forwarded, err error) {
	out := &f.Room
	*out = gateway.Forwarded{Body: text, Header: told(header)}
	if f.Protocol == gateway.InvokeProtocol {
		out.Seen, err = u.invoked(a, text, header)
		return out, err
	}
	if out.Seen, err = converse.GlanceResponse(text); err != nil {
		return nil, u.host.Failed(a, http.StatusOK, "The model's server answered with broken JSON. Tell the operator.").Because(err)
	}
	if !out.Seen.Message {
		return nil, u.noAnswer(a, text)
	}
	return out, nil
}

// invoked meters a native answer. Bedrock counts in its headers, and only the
// body knows how long what was cached will live.
func (u *Upstream) invoked(a outcrop.Attempt, text []byte, h http.Header) (converse.Glimpse, error) {
	var g native.Glance
	if err := g.Read(text); err != nil {
		return converse.Glimpse{}, u.host.Failed(a, http.StatusOK, "The model's server answered with broken JSON. Tell the operator.").Because(err)
	}
	if g.Fault {
		return converse.Glimpse{}, u.noAnswer(a, text)
	}
	for name, values := range h {
		if count, ok := strings.CutPrefix(name, headerPrefix); ok && strings.HasSuffix(count, "-Token-Count") {
			if n, err := strconv.ParseInt(values[0], 10, 64); err == nil {
				g.Told(count, n)
			}
		}
	}
	seen := converse.Glimpse{Output: g.Output, StopReason: g.Stop, Usage: g.Usage(), Images: g.Images}
	if n, known := g.Input(); known && seen.Usage == nil && g.Stop == "" { // a model that does not converse
		seen.Usage = &converse.TokenUsage{InputTokens: n, TotalTokens: n}
	}
	served(&seen, h)
	return seen, nil
}

const headerPrefix = "X-Amzn-Bedrock-"

// served notes what InvokeModel tells in headers of how it was served.
func served(seen *converse.Glimpse, h http.Header) {
	if tier := h.Get(headerPrefix + "Service-Tier"); tier != "" {
		seen.ServiceTier = &converse.ServiceTier{Type: tier}
	}
	if latency := h.Get(headerPrefix + "Performanceconfig-Latency"); latency != "" {
		seen.PerformanceConfig = &converse.PerformanceConfiguration{Latency: latency}
	}
}

// told are the headers that belong to an answer: what is about the connection
// or the request's id is each door's own, and so is the type that nearly every
// answer has.
func told(h http.Header) map[string]string {
	var out map[string]string
	for name, values := range h {
		if name == "Content-Type" && !usual(values[0]) || strings.HasPrefix(name, headerPrefix) {
			if out == nil {
				out = make(map[string]string, 8)
			}
			out[name] = values[0]
		}
	}
	return out
}

func usual(kind string) bool {
	return kind == "application/json" || kind == "application/vnd.amazon.eventstream"
}

// ForwardStream implements gateway.Forwarder.
func (u *Upstream) ForwardStream(ctx context.Context, a outcrop.Attempt, f *gateway.Form) iter.Seq2[*gateway.Piece, error] {
	return func(yield func(*gateway.Piece, error) bool) {
		if err := u.forwardStream(ctx, a, f, yield); err != nil {
			yield(nil, err)
		}
	}
}

// forwardStream returns an error only while the consumer still listens.
func (u *Upstream) forwardStream(ctx context.Context, a outcrop.Attempt, f *gateway.Form, yield func(*gateway.Piece, error) bool) error {
	var p upstream.Post
	if err := u.forward(&p, a, f, 1); err != nil {
		return err
	}
	return u.host.Stream(ctx, u.config.FirstByteTimeout, &p, func(watch *upstream.Watch, res *http.Response) error {
		s := passages.Get().(*passage)
		s.stream, s.protocol, s.pass, s.flush = stream{u: u, attempt: a, watch: watch}, f.Protocol, yield, f.Flush
		err := s.follow(res)
		s.release() // not after a panic: nothing is known then
		return err
	})
}

// A passage is one stream on its way through, frame by frame. The body is
// followed (h1), so whatever happens to a frame happens while the connection is
// read: the rest of the body is left alone until that is over.
type passage struct {
	stream
	protocol gateway.Protocol
	pass     func(*gateway.Piece, error) bool
	flush    func() error // may be nil
	piece    gateway.Piece
	events   converse.Glancer
	event    bool   // the last frame is one
	name     string // of it
	glance   native.Glance
	chunk    []byte // a native chunk, decoded; its memory is used again
	frames   eventstream.Splitter
	room     int64 // bytes that may still come
	failure  error // why it broke off
}

// passages are used again: nobody has one when its stream has been followed.
var passages = sync.Pool{New: func() any {
	s := new(passage)
	s.frames.Each = s.frame
	return s
}}

// maxKeptBytes is how much memory for frames and chunks a passage keeps.
const maxKeptBytes = 64 << 10

// release keeps what the next stream may have the same: how its deltas look,
// and the memory of what came in pieces.
func (s *passage) release() {
	if s.frames.Room()+cap(s.chunk) > maxKeptBytes {
		return
	}
	s.frames.Reset()
	*s = passage{events: s.events, frames: s.frames, chunk: s.chunk[:0]}
	passages.Put(s)
}

var errFull = errors.New("the stream is too long")

func (s *passage) follow(res *http.Response) error {
	if err := s.streams(res); err != nil {
		return err
	}
	s.piece.Header = told(res.Header)
	s.room = upstream.MaxStreamBytes
	s.piece.Later = s.flush != nil
	_, err := io.Copy(s, res.Body)
	s.Flush()
	s.piece.Later = false
	switch {
	case s.failure != nil:
		return s.failure
	case errors.Is(err, upstream.ErrEnough) && s.piece.Last:
		return s.close(res)
	case errors.Is(err, upstream.ErrEnough):
		return nil
	case err == nil:
		err = s.frames.End()
	}
	return s.ended(err, errors.Is(err, errFull))
}

// Write implements io.Writer.
func (s *passage) Write(p []byte) (int, error) {
	if s.room -= int64(len(p)); s.room < 0 {
		return 0, errFull
	}
	return s.frames.Write(p)
}

// Flush implements h1.Flusher: frames that come together leave together. A
// client that has gone is noticed when the next one is passed.
func (s *passage) Flush() error {
	if s.flush != nil && s.begun {
		_ = s.flush()
	}
	return nil
}

// frame passes a frame on, or ends the stream: by the last one, with the
// failure that there was, or because nobody listens any more.
func (s *passage) frame(frame []byte, m eventstream.Message) error {
	err := s.look(&m)
	s.piece.At = s.watch.Wind(s.u.config.IdleTimeout)
	if err == nil && s.piece.At > upstream.MaxStreamTime {
		err = outcrop.Errorf(outcrop.ModelTimeout, "The model's stream lasted longer than %s.", upstream.MaxStreamTime)
	}
	if err != nil {
		s.failure = s.fail(err)
		return upstream.ErrEnough
	}
	if s.piece.Frame = frame; s.piece.Last {
		s.piece.Frame = bytes.Clone(frame) // it waits until the record is on disk
		return upstream.ErrEnough
	}
	s.begun = true
	if !s.pass(&s.piece, nil) {
		return upstream.ErrEnough
	}
	s.piece.Header = nil
	return nil
}

// look meters a frame, or finds the error that it is.
func (s *passage) look(m *eventstream.Message) (err error) {
	name, event := s.named(m)
	if !event {
		s.piece.Seen = converse.Glimpse{}
		_, _, err := s.read(m)
		return err
	}
	if s.protocol == gateway.InvokeProtocol {
		err = s.lookInto(name, m.Payload)
	} else {
		s.piece.Seen, err = s.events.Event(name, m.Payload)
		s.piece.Last = name == "metadata"
	}
	if err != nil {
		return s.u.host.Failed(s.attempt, http.StatusOK, "The model's server streamed broken JSON. Tell the operator.").Because(err)
	}
	s.stopped = s.stopped || s.piece.Seen.StopReason != ""
	return nil
}

// named is the name of the event that a frame is, if it is one. Most frames have
// the headers of the one before.
func (s *passage) named(m *eventstream.Message) (name string, event bool) {
	if !m.Again {
		s.event = m.Headers.Is(eventstream.MessageType, eventstream.Event)
		s.name = ""
		if s.event {
			s.name = eventName(m.Headers)
		}
	}
	return s.name, s.event
}

// eventNames are those of both operations, the most frequent first.
var eventNames = [...]string{"contentBlockDelta", "chunk", "contentBlockStop", "contentBlockStart", "messageStart", "messageStop", "metadata"}

// eventName makes no string of the names it knows, which are nearly all.
func eventName(h eventstream.Headers) string {
	v, _ := h.Get(eventstream.EventType)
	for _, name := range eventNames {
		if string(v.Bytes()) == name {
			return name
		}
	}
	return v.String()
}

// lookInto meters the native chunk that a frame of InvokeModel's stream holds.
func (s *passage) lookInto(name string, payload []byte) (err error) {
	s.piece.Seen = converse.Glimpse{}
	if name != "chunk" {
		return nil
	}
	if s.chunk, err = appendChunk(s.chunk[:0], payload); err != nil {
		return err
	}
	if s.piece.Last, err = s.glance.Into(&s.piece.Seen, s.chunk); !s.begun {
		s.glance.Tell(s.attempt) // Anthropic's models count their input first
	}
	return err
}

// appendChunk appends the native chunk that a frame's payload holds.
func appendChunk(dst, payload []byte) (_ []byte, err error) {
	var l jsonlex.Lexer
	l.Reset(payload)
	for l.Object(); l.Member(); {
		if l.Name() != "bytes" || l.Peek() != jsonlex.StringValue {
			l.Skip()
			continue
		}
		if dst, err = base64.StdEncoding.AppendDecode(dst[:0], l.Base64()); err != nil {
			return dst, err
		}
	}
	return dst, l.Done()
}

// close follows the frame that ends every answer.
func (s *passage) close(res *http.Response) error {
	if s.protocol == gateway.InvokeProtocol {
		served(&s.piece.Seen, res.Header)
	}
	s.watch.Wind(drainTime)
	io.CopyN(io.Discard, res.Body, drainBytes) // what goes wrong now costs a connection, not the answer
	if s.watch.Left() {
		return s.fail(s.watch.Gone())
	}
	s.pass(&s.piece, nil)
	return nil
}

// ended follows the end of the connection. When all was said but what closes
// it, the answer stands, and its usage is what has been told so far.
func (s *passage) ended(err error, full bool) error {
	if s.stopped && !s.watch.Left() {
		return nil
	}
	if full || errors.Is(err, eventstream.ErrLength) {
		return s.fail(s.u.host.Failed(s.attempt, http.StatusOK, "The model's stream is longer than Outcrop takes.").Because(err))
	}
	return s.fail(s.u.host.Broken(s.watch, s.attempt, err))
}
