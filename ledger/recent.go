package ledger

import (
	"slices"
	"sync"

	"outcrop"
)

// A recent holds the records that went to the store last, so that readers that
// keep up need not ask the store for what was just written to it.
type recent struct {
	mu      sync.Mutex
	from    outcrop.Seq // all records after it, up to the drained one, are held
	to      outcrop.Seq
	records []outcrop.UsageRecord
	off     bool
}

// add takes in what the store took in: everything with from < Seq ≤ to.
func (r *recent) add(from outcrop.Seq, records []outcrop.UsageRecord, to outcrop.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || to <= from {
		return
	}
	if r.to != from { // the first, or one after a gap
		r.records, r.from = nil, from
	}
	if over := len(r.records) + len(records) - recentRecords; over > 0 && len(r.records) > 0 {
		drop := min(max(over, recentRecords/2), len(r.records))
		r.from = r.records[drop-1].Seq
		r.records = append(make([]outcrop.UsageRecord, 0, recentRecords), r.records[drop:]...) // a new array: readers hold the old one
	}
	r.records, r.to = append(r.records, records...), to
}

// after is what Ledger.After answers. ok is false when the store has to be
// asked. Records are never changed once they are here, so the answer shares
// them.
func (r *recent) after(seq outcrop.Seq, limit int) (records []outcrop.UsageRecord, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || r.to == 0 || seq < r.from || seq > r.to || limit < 0 {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(r.records, seq+1, func(e outcrop.UsageRecord, s outcrop.Seq) int {
		switch {
		case e.Seq < s:
			return -1
		case e.Seq > s:
			return 1
		}
		return 0
	})
	end := min(i+limit, len(r.records))
	if i == end {
		return nil, true
	}
	return r.records[i:end:end], true
}

// doubt has readers ask the store from now on: it may have left out a record
// whose invocation it had.
func (r *recent) doubt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off, r.records = true, nil
}
