package ledger

import (
	"sort"
	"sync"

	"outcrop"
)

// A recent holds the records that went to the store last, so that readers that
// keep up need not ask the store for what was just written to it. Batches are
// kept as they were drained, small ones together; what is in one stays as it is.
type recent struct {
	mu      sync.Mutex
	from    outcrop.Seq // all records after it, up to the drained one, are held
	to      outcrop.Seq
	batches [][]outcrop.UsageRecord // none is empty
	held    int                     // records in batches
	off     bool

	fresh  int           // records that came since filled was made
	filled chan struct{} // nil when nobody waits
}

// add takes in what the store took in: everything with from < Seq ≤ to.
func (r *recent) add(from outcrop.Seq, batch []outcrop.UsageRecord, to outcrop.Seq) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fill(len(batch))
	if r.off || to <= from {
		return
	}
	if r.to != from { // the first, or one after a gap
		r.batches, r.held, r.from = nil, 0, from
	}
	r.to = to
	r.keep(batch)
	for need := readerRecords + 2*len(batch); len(r.batches) > 1 && r.held-len(r.batches[0]) >= need; { // what made readers wake, and the next batch
		r.drop()
	}
}

// keep takes a batch in. A small one is copied, so that there are not many.
func (r *recent) keep(batch []outcrop.UsageRecord) {
	if len(batch) == 0 {
		return
	}
	r.held += len(batch)
	last := len(r.batches) - 1
	if last >= 0 && cap(r.batches[last])-len(r.batches[last]) >= len(batch) {
		r.batches[last] = append(r.batches[last], batch...) // readers hold what is before it
		return
	}
	if len(batch) <= smallBatch {
		batch = append(make([]outcrop.UsageRecord, 0, 2*smallBatch), batch...)
	}
	r.batches = append(r.batches, batch)
}

// drop lets go of the oldest batch. Readers may hold it still.
func (r *recent) drop() {
	oldest := r.batches[0]
	r.from, r.held = oldest[len(oldest)-1].Seq, r.held-len(oldest)
	r.batches[0] = nil
	r.batches = r.batches[1:]
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

// after is what Ledger.After answers: what one batch has of it. ok is false
// when the store has to be asked. The answer shares the records.
func (r *recent) after(seq outcrop.Seq, limit int) (records []outcrop.UsageRecord, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.off || r.to == 0 || seq < r.from || seq > r.to || limit < 0 {
		return nil, false
	}
	at := sort.Search(len(r.batches), func(i int) bool {
		b := r.batches[i]
		return b[len(b)-1].Seq > seq
	})
	if at == len(r.batches) || limit == 0 {
		return nil, true
	}
	b := r.batches[at]
	i := sort.Search(len(b), func(i int) bool { return b[i].Seq > seq })
	end := min(i+limit, len(b))
	return b[i:end:end], true
}

// doubt has readers ask the store from now on: it may have left out a record
// whose invocation it had.
func (r *recent) doubt() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.off, r.batches, r.held = true, nil, 0
}
