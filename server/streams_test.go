package server

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/eventstream"
)

// A stepper is an upstream that sends what it is told, when it is told.
type stepper struct{ steps chan []byte }

func (s *stepper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	for step := range s.steps {
		w.Write(step)
		http.NewResponseController(w).Flush()
	}
}

// However frames come, alone, together or in pieces, the client has each before
// the upstream is waited for, and the last one waits for nothing but the record.
func TestNoFrameIsHeldBack(t *testing.T) {
	chunk := func(native string) []byte {
		return eventstream.AppendFrame(nil, eventstream.EventHeaders("chunk", "application/json"), []byte(`{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(native))+`"}`))
	}
	event := func(name, payload string) []byte {
		return eventstream.AppendFrame(nil, eventstream.EventHeaders(name, "application/json"), []byte(payload))
	}
	for operation, frames := range map[string]struct{ body, frame, end []byte }{
		"converse-stream": {
			[]byte(`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`), event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"four"}}`),
			append(event("messageStop", `{"stopReason":"end_turn"}`), event("metadata", `{"metrics":{"latencyMs":1},"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}`)...),
		},
		"invoke-with-response-stream": {
			[]byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`), chunk(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"four"}}`),
			append(chunk(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":4}}`), chunk(`{"type":"message_stop"}`)...),
		},
	} {
		up := &stepper{make(chan []byte, 1)}
		there := httptest.NewServer(up)
		defer there.Close()
		s := start(t, Config{Upstreams: map[string]UpstreamConfig{"aws": {
			Kind: "bedrock", BaseURL: there.URL, Regions: []outcrop.Region{"us-east-1"}, Credentials: BedrockCredentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"},
		}}})
		up.steps <- frames.frame
		res, err := http.DefaultClient.Do(s.signed(t, s.admin(), "bedrock", "POST", "/model/us."+claude+"/"+operation, jsonHeader(), string(frames.body)))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		late := time.AfterFunc(20*time.Second, func() {
			t.Errorf("%s: a frame is held back", operation)
			close(up.steps)
		})
		d := eventstream.NewDecoder(res.Body)
		next := func(n int) {
			for range n {
				if _, err := d.Next(); err != nil {
					t.Fatalf("%s: %v", operation, err)
				}
			}
		}
		next(1)
		for n := 1; n < 6; n++ { // together, and with a piece of the next
			burst, cut := bytes.Repeat(frames.frame, n), len(frames.frame)/2
			up.steps <- append(burst, frames.frame[:cut]...)
			next(n)
			up.steps <- frames.frame[cut:]
			next(1)
		}
		up.steps <- bytes.Repeat(frames.frame, 200) // more than any buffer
		next(200)
		up.steps <- frames.end
		next(2)
		if late.Stop() {
			close(up.steps)
		}
	}
}
