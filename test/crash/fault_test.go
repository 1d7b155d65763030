package crash

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/ledger"
	"outcrop/server"
	"outcrop/upstream/upstreamtest"
)

// A badDisk lies over the ledger's folder and fails as disks do.
type badDisk struct {
	ledger.Files
	full   atomic.Bool  // nothing new can be allocated, and writes into what is there fail half-way
	broken atomic.Bool  // syncs fail
	slow   atomic.Int64 // nanoseconds that a sync takes longer
	faults atomic.Int64 // operations that failed
}

func (d *badDisk) Create(name string, size int64, rest func(int64) bool) (ledger.File, error) {
	if d.full.Load() {
		d.faults.Add(1)
		return nil, syscall.ENOSPC
	}
	return d.file(d.Files.Create(name, size, rest))
}

func (d *badDisk) Open(name string) (ledger.File, error) { return d.file(d.Files.Open(name)) }

func (d *badDisk) file(f ledger.File, err error) (ledger.File, error) {
	if err != nil {
		return nil, err
	}
	return &badFile{f, d}, nil
}

type badFile struct {
	ledger.File
	d *badDisk
}

func (f *badFile) WriteAt(b []byte, off int64) (int, error) {
	if !f.d.full.Load() {
		return f.File.WriteAt(b, off)
	}
	f.d.faults.Add(1)
	n, err := f.File.WriteAt(b[:len(b)/2], off)
	return n, errors.Join(err, syscall.ENOSPC)
}

func (f *badFile) Sync() error {
	time.Sleep(time.Duration(f.d.slow.Load()))
	if f.d.broken.Load() {
		f.d.faults.Add(1)
		return syscall.EIO
	}
	return f.File.Sync()
}

// Property: a disk that is full, that fails or that is slow loses no record and
// doubles none. Calls are refused while nothing can be recorded, before the
// upstream is asked, and taken again by themselves once it can.
func TestBadDisksLoseAndDoubleNothing(t *testing.T) {
	seed := seedOf(t)
	rng := rand.New(rand.NewPCG(seed, 2))
	dir := filepath.Join(t.TempDir(), "data")
	mock := new(upstreamtest.MockOpenAI)
	upstream := httptest.NewServer(mock)
	defer upstream.Close()
	files, err := ledger.OpenFolder(filepath.Join(dir, "ledger"))
	if err != nil {
		t.Fatal(err)
	}
	disk := &badDisk{Files: files}
	s, err := server.Start(context.WithoutCancel(t.Context()), server.Config{
		Listen: "127.0.0.1:0", DataDir: dir, Log: "error",
		Ledger:    ledger.Options{Files: disk, SegmentBytes: 256 << 10, StallAfter: 300 * time.Millisecond, RetryEvery: 50 * time.Millisecond},
		Upstreams: map[string]server.UpstreamConfig{"counting": {Kind: "openai", BaseURL: upstream.URL + "/v1", Models: map[outcrop.ModelID]outcrop.UpstreamModel{"amazon.nova-lite-v1:0": "counted"}}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := identity.ReadCredentials(dir)
	if err != nil {
		t.Fatal(errors.Join(err, s.Close()))
	}
	var mu sync.Mutex
	delivered := map[outcrop.InvocationID]bool{}
	c := newCaller(s.Endpoint(), keys.APIKey, func(id outcrop.InvocationID) { mu.Lock(); defer mu.Unlock(); delivered[id] = true })
	c.allow = map[int]bool{http.StatusServiceUnavailable: true, http.StatusTooManyRequests: true}
	c.begin(connections)
	c.heard.Wait()
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(delivered) }
	troubles := map[string]struct{ on, off func() }{
		"full":   {func() { disk.full.Store(true) }, func() { disk.full.Store(false) }},
		"broken": {func() { disk.broken.Store(true) }, func() { disk.broken.Store(false) }},
		"slow":   {func() { disk.slow.Store(int64(60 * time.Millisecond)) }, func() { disk.slow.Store(0) }},
		"stalls": {func() { disk.slow.Store(int64(900 * time.Millisecond)) }, func() { disk.slow.Store(0) }},
	}
	order := []string{"full", "broken", "slow", "stalls", "full"}
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, name := range order {
		troubles[name].on()
		time.Sleep(300*time.Millisecond + time.Duration(rng.Int64N(int64(700*time.Millisecond))))
		lost := name == "full" || name == "broken"
		if lost && !within(10*time.Second, func() bool { return !ready(s.Endpoint()) }) {
			t.Errorf("seed %d, disk %s: /readyz says ready", seed, name)
		}
		more := func() int64 {
			asked := mock.Total().Requests
			time.Sleep(300 * time.Millisecond)
			return mock.Total().Requests - asked
		}
		if lost { // what was on its way arrives, and then nothing does
			within(10*time.Second, func() bool { return more() == 0 })
		}
		before := count()
		if more := more(); lost && more > 0 {
			t.Errorf("seed %d, disk %s: the upstream was asked %d times though nothing could be recorded", seed, name, more)
		}
		if lost && ready(s.Endpoint()) {
			t.Errorf("seed %d, disk %s: /readyz says ready once more", seed, name)
		}
		troubles[name].off()
		if !heals(count, before) {
			t.Fatalf("seed %d, disk %s: no call was taken any more after it was mended", seed, name)
		}
	}
	c.end()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	checkBoth(t, dir, mock, delivered)
	t.Logf("seed %d: troubles %v, %d operations failed, %d calls delivered", seed, order, disk.faults.Load(), len(delivered))
	if disk.faults.Load() == 0 {
		t.Error("nothing failed: this proves nothing")
	}
}

func ready(endpoint string) bool {
	answer, err := http.Get(endpoint + "/readyz")
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// heals waits until more than before were delivered.
func heals(count func() int, before int) bool {
	return within(30*time.Second, func() bool { return count() > before+connections })
}

func within(bound time.Duration, holds func() bool) bool {
	for until := time.Now().Add(bound); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			return false
		}
	}
	return true
}

// checkBoth holds the ledger against the upstream: the server never died, so
// they are equal.
func checkBoth(t *testing.T, dir string, mock *upstreamtest.MockOpenAI, delivered map[outcrop.InvocationID]bool) {
	t.Helper()
	records := map[outcrop.InvocationID]int{}
	for _, r := range recordsOf(t, dir) {
		records[r.Invocation]++
	}
	var lost, doubled, unasked, unrecorded []string
	for id := range delivered {
		if records[id] == 0 {
			lost = append(lost, string(id))
		}
	}
	asked := mock.All()
	for id, n := range records {
		if n > 1 {
			doubled = append(doubled, string(id))
		}
		if asked[string(id)].Requests == 0 {
			unasked = append(unasked, string(id))
		}
	}
	for id := range asked {
		if records[outcrop.InvocationID(id)] == 0 {
			unrecorded = append(unrecorded, id)
		}
	}
	t.Logf("upstream asked %d, recorded %d, delivered %d; lost %d, doubled %d, not asked %d, not recorded %d",
		len(asked), len(records), len(delivered), len(lost), len(doubled), len(unasked), len(unrecorded))
	if len(lost)+len(doubled)+len(unasked)+len(unrecorded) > 0 || len(delivered) == 0 {
		t.Error(fmt.Sprint("the sides differ: ", lost, doubled, unasked, unrecorded))
	}
}
