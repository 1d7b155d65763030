package bedrock

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/native"
	"outcrop/gateway"
	"outcrop/internal/eventstream"
	"outcrop/upstream"
)

// Models that have no Converse operation are asked through InvokeModel, in
// their own form: the conversation is written into it, and the answer read back.

// invocation addresses a request in a model's own form.
func (u *Upstream) invocation(a outcrop.Attempt, model string, form native.Family, r *converse.Request, stream int) (upstream.Post, error) {
	header, err := besideBody(r, stream == 1)
	if err != nil {
		return upstream.Post{}, err
	}
	body, err := form.EncodeRequest(r)
	if err != nil {
		return upstream.Post{}, err
	}
	p, err := u.post(a, model, operations[gateway.InvokeProtocol][stream], body)
	p.Header = header
	return p, err
}

// besideBody are the members of a conversation that InvokeModel has in headers
// (reference/runtime-metering-billing.md §1.2).
func besideBody(r *converse.Request, streaming bool) (map[string]string, error) {
	header := map[string]string{}
	set := func(name, value string) {
		if value != "" {
			header[headerPrefix+name] = value
		}
	}
	if g := r.GuardrailConfig; g != nil {
		if g.Trace != "" && g.Trace != "disabled" {
			return nil, unsaid("guardrailConfig.trace")
		}
		if streaming && g.StreamProcessingMode == "async" {
			return nil, unsaid("guardrailConfig.streamProcessingMode async")
		}
		set("Guardrailidentifier", g.GuardrailIdentifier)
		set("Guardrailversion", g.GuardrailVersion)
	}
	if r.PerformanceConfig != nil {
		set("Performanceconfig-Latency", r.PerformanceConfig.Latency)
	}
	if r.ServiceTier != nil {
		set("Service-Tier", r.ServiceTier.Type)
	}
	if len(r.RequestMetadata) > 0 {
		text, err := json.Marshal(r.RequestMetadata)
		if err != nil {
			return nil, err
		}
		set("Request-Metadata", string(text))
	}
	return header, nil
}

func unsaid(field string) error {
	return outcrop.Errorf(outcrop.Invalid, "The %s field is not supported for this model, which is called in its own form. Remove it and try again.", field)
}

// invoke answers at once.
func (u *Upstream) invoke(ctx context.Context, a outcrop.Attempt, model string, form native.Family, r *converse.Request) (*converse.Response, error) {
	began := time.Now()
	p, err := u.invocation(a, model, form, r, 0)
	if err != nil {
		return nil, err
	}
	var response *converse.Response
	err = u.host.Answer(ctx, u.config.Timeout, &p, nil, func(text []byte, header http.Header) (err error) {
		response, err = u.readBack(a, form, text, header, began)
		return err
	})
	return response, err
}

// readBack reads an answer in a model's own form.
func (u *Upstream) readBack(a outcrop.Attempt, form native.Family, text []byte, header http.Header, began time.Time) (*converse.Response, error) {
	seen, err := u.invoked(a, text, header)
	if err != nil {
		return nil, err
	}
	response, err := form.DecodeAnswer(a, text)
	if err != nil {
		return nil, u.placed(a, err)
	}
	response.Usage, response.ServiceTier, response.PerformanceConfig = seen.Usage, seen.ServiceTier, seen.PerformanceConfig
	if strings.HasPrefix(seen.StopReason, "guardrail_") {
		response.StopReason = seen.StopReason
	}
	response.Metrics.LatencyMs = time.Since(began).Milliseconds()
	if ms, err := strconv.ParseInt(header.Get(headerPrefix+"Invocation-Latency"), 10, 64); err == nil && ms >= 0 {
		response.Metrics.LatencyMs = ms
	}
	return response, nil
}

// placed is an error in the reading of an answer, with what is known of where
// it came from.
func (u *Upstream) placed(a outcrop.Attempt, err error) error {
	var e *outcrop.Error
	if errors.As(err, &e) && e.Kind == outcrop.ModelFailed {
		return u.host.Failed(a, http.StatusOK, "%s", u.host.Harmless(e.Message)).Because(err)
	}
	return err
}

// A heard stream is one of native chunks, told as Converse's events.
type heard struct {
	stream
	began  time.Time
	reader native.Reader
}

// follow reads the response to its end.
func (s *heard) follow(form native.Family, res *http.Response) error {
	if err := s.streams(res); err != nil {
		return err
	}
	var by converse.Glimpse
	served(&by, res.Header)
	s.reader = form.Reader(s.attempt, func(e converse.Event, err error) bool {
		if e.Metadata != nil {
			e.Metadata.ServiceTier, e.Metadata.PerformanceConfig = by.ServiceTier, by.PerformanceConfig
		}
		return s.yield(e, err)
	})
	limited := &io.LimitedReader{R: res.Body, N: upstream.MaxStreamBytes}
	frames := eventstream.NewDecoder(limited) // a response has a buffer of its own
	for deadline := time.Now().Add(upstream.MaxStreamTime); ; {
		message, err := frames.Next()
		if err != nil {
			return s.over(err, limited.N <= 0)
		}
		last, err := s.take(&message)
		switch {
		case err != nil:
			return s.failed(err)
		case s.reader.Deaf():
			return nil
		case last:
			return s.finish(res.Body)
		case time.Now().After(deadline):
			return s.failed(outcrop.Errorf(outcrop.ModelTimeout, "The model's stream lasted longer than %s.", upstream.MaxStreamTime))
		}
		s.watch.Wind(s.u.config.IdleTimeout)
	}
}

// take takes in a frame, and says whether it closes the stream.
func (s *heard) take(m *eventstream.Message) (last bool, err error) {
	if !m.Headers.Is(eventstream.MessageType, eventstream.Event) {
		_, _, err := s.read(m)
		return false, err
	}
	if eventName(m.Headers) != "chunk" {
		return false, nil
	}
	chunk, err := appendChunk(nil, m.Payload) // events may share memory with it
	if err != nil {
		return false, s.u.host.Failed(s.attempt, http.StatusOK, "The model's server streamed broken JSON. Tell the operator.").Because(err)
	}
	last, err = s.reader.Read(chunk)
	return last, s.u.placed(s.attempt, err)
}

// finish follows the chunk that ends every answer.
func (s *heard) finish(body io.Reader) error {
	s.watch.Wind(drainTime)
	io.CopyN(io.Discard, body, drainBytes) // what goes wrong now costs a connection, not the answer
	if s.watch.Left() {
		return s.failed(s.watch.Gone())
	}
	s.reader.Finish(time.Since(s.began))
	return nil
}

// over follows the end of the connection. When it is known why the answer
// ended, it stands.
func (s *heard) over(err error, full bool) error {
	if s.reader.Stopped() && !s.watch.Left() {
		s.reader.Finish(time.Since(s.began))
		return nil
	}
	s.begun = s.reader.Begun()
	return s.ended(err, full)
}

// failed is the error to yield.
func (s *heard) failed(err error) error {
	s.begun = s.reader.Begun()
	return s.fail(err)
}
