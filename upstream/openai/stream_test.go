package openai_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop/converse"
	"outcrop/upstream/openai"
	"outcrop/upstream/upstreamtest"
)

// serve answers every request with the same bytes.
func serve(t testing.TB, contentType, body string) *openai.Upstream {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return open(t, openai.Config{BaseURL: server.URL})
}

// chunks are the events of a stream, one choice each. A piece that begins with
// { is a delta; finish:x, usage, done and raw:… are what they say.
func chunks(pieces ...string) string {
	var b strings.Builder
	for _, p := range pieces {
		switch kind, rest, _ := strings.Cut(p, ":"); {
		case strings.HasPrefix(p, "{"):
			fmt.Fprintf(&b, "data: {\"choices\":[{\"index\":0,\"delta\":%s,\"finish_reason\":null}]}\n\n", p)
		case kind == "finish":
			fmt.Fprintf(&b, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%q}]}\n\n", rest)
		case kind == "usage":
			b.WriteString(`data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":4}}}` + "\n\n")
		case kind == "done":
			b.WriteString("data: [DONE]\n\n")
		case kind == "raw":
			b.WriteString(rest)
		}
	}
	return b.String()
}

func ask(t testing.TB, u *openai.Upstream) ([]converse.Event, error) {
	return upstreamtest.Events(u.ConverseStream(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")))
}

// tell writes the content of an answer in one line.
func tell(r *converse.Response) string {
	var said []string
	for _, b := range r.Output.Message.Content {
		switch {
		case b.Text != nil:
			said = append(said, "text "+*b.Text)
		case b.ReasoningContent != nil:
			said = append(said, "reasoning "+b.ReasoningContent.ReasoningText.Text)
		case b.ToolUse != nil:
			said = append(said, "tool "+b.ToolUse.ToolUseId+" "+b.ToolUse.Name+string(b.ToolUse.Input))
		}
	}
	return strings.Join(append(said, r.StopReason), " | ")
}

func TestStreams(t *testing.T) {
	const call = `{"tool_calls":[{"index":%d,"id":"%s","function":{"name":"%s","arguments":%q}}]}`
	piece := func(index int, id, name, arguments string) string {
		return fmt.Sprintf(call, index, id, name, arguments)
	}
	for _, c := range []struct{ name, body, want string }{
		{"text", chunks(`{"role":"assistant","content":""}`, `{"content":"Hel"}`, `{"content":"lo"}`, "finish:stop", "usage", "done"), "text Hello | end_turn"},
		{"no DONE", chunks(`{"content":"Hello"}`, "finish:stop", "usage"), "text Hello | end_turn"},
		{"DONE without finish", chunks(`{"content":"Hello"}`, "usage", "done"), "text Hello | end_turn"},
		{"length", chunks(`{"content":"Hel"}`, "finish:length", "usage", "done"), "text Hel | max_tokens"},
		{"filtered", chunks("finish:content_filter", "usage", "done"), "content_filtered"},
		{"matched", chunks(`{"content":"a"}`, `raw:data: {"choices":[{"delta":{},"finish_reason":"stop","stop_reason":"END"}]}`+"\n\n", "usage", "done"), "text a | stop_sequence"},
		{"reasoning", chunks(`{"reasoning_content":"h"}`, `{"reasoning":"m"}`, `{"content":"Hi"}`, "finish:stop", "usage", "done"), "reasoning hm | text Hi | end_turn"},
		{"reasoning sent twice", chunks(`{"reasoning_content":"hm","reasoning":"hm"}`, `{"content":"Hi"}`, "finish:stop", "usage", "done"), "reasoning hm | text Hi | end_turn"},
		{"a tool", chunks(`{"content":"ok"}`, piece(0, "c1", "f", ""), `{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}`, `{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}`, "finish:tool_calls", "usage", "done"),
			`text ok | tool c1 f{"a":1} | tool_use`},
		{"two tools in order", chunks(piece(0, "c1", "f", `{"a":1}`), piece(1, "c2", "g", `{"b"`), piece(1, "", "", `:2}`), "finish:tool_calls", "usage", "done"),
			`tool c1 f{"a":1} | tool c2 g{"b":2} | tool_use`},
		{"two tools interleaved", chunks(piece(0, "c1", "f", `{"a"`), piece(1, "c2", "g", `{"b"`), piece(0, "", "", `:1}`), piece(1, "", "", `:2}`), "finish:tool_calls", "usage", "done"),
			`tool c1 f{"a":1} | tool c2 g{"b":2} | tool_use`},
		{"two tools in one chunk", chunks(`{"tool_calls":[{"index":0,"id":"c1","function":{"name":"f","arguments":"{}"}},{"index":1,"id":"c2","function":{"name":"g","arguments":"{}"}}]}`, "finish:stop", "usage", "done"),
			`tool c1 f{} | tool c2 g{} | tool_use`},
		{"every tool numbered 0", chunks(piece(0, "c1", "f", `{}`), piece(0, "c2", "g", `{"b":2}`), "finish:tool_calls", "usage", "done"), `tool c1 f{} | tool c2 g{"b":2} | tool_use`},
		{"no arguments", chunks(piece(0, "c1", "f", ""), "finish:tool_calls", "usage", "done"), `tool c1 f{} | tool_use`},
		{"arguments as an object", chunks(`{"tool_calls":[{"id":"c1","function":{"name":"f","arguments":{"a": 1}}}]}`, "finish:tool_calls", "usage", "done"), `tool c1 f{"a": 1} | tool_use`},
		{"broken arguments", chunks(piece(0, "c1", "f", `{"a":`), "finish:tool_calls", "usage", "done"), `tool c1 f"{\"a\":" | malformed_tool_use`},
		{"arguments cut by length", chunks(piece(0, "c1", "f", `{"a":`), "finish:length", "usage", "done"), `tool c1 f"{\"a\":" | max_tokens`},
		{"text inside of a tool call", chunks(piece(0, "c1", "f", `{"a"`), `{"content":"by the way"}`, piece(0, "", "", `:1}`), "finish:tool_calls", "usage", "done"),
			`tool c1 f{"a":1} | text by the way | tool_use`},
		{"text behind a tool call", chunks(piece(0, "c1", "f", `{}`), `{"content":"done"}`, "finish:tool_calls", "usage", "done"), `tool c1 f{} | text done | tool_use`},
		{"legacy function_call", chunks(`{"function_call":{"name":"f","arguments":"{}"}}`, "finish:function_call", "usage", "done"), `tool tooluse_37y2mgsjxzho2_0 f{} | tool_use`},
		{"chunks without choices", chunks(`raw:data: {"choices":[],"prompt_filter_results":[]}`+"\n\n", `{"content":"a"}`, `raw:data: {"choices":[]}`+"\n\n", "finish:stop", "usage", "done"), "text a | end_turn"},
		{"nothing said", chunks(`{"role":"assistant","content":""}`, "finish:stop", "usage", "done"), "end_turn"},
		{"a second choice", chunks(`raw:data: {"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}`+"\n\n", "finish:stop", "usage", "done"), "text a | end_turn"},
		{"talk after the end", chunks(`{"content":"a"}`, "finish:stop", `{"content":"b"}`, "usage", "done"), "text a | end_turn"},
		{"comments and CRLF", strings.ReplaceAll(": waiting\n\n"+chunks(`{"content":"a"}`, "finish:stop", "usage", "done"), "\n", "\r\n"), "text a | end_turn"},
	} {
		events, err := ask(t, serve(t, "text/event-stream; charset=utf-8", c.body))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		r, err := upstreamtest.Collect(events)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := tell(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		cached := int64(4)
		want := &converse.TokenUsage{InputTokens: 6, OutputTokens: 5, TotalTokens: 15, CacheReadInputTokens: &cached}
		if d := cmp.Diff(want, r.Usage); d != "" {
			t.Errorf("%s: usage (-want +got):\n%s", c.name, d)
		}
	}
}

// A tool call's first piece leaves before its last has come.
func TestToolInputIsNotHeldBack(t *testing.T) {
	body := chunks(`{"tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":"{\"a\":"}}]}`, `{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}`, "finish:tool_calls", "done")
	events, err := ask(t, serve(t, "text/event-stream", body))
	if err != nil {
		t.Fatal(err)
	}
	var pieces []string
	for _, e := range events {
		if e.ContentBlockDelta != nil {
			pieces = append(pieces, e.ContentBlockDelta.Delta.ToolUse.Input)
		}
	}
	if d := cmp.Diff([]string{`{"a":`, `1}`}, pieces); d != "" {
		t.Error(d)
	}
}

func TestWholeAnswers(t *testing.T) {
	message := func(m, finish string) string {
		return fmt.Sprintf(`{"id":"x","choices":[{"index":0,"message":%s,"finish_reason":%q}],"usage":{"prompt_tokens":10,"completion_tokens":5}}`, m, finish)
	}
	for _, c := range []struct{ name, body, want string }{
		{"text", message(`{"role":"assistant","content":"Hello"}`, "stop"), "text Hello | end_turn"},
		{"parts", message(`{"content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]}`, "stop"), "text Hello | end_turn"},
		{"reasoning", message(`{"content":"b","reasoning_content":"a"}`, "stop"), "reasoning a | text b | end_turn"},
		{"tools", message(`{"content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":""}}]}`, "stop"), `tool c1 f{"a":1} | tool c2 g{} | tool_use`},
		{"refusal", message(`{"content":null,"refusal":"I will not."}`, "stop"), "text I will not. | end_turn"},
		{"broken arguments", message(`{"tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{"}}]}`, "tool_calls"), `tool c1 f"{" | malformed_tool_use`},
		{"an id that AWS does not take", message(`{"tool_calls":[{"id":"a b","function":{"name":"f","arguments":"{}"}}]}`, "tool_calls"), `tool tooluse_1c0s8z9004n6r_0 f{} | tool_use`},
	} {
		u := serve(t, "application/json", c.body)
		r, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := tell(r); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		// A server that does not stream is told as events.
		events, err := ask(t, u)
		if err != nil {
			t.Errorf("%s, streamed: %v", c.name, err)
			continue
		}
		if r, err := upstreamtest.Collect(events); err != nil || tell(r) != c.want || r.Usage == nil {
			t.Errorf("%s, streamed: %v, want %s", c.name, err, c.want)
		}
	}
}

func TestUsage(t *testing.T) {
	i := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		usage string
		want  *converse.TokenUsage
	}{
		{`{"prompt_tokens":10,"completion_tokens":5}`, &converse.TokenUsage{InputTokens: 10, OutputTokens: 5, TotalTokens: 15}},
		{`{"prompt_tokens":0,"completion_tokens":0}`, &converse.TokenUsage{}},
		{`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":0}}`, &converse.TokenUsage{InputTokens: 10, OutputTokens: 5, TotalTokens: 15, CacheReadInputTokens: i(0)}},
		{`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":null}`, &converse.TokenUsage{InputTokens: 10, OutputTokens: 5, TotalTokens: 15}},
		{`{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":99}}`, &converse.TokenUsage{OutputTokens: 5, TotalTokens: 15, CacheReadInputTokens: i(10)}},
		{`{"prompt_tokens":10,"completion_tokens":5,"prompt_cache_hit_tokens":8}`, &converse.TokenUsage{InputTokens: 2, OutputTokens: 5, TotalTokens: 15, CacheReadInputTokens: i(8)}},
		{`null`, nil}, {`{}`, nil}, {`{"prompt_tokens":10}`, nil}, {`{"prompt_tokens":-1,"completion_tokens":5}`, nil}, {`{"prompt_tokens":"10","completion_tokens":5}`, nil},
		{`{"prompt_tokens":99999999999999999999,"completion_tokens":5}`, nil},
	} {
		u := serve(t, "application/json", `{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":`+c.usage+`}`)
		r, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		if err != nil {
			t.Fatalf("%s: %v", c.usage, err)
		}
		if d := cmp.Diff(c.want, r.Usage); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.usage, d)
		}
	}
}

// The server hears the key, the headers and the invocation.
func TestWhatIsSent(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": "a"}}}})
	}))
	defer server.Close()
	for header, want := range map[string]string{"": "Bearer sk-secret", "api-key": "sk-secret"} {
		u := open(t, openai.Config{BaseURL: server.URL, APIKey: "sk-secret", APIKeyHeader: header, Headers: map[string]string{"X-Org": "blue"}})
		if _, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")); err != nil {
			t.Fatal(err)
		}
		name := header
		if name == "" {
			name = "Authorization"
		}
		if got.Get(name) != want || got.Get("X-Org") != "blue" || got.Get("X-Request-Id") != string(upstreamtest.Attempt.Invocation) || got.Get("Content-Type") != "application/json" {
			t.Errorf("%s: headers %v", name, got)
		}
	}
}
