package upstreamtest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A MockAnthropic is a server that speaks /v1/messages, for tests. What it
// says, counts and gets wrong is a MockOpenAI's; how it says it is the
// Messages API's, and like that it refuses members and headers that it does
// not know. Prompts with a cache_control are written to a cache at half their
// tokens, by their lifetime.
type MockAnthropic struct{ MockOpenAI }

// Anthropic starts a mock for the length of a test and returns its base URL.
func Anthropic(t testing.TB) (*MockAnthropic, string) {
	m := new(MockAnthropic)
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return m, server.URL
}

// anthropicRequest is a body of the Messages API; no other member is taken.
type anthropicRequest struct {
	Model     string `json:"model"`
	MaxTokens *int   `json:"max_tokens"`
	Stream    bool   `json:"stream"`
	Messages  []struct {
		Role    string          `json:"role"`
		Content anthropicBlocks `json:"content"`
	} `json:"messages"`
	System anthropicBlocks `json:"system"`
	Tools  []struct {
		Name        string          `json:"name"`
		InputSchema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
	ToolChoice    *struct{ Type, Name string } `json:"tool_choice"`
	StopSequences []string                     `json:"stop_sequences"`
	Thinking      *struct {
		Type         string `json:"type"`
		BudgetTokens int    `json:"budget_tokens"`
	} `json:"thinking"`
	Temperature, TopP, TopK json.RawMessage
	OutputConfig            json.RawMessage `json:"output_config"`
	Metadata                json.RawMessage `json:"metadata"`
}

type anthropicBlock struct {
	Type      string          `json:"type"`
	Text      string          `json:"text"`
	ToolUseID string          `json:"tool_use_id"`
	Content   anthropicBlocks `json:"content"`
}

// anthropicBlocks are a list of blocks, or a string in place of one text block.
type anthropicBlocks []anthropicBlock

func (b *anthropicBlocks) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*b = anthropicBlocks{{Type: "text", Text: text}}
		return nil
	}
	return json.Unmarshal(raw, (*[]anthropicBlock)(b))
}

// anthropicMembers are the top-level members that the mock knows.
var anthropicMembers = map[string]bool{
	"model": true, "max_tokens": true, "stream": true, "messages": true, "system": true, "tools": true, "tool_choice": true, "stop_sequences": true,
	"thinking": true, "temperature": true, "top_p": true, "top_k": true, "output_config": true, "metadata": true,
}

// fault is what the Messages API would find wrong with a body, or empty.
func (q *anthropicRequest) fault(body []byte, counting bool) string {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return "the body is not a JSON object"
	}
	for name := range members {
		if !anthropicMembers[name] || counting && (name == "max_tokens" || name == "stream" || strings.HasPrefix(name, "t") && name != "tools" && name != "tool_choice" && name != "thinking") {
			return name + ": Extra inputs are not permitted"
		}
	}
	switch err := json.Unmarshal(body, q); {
	case err != nil:
		return err.Error()
	case !counting && q.MaxTokens == nil:
		return "max_tokens: Field required"
	case q.Model == "" || len(q.Messages) == 0:
		return "model, messages: Field required"
	case !counting && q.Thinking != nil && q.Thinking.BudgetTokens >= *q.MaxTokens:
		return "max_tokens must be greater than thinking.budget_tokens"
	}
	return ""
}

// ServeHTTP answers POST /v1/messages and POST /v1/messages/count_tokens.
func (m *MockAnthropic) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	counting := r.URL.Path == "/v1/messages/count_tokens"
	var body bytes.Buffer
	_, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, maxMockBytes))
	p := anthropicPlayer{player: player{mock: &m.MockOpenAI, w: w, r: r}, body: body.Bytes()}
	q := new(anthropicRequest)
	switch fault := q.fault(p.body, counting); {
	case r.Method != http.MethodPost || r.URL.Path != "/v1/messages" && !counting:
		p.refuse(http.StatusNotFound, "Not found")
	case r.Header.Get("X-Api-Key") == "":
		p.refuse(http.StatusUnauthorized, "x-api-key header is required")
	case r.Header.Get("Anthropic-Version") != "2023-06-01":
		p.refuse(http.StatusBadRequest, "anthropic-version: header is required")
	case err != nil || fault != "":
		p.refuse(http.StatusBadRequest, fault)
	case counting:
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]int{"input_tokens": q.common(r.Header).tokens()})
	default:
		m.serve(&p, q.common(r.Header))
	}
}

func (m *MockAnthropic) serve(p *anthropicPlayer, q *MockRequest) {
	invocation := p.r.Header.Get("X-Request-Id")
	m.count(invocation, MockCount{Requests: 1})
	p.answer, p.model = m.answer(q), q.Model
	if p.play(q.Stream) {
		m.count(invocation, MockCount{0, 1, int64(p.answer.Prompt), int64(p.answer.Completion)})
	}
}

// common is the request as MockOpenAI reads it.
func (q *anthropicRequest) common(h http.Header) *MockRequest {
	c := &MockRequest{Header: h, Model: q.Model, Stream: q.Stream, MaxTokens: q.MaxTokens, Stop: q.StopSequences}
	if q.Thinking != nil && q.Thinking.Type != "disabled" {
		c.ReasoningEffort = q.Thinking.Type
	}
	for _, b := range q.System {
		c.say("system", b.Text)
	}
	for _, m := range q.Messages {
		for _, b := range m.Content {
			if b.Type == "tool_result" {
				c.say("tool", joined(b.Content))
			}
		}
		if text := joined(m.Content); text != "" {
			c.say(m.Role, text)
		}
	}
	for _, t := range q.Tools {
		var known MockTool
		known.Function.Name = t.Name
		json.Unmarshal(t.InputSchema, &known.Function.Parameters) // what it does not understand it does not fill in
		c.Tools = append(c.Tools, known)
	}
	switch {
	case q.ToolChoice == nil:
	case q.ToolChoice.Type == "any":
		c.ToolChoice = json.RawMessage(`"required"`)
	case q.ToolChoice.Type == "tool":
		c.ToolChoice = json.RawMessage(`{"function":{"name":` + quote(q.ToolChoice.Name) + `}}`)
	}
	return c
}

func (q *MockRequest) say(role, text string) {
	q.Messages = append(q.Messages, MockMessage{Role: role, Content: json.RawMessage(quote(text))})
}

func joined(blocks anthropicBlocks) string {
	var b strings.Builder
	for _, c := range blocks {
		b.WriteString(c.Text)
	}
	return b.String()
}

// An anthropicPlayer writes one answer of the Messages API.
type anthropicPlayer struct {
	player
	body []byte // of the request
}

// errorTypes of the Messages API, by status.
var errorTypes = map[int]string{
	400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
	429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}

func (p *anthropicPlayer) refuse(status int, message string) {
	kind := errorTypes[status]
	if kind == "" {
		kind = "api_error"
	}
	p.w.Header().Set("Content-Type", "application/json")
	p.w.WriteHeader(status)
	p.w.Write([]byte(`{"type":"error","error":{"type":"` + kind + `","message":` + quote(message) + `}}`)) // a client that is gone misses nothing
}

// play writes the answer and says whether all of it went out.
func (p *anthropicPlayer) play(streaming bool) bool {
	first := p.answer.TimeToFirst
	if first == 0 {
		first = p.mock.TimeToFirst
	}
	switch {
	case !p.wait(first):
		return false
	case p.answer.Status != 0:
		if p.answer.RetryAfter > 0 {
			p.w.Header().Set("Retry-After", strconv.Itoa(int(p.answer.RetryAfter/time.Second)))
		}
		p.refuse(p.answer.Status, "the mock refuses with status "+strconv.Itoa(p.answer.Status))
		return false
	case streaming:
		p.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		return p.stream()
	}
	p.w.Header().Set("Content-Type", "application/json")
	p.out = append(p.out, `{"id":"msg_mock","type":"message","role":"assistant","model":`+quote(p.model)+`,"content":[`...)
	if p.answer.Cut > 0 {
		p.flush()
		panic(http.ErrAbortHandler)
	}
	for i, b := range p.blocks() {
		if i > 0 {
			p.out = append(p.out, ',')
		}
		p.out = append(p.out, b.whole...)
	}
	p.out = append(p.out, `],`+p.stop()+p.tokens(p.answer.Completion, `,"usage":`)+`}`...)
	_, err := p.w.Write(p.out)
	return err == nil
}

// A mockBlock is a content block, whole and in pieces.
type mockBlock struct{ whole, start, delta, text, last string }

func (p *anthropicPlayer) blocks() []mockBlock {
	var blocks []mockBlock
	a := p.answer
	if a.Reasoning != "" {
		blocks = append(blocks, mockBlock{
			`{"type":"thinking","thinking":` + quote(a.Reasoning) + `,"signature":"c2lnbmVk"}`, `{"type":"thinking","thinking":"","signature":""}`,
			`"type":"thinking_delta","thinking":`, a.Reasoning, `"type":"signature_delta","signature":"c2lnbmVk"`})
	}
	if a.Text != "" {
		blocks = append(blocks, mockBlock{`{"type":"text","text":` + quote(a.Text) + `}`, `{"type":"text","text":""}`, `"type":"text_delta","text":`, a.Text, ""})
	}
	for _, c := range a.Calls {
		head := `{"type":"tool_use","id":` + quote(c.ID) + `,"name":` + quote(c.Function.Name) + `,"input":`
		blocks = append(blocks, mockBlock{head + c.Function.Arguments + `}`, head + `{}}`, `"type":"input_json_delta","partial_json":`, c.Function.Arguments, ""})
	}
	return blocks
}

func (p *anthropicPlayer) stop() string {
	reason := map[string]string{"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}[p.answer.Finish]
	if p.answer.Matched != "" {
		return `"stop_reason":"stop_sequence","stop_sequence":` + quote(p.answer.Matched)
	}
	return `"stop_reason":` + quote(reason) + `,"stop_sequence":null`
}

// tokens is the usage behind before, or nothing.
func (p *anthropicPlayer) tokens(output int, before string) string {
	if p.answer.NoUsage {
		return ""
	}
	short, long := 0, 0
	switch {
	case bytes.Contains(p.body, []byte(`"ttl":"1h"`)):
		long = p.answer.Prompt / 2
	case bytes.Contains(p.body, []byte(`"cache_control"`)):
		short = p.answer.Prompt / 2
	}
	n := strconv.Itoa
	return before + `{"input_tokens":` + n(p.answer.Prompt-p.answer.Cached-short-long) + `,"cache_read_input_tokens":` + n(p.answer.Cached) +
		`,"cache_creation_input_tokens":` + n(short+long) + `,"cache_creation":{"ephemeral_5m_input_tokens":` + n(short) + `,"ephemeral_1h_input_tokens":` + n(long) +
		`},"output_tokens":` + n(output) + `}`
}

// stream writes events as Anthropic does: the count of the beginning, a ping,
// the blocks, why it ended with the cumulative count, the stop.
func (p *anthropicPlayer) stream() bool {
	good := p.event("message_start", `"message":{"id":"msg_mock","type":"message","role":"assistant","model":`+quote(p.model)+`,"content":[],"stop_reason":null`+p.tokens(1, `,"usage":`)+`}`)
	good = good && p.event("ping", "")
	for i, b := range p.blocks() {
		index := `"index":` + strconv.Itoa(i)
		good = good && p.event("content_block_start", index+`,"content_block":`+b.start)
		for _, piece := range append([]string{""}, p.pieces(b.text)...) {
			good = good && p.event("content_block_delta", index+`,"delta":{`+b.delta+quote(piece)+`}`)
		}
		if b.last != "" {
			good = good && p.event("content_block_delta", index+`,"delta":{`+b.last+`}`)
		}
		good = good && p.event("content_block_stop", index)
	}
	usage := ""
	if !p.answer.NoUsage {
		usage = `,"usage":{"output_tokens":` + strconv.Itoa(p.answer.Completion) + `}`
	}
	good = good && p.event("message_delta", `"delta":{`+p.stop()+`}`+usage)
	return good && p.event("message_stop", "") && p.flush()
}

// event adds an event, and writes it when the stream is paced.
func (p *anthropicPlayer) event(kind, members string) bool {
	if members != "" {
		members = "," + members
	}
	p.out = append(p.out, "event: "+kind+"\ndata: {\"type\":\""+kind+"\""+members+"}\n\n"...)
	p.sent++
	if p.answer.Cut > 0 && p.sent >= p.answer.Cut {
		p.flush()
		panic(http.ErrAbortHandler)
	}
	pace := p.answer.Pace
	if pace == 0 {
		pace = p.mock.Pace
	}
	return pace == 0 || p.flush() && p.wait(pace)
}
