package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// start starts a ledger that is closed with the test.
func start(t *testing.T, disk ledger.Files, store ledger.Store, opts ledger.Options) *ledger.Ledger {
	t.Helper()
	opts.Files = disk
	l, err := ledger.Start("", store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// bed is a ledger on a disk and a store in memory, inside a bubble of its own
// time.
type bed struct {
	*testing.T
	disk  *ledgertest.Disk
	store *ledgertest.Memory
	*ledger.Ledger
	resolute bool
}

// Context is of callers that can give up waiting, or cannot: these write their
// records themselves when they come one by one.
func (b *bed) Context() context.Context {
	if b.resolute {
		return context.WithoutCancel(b.T.Context())
	}
	return b.T.Context()
}

func inBubble(t *testing.T, opts ledger.Options, test func(b *bed)) {
	t.Helper()
	for _, resolute := range []bool{false, true} {
		t.Run(fmt.Sprintf("resolute=%t", resolute), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bed{T: t, disk: ledgertest.NewDisk(1), store: ledgertest.NewMemory(), resolute: resolute}
				b.begin(opts)
				defer func() { _ = b.Ledger.Close() }()
				test(b)
			})
		})
	}
}

func (b *bed) begin(opts ledger.Options) {
	b.Helper()
	opts.Files = b.disk
	l, err := ledger.Start("", b.store, opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Ledger = l
}

// crash cuts the power and starts the next ledger.
func (b *bed) crash(opts ledger.Options) {
	b.Helper()
	b.disk.Crash()
	_ = b.Ledger.Close()
	b.disk.Revive()
	b.begin(opts)
}

func (b *bed) open(n int) {
	b.Helper()
	if err := b.Open(b.Context(), ledgertest.Record(n)); err != nil {
		b.Fatal(err)
	}
}

func (b *bed) settle(n int) {
	b.Helper()
	if err := b.Settle(b.Context(), ledgertest.Record(n)); err != nil {
		b.Fatal(err)
	}
}

// records syncs and returns what readers see.
func (b *bed) records() []outcrop.UsageRecord {
	b.Helper()
	if err := b.Sync(b.Context()); err != nil {
		b.Fatal(err)
	}
	var list []outcrop.UsageRecord
	for after := outcrop.Seq(0); ; after = list[len(list)-1].Seq {
		more, err := b.After(b.Context(), after, 1<<20)
		if err != nil {
			b.Fatal(err)
		}
		if len(more) == 0 {
			return list
		}
		list = append(list, more...)
	}
}

func (b *bed) wantKind(err error, want outcrop.Kind) {
	b.Helper()
	if outcrop.KindOf(err) != want || err == nil {
		b.Errorf("error = %v (kind %d), want kind %d", err, outcrop.KindOf(err), want)
	}
}

func TestSettledRecordsAreReadAtOnce(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		for n := 1; n <= 3; n++ {
			b.open(n)
			b.settle(n)
			b.settle(n) // a second time changes nothing
		}
		list := b.records()
		if len(list) != 3 || list[0].Seq != 1 || list[2].Seq != 3 {
			b.Fatalf("records = %v", list)
		}
		s := b.Stats()
		if s.Opened != 3 || s.Settled != 3 || s.InFlight != 0 || s.Durable != 3 || s.Drained != 3 {
			b.Errorf("stats = %+v", s)
		}
	})
}

func TestAShortCallCostsOneCommit(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		b.open(1)
		time.Sleep(500 * time.Millisecond)
		b.settle(1)
		if s := b.Stats(); s.Commits != 1 {
			b.Errorf("commits = %d, want 1", s.Commits)
		}
	})
}

func TestCallersThatArriveTogetherShareACommit(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		release := b.disk.Hang()
		var all sync.WaitGroup
		for n := range 512 {
			all.Go(func() { b.settle(n) })
		}
		synctest.Wait()
		if s := b.Stats(); s.Settled != 0 {
			b.Errorf("%d were acknowledged before their sync", s.Settled)
		}
		release()
		all.Wait()
		if s := b.Stats(); s.Settled != 512 || s.Commits != 2 {
			b.Errorf("%d records in %d commits, want 512 in 2", s.Settled, s.Commits)
		}
	})
}

func TestACallerThatGivesUpIsRecordedAllTheSame(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		release := b.disk.Hang()
		gone := errors.New("client gone")
		ctx, cancel := context.WithTimeoutCause(b.Context(), time.Second, gone)
		defer cancel()
		if err := b.Settle(ctx, ledgertest.Record(1)); !errors.Is(err, gone) {
			b.Errorf("settle = %v, want the cause", err)
		}
		release()
		if n := len(b.records()); n != 0 && n != 1 {
			b.Errorf("%d records", n)
		}
		b.settle(1) // waits for the first
		if n := len(b.records()); n != 1 {
			b.Errorf("%d records, want 1", n)
		}
	})
}

func TestAFailedWriteAcknowledgesNothingAndHeals(t *testing.T) {
	for name, f := range map[string]ledgertest.Faults{"write": {Write: 1}, "sync": {Sync: 1}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, ledger.Options{}, func(b *bed) {
				b.open(1)
				b.open(2)
				b.disk.SetFaults(f)
				b.wantKind(b.Settle(b.Context(), ledgertest.Record(1)), outcrop.Unavailable)
				b.wantKind(b.Open(b.Context(), ledgertest.Record(3)), outcrop.Unavailable)
				b.wantKind(b.Settle(b.Context(), ledgertest.Record(2)), outcrop.Unavailable)
				if b.Health() == nil || b.Stats().Durable != 0 {
					b.Errorf("health %v, stats %+v", b.Health(), b.Stats())
				}
				b.disk.SetFaults(ledgertest.Faults{})
				time.Sleep(time.Second)
				if err := b.Health(); err != nil {
					b.Errorf("health = %v", err)
				}
				b.open(3)
				b.settle(1) // on disk by now
				if list := b.records(); len(list) != 2 || list[0].Invocation != ledgertest.Record(1).Invocation {
					b.Errorf("records = %v", list)
				}
			})
		})
	}
}

// The door closes while there is still room for the record of every
// invocation that was let in.
func TestAFullDiskRefusesCallsBeforeItLosesRecords(t *testing.T) {
	inBubble(t, ledger.Options{SegmentBytes: 64 << 10}, func(b *bed) {
		b.disk.SetFull(true)
		var opened []int
		for n := 0; ; n++ {
			if err := b.Open(b.Context(), ledgertest.Record(n)); err != nil {
				b.wantKind(err, outcrop.Unavailable)
				if !errors.Is(err, syscall.ENOSPC) {
					b.Errorf("cause = %v, want ENOSPC", err)
				}
				if b.Health() == nil {
					b.Error("a full disk is healthy")
				}
				break
			}
			if n%3 == 0 { // stays open until the disk is full
				opened = append(opened, n)
			} else {
				b.settle(n)
			}
			time.Sleep(time.Millisecond)
		}
		for _, n := range opened {
			b.settle(n)
		}
		b.disk.SetFull(false)
		time.Sleep(time.Second)
		b.open(1_000_000)
		if err := b.Health(); err != nil {
			b.Errorf("health = %v", err)
		}
	})
}

func TestAStartOnAFullDiskHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bed{T: t, disk: ledgertest.NewDisk(1), store: ledgertest.NewMemory()}
		b.disk.SetFull(true)
		b.begin(ledger.Options{})
		defer b.Close()
		b.wantKind(b.Open(b.Context(), ledgertest.Record(1)), outcrop.Unavailable)
		if err := b.Sync(b.Context()); err != nil {
			b.Error(err)
		}
		b.disk.SetFull(false)
		time.Sleep(time.Second)
		b.open(1)
		b.settle(1)
	})
}

func TestAStalledDiskRefusesCalls(t *testing.T) {
	inBubble(t, ledger.Options{StallAfter: 2 * time.Second}, func(b *bed) {
		release := b.disk.Hang()
		var all sync.WaitGroup
		all.Go(func() { b.settle(1) })
		time.Sleep(time.Second)
		b.open(2) // a slow disk is not yet a dead one
		time.Sleep(2 * time.Second)
		b.wantKind(b.Open(b.Context(), ledgertest.Record(3)), outcrop.Unavailable)
		release()
		all.Wait()
		b.open(3)
	})
}

func TestWaitingIsBounded(t *testing.T) {
	inBubble(t, ledger.Options{MaxWaiting: 2}, func(b *bed) {
		b.open(1)
		b.open(2)
		b.wantKind(b.Open(b.Context(), ledgertest.Record(3)), outcrop.Throttled)
		b.wantKind(b.Settle(b.Context(), ledgertest.Record(3)), outcrop.Throttled)
		b.settle(1) // what was let in is never refused
		b.open(3)
	})
}

func TestWhatCannotBeRecordedIsNotOpened(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		huge := ledgertest.Record(1)
		huge.RequestMetadata = map[string]string{"k": strings.Repeat("x", 300<<10)}
		b.wantKind(b.Open(b.Context(), huge), outcrop.Invalid)
		b.wantKind(b.Settle(b.Context(), huge), outcrop.Invalid)
		b.wantKind(b.Open(b.Context(), outcrop.UsageRecord{}), outcrop.Internal)
		b.open(2)
		b.wantKind(b.Open(b.Context(), ledgertest.Record(2)), outcrop.Conflict)
		ctx, cancel := context.WithCancel(b.Context())
		cancel()
		if err := b.Open(ctx, ledgertest.Record(3)); !errors.Is(err, context.Canceled) {
			b.Errorf("open with an ended context = %v", err)
		}
	})
}

func TestAClosedLedgerTakesNothing(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		b.settle(1)
		for range 2 {
			if err := b.Close(); err != nil {
				b.Error(err)
			}
		}
		b.wantKind(b.Open(b.Context(), ledgertest.Record(2)), outcrop.Unavailable)
		b.wantKind(b.Settle(b.Context(), ledgertest.Record(2)), outcrop.Unavailable)
		if list := b.records(); len(list) != 1 {
			b.Errorf("close drained %d records, want 1", len(list))
		}
	})
}

func TestOneProcessAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger")
	l, err := ledger.Start(dir, ledgertest.NewMemory(), ledger.Options{SegmentBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Start(dir, ledgertest.NewMemory(), ledger.Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second start: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Start(dir, ledgertest.NewMemory(), ledger.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// Settling is on the path of every request: what it leaves to the garbage
// collector is the invocation's own state, not the writing of it.
func TestSettlingAllocatesLittle(t *testing.T) {
	if raced {
		t.Skip("pools forget at random under the race detector")
	}
	l, err := ledger.Start(t.TempDir(), ledgertest.NewMemory(), ledger.Options{SegmentBytes: 1 << 20, DrainEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i, c := range []struct {
		who  string
		ctx  context.Context
		most float64
	}{{"stays", context.WithoutCancel(t.Context()), 0}, {"may leave", t.Context(), 1}} {
		r, n := ledgertest.Record(1), 0
		ids := make([]outcrop.InvocationID, 200)
		for n := range ids {
			ids[n] = ledgertest.Record(i*len(ids) + n).Invocation
		}
		allocs := testing.AllocsPerRun(len(ids)-1, func() {
			r.Invocation = ids[n]
			n++
			if err := errors.Join(l.Open(c.ctx, r), l.Settle(c.ctx, r)); err != nil {
				t.Fatal(err)
			}
		})
		if allocs > c.most {
			t.Errorf("%v allocations for a caller that %s, want at most %v", allocs, c.who, c.most)
		}
	}
}

// Records are read from the log block by block; one that is larger than a block
// comes out of it all the same, and so do those around it.
func TestLargeRecordsReachTheStore(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		want := []int{10, 63 << 10, 100, 64 << 10, 250 << 10, 10, 150 << 10}
		for n, size := range want {
			r := ledgertest.Record(n)
			r.RequestMetadata = map[string]string{"k": strings.Repeat("x", size)}
			if err := b.Settle(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
		list := b.records()
		if len(list) != len(want) {
			b.Fatalf("%d records, want %d", len(list), len(want))
		}
		for n, size := range want {
			if got := len(list[n].RequestMetadata["k"]); got != size {
				b.Errorf("record %d has %d bytes, want %d", n, got, size)
			}
		}
	})
}
