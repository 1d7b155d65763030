package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"outcrop/internal/eventstream"
)

// What the upstream answers. The text of a request may hold one of the marks.
const (
	framesPerStream = 100
	framePace       = time.Millisecond
	frameText       = "sixteen bytes..." // four tokens
	answerTokens    = 100

	pacedMark   = "[paced]" // few frames, further apart
	pacedFrames = 20
	pacedPace   = 10 * time.Millisecond
	idleMark    = "[idle]"  // one frame, and the rest when released
	resetMark   = "[reset]" // the connection breaks in the middle
)

// A mock stands for three kinds of model servers. Its answers are made
// beforehand, so that little of the machine's time goes to it.
type mock struct {
	answered atomic.Int64 // answers written to their end
	open     atomic.Int64 // streams that idle
	mu       sync.Mutex
	release  chan struct{}
	bodies   sync.Pool
}

func mockUpstream() http.Handler {
	m := &mock{release: make(chan struct{}), bodies: sync.Pool{New: func() any { return new(bytes.Buffer) }}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", m.model)
	mux.HandleFunc("POST /model/{id}/{operation}", m.model)
	mux.HandleFunc("/counts", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(counts{m.answered.Load(), m.open.Load()}) // a benchmark that has gone does not count
	})
	mux.HandleFunc("/release", func(http.ResponseWriter, *http.Request) {
		m.mu.Lock()
		defer m.mu.Unlock()
		close(m.release)
		m.release = make(chan struct{})
	})
	return mux
}

// counts are what GET /counts tells.
type counts struct{ Answers, Open int64 }

func (m *mock) model(w http.ResponseWriter, r *http.Request) {
	body := m.bodies.Get().(*bytes.Buffer)
	defer m.bodies.Put(body)
	body.Reset()
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, 8<<20)); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s := speechOf(r.PathValue("operation"), bytes.Contains(body.Bytes(), []byte(`"stream":true`)))
	w.Header().Set("Content-Type", s.kind)
	switch text := body.Bytes()[:min(body.Len(), 16<<10)]; {
	case s.whole != nil:
		w.Header().Set("Content-Length", strconv.Itoa(len(s.whole)))
		for name, value := range s.headers {
			w.Header().Set(name, value)
		}
		if _, err := w.Write(s.whole); err == nil {
			m.answered.Add(1)
		}
	case bytes.Contains(text, []byte(idleMark)):
		m.idle(w, r, s)
	case bytes.Contains(text, []byte(resetMark)):
		m.send(w, r, s, framesPerStream/2, framePace)
		panic(http.ErrAbortHandler)
	case bytes.Contains(text, []byte(pacedMark)):
		m.stream(w, r, s, pacedFrames, pacedPace)
	default:
		m.stream(w, r, s, framesPerStream, framePace)
	}
}

func (m *mock) stream(w http.ResponseWriter, r *http.Request, s *speech, n int, pace time.Duration) {
	if !m.send(w, r, s, n, pace) {
		return
	}
	if _, err := w.Write(s.end); err == nil {
		m.answered.Add(1)
	}
}

// send writes the beginning and n frames, each by itself.
func (m *mock) send(w http.ResponseWriter, r *http.Request, s *speech, n int, pace time.Duration) bool {
	flush := http.NewResponseController(w)
	piece := append(append([]byte(nil), s.begin...), s.frame...)
	for range n {
		if _, err := w.Write(piece); err != nil || flush.Flush() != nil || r.Context().Err() != nil {
			return false
		}
		piece = s.frame
		time.Sleep(pace)
	}
	return true
}

// idle says one thing, and the rest when it is released.
func (m *mock) idle(w http.ResponseWriter, r *http.Request, s *speech) {
	m.mu.Lock()
	released := m.release
	m.mu.Unlock()
	if !m.send(w, r, s, 1, 0) {
		return
	}
	m.open.Add(1)
	defer m.open.Add(-1)
	select {
	case <-released:
		m.stream(w, r, s.onward(), 1, 0)
	case <-r.Context().Done():
	}
}

// A speech is an answer in one protocol: whole, or begin, frames and end.
type speech struct {
	kind              string
	headers           map[string]string
	whole             []byte
	begin, frame, end []byte
}

// onward is what is left when the beginning was said.
func (s *speech) onward() *speech {
	rest := *s
	rest.begin = nil
	return &rest
}

var text = strings.Repeat("four", answerTokens)

var (
	converseWhole = &speech{kind: "application/json", whole: fmt.Appendf(nil,
		`{"metrics":{"latencyMs":1},"output":{"message":{"content":[{"text":"%s"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":256,"outputTokens":%d,"totalTokens":%d}}`, text, answerTokens, 256+answerTokens)}
	invokeWhole = &speech{kind: "application/json", headers: map[string]string{
		"X-Amzn-Bedrock-Input-Token-Count": "256", "X-Amzn-Bedrock-Output-Token-Count": strconv.Itoa(answerTokens), "X-Amzn-Bedrock-Invocation-Latency": "1",
	}, whole: fmt.Appendf(nil, `{"id":"msg_bench","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"%s"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":256,"output_tokens":%d}}`, text, answerTokens)}
	openaiWhole = &speech{kind: "application/json", whole: fmt.Appendf(nil,
		`{"id":"bench","object":"chat.completion","model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}],"usage":{"prompt_tokens":256,"completion_tokens":%d,"total_tokens":%d}}`, text, answerTokens, 256+answerTokens)}

	converseStream = &speech{kind: "application/vnd.amazon.eventstream",
		begin: event("messageStart", `{"role":"assistant"}`),
		frame: event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"`+frameText+`"},"p":"abcdefghijkl"}`),
		end: join(event("contentBlockStop", `{"contentBlockIndex":0}`), event("messageStop", `{"stopReason":"end_turn"}`),
			event("metadata", `{"metrics":{"latencyMs":1},"usage":{"inputTokens":256,"outputTokens":400,"totalTokens":656}}`)),
	}
	invokeStream = &speech{kind: "application/vnd.amazon.eventstream",
		begin: join(chunk(`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":256,"output_tokens":1}}}`),
			chunk(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`)),
		frame: chunk(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"` + frameText + `"}}`),
		end: join(chunk(`{"type":"content_block_stop","index":0}`), chunk(`{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":400}}`),
			chunk(`{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":256,"outputTokenCount":400,"invocationLatency":1,"firstByteLatency":1}}`)),
	}
	openaiStream = &speech{kind: "text/event-stream",
		begin: data(`{"id":"bench","object":"chat.completion.chunk","model":"mock","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`),
		frame: data(`{"id":"bench","object":"chat.completion.chunk","model":"mock","choices":[{"index":0,"delta":{"content":"` + frameText + `"},"finish_reason":null}]}`),
		end: join(data(`{"id":"bench","object":"chat.completion.chunk","model":"mock","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`),
			data(`{"id":"bench","object":"chat.completion.chunk","model":"mock","choices":[],"usage":{"prompt_tokens":256,"completion_tokens":400,"total_tokens":656}}`), data("[DONE]")),
	}
)

func speechOf(operation string, streamed bool) *speech {
	switch operation {
	case "converse":
		return converseWhole
	case "converse-stream":
		return converseStream
	case "invoke":
		return invokeWhole
	case "invoke-with-response-stream":
		return invokeStream
	}
	if streamed {
		return openaiStream
	}
	return openaiWhole
}

func event(name, payload string) []byte {
	return eventstream.AppendFrame(nil, eventstream.EventHeaders(name, "application/json"), []byte(payload))
}

func chunk(native string) []byte {
	return event("chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(native))+`"}`)
}

func data(payload string) []byte { return []byte("data: " + payload + "\n\n") }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
