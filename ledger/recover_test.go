package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

func TestWhatACrashLeftOpenIsSettledAsEstimated(t *testing.T) {
	inBubble(t, ledger.Options{IntentRefresh: 2 * time.Second}, func(b *bed) {
		for n := 1; n <= 3; n++ {
			b.open(n)
		}
		var u outcrop.Usage
		u.Set(outcrop.OutputTokens, 77)
		time.Sleep(3 * time.Second)
		b.Progress(ledgertest.Record(2).Invocation, u)
		time.Sleep(3 * time.Second)
		seen := time.Now()
		b.settle(3)
		b.open(4) // too young to have an intent: nobody was answered yet
		for range 2 {
			b.crash(ledger.Options{}) // the second finds nothing to do
		}
		list := b.records()
		if len(list) != 3 || list[0].Invocation != ledgertest.Record(3).Invocation {
			b.Fatalf("records = %v", list)
		}
		for _, r := range list[1:] {
			if !r.Outcome.Recovered || !r.Usage.Estimated || r.Outcome.Status != 500 || r.Profile == "" || r.Ended.After(seen) {
				b.Errorf("recovered %+v", r)
			}
		}
		if got := list[2].Usage.Of(outcrop.OutputTokens); got != 77 {
			b.Errorf("output tokens = %d, want the 77 that were seen", got)
		}
	})
}

func TestCloseNotesWhatIsOpen(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		for n := range 1500 { // more than one tick would note
			b.open(n)
		}
		if err := b.Close(); err != nil {
			b.Fatal(err)
		}
		b.begin(ledger.Options{})
		if s := b.Stats(); s.Recovered != 1500 || len(b.records()) != 1500 {
			b.Errorf("stats = %+v", s)
		}
	})
}

func TestServedSegmentsAreDeleted(t *testing.T) {
	inBubble(t, ledger.Options{SegmentBytes: 8 << 10, MaxSegments: 8}, func(b *bed) {
		b.open(0) // a call that outlives many segments does not keep them
		time.Sleep(2 * time.Second)
		for n := 1; n < 500; n++ {
			b.settle(n)
			time.Sleep(50 * time.Millisecond)
		}
		if s := b.Stats(); s.Segments > 3 {
			b.Errorf("%d segments are left", s.Segments)
		}
		b.crash(ledger.Options{})
		list := b.records()
		if len(list) != 500 || !list[499].Outcome.Recovered || list[499].Invocation != ledgertest.Record(0).Invocation {
			b.Errorf("%d records, the last is %+v", len(list), list[len(list)-1])
		}
	})
}

func TestAStoreThatDoesNotTakeRecordsFillsTheLogAndThenTheDoorCloses(t *testing.T) {
	inBubble(t, ledger.Options{SegmentBytes: 8 << 10, MaxSegments: 4}, func(b *bed) {
		down := errors.New("store is down")
		b.store.Fault(func() (error, error) { return down, nil })
		n := 0
		for ; b.Open(b.Context(), ledgertest.Record(n)) == nil; n++ {
			b.settle(n)
			time.Sleep(20 * time.Millisecond)
		}
		if err := b.Health(); !errors.Is(err, down) {
			b.Errorf("health = %v", err)
		}
		if err := b.Sync(b.Context()); !errors.Is(err, down) {
			b.Errorf("sync = %v", err)
		}
		b.store.Fault(nil)
		time.Sleep(time.Second)
		b.open(n)
		b.settle(n)
		if got := len(b.records()); got != n+1 || n < 30 {
			b.Errorf("%d records, want %d", got, n+1)
		}
	})
}

// A lateFolder gives a file its name and says once that it could not: as when
// the folder cannot be synced.
type lateFolder struct {
	*ledgertest.Disk
	failed bool
}

func (d *lateFolder) Rename(from, to string) error {
	if err := d.Disk.Rename(from, to); err != nil || d.failed {
		return err
	}
	d.failed = true
	return ledgertest.ErrIO
}

// A segment that may have its name already says where the one before it ends,
// so that nothing may be written there any more.
func TestNothingIsWrittenBehindWhatWasRecovered(t *testing.T) {
	inBubble(t, neverDrained, func(b *bed) {
		b.settle(1)
		b.open(2)
		time.Sleep(2 * time.Second)
		b.disk.Kill()
		_ = b.Close()
		b.disk.Revive()
		opts := neverDrained
		opts.Files = &lateFolder{Disk: b.disk}
		l, err := ledger.Start("", b.store, opts)
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := l.Settle(b.Context(), ledgertest.Record(3)); err != nil {
			b.Fatal(err)
		}
		b.disk.Kill()
		_ = l.Close()
		b.disk.Revive()
		b.begin(ledger.Options{})
		if list := b.records(); len(list) != 3 || list[2].Invocation != ledgertest.Record(3).Invocation {
			b.Errorf("%d records are left of 3", len(list))
		}
	})
}

// neverDrained keeps all records in the log.
var neverDrained = ledger.Options{SegmentBytes: 8 << 10, DrainEvery: time.Hour}

// logOf writes n records, one commit each, into a log that nothing drains, and
// ends its process.
func logOf(b *bed, n int) {
	for i := 1; i <= n; i++ {
		b.settle(i)
	}
	b.disk.Kill()
	_ = b.Close()
	b.disk.Revive()
}

func TestDamageIsNamedAndNeverSilent(t *testing.T) {
	for _, off := range []int64{3, 70, 100, 900} {
		t.Run(fmt.Sprint(off), func(t *testing.T) {
			inBubble(t, neverDrained, func(b *bed) {
				logOf(b, 40)
				first := b.disk.Names()[0]
				b.disk.Damage(first, off)
				_, err := ledger.Start("", b.store, ledger.Options{Files: b.disk})
				var damage *ledger.DamageError
				if !errors.As(err, &damage) || damage.File != first {
					b.Fatalf("start = %v, want a DamageError about %s", err, first)
				}
				b.disk.Damage(first, off) // as if a copy had been put back
				b.begin(ledger.Options{})
				if n := len(b.records()); n != 40 {
					b.Errorf("%d records, want 40", n)
				}
			})
		})
	}
}

func TestDamageInTheLastSegmentIsNoTornTail(t *testing.T) {
	inBubble(t, ledger.Options{DrainEvery: time.Hour}, func(b *bed) {
		logOf(b, 5) // all in one segment
		b.disk.Damage(b.disk.Names()[0], 100)
		_, err := ledger.Start("", b.store, ledger.Options{Files: b.disk})
		var damage *ledger.DamageError
		if !errors.As(err, &damage) || damage.Offset != 64 {
			b.Fatalf("start = %v, want a DamageError at byte 64", err)
		}
	})
}

func TestSalvageKeepsACopyAndEveryOtherRecord(t *testing.T) {
	inBubble(t, neverDrained, func(b *bed) {
		logOf(b, 40)
		names := b.disk.Names()
		b.disk.Damage(names[0], 100) // the first record
		b.disk.Damage(names[1], int64(lastByte(b.disk.Bytes(names[1]))))
		checkFinds(b, 2, false)
		for range 2 { // the second start finds the damage marked
			b.begin(ledger.Options{Salvage: true, DrainEvery: time.Hour})
			if n := b.Stats().Durable; n != 40 {
				b.Errorf("durable = %d, want 40", n)
			}
			b.disk.Kill()
			_ = b.Close()
			b.disk.Revive()
			checkFinds(b, 2, true)
		}
		b.begin(ledger.Options{}) // and so does one without salvage
		list := b.records()
		if len(list) != 38 || list[0].Seq != 2 || list[37].Seq != 40 {
			b.Errorf("%d records from %d to %d", len(list), list[0].Seq, list[len(list)-1].Seq)
		}
		if !slices.Contains(b.disk.Names(), names[0]+".damaged") {
			b.Errorf("no copy among %v", b.disk.Names())
		}
		b.settle(41)
		if r, err := b.store.After(b.Context(), 40, 1); len(r) != 0 || err != nil {
			b.Errorf("after 40: %v, %v", r, err)
		}
		if list := b.records(); list[len(list)-1].Seq != 41 {
			b.Errorf("last seq = %d, want 41", list[len(list)-1].Seq)
		}
	})
}

// checkFinds has the log checked: so many records are lost, and given up or
// not. A check changes nothing.
func checkFinds(b *bed, lost int, givenUp bool) {
	before := map[string]string{}
	for _, name := range b.disk.Names() {
		before[name] = string(b.disk.Bytes(name))
	}
	found, err := ledger.CheckFiles(b.disk)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for _, f := range found {
		for _, d := range f.Damage {
			if n += d.Lost; d.GivenUp != givenUp {
				b.Errorf("%s: damage at %d is given up: %t", f.Segment, d.From, d.GivenUp)
			}
		}
	}
	if n != lost {
		b.Errorf("%d records lost in %+v, want %d", n, found, lost)
	}
	for name, text := range before {
		if string(b.disk.Bytes(name)) != text {
			b.Errorf("a check changed %s", name)
		}
	}
}

// lastByte is the place of the last byte that is not zero.
func lastByte(b []byte) int {
	for i := len(b) - 1; ; i-- {
		if b[i] != 0 {
			return i
		}
	}
}

func TestAMissingSegmentIsNoticed(t *testing.T) {
	inBubble(t, neverDrained, func(b *bed) {
		logOf(b, 60)
		names := b.disk.Names()
		if err := b.disk.Remove(names[1]); err != nil {
			b.Fatal(err)
		}
		if _, err := ledger.Start("", b.store, ledger.Options{Files: b.disk}); err == nil || !strings.Contains(err.Error(), "missing") {
			b.Errorf("start = %v", err)
		}
		if err := b.disk.Remove(names[0]); err != nil {
			b.Fatal(err)
		}
		if _, err := ledger.Start("", b.store, ledger.Options{Files: b.disk}); err == nil || !strings.Contains(err.Error(), "neither in the store") {
			b.Errorf("start = %v", err)
		}
		if err := b.store.Append(b.Context(), nil, 59); err != nil {
			b.Fatal(err)
		}
		b.begin(ledger.Options{}) // the store has what the log lacks
	})
}

// A log that was put back from an old copy must not give out a Seq twice.
func TestAStoreAheadOfTheLogSetsTheNextSeq(t *testing.T) {
	inBubble(t, neverDrained, func(b *bed) {
		logOf(b, 5)
		if err := b.store.Append(b.Context(), nil, 9); err != nil {
			b.Fatal(err)
		}
		for n := range 2 {
			b.begin(ledger.Options{})
			b.settle(100 + n)
			b.crash(ledger.Options{})
			list := b.records()
			if got := list[len(list)-1].Seq; got != outcrop.Seq(10+n) {
				b.Errorf("seq = %d, want %d", got, 10+n)
			}
			if err := b.Close(); err != nil {
				b.Error(err)
			}
		}
	})
}

// A segment that was deleted may have held the record of an intent that stays.
func TestAnIntentWhoseRecordIsInTheStoreIsNotSettledAgain(t *testing.T) {
	inBubble(t, ledger.Options{}, func(b *bed) {
		b.open(1)
		time.Sleep(2 * time.Second)
		b.disk.Kill()
		_ = b.Close()
		b.disk.Revive()
		if err := b.store.Append(b.Context(), ledgertest.Numbered(1, 1), 1); err != nil {
			b.Fatal(err)
		}
		b.begin(ledger.Options{})
		if list := b.records(); b.Stats().Recovered != 0 || len(list) != 1 || list[0].Outcome.Recovered {
			b.Errorf("stats %+v, records %v", b.Stats(), list)
		}
	})
}
