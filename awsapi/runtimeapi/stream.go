package runtimeapi

import (
	"math/rand/v2"
	"net/http"
	"sync"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/converse"
	"outcrop/internal/eventstream"
	"outcrop/internal/jsonlex"
)

func (a *API) converseStream(w http.ResponseWriter, r *awsapi.Request) error {
	c, err := converses(r, outcrop.OpConverseStream)
	if err != nil {
		return err
	}
	out := a.frames(w)
	defer out.release()
	c.form.Pass, c.form.Flush = out.pass, out.flush
	stream, err := a.Gateway.ConverseStream(r.Context(), &c.call)
	if err != nil {
		return refused(r, err)
	}
	known := true
	defer func() {
		if r.ServedIn = stream.ServedIn(); !known {
			c.release()
		}
	}()
	for event, err := range stream.Events {
		if err != nil {
			return out.fail(err)
		}
		if out.event(&event) != nil {
			return nil // the client has gone; leaving the loop settles what was seen
		}
	}
	known = !out.free(r)
	return nil
}

// frames writes one event stream. Nothing is sent, not even the status, before
// the first event: a failure until then is a plain HTTP error.
type frames struct {
	w       http.ResponseWriter
	flush   func() error
	padding bool
	begun   bool
	passed  bool // some were forwarded, so that nothing of the answer was made of the request
	buffers *frameBuffers
}

// frameBuffers are reused from stream to stream.
type frameBuffers struct{ frame, payload []byte }

var frameBufferPool = sync.Pool{New: func() any { return new(frameBuffers) }}

// maxPooledBytes keeps one huge event from living on in the pool.
const maxPooledBytes = 64 << 10

func (a *API) frames(w http.ResponseWriter) *frames {
	return &frames{w: w, flush: flusher(w), padding: a.Padding, buffers: frameBufferPool.Get().(*frameBuffers)}
}

// flusher sends what w has put off. It is asked for once in a stream, so that
// nobody looks for it at each frame.
func flusher(w http.ResponseWriter) func() error {
	if direct, ok := w.(interface{ FlushError() error }); ok {
		return direct.FlushError
	}
	return http.NewResponseController(w).Flush
}

func (f *frames) release() {
	if cap(f.buffers.frame)+cap(f.buffers.payload) <= maxPooledBytes {
		frameBufferPool.Put(f.buffers)
	}
}

// event writes one Converse event.
func (f *frames) event(e *converse.Event) error {
	if f.padding {
		f.buffers.payload = e.AppendPadded(f.buffers.payload[:0], padLength())
	} else {
		f.buffers.payload = e.AppendPayload(f.buffers.payload[:0])
	}
	return f.write(prebuilt[e.Name()], f.buffers.payload)
}

// write sends one frame at once.
func (f *frames) write(headers eventstream.Headers, payload []byte) error {
	f.buffers.frame = eventstream.AppendFrame(f.buffers.frame[:0], headers, payload)
	return f.send(f.buffers.frame)
}

// send sends a frame as it is.
func (f *frames) send(frame []byte) error {
	if err := f.put(frame); err != nil {
		return err
	}
	return f.flush()
}

// put is send without haste: until flush, for as long as others follow at once.
func (f *frames) put(frame []byte) error {
	f.begin()
	_, err := f.w.Write(frame)
	return err
}

// begin sends the status, once.
func (f *frames) begin() {
	if !f.begun {
		f.begun = true
		f.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		f.w.WriteHeader(http.StatusOK)
	}
}

// prebuilt are the headers of every event there is; they never change.
var prebuilt = func() map[string]eventstream.Headers {
	built := map[string]eventstream.Headers{}
	for _, name := range []string{"messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "chunk"} {
		built[name] = eventstream.EventHeaders(name, "application/json")
	}
	return built
}()

// fail tells the client that the answer broke: before the first event as an
// HTTP error, afterwards as an exception in the stream.
func (f *frames) fail(err error) error {
	if !f.begun {
		return err
	}
	name := exceptionName(outcrop.KindOf(err))
	f.write(eventstream.ExceptionHeaders(name, "application/json"), exceptionPayload(err)) // a client that has gone cannot be told
	return nil
}

// exceptions are the modelled members of both streams
// (reference/runtime-metering-billing.md §1.8).
var exceptions = map[outcrop.Kind]string{
	outcrop.Invalid: "validationException", outcrop.Throttled: "throttlingException",
	outcrop.Unavailable: "serviceUnavailableException", outcrop.ModelFailed: "modelStreamErrorException",
	outcrop.StreamFailed: "modelStreamErrorException", outcrop.ModelTimeout: "modelStreamErrorException",
}

func exceptionName(k outcrop.Kind) string {
	if name, ok := exceptions[k]; ok {
		return name
	}
	return "internalServerException"
}

func exceptionPayload(err error) []byte {
	b := append([]byte(nil), `{"message":`...)
	return append(jsonlex.AppendString(b, awsapi.MessageOf(err)), '}')
}

// maxPadding is the longest padding that Bedrock adds.
const maxPadding = 62

// padLength is how many characters to add to the next event, so that the size
// of an encrypted event does not tell the length of its token.
func padLength() int { return 1 + rand.IntN(maxPadding) }
