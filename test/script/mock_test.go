package script

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"

	"outcrop/upstream/upstreamtest"

	"github.com/rogpeppe/go-internal/testscript"
)

// A mocked is a stand-in for somebody's model server: it speaks OpenAI's
// protocol, counts the keys it is shown, and tells at /total what it answered.
type mocked struct {
	*upstreamtest.MockOpenAI
	mu   sync.Mutex
	keys map[string]int // calls by Authorization
	busy int            // calls still to be refused with 429
}

// mock starts a model server and keeps its base URL in a variable. A number
// makes it too busy for that many calls:
//
//	mock GPU 2
//	exec curl -s $GPU/total
func mock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: mock NAME [calls refused first]")
	}
	m := &mocked{MockOpenAI: new(upstreamtest.MockOpenAI), keys: map[string]int{}}
	if len(args) == 2 {
		busy, err := strconv.Atoi(args[1])
		ts.Check(err)
		m.busy = busy
	}
	server := httptest.NewServer(m)
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL+"/v1")
}

func (m *mocked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/v1/total":
		m.tell(w)
	case m.refuses(r):
		w.Header().Set("Retry-After", "1")
		http.Error(w, `{"error":{"message":"too many requests"}}`, http.StatusTooManyRequests)
	default:
		m.MockOpenAI.ServeHTTP(w, r)
	}
}

func (m *mocked) refuses(r *http.Request) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[r.Header.Get("Authorization")]++
	m.busy--
	return m.busy >= 0
}

func (m *mocked) tell(w http.ResponseWriter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	json.NewEncoder(w).Encode(struct { // a story that reads half of it fails by itself
		upstreamtest.MockCount
		Keys map[string]int
	}{m.Total(), m.keys})
}
