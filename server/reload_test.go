package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"
	"outcrop/upstream/upstreamtest"
)

const nova = "amazon.nova-lite-v1:0"

// modelServer is a mock that can be told to be slow, and counts its calls.
func modelServer(t *testing.T, wait time.Duration) (base string, calls *atomic.Int64) {
	calls = new(atomic.Int64)
	mock := &upstreamtest.MockOpenAI{TimeToFirst: wait}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			calls.Add(1)
		}
		mock.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", calls
}

func gpuConfig(base string) string {
	return fmt.Sprintf("upstreams:\n  gpu: {kind: openai, baseURL: %q, models: {%s: small}, health: {path: off}}\n", base, nova)
}

func (s *Server) converse(t *testing.T) (int, string) {
	t.Helper()
	return send(t, s.signed(t, s.admin(), "bedrock", "POST", "/model/"+url.PathEscape("us."+nova)+"/converse", jsonHeader(), `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`))
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not within 30 seconds", what)
		}
	}
}

// Promise: a changed configuration file is used without a restart, and a call
// under way on an upstream that is gone ends well.
func TestUpstreamsAreReloadedWithoutADroppedCall(t *testing.T) {
	slow, before := modelServer(t, 700*time.Millisecond)
	fast, after := modelServer(t, 0)
	file := filepath.Join(t.TempDir(), "outcrop.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(gpuConfig(slow))
	config, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, *config)
	answered := make(chan int, 1)
	go func() {
		status, _ := s.converse(t)
		answered <- status
	}()
	eventually(t, "the first call arrives", func() bool { return before.Load() == 1 })
	write(gpuConfig(fast))
	eventually(t, "calls go to the new server", func() bool {
		status, answer := s.converse(t)
		if status != 200 {
			t.Fatalf("while the configuration changes: %d %s", status, answer)
		}
		return after.Load() > 0
	})
	if status := <-answered; status != 200 {
		t.Errorf("the call under way: status %d", status)
	}
	calls := before.Load()

	write("upstreams:\n  gpu: {kind: openai}\n") // cannot be used: everything stays
	time.Sleep(300 * time.Millisecond)
	if status, answer := s.converse(t); status != 200 || before.Load() != calls {
		t.Errorf("after a broken file: %d %s", status, answer)
	}
}

// An edit between reading the file and watching it is used as well.
func TestAnEditDuringTheStartIsUsed(t *testing.T) {
	slow, _ := modelServer(t, 0)
	fast, after := modelServer(t, 0)
	file := filepath.Join(t.TempDir(), "outcrop.yaml")
	if err := os.WriteFile(file, []byte(gpuConfig(slow)), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := ReadConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(gpuConfig(fast)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, *config)
	eventually(t, "calls go to the new server", func() bool {
		s.converse(t)
		return after.Load() > 0
	})
}

func TestADrainedUpstreamStaysDrained(t *testing.T) {
	base, calls := modelServer(t, 0)
	dir := t.TempDir()
	config := Config{DataDir: filepath.Join(dir, "data"), Upstreams: map[string]UpstreamConfig{
		"a": {Kind: "openai", BaseURL: base, Models: map[outcrop.ModelID]outcrop.UpstreamModel{nova: "small"}, Health: HealthConfig{Path: checksOff}},
	}}
	s := start(t, config)
	turn := func(s *Server, operation, want string) {
		t.Helper()
		header := http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"Outcrop_20261128." + operation}}
		if status, answer := send(t, s.signed(t, s.admin(), "outcrop", "POST", "/", header, want)); status != 200 {
			t.Fatalf("%s: %d %s", operation, status, answer)
		}
	}
	turn(s, "DrainUpstream", `{"Name":"a"}`)
	if status, answer := s.converse(t); status != 503 || calls.Load() != 0 {
		t.Errorf("drained: %d %s after %d calls", status, answer, calls.Load())
	}
	if names, err := s.engines.store.Drained(t.Context()); err != nil || len(names) != 1 || names[0] != "a" {
		t.Errorf("kept: %v, %v; want a", names, err)
	}
	turn(s, "EnableUpstream", `{"Name":"a"}`)
	if status, answer := s.converse(t); status != 200 || calls.Load() != 1 {
		t.Errorf("enabled: %d %s after %d calls", status, answer, calls.Load())
	}
}

// An upstream that does not answer its check gets calls only when nothing else
// is left, and is back once it answers.
func TestActiveChecks(t *testing.T) {
	var ill atomic.Bool
	mock := new(upstreamtest.MockOpenAI)
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/health" && ill.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path == "/health":
		default:
			calls.Add(1)
			mock.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	health := HealthConfig{Path: "/health", Interval: 20_000_000}
	s := start(t, Config{Upstreams: map[string]UpstreamConfig{
		"gpu":   {Kind: "openai", BaseURL: server.URL + "/v1", Models: map[outcrop.ModelID]outcrop.UpstreamModel{nova: "small"}, Health: health},
		"other": {Kind: "simulator", Regions: []outcrop.Region{"us-west-2"}},
	}})
	told := func(want string) func() bool {
		return func() bool { return s.engines.checks.told("gpu") == want }
	}
	eventually(t, "alive", told("alive"))
	ill.Store(true)
	eventually(t, "ill", told("status 503"))
	eventually(t, "down", func() bool { return s.engines.router.Statuses()[0].State.String() == "down" })
	ill.Store(false)
	eventually(t, "alive again", func() bool { return s.engines.router.Statuses()[0].State.String() == "enabled" })
}
