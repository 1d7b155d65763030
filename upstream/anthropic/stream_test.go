package anthropic_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"outcrop/converse"
	"outcrop/upstream/anthropic"
	"outcrop/upstream/upstreamtest"
)

// serve answers every request with the same bytes.
func serve(t testing.TB, contentType, body string) *anthropic.Upstream {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return open(t, anthropic.Config{BaseURL: server.URL})
}

func ask(t testing.TB, u *anthropic.Upstream) ([]converse.Event, error) {
	return upstreamtest.Events(u.ConverseStream(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")))
}

// sse writes events.
func sse(events ...string) string {
	var b strings.Builder
	for _, e := range events {
		var kind struct{ Type string }
		json.Unmarshal([]byte(e), &kind) // broken on purpose in some tests
		fmt.Fprintf(&b, "event: %s\ndata: %s\n\n", kind.Type, e)
	}
	return b.String()
}

const (
	begin = `{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":4,"cache_creation_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":3},"output_tokens":1}}}`
	ping  = `{"type":"ping"}`
	over  = `{"type":"message_stop"}`
	busy  = `{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}`
)

func start(i int, block string) string {
	return fmt.Sprintf(`{"type":"content_block_start","index":%d,"content_block":%s}`, i, block)
}

func delta(i int, d string) string {
	return fmt.Sprintf(`{"type":"content_block_delta","index":%d,"delta":%s}`, i, d)
}

func stop(i int) string { return fmt.Sprintf(`{"type":"content_block_stop","index":%d}`, i) }

func end(reason string) string {
	return fmt.Sprintf(`{"type":"message_delta","delta":{"stop_reason":%q,"stop_sequence":null},"usage":{"output_tokens":7}}`, reason)
}

// block is a text block in two pieces.
func block(i int) []string {
	return []string{start(i, `{"type":"text","text":""}`), delta(i, `{"type":"text_delta","text":"Hel"}`), delta(i, `{"type":"text_delta","text":"lo"}`), stop(i)}
}

func message(inner ...string) string {
	return sse(append([]string{begin, ping}, inner...)...)
}

func content(t testing.TB, events []converse.Event) *converse.Response {
	t.Helper()
	r, err := converse.Collect(func(yield func(converse.Event, error) bool) {
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Streams and whole answers of every sort of block, and what they become.
func TestStreams(t *testing.T) {
	hello := `{"text":"Hello"}`
	for _, c := range []struct {
		name, stream, whole string // whole is the list of content
		stop, want          string
	}{
		{"text", message(append(block(0), end("end_turn"), over)...), `[{"type":"text","text":"Hello"}]`, "end_turn", `[` + hello + `]`},
		{"no message_stop", message(append(block(0), end("stop_sequence"))...), `[{"type":"text","text":"Hello"}]`, "stop_sequence", `[` + hello + `]`},
		{"thinking", message(start(0, `{"type":"thinking","thinking":"","signature":""}`), delta(0, `{"type":"thinking_delta","thinking":"h"}`), delta(0, `{"type":"thinking_delta","thinking":"m"}`), delta(0, `{"type":"signature_delta","signature":"sig"}`), stop(0),
			start(1, `{"type":"redacted_thinking","data":"c2Vj"}`), stop(1), block(2)[0], block(2)[1], stop(2), end("max_tokens"), over),
			`[{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"redacted_thinking","data":"c2Vj"},{"type":"text","text":"Hel"}]`, "max_tokens",
			`[{"reasoningContent":{"reasoningText":{"text":"hm","signature":"sig"}}},{"reasoningContent":{"redactedContent":"c2Vj"}},{"text":"Hel"}]`},
		{"tools", message(start(0, `{"type":"tool_use","id":"t1","name":"f","input":{}}`), delta(0, `{"type":"input_json_delta","partial_json":""}`), delta(0, `{"type":"input_json_delta","partial_json":"{\"a\""}`), delta(0, `{"type":"input_json_delta","partial_json":":1}"}`), stop(0),
			start(1, `{"type":"tool_use","id":"t2","name":"g","input":{}}`), stop(1), start(2, `{"type":"tool_use","id":"t3","name":"h","input":{"b":2}}`), stop(2), end("tool_use"), over),
			`[{"type":"tool_use","id":"t1","name":"f","input":{"a":1}},{"type":"tool_use","id":"t2","name":"g"},{"type":"tool_use","id":"t3","name":"h","input":{"b":2}}]`, "tool_use",
			`[{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}},{"toolUse":{"toolUseId":"t2","name":"g","input":{}}},{"toolUse":{"toolUseId":"t3","name":"h","input":{"b":2}}}]`},
		{"the server's own tools are passed over", message(append([]string{start(0, `{"type":"server_tool_use","id":"s","name":"web_search","input":{}}`), delta(0, `{"type":"input_json_delta","partial_json":"{}"}`), stop(0), start(1, `{"type":"web_search_tool_result","content":[]}`), stop(1)}, append(block(2), end("pause_turn"), over)...)...),
			`[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","content":[]},{"type":"text","text":"Hello"}]`, "end_turn", `[` + hello + `]`},
		{"an empty text is none", message(append([]string{start(0, `{"type":"text","text":""}`), stop(0)}, append(block(1), end("refusal"), over)...)...), `[{"type":"text","text":""},{"type":"text","text":"Hello"}]`, "content_filtered", `[` + hello + `]`},
		{"nothing", message(end("model_context_window_exceeded"), over), `[]`, "model_context_window_exceeded", `[]`},
		{"citations", message(start(0, `{"type":"text","text":"","citations":[]}`), delta(0, `{"type":"text_delta","text":"Hello"}`), delta(0, `{"type":"citations_delta","citation":{"type":"char_location","cited_text":"c","document_index":0,"document_title":"D","start_char_index":1,"end_char_index":2}}`), stop(0), end("end_turn"), over),
			`[{"type":"text","text":"Hello","citations":[{"type":"char_location","cited_text":"c","document_index":0,"document_title":"D","start_char_index":1,"end_char_index":2}]}]`, "end_turn",
			`[{"citationsContent":{"content":[{"text":"Hello"}],"citations":[{"title":"D","sourceContent":[{"text":"c"}],"location":{"documentChar":{"documentIndex":0,"start":1,"end":2}}}]}}]`},
		{"what is not known yet", message(append([]string{`{"type":"news","index":9}`}, append(block(0), end("new_reason"), over)...)...), `[{"type":"text","text":"Hello"}]`, "end_turn", `[` + hello + `]`},
	} {
		written, read := int64(5), int64(4)
		usage := &converse.TokenUsage{InputTokens: 10, OutputTokens: 7, TotalTokens: 26, CacheReadInputTokens: &read, CacheWriteInputTokens: &written, CacheDetails: []converse.CacheDetail{{Ttl: "1h", InputTokens: 3}, {Ttl: "5m", InputTokens: 2}}}
		check := func(how string, r *converse.Response, stop string) {
			t.Helper()
			want := `{"output":{"message":{"role":"assistant","content":` + c.want + `}},`
			if got := string(r.AppendJSON(nil)); !strings.HasPrefix(got, want) || r.StopReason != stop {
				t.Errorf("%s, %s: %s with %s, want %s with %s", c.name, how, got, r.StopReason, want, stop)
			}
			if d := cmp.Diff(usage, r.Usage); d != "" {
				t.Errorf("%s, %s: usage (-want +got):\n%s", c.name, how, d)
			}
		}
		events, err := ask(t, serve(t, "text/event-stream; charset=utf-8", c.stream))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		check("streamed", content(t, events), c.stop)
		whole := `{"id":"m","type":"message","role":"assistant","content":` + c.whole + `,"stop_reason":"end_turn","usage":{"input_tokens":10,"cache_read_input_tokens":4,"cache_creation_input_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":2,"ephemeral_1h_input_tokens":3},"output_tokens":7}}`
		u := serve(t, "application/json", whole)
		r, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		check("whole", r, "end_turn")
		if events, err = ask(t, u); err != nil { // a server that does not stream is told as events
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		check("whole, streamed", content(t, events), "end_turn")
	}
}

// Counts of a stream are cumulative: the last holds, and half a usage is none.
func TestUsage(t *testing.T) {
	i := func(n int64) *int64 { return &n }
	for _, c := range []struct {
		first, last string
		want        *converse.TokenUsage
	}{
		{`{"input_tokens":10,"output_tokens":3}`, `{"output_tokens":5}`, &converse.TokenUsage{InputTokens: 10, OutputTokens: 5, TotalTokens: 15}},
		{`{"input_tokens":10,"output_tokens":3}`, `{"input_tokens":12,"cache_read_input_tokens":1,"output_tokens":5}`, &converse.TokenUsage{InputTokens: 12, OutputTokens: 5, TotalTokens: 18, CacheReadInputTokens: i(1)}},
		{`{"input_tokens":10,"cache_creation_input_tokens":0,"cache_creation":null}`, `{"output_tokens":0}`, &converse.TokenUsage{InputTokens: 10, TotalTokens: 10, CacheWriteInputTokens: i(0), CacheDetails: []converse.CacheDetail{}}},
		{`{"input_tokens":10,"cache_creation_input_tokens":6}`, `{"output_tokens":1}`, &converse.TokenUsage{InputTokens: 10, OutputTokens: 1, TotalTokens: 17, CacheWriteInputTokens: i(6), CacheDetails: []converse.CacheDetail{{Ttl: "5m", InputTokens: 6}}}},
		{`{"input_tokens":10,"cache_creation":{"ephemeral_1h_input_tokens":6}}`, `{"output_tokens":1}`, &converse.TokenUsage{InputTokens: 10, OutputTokens: 1, TotalTokens: 17, CacheWriteInputTokens: i(6), CacheDetails: []converse.CacheDetail{{Ttl: "1h", InputTokens: 6}}}},
		{`{"input_tokens":10,"output_tokens":3}`, `{}`, nil}, {`{}`, `{"output_tokens":3}`, nil}, {`null`, `null`, nil},
		{`{"input_tokens":-1}`, `{"output_tokens":3}`, nil}, {`{"input_tokens":"10"}`, `{"output_tokens":3}`, nil}, {`{"input_tokens":99999999999999999999}`, `{"output_tokens":3}`, nil},
	} {
		body := sse(`{"type":"message_start","message":{"usage":`+c.first+`}}`) + sse(block(0)...) +
			sse(`{"type":"message_delta","delta":{"stop_reason":null},"usage":`+c.first+`}`, `{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":`+c.last+`}`, over)
		if c.last == `{}` { // no message_delta tells the output
			body = strings.Replace(body, `"delta":{"stop_reason":null},"usage":`+c.first, `"delta":{"stop_reason":null}`, 1)
		}
		events, err := ask(t, serve(t, "text/event-stream", body))
		if err != nil {
			t.Errorf("%s, %s: %v", c.first, c.last, err)
			continue
		}
		if d := cmp.Diff(c.want, content(t, events).Usage); d != "" {
			t.Errorf("%s, %s (-want +got):\n%s", c.first, c.last, d)
		}
	}
}

// The server hears the key, the version, the headers and the betas; counting
// asks for nothing but the count.
func TestWhatIsSent(t *testing.T) {
	var got http.Header
	mock := new(upstreamtest.MockAnthropic)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		mock.ServeHTTP(w, r)
	}))
	defer server.Close()
	u := open(t, anthropic.Config{BaseURL: server.URL, Headers: map[string]string{"X-Org": "blue", "anthropic-beta": "one"}})
	r := upstreamtest.Ask("Hello")
	r.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: new(int64(9)), Temperature: new(0.5), StopSequences: []string{"x"}}
	r.AdditionalModelRequestFields = json.RawMessage(`{"top_k":3,"anthropic_beta":["two","one"]}`)
	_, err := u.Converse(t.Context(), upstreamtest.Attempt, r)
	_, err2 := u.CountTokens(t.Context(), upstreamtest.Attempt, r)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	for name, want := range map[string]string{"X-Api-Key": key, "Anthropic-Version": "2023-06-01", "Anthropic-Beta": "one,two", "X-Org": "blue",
		"X-Request-Id": string(upstreamtest.Attempt.Invocation), "Content-Type": "application/json", "Authorization": ""} {
		if got.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Get(name), want)
		}
	}
}
