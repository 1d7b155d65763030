package script

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"outcrop/upstream/upstreamtest"

	"github.com/rogpeppe/go-internal/testscript"
)

// A mocked is a stand-in for somebody's model server: it speaks OpenAI's or
// Anthropic's protocol, counts the keys it is shown, and tells at /total what
// it answered.
type mocked struct {
	openai    *upstreamtest.MockOpenAI
	anthropic *upstreamtest.MockAnthropic
	mu        sync.Mutex
	keys      map[string]int // calls by Authorization or X-Api-Key
	busy      int            // calls still to be refused with 429
	cut       atomic.Bool    // connections are dropped, as by a server that dies
	drop      func()         // ends the connections there are
}

// mock starts a model server and keeps its base URL in a variable. A number
// makes it too busy for that many calls. Either protocol is answered at its own
// path:
//
//	mock GPU 2
//	exec curl -s $GPU/total
//
// $GPU/cut makes the server drop every connection, until $GPU/mend.
func mock(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: mock NAME [calls refused first]")
	}
	m := &mocked{anthropic: new(upstreamtest.MockAnthropic), keys: map[string]int{}}
	m.openai = &m.anthropic.MockOpenAI // one count for both
	if len(args) == 2 {
		busy, err := strconv.Atoi(args[1])
		ts.Check(err)
		m.busy = busy
	}
	server := httptest.NewServer(m)
	m.drop = server.CloseClientConnections
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL+"/v1")
}

func (m *mocked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/v1/total":
		m.tell(w)
	case r.URL.Path == "/v1/cut":
		m.cut.Store(true)
		go m.drop() // this connection too
	case r.URL.Path == "/v1/mend":
		m.cut.Store(false)
	case m.cut.Load():
		panic(http.ErrAbortHandler)
	case r.Method == http.MethodPost && m.refuses(r): // a health check is no call
		w.Header().Set("Retry-After", "1")
		http.Error(w, `{"error":{"message":"too many requests"}}`, http.StatusTooManyRequests)
	case strings.HasPrefix(r.URL.Path, "/v1/messages"):
		m.anthropic.ServeHTTP(w, r)
	default:
		m.openai.ServeHTTP(w, r)
	}
}

func (m *mocked) refuses(r *http.Request) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[r.Header.Get("Authorization")+r.Header.Get("X-Api-Key")]++
	m.busy--
	return m.busy >= 0
}

func (m *mocked) tell(w http.ResponseWriter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	json.NewEncoder(w).Encode(struct { // a story that reads half of it fails by itself
		upstreamtest.MockCount
		Keys map[string]int
	}{m.openai.Total(), m.keys})
}
