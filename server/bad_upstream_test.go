package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
	"outcrop/routing"
)

// A bad upstream answers what is no answer.
var badUpstreams = map[string]http.HandlerFunc{
	"slow headers":       func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	"broken JSON":        says("application/json", `{"choices":[`),
	"broken JSON events": says("text/event-stream", "data: {\n\n"),
	"wrong content type": says("text/html", "<html>welcome</html>"),
	"200 with an error":  says("application/json", `{"error":{"message":"the card has fallen off the bus","code":500}}`),
	"an error event":     says("text/event-stream", `data: {"error":{"message":"busy","code":503}}`+"\n\n"),
	"nothing":            func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	"an endless stream": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for r.Context().Err() == nil {
			if _, err := fmt.Fprintf(w, "data: {%q:[{%q:0,%q:{%q:%q}}]}\n\n", "choices", "index", "delta", "content", strings.Repeat("word ", 2000)); err != nil {
				return
			}
		}
	},
	"half an answer": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}`+"\n\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	},
}

func says(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, body)
	}
}

// Promise: whatever an upstream does, the client gets a clear error in AWS's
// shape, and the call leaves exactly one record.
func TestBadUpstreamsAreToldAndMetered(t *testing.T) {
	for name, handler := range badUpstreams {
		t.Run(name, func(t *testing.T) {
			behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body) // only then does a server notice that its client leaves
				handler(w, r)
			}))
			t.Cleanup(behind.Close)
			t.Cleanup(behind.CloseClientConnections)
			s := start(t, Config{Upstreams: map[string]UpstreamConfig{"bad": {
				Kind: "openai", BaseURL: behind.URL + "/v1", Models: map[outcrop.ModelID]outcrop.UpstreamModel{nova: "small"},
				Health: HealthConfig{Path: checksOff}, Timeout: strictyaml.Duration(500 * time.Millisecond),
			}}})
			calls := 0
			for _, operation := range []string{"converse", "converse-stream"} {
				if operation == "converse-stream" && (name == "slow headers" || name == "an endless stream") {
					continue // minutes and gigabytes; openai.TestSlowServers and TestEndlessServers turn them down
				}
				calls++
				status, answer := send(t, s.signed(t, s.admin(), "bedrock", "POST", "/model/"+url.PathEscape("us."+nova)+"/"+operation, jsonHeader(), `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`))
				if status == 200 && !strings.Contains(answer, "xception") || status != 200 && !strings.Contains(answer, `"message":"`) {
					t.Errorf("%s: %d %.300q, want an error that says what happened", operation, status, answer)
				}
				if strings.Contains(answer, behind.Listener.Addr().(*net.TCPAddr).String()) {
					t.Errorf("%s tells where the upstream is: %.300q", operation, answer)
				}
			}
			if err := s.engines.ledger.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			records, err := s.engines.ledger.After(t.Context(), 0, 10)
			if err != nil || len(records) != calls {
				t.Fatalf("%d records of %d calls, %v", len(records), calls, err)
			}
			for _, r := range records {
				if r.Upstream != "bad" || r.Outcome.Error == "" || r.Outcome.Status < 400 || r.Attempts < 1 || r.Attempts > routing.MaxAttempts {
					t.Errorf("record %+v", r)
				}
			}
			for _, u := range s.engines.router.Statuses() {
				if u.InFlight != 0 {
					t.Errorf("%d calls are still under way", u.InFlight)
				}
			}
		})
	}
}
