package invocationlog

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/internal/eventstream"
)

// maxInlineBytes is how large a body may be to stand in the record itself.
const maxInlineBytes = 100 << 10

// A record is one line of the log (reference/runtime-metering-billing.md §6.3).
type record struct {
	SchemaType      string            `json:"schemaType"`
	SchemaVersion   string            `json:"schemaVersion"`
	Timestamp       string            `json:"timestamp"`
	AccountID       outcrop.AccountID `json:"accountId"`
	Identity        identity          `json:"identity"`
	Region          outcrop.Region    `json:"region"`
	RequestID       string            `json:"requestId"`
	Operation       outcrop.Operation `json:"operation"`
	ModelID         string            `json:"modelId"`
	ErrorCode       string            `json:"errorCode,omitempty"`
	Input           input             `json:"input"`
	Output          *output           `json:"output,omitempty"`
	RequestMetadata map[string]string `json:"requestMetadata,omitempty"`
	InferenceRegion outcrop.Region    `json:"inferenceRegion,omitempty"`
}

type identity struct {
	ARN outcrop.ARN `json:"arn"`
}

type input struct {
	ContentType string          `json:"inputContentType"`
	Body        json.RawMessage `json:"inputBodyJson,omitempty"`
	Path        string          `json:"inputBodyS3Path,omitempty"`
	Tokens      *outcrop.Tokens `json:"inputTokenCount,omitempty"`
	CacheRead   *outcrop.Tokens `json:"cacheReadInputTokenCount,omitempty"`
	CacheWrite  *outcrop.Tokens `json:"cacheWriteInputTokenCount,omitempty"`
}

type output struct {
	ContentType string          `json:"outputContentType"`
	Body        json.RawMessage `json:"outputBodyJson,omitempty"`
	Path        string          `json:"outputBodyS3Path,omitempty"`
	Tokens      *outcrop.Tokens `json:"outputTokenCount,omitempty"`
	Height      int             `json:"outputImageHeight,omitempty"` // of pictures
	Width       int             `json:"outputImageWidth,omitempty"`
	Steps       int             `json:"outputImageBucketedStepSize,omitempty"`
}

const contentType = "application/json"

// An entry is a record on its way, with the bodies that are too large for it.
type entry struct {
	Place   Place           `json:"place"`
	Request string          `json:"request"`
	At      time.Time       `json:"at"`
	Record  json.RawMessage `json:"record"`
	Input   json.RawMessage `json:"input,omitempty"`
	Output  json.RawMessage `json:"output,omitempty"`
}

// entry makes the record of an exchange: flags, then redaction, and only then
// is anything kept.
func (l *Logger) entry(x *gateway.Exchange, c *outcrop.InvocationLogging) (e entry, err error) {
	r := &x.Record
	e = entry{Place: Place{Account: r.Account, Region: r.Region}, Request: string(r.Invocation), At: r.Started.UTC()}
	in, out, err := l.bodies(x, c)
	if err != nil {
		return e, err
	}
	rec := head(r)
	if len(in) <= maxInlineBytes {
		rec.Input.Body = in
	} else {
		e.Input = in
	}
	if rec.Output != nil && len(out) <= maxInlineBytes {
		rec.Output.Body = out
	} else {
		e.Output = out
	}
	e.Record, err = json.Marshal(rec)
	if err == nil {
		e.Record, err = l.o.Redaction.record(e.Record)
	}
	return e, err
}

// head is the record without its bodies.
func head(r *outcrop.UsageRecord) *record {
	rec := &record{
		SchemaType: "ModelInvocationLog", SchemaVersion: "1.0", Timestamp: r.Started.UTC().Format(time.RFC3339), AccountID: r.Account,
		Identity: identity{r.Principal}, Region: r.Region, RequestID: string(r.Invocation), Operation: r.Operation, ModelID: r.ModelRef,
		ErrorCode: r.Outcome.Error, Input: input{ContentType: contentType}, RequestMetadata: r.RequestMetadata,
	}
	if r.Profile != "" || r.Geography != "" {
		rec.InferenceRegion = r.ServedIn
	}
	if r.Outcome.Error != "" {
		return rec
	}
	u := r.Usage
	rec.Output = &output{ContentType: contentType, Tokens: count(u, outcrop.OutputTokens)}
	if rec.Output.Tokens != nil {
		all := u.Output()
		rec.Output.Tokens = &all
	}
	if width, height, ok := strings.Cut(r.ImageSize, "x"); ok {
		rec.Output.Width, _ = strconv.Atoi(width) // the gateway wrote numbers
		rec.Output.Height, _ = strconv.Atoi(height)
		rec.Output.Steps = r.ImageSteps
	}
	rec.Input.Tokens = count(u, outcrop.InputTokens)
	rec.Input.CacheRead = count(u, outcrop.CacheReadTokens)
	rec.Input.CacheWrite = sum(count(u, outcrop.CacheWrite5mTokens), count(u, outcrop.CacheWrite1hTokens))
	return rec
}

func count(u outcrop.Usage, k outcrop.TokenKind) *outcrop.Tokens {
	n, ok := u.Get(k)
	if !ok {
		return nil
	}
	return &n
}

func sum(a, b *outcrop.Tokens) *outcrop.Tokens {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	n := *a + *b
	return &n
}

// bodies are what was said, compact, as far as the configuration and the
// redaction leave it.
func (l *Logger) bodies(x *gateway.Exchange, c *outcrop.InvocationLogging) (in, out json.RawMessage, err error) {
	if !wanted(&x.Record, c) {
		return nil, nil, nil
	}
	in = compact(x.Request)
	if out, err = answer(x); err != nil {
		return nil, nil, err
	}
	if in, err = l.prepare(in, c); err == nil {
		out, err = l.prepare(out, c)
	}
	return in, out, err
}

func (l *Logger) prepare(body json.RawMessage, c *outcrop.InvocationLogging) (json.RawMessage, error) {
	body, err := withoutMedia(body, c)
	if err != nil {
		return nil, err
	}
	return l.o.Redaction.body(body)
}

// wanted says whether the bodies of a call are of a kind that is delivered.
func wanted(r *outcrop.UsageRecord, c *outcrop.InvocationLogging) bool {
	is := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(string(r.Model), w) {
				return true
			}
		}
		return false
	}
	switch {
	case is("embed"):
		return c.Embedding
	case is("nova-reel"), is("luma.ray"):
		return c.Video
	case is("image", "canvas", "stability.", "stable-"):
		return c.Image
	case is("sonic"):
		return c.Audio
	}
	return c.Text
}

// answer is the output as AWS logs it: one Converse response, whether it came
// in events or not; a native body; or a list of native chunks.
func answer(x *gateway.Exchange) (json.RawMessage, error) {
	switch {
	case x.Forwarded != nil:
		return compact(x.Forwarded), nil
	case len(x.Frames)+len(x.Chunks) > 0:
		return forwarded(x)
	case x.Native != nil:
		return x.Native.Output(x)
	case x.Response != nil:
		return x.Response.AppendJSON(nil), nil
	case len(x.Events) > 0:
		return assembled(x.Events), nil
	}
	return nil, nil
}

// compact is a JSON text without its white space; nothing of what is none.
func compact(text []byte) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return nil
	}
	return b.Bytes()
}

// forwarded reads a stream that was passed on as it came.
func forwarded(x *gateway.Exchange) (json.RawMessage, error) {
	chunks, events := x.Chunks, []converse.Event(nil)
	for _, frame := range x.Frames {
		m, _, err := eventstream.Decode(frame)
		if err != nil {
			return nil, err
		}
		if name := m.Headers.Text(eventstream.EventType); name != "chunk" {
			if e, err := converse.DecodeEvent(name, m.Payload); err == nil {
				events = append(events, e)
			}
			continue
		}
		var chunk struct{ Bytes []byte }
		if json.Unmarshal(m.Payload, &chunk) == nil {
			chunks = append(chunks, chunk.Bytes)
		}
	}
	if len(events) > 0 {
		return assembled(events), nil
	}
	return compact(append(append([]byte{'['}, bytes.Join(chunks, []byte{','})...), ']')), nil
}

// assembled puts a stream together. One that broke off has what it came to.
func assembled(events []converse.Event) json.RawMessage {
	whole, err := converse.Collect(sequence(events))
	if err != nil {
		whole, err = converse.Collect(sequence(closed(events)))
	}
	if err != nil {
		return nil
	}
	return whole.AppendJSON(nil)
}

// closed ends a stream that has no end: what is open is closed.
func closed(events []converse.Event) []converse.Event {
	open := map[int]bool{}
	for _, e := range events {
		switch {
		case e.ContentBlockStart != nil:
			open[int(e.ContentBlockStart.ContentBlockIndex)] = true
		case e.ContentBlockDelta != nil:
			open[int(e.ContentBlockDelta.ContentBlockIndex)] = true
		case e.ContentBlockStop != nil:
			delete(open, int(e.ContentBlockStop.ContentBlockIndex))
		}
	}
	all := append([]converse.Event(nil), events...)
	for i := range open {
		stop := converse.ContentBlockStopEvent{}
		stop.ContentBlockIndex = int64(i)
		all = append(all, converse.Event{ContentBlockStop: &stop})
	}
	return append(all, converse.Event{MessageStop: &converse.MessageStopEvent{StopReason: "end_turn"}})
}

func sequence(events []converse.Event) iter.Seq2[converse.Event, error] {
	return func(yield func(converse.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}
