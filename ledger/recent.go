package ledger

import (
	"slices"
	"sort"
	"sync"

	"outcrop"
)

// A recent holds the records that went to the store last, so that readers that
// keep up need not ask the store for what was just written to it. Nobody is
// shown what it holds: readers get copies in memory of their own, so that its
// memory is used again as soon as a record is old.
type recent struct {
	mu   sync.Mutex
	from outcrop.Seq // all records after it, up to to, are held
	to   outcrop.Seq
	held ring
	off  bool

	fresh  int           // records that came since filled was made
	filled chan struct{} // nil when nobody waits
}

// add takes in what the store took in: everything with from < Seq ≤ to.
func (r *recent) add(from outcrop.Seq, b batch, to outcrop.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fill(len(b.records))
	if r.off || to <= from {
		return
	}
	if r.to != from { // the first, or one after a gap
		r.held.drop(r.held.n)
		r.from = from
	}
	r.to = to
	for i := range b.records {
		r.held.push(keep(&b.records[i], b.shapes[i]))
	}
	if spare := r.held.n - readerRecords - 2*len(b.records); spare > 0 { // beyond what made readers wake, and the next batch
		r.from = r.held.at(spare - 1).seq
		r.held.drop(spare)
	}
}

// fill tells readers when much has come. The caller holds r.mu.
func (r *recent) fill(n int) {
	if r.fresh += n; r.fresh < readerRecords {
		return
	}
	if r.fresh = 0; r.filled != nil {
		close(r.filled)
		r.filled = nil
	}
}

// wake is what Ledger.Filled answers.
func (r *recent) wake() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.filled == nil {
		r.filled = make(chan struct{})
	}
	return r.filled
}

// after appends what Ledger.After answers to dst. ok is false when the store
// has to be asked.
func (r *recent) after(dst []outcrop.UsageRecord, seq outcrop.Seq, limit int) (records []outcrop.UsageRecord, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || r.to == 0 || seq < r.from || seq > r.to || limit < 0 {
		return dst, false
	}
	first := sort.Search(r.held.n, func(i int) bool { return r.held.at(i).seq > seq })
	n := min(r.held.n-first, limit)
	dst = slices.Grow(dst, n)
	for i := range n {
		dst = dst[:len(dst)+1]
		r.held.at(first + i).record(&dst[len(dst)-1])
	}
	return dst, true
}

// doubt has readers ask the store from now on: it may have left out a record
// whose invocation it had.
func (r *recent) doubt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off, r.held = true, ring{}
}

// A ring is a queue in memory that is used again.
type ring struct {
	slots []kept
	first int // where the oldest is
	n     int
}

// at is the ith, from the oldest.
func (q *ring) at(i int) *kept {
	if i += q.first; i >= len(q.slots) {
		i -= len(q.slots)
	}
	return &q.slots[i]
}

const leastSlots = 256

func (q *ring) push(k kept) {
	if q.n == len(q.slots) {
		more := make([]kept, max(leastSlots, q.n+q.n/4))
		for i := range q.n {
			more[i] = *q.at(i)
		}
		q.slots, q.first = more, 0
	}
	q.n++
	*q.at(q.n - 1) = k
}

// drop lets go of the n oldest.
func (q *ring) drop(n int) {
	for range n {
		*q.at(0) = kept{}
		if q.first++; q.first == len(q.slots) {
			q.first = 0
		}
		q.n--
	}
}
