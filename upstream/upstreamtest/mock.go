package upstreamtest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A MockOpenAI is a server that speaks /v1/chat/completions, for tests and
// benchmarks. The zero value answers at once, deterministically, and repeats
// the last text it was given. Like the simulator it plays a script that stands
// on a line of the system text (see ScriptKey), calls tools, reasons when
// asked, and keeps max_tokens and stop. It counts what it answered.
type MockOpenAI struct {
	TimeToFirst time.Duration // wait before an answer
	Pace        time.Duration // wait before each further chunk; 0 writes all chunks at once
	ChunkTokens int           // tokens in a chunk; default 4

	// Answer makes an answer in place of the built-in one.
	Answer func(*MockRequest) *MockAnswer

	mu      sync.Mutex
	total   MockCount
	counts  map[string]MockCount
	forgets bool
}

// A MockCount is what was answered: only answers that were written to their
// end count.
type MockCount struct{ Requests, Answers, PromptTokens, CompletionTokens int64 }

// OpenAI starts a mock for the length of a test and returns its base URL.
func OpenAI(t testing.TB) (*MockOpenAI, string) {
	m := new(MockOpenAI)
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return m, server.URL + "/v1"
}

// CountOnlyTotals keeps Of from growing in long benchmarks.
func (m *MockOpenAI) CountOnlyTotals() { m.forgets = true }

// Total of all that was answered.
func (m *MockOpenAI) Total() MockCount {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// All is what was answered to each invocation.
func (m *MockOpenAI) All() map[string]MockCount {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.counts)
}

// Of is what was answered to one invocation, which the upstream names in the
// header X-Request-Id.
func (m *MockOpenAI) Of(invocation string) MockCount {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[invocation]
}

func (m *MockOpenAI) count(invocation string, add MockCount) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total = m.total.plus(add)
	if m.forgets || invocation == "" {
		return
	}
	if m.counts == nil {
		m.counts = make(map[string]MockCount)
	}
	m.counts[invocation] = m.counts[invocation].plus(add)
}

func (c MockCount) plus(d MockCount) MockCount {
	return MockCount{c.Requests + d.Requests, c.Answers + d.Answers, c.PromptTokens + d.PromptTokens, c.CompletionTokens + d.CompletionTokens}
}

// A MockRequest is the body of a request, as far as the mock looks at it.
type MockRequest struct {
	Header              http.Header `json:"-"`
	Model               string
	Stream              bool
	Messages            []MockMessage
	Tools               []MockTool
	ToolChoice          json.RawMessage `json:"tool_choice"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Stop                []string
	ReasoningEffort     string `json:"reasoning_effort"`
	StreamOptions       struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
}

// A MockTool is a tool that may be called.
type MockTool struct {
	Function struct {
		Name       string
		Parameters struct {
			Required   []string
			Properties map[string]struct{ Type string }
		}
	}
}

// A MockMessage is one message of a request.
type MockMessage struct {
	Role      string
	Content   json.RawMessage
	ToolCalls []MockCall `json:"tool_calls"`
}

// A MockCall is a tool call.
type MockCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function"`
}

// Text is the text of a message, its parts joined.
func (m *MockMessage) Text() string {
	var text string
	if json.Unmarshal(m.Content, &text) == nil {
		return text
	}
	var parts []struct{ Text string }
	json.Unmarshal(m.Content, &parts) // anything else has no text
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

const maxMockBytes = 64 << 20

// ServeHTTP answers POST …/chat/completions and POST …/tokenize.
func (m *MockOpenAI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := &MockRequest{Header: r.Header}
	switch {
	case r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/chat/completions") && !strings.HasSuffix(r.URL.Path, "/tokenize"):
		http.Error(w, `{"error":{"message":"no such path","type":"invalid_request_error","code":"not_found"}}`, http.StatusNotFound)
		return
	case json.NewDecoder(http.MaxBytesReader(w, r.Body, maxMockBytes)).Decode(q) != nil:
		http.Error(w, `{"error":{"message":"the body is not JSON","type":"invalid_request_error"}}`, http.StatusBadRequest)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/tokenize") {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]int{"count": q.tokens()})
		return
	}
	invocation := r.Header.Get("X-Request-Id")
	m.count(invocation, MockCount{Requests: 1})
	answer := m.answer(q)
	p := player{mock: m, answer: answer, w: w, r: r, model: q.Model, usage: q.StreamOptions.IncludeUsage}
	if p.play(q.Stream) {
		m.count(invocation, MockCount{0, 1, int64(answer.Prompt), int64(answer.Completion)})
	}
}
