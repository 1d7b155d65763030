package script

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"

	"outcrop/upstream/upstreamtest"

	"github.com/rogpeppe/go-internal/testscript"
)

// A mocked is a stand-in for somebody's model server: it speaks OpenAI's
// protocol, checks the key, counts what it answered, and tells it at /total.
type mocked struct {
	*upstreamtest.MockOpenAI
	mu   sync.Mutex
	keys map[string]int // calls by Authorization
}

// mock starts a model server and keeps its base URL in a variable:
//
//	mock GPU
//	exec curl -s $GPU/total
func mock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: mock NAME")
	}
	server := httptest.NewServer(&mocked{MockOpenAI: new(upstreamtest.MockOpenAI), keys: map[string]int{}})
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL+"/v1")
}

func (m *mocked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.URL.Path != "/v1/total" {
		m.keys[r.Header.Get("Authorization")]++
		m.MockOpenAI.ServeHTTP(w, r)
		return
	}
	json.NewEncoder(w).Encode(struct {
		upstreamtest.MockCount
		Keys map[string]int
	}{m.Total(), m.keys})
}
