package ledger_test

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// Followers of one ledger, each at its own pace, see the same records as the
// store, whole, while batch after batch is read into the memory of the last.
func TestFollowersSeeWhatTheStoreHas(t *testing.T) {
	store := ledgertest.NewMemory()
	l := start(t, ledgertest.NewDisk(1), store, ledger.Options{})
	const records, followers = 3000, 3
	var all sync.WaitGroup
	var settled atomic.Bool
	seen := make([][]outcrop.UsageRecord, followers)
	for i := range followers {
		all.Go(func() {
			f, at, done := l.Follow(), outcrop.Seq(0), false
			for {
				last := done
				done = settled.Load()
				list, err := f.After(t.Context(), at, 1+i*100)
				switch {
				case err != nil:
					t.Error(err)
					return
				case len(list) == 0 && last:
					return
				case len(list) > 0:
					seen[i] = append(seen[i], list...)
					at = list[len(list)-1].Seq
				default:
					if err := f.Sync(t.Context()); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	const writers = 4
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := w; n < records; n += writers {
				if err := l.Settle(t.Context(), ledgertest.Record(n)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writing.Wait()
	if err := l.Sync(t.Context()); err != nil {
		t.Error(err)
	}
	settled.Store(true)
	all.Wait()
	want, err := store.After(t.Context(), 0, records+1)
	if err != nil || len(want) != records {
		t.Fatalf("the store has %d records, %v", len(want), err)
	}
	for i := range seen {
		if !slices.EqualFunc(seen[i], want, func(a, b outcrop.UsageRecord) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("follower %d saw %d records, not those of the store", i, len(seen[i]))
		}
	}
}

// Who looks at an answer after it asked for more sees what was spoiled, never
// another's record; who keeps a record's texts and maps keeps them.
func TestAnAnswerIsOverWhenMoreIsAskedFor(t *testing.T) {
	ledger.Spoil = func(list []outcrop.UsageRecord) {
		for i := range list {
			list[i] = outcrop.UsageRecord{Invocation: "spoiled"}
		}
	}
	t.Cleanup(func() { ledger.Spoil = nil })
	l := start(t, ledgertest.NewDisk(1), ledgertest.NewMemory(), ledger.Options{})
	for n := range 300 {
		if err := l.Settle(t.Context(), ledgertest.Record(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	f, other := l.Follow(), l.Follow()
	first, err := f.After(t.Context(), 0, 50)
	if err != nil || len(first) != 50 {
		t.Fatalf("%d records, %v", len(first), err)
	}
	copied := slices.Clone(first)
	theirs, err := other.After(t.Context(), 0, 50)
	if err != nil || !reflect.DeepEqual(theirs, first) {
		t.Fatalf("another follower sees %d records otherwise, %v", len(theirs), err)
	}
	if _, err := f.After(t.Context(), first[49].Seq, 50); err != nil {
		t.Fatal(err)
	}
	for i := range first {
		if first[i].Invocation != "spoiled" {
			t.Fatalf("record %d can be looked at: %+v", i, first[i])
		}
	}
	if !reflect.DeepEqual(theirs, copied) {
		t.Error("what one follower gave back was another's")
	}
}

// failing fails one read of a segment, as a disk does that is told to retry.
type failing struct {
	ledger.Files
	reads atomic.Int64 // until one fails
}

type failingFile struct {
	ledger.File
	of *failing
}

func (d *failing) Create(name string, size int64, rest func(int64) bool) (ledger.File, error) {
	f, err := d.Files.Create(name, size, rest)
	return failingFile{f, d}, err
}

func (f failingFile) ReadAt(b []byte, at int64) (int, error) {
	if f.of.reads.Add(-1) == 0 {
		return 0, errors.New("input/output error")
	}
	return f.File.ReadAt(b, at)
}

// A read that fails on its second stretch must not leave out the first.
func TestAFailedReadLeavesNothingOut(t *testing.T) {
	for failed := range int64(8) {
		disk, store := &failing{Files: ledgertest.NewDisk(1)}, ledgertest.NewMemory()
		l := start(t, disk, store, ledger.Options{SegmentBytes: 8 << 10, DrainEvery: 1 << 40})
		const records = 60 // of several segments
		for n := range records {
			if err := l.Settle(t.Context(), ledgertest.Record(n)); err != nil {
				t.Fatal(err)
			}
		}
		disk.reads.Store(failed + 1)
		for range 3 {
			_ = l.Sync(t.Context())
		}
		if list, err := store.After(t.Context(), 0, records+1); len(list) != records || err != nil {
			t.Errorf("read %d failed: the store has %d records of %d, %v", failed+1, len(list), records, err)
		}
	}
}
