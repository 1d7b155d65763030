package ledger_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// A watched disk says who has it sync, and fails when it is told to.
type watched struct {
	ledger.Files
	mu     sync.Mutex
	syncs  []string // "caller" or "writer"
	times  []time.Time
	broken bool
}

type watchedFile struct {
	ledger.File
	of *watched
}

func (d *watched) Create(name string, size int64, rest func(int64) bool) (ledger.File, error) {
	f, err := d.Files.Create(name, size, rest)
	return watchedFile{f, d}, err
}

func (f watchedFile) Sync() error {
	var calls [32]uintptr
	frames, who := runtime.CallersFrames(calls[:runtime.Callers(0, calls[:])]), ""
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		switch {
		case strings.HasSuffix(frame.Function, ".Settle"):
			who = "caller"
		case strings.HasSuffix(frame.Function, ".commitLoop"):
			who = "writer"
		}
	}
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if who != "" { // else it is Start's
		f.of.syncs, f.of.times = append(f.of.syncs, who), append(f.of.times, time.Now())
	}
	if f.of.broken {
		return errors.New("input/output error")
	}
	return f.File.Sync()
}

// took is who synced since it was last asked.
func (d *watched) took() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.syncs, d.times = nil, nil }()
	return strings.Join(d.syncs, " ")
}

func (d *watched) fail(broken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = broken
}

func TestACallerThatStaysWritesItsRecordItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &watched{Files: ledgertest.NewDisk(1)}
		l := start(t, disk, ledgertest.NewMemory(), ledger.Options{})
		defer l.Close()
		stays, leaves := context.WithoutCancel(t.Context()), t.Context()
		for n, c := range []struct {
			ctx  context.Context
			want string
		}{{stays, "caller"}, {leaves, "writer"}, {stays, "caller"}} {
			time.Sleep(5 * time.Millisecond)
			if err := l.Settle(c.ctx, ledgertest.Record(n)); err != nil {
				t.Fatal(err)
			}
			if got := disk.took(); got != c.want {
				t.Errorf("record %d: the %s synced, want the %s", n, got, c.want)
			}
		}
	})
}

// When a caller's own write fails, the writer tries again, no sooner than it
// does after its own, and what others settle meanwhile waits behind, in order.
func TestWhatACallerCouldNotWriteIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, store := &watched{Files: ledgertest.NewDisk(1)}, ledgertest.NewMemory()
		const retry = 300 * time.Millisecond
		l := start(t, disk, store, ledger.Options{RetryEvery: retry})
		defer l.Close()
		stays := context.WithoutCancel(t.Context())
		for n := range 2 {
			if err := l.Open(stays, ledgertest.Record(n)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // the writer has had its first look
		disk.took()
		disk.fail(true)
		began := time.Now()
		if err := l.Settle(stays, ledgertest.Record(0)); outcrop.KindOf(err) != outcrop.Unavailable || err == nil {
			t.Errorf("settle = %v, want it to be unavailable", err)
		}
		if got := disk.took(); got != "caller" {
			t.Errorf("synced by %q", got)
		}
		var second sync.WaitGroup
		second.Go(func() { _ = l.Settle(stays, ledgertest.Record(1)) })
		time.Sleep(retry - time.Millisecond)
		if got := disk.took(); got != "" {
			t.Errorf("tried again by %q after %s", got, time.Since(began))
		}
		disk.fail(false)
		time.Sleep(2 * time.Millisecond)
		second.Wait()
		for n := range 2 {
			if err := l.Settle(stays, ledgertest.Record(n)); err != nil { // on disk by now
				t.Error(err)
			}
		}
		if err := l.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := store.After(t.Context(), 0, 10)
		if err != nil || len(list) != 2 || list[0].Invocation != ledgertest.Record(0).Invocation {
			t.Errorf("the store has %v, %v", list, err)
		}
	})
}

// Close waits for a caller that writes, and writes what came meanwhile.
func TestCloseWaitsForACallerThatWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, store := ledgertest.NewDisk(1), ledgertest.NewMemory()
		l := start(t, disk, store, ledger.Options{})
		release := disk.Hang()
		const records = 5
		var settled, closed sync.WaitGroup
		for n := range records {
			settled.Go(func() {
				if err := l.Settle(context.WithoutCancel(t.Context()), ledgertest.Record(n)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		over := false
		closed.Go(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			over = true
		})
		synctest.Wait()
		if over {
			t.Error("closed while a caller wrote")
		}
		release()
		settled.Wait()
		closed.Wait()
		if list, err := store.After(t.Context(), 0, records+1); len(list) != records || err != nil {
			t.Errorf("the store has %d records, %v", len(list), err)
		}
	})
}

// Callers that stay and such that leave wait for the same commits: each is told
// once of its own record, whatever fails, and memory for waiting that is used
// again wakes nobody else.
func TestEveryCallerHearsOfItsOwnCommit(t *testing.T) {
	disk, store := &watched{Files: ledgertest.NewDisk(1)}, ledgertest.NewMemory()
	l := start(t, disk, store, ledger.Options{RetryEvery: time.Millisecond, DrainEvery: time.Millisecond})
	stop := make(chan struct{})
	var weather, all sync.WaitGroup
	weather.Go(func() {
		for broken := true; ; broken = !broken {
			select {
			case <-stop:
				disk.fail(false)
				return
			case <-time.After(2 * time.Millisecond):
				disk.fail(broken)
			}
		}
	})
	for w := range 16 {
		all.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithoutCancel(t.Context()), context.CancelFunc(func() {})
				if n%2 == w%2 {
					ctx, cancel = context.WithTimeout(ctx, time.Duration(1+n%3)*time.Millisecond)
				}
				r := ledgertest.Record(w*1000 + n)
				for l.Settle(ctx, r) != nil {
					ctx = context.WithoutCancel(ctx)
				}
				cancel()
				if err := l.Sync(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := store.ByInvocation(t.Context(), r.Invocation); err != nil {
					t.Errorf("told that a record is on disk that is not: %v", err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	weather.Wait()
	if s := l.Stats(); s.Settled != 16*200 || s.InFlight != 0 {
		t.Errorf("stats %+v", s)
	}
}

// A panic in a call is recovered from by the server, which must not leave a
// ledger that nobody can write to.
func TestAPanicWhileACallerWritesEndsTheProcess(t *testing.T) {
	const child = "OUTCROP_PANIC_IN_LEDGER"
	if os.Getenv(child) != "" {
		disk := &panics{Files: ledgertest.NewDisk(1)}
		l := start(t, disk, ledgertest.NewMemory(), ledger.Options{})
		disk.armed.Store(true)
		func() {
			defer func() { _ = recover() }()
			_ = l.Settle(context.WithoutCancel(t.Context()), ledgertest.Record(1))
		}()
		t.Fatal("the process lives")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic: ledger: no such disk") || strings.Contains(string(out), "the process lives") {
		t.Errorf("the process ended with %v:\n%s", err, out)
	}
}

// A disk that panics is a bug that nobody has thought of.
type panics struct {
	ledger.Files
	armed atomic.Bool
}

type panicsFile struct {
	ledger.File
	of *panics
}

func (d *panics) Create(name string, size int64, rest func(int64) bool) (ledger.File, error) {
	f, err := d.Files.Create(name, size, rest)
	return panicsFile{f, d}, err
}

func (f panicsFile) Sync() error {
	if f.of.armed.Load() {
		panic("no such disk")
	}
	return f.File.Sync()
}

// Who asks once more for a record that a closed ledger could not write is told
// so, and does not wait.
func TestAClosedLedgerKeepsNobodyWaiting(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		b.disk.SetFaults(ledgertest.Faults{Write: 1, Sync: 1, Name: 1})
		ctx := context.WithoutCancel(b.T.Context())
		b.wantKind(b.Settle(ctx, ledgertest.Record(1)), outcrop.Unavailable)
		if b.Close() == nil {
			b.Error("a record was lost in silence")
		}
		b.wantKind(b.Settle(ctx, ledgertest.Record(1)), outcrop.Unavailable)
	})
}
