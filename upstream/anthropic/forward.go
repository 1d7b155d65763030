package anthropic

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/messages"
	"outcrop/converse/native"
	"outcrop/gateway"
	"outcrop/internal/jsonlex"
	"outcrop/upstream"
)

// Forwards implements gateway.Forwarder: a native body for one of Anthropic's
// models is a Messages body but for a few members at its top.
func (u *Upstream) Forwards(a outcrop.Attempt, f *gateway.Form) bool {
	return f.Protocol == gateway.InvokeProtocol && strings.HasPrefix(string(a.Destination.Model), "anthropic.") && versioned(f.Body)
}

// versioned says whether a body names the version of Bedrock's form, without
// which Bedrock refuses it.
func versioned(body []byte) bool {
	m, err := readMembers(body)
	return err == nil && m.version
}

// members are the parts of a native body that the server takes otherwise: the
// model and streaming, which Bedrock has in the path, and the version and the
// betas, which the server has in headers.
type members struct {
	rest    [][]byte // the other members, each as written, name and value
	betas   json.RawMessage
	version bool
}

func readMembers(body []byte) (m members, err error) {
	var l jsonlex.Lexer
	l.Reset(body)
	l.Object()
	for from := l.End(); l.Member(); from = l.End() {
		name := l.Name()
		value := l.Raw()
		switch name {
		case "model", "stream":
		case "anthropic_version":
			m.version = true
		case "anthropic_beta":
			m.betas = value
		default:
			m.rest = append(m.rest, bytes.TrimLeft(body[from:l.End()], ", \t\r\n"))
		}
	}
	return m, l.Done()
}

// rewritten is a native body as the server takes it. What stays is byte for
// byte what it was.
func (m *members) rewritten(model outcrop.UpstreamModel, stream bool) []byte {
	size := len(model) + len(`{"model":"","stream":true}`)
	for _, r := range m.rest {
		size += len(r) + len(",")
	}
	out := append(make([]byte, 0, size), `{"model":`...)
	out = jsonlex.AppendString(out, string(model))
	if stream {
		out = append(out, `,"stream":true`...)
	}
	for _, r := range m.rest {
		out = append(append(out, ','), r...)
	}
	return append(out, '}')
}

func (u *Upstream) forward(a outcrop.Attempt, f *gateway.Form, stream bool) (upstream.Post, error) {
	m, err := readMembers(f.Body)
	if err != nil {
		return upstream.Post{}, outcrop.Errorf(outcrop.Invalid, "The request body is not JSON. Correct it and try again.")
	}
	betas, err := messages.ReadBetas(m.betas)
	if err != nil {
		return upstream.Post{}, err
	}
	p := upstream.Post{URL: u.address, Attempt: a, Body: m.rewritten(a.Model, stream)}
	if beta := messages.JoinBetas(u.beta, betas); beta != u.beta {
		p.Header = map[string]string{"Anthropic-Beta": beta}
	}
	return p, nil
}

// Forward implements gateway.Forwarder.
func (u *Upstream) Forward(ctx context.Context, a outcrop.Attempt, f *gateway.Form) (*gateway.Forwarded, error) {
	p, err := u.forward(a, f, false)
	if err != nil {
		return nil, err
	}
	text, err := u.host.Ask(ctx, u.config.Timeout, p)
	if err != nil {
		return nil, err
	}
	var g native.Glance
	if err := g.Read(text); err != nil {
		return nil, u.host.Failed(a, http.StatusOK, "The model's server answered with broken JSON. Tell the operator.").Because(err)
	}
	if g.Stop == "" { // no message: an error, or nothing that is known
		_, err := u.decodeAnswer(a, text)
		return nil, err
	}
	f.Room = gateway.Forwarded{Body: text, Seen: converse.Glimpse{Output: g.Output, StopReason: g.Stop, Usage: g.Usage()}}
	return &f.Room, nil
}

// ForwardStream implements gateway.Forwarder: the data of each event becomes a
// chunk.
func (u *Upstream) ForwardStream(ctx context.Context, a outcrop.Attempt, f *gateway.Form) iter.Seq2[*gateway.Piece, error] {
	return func(yield func(*gateway.Piece, error) bool) {
		if err := u.forwardStream(ctx, a, f, yield); err != nil {
			yield(nil, err)
		}
	}
}

// forwardStream returns an error only while the consumer still listens.
func (u *Upstream) forwardStream(ctx context.Context, a outcrop.Attempt, f *gateway.Form, yield func(*gateway.Piece, error) bool) error {
	began := time.Now()
	p, err := u.forward(a, f, true)
	if err != nil {
		return err
	}
	return u.host.Stream(ctx, u.config.FirstByteTimeout, &p, func(watch *upstream.Watch, res *http.Response) error {
		switch streams, err := u.host.Streams(a, res); {
		case err != nil:
			return err
		case !streams:
			return u.unstreamed(watch, a, res)
		}
		s := &passage{stream: stream{u: u, attempt: a, watch: watch, began: began}, pass: yield}
		return s.follow(res)
	})
}

// unstreamed is the error of a server that answered whole.
func (u *Upstream) unstreamed(w *upstream.Watch, a outcrop.Attempt, res *http.Response) error {
	text, err := u.host.ReadAnswer(w, a, res)
	if err != nil {
		return err
	}
	if f := readFailure(text); f != nil {
		return u.host.InBody(a, f)
	}
	return u.host.Failed(a, http.StatusOK, "The model's server did not stream its answer. Tell the operator.")
}

// A passage is one stream on its way through, event by event.
type passage struct {
	stream
	pass    func(*gateway.Piece, error) bool
	piece   gateway.Piece
	glance  native.Glance
	closing []byte   // message_stop
	waiting [][]byte // what came before anything was said: until then another attempt may follow
}

// maxWaiting bounds what may come before anything is said: message_start and
// some pings.
const maxWaiting = 64

func (s *passage) follow(res *http.Response) error {
	over, broken, err := s.hear(res.Body, s.event)
	switch {
	case err != nil:
		return s.fail(err)
	case broken != nil:
		return s.ended(broken)
	case !over:
		return nil
	}
	s.watch.Drain(res.Body)
	if s.watch.Left() {
		return s.fail(s.watch.Gone())
	}
	return s.last(s.closing)
}

// event passes an event on, but for those that something must follow and the
// last.
func (s *passage) event(data []byte) (over bool, err error) {
	kind, err := s.look(data)
	switch {
	case err != nil:
		return false, err
	case kind == "message_stop":
		s.closing = bytes.Clone(data)
		return true, nil
	case !s.read.Begun && (kind == "message_start" || kind == "ping") && len(s.waiting) < maxWaiting:
		s.waiting = append(s.waiting, bytes.Clone(data))
	default:
		s.read.Deaf = !s.send(data)
	}
	return false, nil
}

// look meters an event and returns its type, or the error that it is.
func (s *passage) look(data []byte) (kind string, err error) {
	if time.Since(s.began) > upstream.MaxStreamTime {
		return "", outcrop.Errorf(outcrop.ModelTimeout, "The model's stream lasted longer than %s.", upstream.MaxStreamTime)
	}
	if _, err := s.glance.Into(&s.piece.Seen, data); err != nil {
		return "", s.failed("The model's server streamed broken JSON. Tell the operator.").Because(err)
	}
	s.read.Stop = s.glance.Stop
	kind = typeOf(data)
	if kind == "message_start" {
		s.glance.Tell(s.attempt)
	}
	if kind == "error" {
		if f := readFailure(data); f != nil {
			return "", s.u.host.InBody(s.attempt, f)
		}
		return "", s.failed("The model's server broke off with an error that says nothing.")
	}
	return kind, nil
}

// typeOf is the member type at the top of an event.
func typeOf(data []byte) (kind string) {
	var l jsonlex.Lexer
	l.Reset(data)
	for l.Object(); l.Member(); {
		if l.Name() == "type" && l.Peek() == jsonlex.StringValue {
			return l.String()
		}
		l.Skip()
	}
	return kind
}

// send passes what waited, and then data. It says whether anybody listens.
func (s *passage) send(data []byte) bool {
	seen := s.piece.Seen
	s.piece.Seen = converse.Glimpse{}
	for _, w := range s.waiting {
		s.piece.Chunk = w
		if !s.pass(&s.piece, nil) {
			return false
		}
	}
	s.waiting, s.read.Begun = nil, true
	s.piece.Chunk, s.piece.Seen = data, seen
	return s.pass(&s.piece, nil)
}

// last passes what closes the answer.
func (s *passage) last(data []byte) error {
	if n := len(s.waiting); n > 0 { // an answer that said nothing at all
		start := s.waiting[n-1]
		if s.waiting = s.waiting[:n-1]; !s.send(start) {
			return nil
		}
	}
	s.piece = gateway.Piece{Chunk: data, Last: true, Seen: converse.Glimpse{StopReason: s.glance.Stop, Usage: s.glance.Usage()}}
	s.pass(&s.piece, nil)
	return nil
}

// ended follows the end of the connection. When stop_reason has come, the
// answer stands.
func (s *passage) ended(err error) error {
	if s.read.Stop != "" && !s.watch.Left() {
		return s.last([]byte(`{"type":"message_stop"}`))
	}
	return s.fail(s.u.host.Broken(s.watch, s.attempt, err))
}
