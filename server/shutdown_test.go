package server

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/eventstream"
	"outcrop/internal/strictyaml"
)

// A stop does not wait for a call beyond the drain time. The call has one
// record, which the next start makes of what was known, and what the call does
// after that adds none.
func TestACallThatAStopCutsOffIsRecordedOnce(t *testing.T) {
	frame := func(name, payload string) []byte {
		return eventstream.AppendFrame(nil, eventstream.EventHeaders(name, "application/json"), []byte(payload))
	}
	up := &stepper{make(chan []byte, 2)}
	there := httptest.NewServer(up)
	defer there.Close()
	config := Config{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), Account: testAccount, Region: testRegion, Drain: strictyaml.Duration(50 * time.Millisecond),
		Upstreams: map[string]UpstreamConfig{"aws": {
			Kind: "bedrock", BaseURL: there.URL, Regions: []outcrop.Region{"us-east-1"}, Credentials: BedrockCredentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "secret"},
		}},
	}
	begin := func() *Server {
		s, err := Start(t.Context(), config, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := begin()
	up.steps <- frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"four"}}`)
	res, err := http.DefaultClient.Do(s.signed(t, s.admin(), "bedrock", "POST", "/model/us."+claude+"/converse-stream", jsonHeader(), `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := eventstream.NewDecoder(res.Body).Next(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a stop took %s", took)
	}
	if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the client of a call that was cut off heard %v", err)
	}
	next := begin()
	defer next.Close()
	up.steps <- append(frame("messageStop", `{"stopReason":"end_turn"}`), frame("metadata", `{"metrics":{"latencyMs":1},"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}`)...)
	close(up.steps)
	time.Sleep(100 * time.Millisecond)
	list := records(t, next)
	if len(list) != 1 || !list[0].Outcome.Recovered || !list[0].Usage.Estimated || list[0].Usage.Of(outcrop.InputTokens) == 0 {
		t.Errorf("the call has %+v", list)
	}
}
