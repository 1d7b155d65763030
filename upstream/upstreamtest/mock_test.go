package upstreamtest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"outcrop/converse"
)

func post(t *testing.T, url, invocation, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Request-Id", invocation)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return res.StatusCode, err.Error()
	}
	return res.StatusCode, string(b)
}

func TestMockCountsWhatItAnswered(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	m, base := OpenAI(t)
	chat := base + "/chat/completions"
	_, body := post(t, chat, "a", `{"model":"m","messages":[{"role":"user","content":"Hello"}]}`)
	var answer struct {
		Usage struct {
			Prompt     int64 `json:"prompt_tokens"`
			Completion int64 `json:"completion_tokens"`
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	post(t, chat, "a", `{"model":"m","stream":true,"messages":[{"role":"user","content":"Hello"}]}`)
	post(t, chat, "b", `{"messages":[{"role":"system","content":"outcrop.simulate: status=500"},{"role":"user","content":"Hello"}]}`)
	post(t, chat, "b", `{"stream":true,"messages":[{"role":"system","content":"outcrop.simulate: cut=1"},{"role":"user","content":"Hello"}]}`)
	if got, want := m.Of("a"), (MockCount{2, 2, 2 * answer.Usage.Prompt, 2 * answer.Usage.Completion}); got != want || answer.Usage.Completion == 0 {
		t.Errorf("a: %+v, want %+v", got, want)
	}
	if got, want := m.Of("b"), (MockCount{Requests: 2}); got != want {
		t.Errorf("b: %+v, want %+v", got, want)
	}
	if got := m.Total(); got.Requests != 4 || got.Answers != 2 {
		t.Errorf("total %+v", got)
	}
}

func TestMockIsScripted(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	m, base := OpenAI(t)
	m.Answer = func(q *MockRequest) *MockAnswer { return &MockAnswer{Text: "I am " + q.Model, Finish: "stop"} }
	if _, body := post(t, base+"/chat/completions", "", `{"model":"m","stream":true}`); !strings.Contains(body, `"content":"I am m"`) || !strings.HasSuffix(body, "data: [DONE]\n\n") {
		t.Errorf("%s", body)
	}
	if status, _ := post(t, base+"/embeddings", "", `{}`); status != 404 {
		t.Errorf("another path: %d", status)
	}
	if status, _ := post(t, base+"/chat/completions", "", `{`); status != 400 {
		t.Errorf("broken JSON: %d", status)
	}
}

// The judge itself: streams that break the order are refused.
func TestCollectRefusesDisorder(t *testing.T) {
	start := converse.Event{MessageStart: &converse.MessageStartEvent{Role: "assistant"}}
	word := "a"
	delta := func(i int64) converse.Event {
		return converse.Event{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: converse.ContentBlockDelta{Text: &word}, ContentBlockIndex: i}}
	}
	end := func(i int64) converse.Event {
		return converse.Event{ContentBlockStop: &converse.ContentBlockStopEvent{ContentBlockIndex: i}}
	}
	stop := converse.Event{MessageStop: &converse.MessageStopEvent{StopReason: "end_turn"}}
	meta := converse.Event{Metadata: &converse.ConverseStreamMetadataEvent{}}
	if _, err := Collect([]converse.Event{start, delta(0), delta(0), end(0), delta(1), end(1), stop, meta}); err != nil {
		t.Error(err)
	}
	for name, events := range map[string][]converse.Event{
		"nothing": {}, "no start": {delta(0)}, "two starts": {start, start}, "no metadata": {start, stop}, "metadata twice": {start, stop, meta, meta},
		"metadata early": {start, meta}, "open block": {start, delta(0), stop, meta}, "two open": {start, delta(0), delta(1)}, "gap": {start, delta(1)},
		"empty block": {start, end(0)}, "after stop": {start, stop, delta(0)}, "empty event": {start, {}}, "wrong stop": {start, delta(0), end(1)},
	} {
		if _, err := Collect(events); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// The Messages API's own demands, and a count shared by both protocols.
func TestMockAnthropicIsStrict(t *testing.T) {
	m := new(MockAnthropic)
	call := func(path, key, version, body string) (int, string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("X-Api-Key", key)
		r.Header.Set("Anthropic-Version", version)
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	const now, question = "2023-06-01", `"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}]`
	for _, c := range []struct {
		path, key, version, body string
		status                   int
		words                    string
	}{
		{"/v1/messages", "k", now, `{"max_tokens":99,` + question + `}`, 200, `"text":"A mock of m heard: Hello"`},
		{"/v1/messages", "k", now, `{"max_tokens":99,"stream":true,` + question + `}`, 200, "event: message_stop\n"},
		{"/v1/messages/count_tokens", "k", now, `{` + question + `}`, 200, `"input_tokens":`},
		{"/v1/messages/count_tokens", "k", now, `{"max_tokens":99,` + question + `}`, 400, "max_tokens: Extra inputs"},
		{"/v1/messages", "k", now, `{` + question + `}`, 400, "max_tokens: Field required"},
		{"/v1/messages", "k", now, `{"max_tokens":99,"topK":1,` + question + `}`, 400, "topK: Extra inputs"},
		{"/v1/messages", "k", now, `{"max_tokens":99,"thinking":{"type":"enabled","budget_tokens":1024},` + question + `}`, 400, "greater than thinking.budget_tokens"},
		{"/v1/messages", "k", now, `{`, 400, "invalid_request_error"}, {"/v1/messages", "", now, `{}`, 401, "authentication_error"},
		{"/v1/messages", "k", "", `{"max_tokens":9,` + question + `}`, 400, "anthropic-version"}, {"/v1/complete", "k", now, `{}`, 404, "not_found_error"},
	} {
		if status, body := call(c.path, c.key, c.version, c.body); status != c.status || !strings.Contains(body, c.words) {
			t.Errorf("%s %s: %d %s, want %d with %s", c.path, c.body, status, body, c.status, c.words)
		}
	}
	if got := m.Total(); got.Requests != 2 || got.Answers != 2 || got.CompletionTokens == 0 {
		t.Errorf("total %+v", got)
	}
}
