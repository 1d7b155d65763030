package sqlite

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/ledger/ledgertest"
)

// Property: a scan finds the records of its period, each once and in order, and
// both counts are their number, however the records came in.
func TestScanFindsThePeriod(t *testing.T) {
	base := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	db := openTest(t)
	u := db.Usage()
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := db.write.Exec(`DELETE FROM usage_records; DELETE FROM usage_blocks; DELETE FROM usage_hours; DELETE FROM meta`); err != nil {
			rt.Fatal(err)
		}
		var all []outcrop.UsageRecord
		for range rapid.IntRange(1, 6).Draw(rt, "batches") {
			var batch []outcrop.UsageRecord
			for range rapid.SampledFrom([]int{0, 1, 3, 70, 700}).Draw(rt, "records") {
				n := len(all) + len(batch) + 1
				r := ledgertest.Record(n)
				r.Seq = outcrop.Seq(n)
				r.Started = base.Add(time.Duration(rapid.IntRange(0, 600).Draw(rt, "minute")) * time.Minute)
				batch = append(batch, r)
			}
			all = append(all, batch...)
			if err := u.Append(rt.Context(), batch, outcrop.Seq(len(all))); err != nil {
				rt.Fatal(err)
			}
		}
		from := base.Add(time.Duration(rapid.IntRange(0, 10).Draw(rt, "from")) * time.Hour)
		to := from.Add(time.Duration(rapid.IntRange(0, 10).Draw(rt, "hours")) * time.Hour)
		var want []outcrop.Seq
		for _, r := range all {
			if !r.Started.Before(from) && r.Started.Before(to) {
				want = append(want, r.Seq)
			}
		}
		var got []outcrop.Seq
		for next := outcrop.Seq(0); next < outcrop.Seq(len(all)); {
			records, more, err := u.Scan(rt.Context(), next, from, to, rapid.SampledFrom([]int{1, 7, 2000}).Draw(rt, "limit"))
			if err != nil || more <= next {
				rt.Fatalf("next %d after %d, %v", more, next, err)
			}
			for _, r := range records {
				got = append(got, r.Seq)
			}
			next = more
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			rt.Fatalf("got %v\nwant %v", got, want)
		}
		settled, err := u.Settled(rt.Context(), from, to)
		if err != nil || settled != uint64(len(want)) {
			rt.Fatalf("settled %d, %v; want %d", settled, err, len(want))
		}
		if present, err := u.Present(rt.Context(), from, to); err != nil || present != uint64(len(want)) {
			rt.Fatalf("present %d, %v; want %d", present, err, len(want))
		}
	})
}

// A record that is taken away shows: what was counted when it came is more than
// what is there.
func TestARecordThatIsGoneShows(t *testing.T) {
	db := openTest(t)
	u, list := db.Usage(), ledgertest.Numbered(1, 200)
	if err := u.Append(t.Context(), list, 200); err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.Exec(`DELETE FROM usage_records WHERE seq = 77`); err != nil {
		t.Fatal(err)
	}
	from := list[0].Started.Truncate(time.Hour)
	settled, err := u.Settled(t.Context(), from, from.Add(24*time.Hour))
	present, err2 := u.Present(t.Context(), from, from.Add(24*time.Hour))
	if err != nil || err2 != nil || settled != 200 || present != 199 {
		t.Errorf("settled %d, present %d (%v, %v); want 200 and 199", settled, present, err, err2)
	}
}

// A duplicate is counted once, whatever the size of the batch it comes in.
func TestDuplicatesAreCountedOnce(t *testing.T) {
	u, list := openTest(t).Usage(), ledgertest.Numbered(1, 300)
	if err := u.Append(t.Context(), list[:200], 200); err != nil {
		t.Fatal(err)
	}
	list[250].Invocation = list[3].Invocation
	if err := u.Append(t.Context(), list[150:], 300); err != nil { // 50 that are there, and one again under another Seq
		t.Fatal(err)
	}
	from := list[0].Started.Truncate(time.Hour)
	settled, err := u.Settled(t.Context(), from, from.Add(24*time.Hour))
	present, err2 := u.Present(t.Context(), from, from.Add(24*time.Hour))
	if err != nil || err2 != nil || settled != 299 || present != 299 {
		t.Errorf("settled %d, present %d (%v, %v); want 299", settled, present, err, err2)
	}
}
