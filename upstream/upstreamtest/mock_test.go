package upstreamtest

import (
	"encoding/json"
	"io"
	"net/http"
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
