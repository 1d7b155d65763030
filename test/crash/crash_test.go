// Package crash kills the real binary under load, again and again, and counts
// both sides: what clients received to the last byte, and what the ledger holds.
package crash

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"outcrop/server/servertest"
)

// binary is the outcrop under test, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "outcrop-crash")
	if err == nil {
		binary, err = servertest.Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A size is how hard a test tries. Full is for OUTCROP_CRASH=full.
type size struct {
	kills, clients int
	least, most    time.Duration // life of a server from its first answer to SIGKILL
	last           time.Duration // life of the server that is stopped instead
	long           string        // script of the long answers, known to the ledger before they end
	oneIn          int           // so many answers is long
}

var (
	quick = size{kills: 2, clients: 32, least: 1400 * time.Millisecond, most: 2200 * time.Millisecond, last: 300 * time.Millisecond, long: "tokens=240, pace=30ms", oneIn: 50}
	full  = size{kills: 10, clients: 200, least: 1500 * time.Millisecond, most: 6 * time.Second, last: 3 * time.Second, long: "tokens=500, pace=40ms", oneIn: 150}
)

const config = `
upstreams:
  simulator:
    kind: simulator
    token_pace: 2ms
log: error
`

// Property: SIGKILL at any instant loses no invocation whose last byte reached
// a client, and doubles none; what a client read as usage is what is recorded
// and what Cost Explorer adds up.
func TestKillLosesAndDoublesNothing(t *testing.T) {
	s, seed := quick, seedOf(t)
	if os.Getenv("OUTCROP_CRASH") == "full" {
		s = full
	}
	w := &world{size: s, seed: seed, rng: rand.New(rand.NewPCG(seed, 0)), dir: filepath.Join(t.TempDir(), "data")}
	t.Logf("seed %d: %d kills, %d clients (OUTCROP_CRASH_SEED brings the same instants and requests back)", seed, s.kills, s.clients)
	for range s.kills {
		w.kill(t)
	}
	w.stop(t)
	bill := w.bill(t)
	w.check(t, bill)
}

// seedOf is a new seed, or the one asked for.
func seedOf(t *testing.T) uint64 {
	text := os.Getenv("OUTCROP_CRASH_SEED")
	if text == "" {
		return uint64(time.Now().UnixNano())
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// A world is one data folder and everyone who ever asked something of it.
type world struct {
	size
	seed     uint64
	rng      *rand.Rand // chooses the instants; each client has its own
	dir      string
	profiles []profile
	calls    []*call
	ends     []time.Time // when each life was over
}

// kill lives one life of the server and ends it with SIGKILL.
func (w *world) kill(t *testing.T) {
	span := w.least + time.Duration(w.rng.Int64N(int64(w.most-w.least)))
	server := w.start(t)
	load := w.load(t, server)
	load.first.Wait()
	time.Sleep(span)
	w.ends = append(w.ends, time.Now())
	server.Kill()
	before := len(w.calls)
	w.calls = append(w.calls, load.end()...)
	t.Logf("life %d: killed after %s, %s", len(w.ends), span.Round(time.Millisecond), tally(w.calls[before:]))
}

// stop lives the last life with clients in it: they finish, then the server is
// stopped as an operator would.
func (w *world) stop(t *testing.T) {
	server := w.start(t)
	load := w.load(t, server)
	load.first.Wait()
	time.Sleep(w.last)
	w.calls = append(w.calls, load.end()...)
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	w.ends = append(w.ends, time.Now())
}

func (w *world) start(t *testing.T) *servertest.Server {
	t.Helper()
	s, err := servertest.Start(t.Context(), binary, w.dir, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	if w.profiles == nil {
		w.profiles = makeProfiles(t, s)
	}
	return s
}

// A load is the clients of one life.
type load struct {
	first   sync.WaitGroup // until one answer has been heard
	over    chan struct{}  // closed: begin nothing more
	clients sync.WaitGroup
	mu      sync.Mutex
	calls   []*call
}

// load starts the clients. Each has its own dice, so that a seed brings back
// what each of them asks, whatever the timing.
func (w *world) load(t *testing.T, server *servertest.Server) *load {
	transport := &http.Transport{MaxIdleConnsPerHost: w.clients, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	signer, err := server.Client(&http.Client{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{over: make(chan struct{})}
	l.first.Add(1)
	heard := sync.OnceFunc(l.first.Done)
	life := len(w.ends)
	for n := range w.clients {
		c := &client{
			signer: signer, http: transport, life: life, number: n, size: w.size, profiles: w.profiles, heard: heard,
			rng: rand.New(rand.NewPCG(w.seed, uint64(life)<<32|uint64(n+1))),
		}
		l.clients.Go(func() {
			calls := c.run(t, l.over)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.calls = append(l.calls, calls...)
		})
	}
	return l
}

// end waits until every client has finished or lost its call.
func (l *load) end() []*call {
	close(l.over)
	l.clients.Wait()
	return l.calls
}
