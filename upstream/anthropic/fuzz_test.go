package anthropic

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"outcrop/converse"
	"outcrop/upstream/upstreamtest"
)

// A said round-tripper answers with the same bytes.
type said struct {
	kind string
	body []byte
}

func (s said) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {s.kind}}, ContentLength: -1, Body: io.NopCloser(bytes.NewReader(s.body))}, nil
}

// Whatever a server streams, the events come in order and end with the
// metadata or with one error.
func FuzzStream(f *testing.F) {
	f.Add([]byte("data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":1}}}\n\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"a\"}}\n\n" +
		"data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"b\"}}\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_stop\"}\n\n"))
	f.Add([]byte("data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}}\n\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := New(Config{APIKey: "k"}, said{"text/event-stream", body})
		if err != nil {
			t.Fatal(err)
		}
		open, closed, failures := int64(-1), false, 0
		next := int64(0)
		for e, err := range u.ConverseStream(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello")) {
			if closed || failures > 0 {
				t.Fatalf("%+v (%v) follows the end", e, err)
			}
			switch {
			case err != nil:
				failures++
			case e.Metadata != nil:
				closed = true
			case e.ContentBlockDelta != nil:
				open = index(t, open, next, e.ContentBlockDelta)
			case e.ContentBlockStop != nil:
				if e.ContentBlockStop.ContentBlockIndex != next {
					t.Fatalf("block %d stops, want %d", e.ContentBlockStop.ContentBlockIndex, next)
				}
				open, next = -1, next+1
			}
		}
		if !closed && failures != 1 {
			t.Fatalf("neither metadata nor one error, but %d", failures)
		}
	})
}

func index(t *testing.T, open, next int64, d *converse.ContentBlockDeltaEvent) int64 {
	t.Helper()
	if d.ContentBlockIndex != next || open >= 0 && open != next {
		t.Fatalf("a piece of block %d while %d is open and %d comes next", d.ContentBlockIndex, open, next)
	}
	return d.ContentBlockIndex
}

// Whatever a server answers, it is an answer or an error.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"type":"message","content":[{"type":"text","text":"a","citations":[{"type":"page_location"}]},{"type":"tool_use","input":null}],"usage":{"input_tokens":1,"output_tokens":2}}`))
	f.Add([]byte(`{"type":"error","error":{"type":"rate_limit_error","message":"x"}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := New(Config{APIKey: "k"}, said{"application/json", body})
		if err != nil {
			t.Fatal(err)
		}
		r, err := u.Converse(t.Context(), upstreamtest.Attempt, upstreamtest.Ask("Hello"))
		if (r == nil) == (err == nil) {
			t.Fatalf("%+v and %v", r, err)
		}
		if r != nil {
			r.AppendJSON(nil)
		}
	})
}
