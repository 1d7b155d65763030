package routing

import (
	"sync/atomic"
	"time"
)

// A budget bounds the retries of all calls together: each call pays in a
// share, each retry takes one out. A little trickles in by time, so that a
// quiet server may retry as well. Counts are thousandths of a retry.
type budget struct {
	share   int64 // paid in by each call
	held    atomic.Int64
	trickle atomic.Int64 // when time was last paid in
}

const (
	oneRetry     = 1000
	budgetHolds  = 100 * oneRetry // saved up at most
	budgetBegins = 10 * oneRetry
	paidPerTime  = oneRetry / 2 // each
	payEvery     = int64(time.Second)

	// DefaultRetryShare is how many retries there may be for each hundred calls.
	DefaultRetryShare = 20
)

func newBudget(percent int) *budget {
	b := &budget{share: int64(percent) * oneRetry / 100}
	b.held.Store(budgetBegins)
	return b
}

// call pays in for one call.
func (b *budget) call() {
	if b.held.Load() < budgetHolds {
		b.held.Add(b.share)
	}
}

// retry takes one out, if there is one.
func (b *budget) retry(now int64) bool {
	b.tick(now)
	for {
		held := b.held.Load()
		if held < oneRetry {
			return false
		}
		if b.held.CompareAndSwap(held, held-oneRetry) {
			return true
		}
	}
}

func (b *budget) tick(now int64) {
	last := b.trickle.Load()
	n := (now - last) / payEvery
	if n <= 0 || !b.trickle.CompareAndSwap(last, last+n*payEvery) {
		return
	}
	if add := min(n*paidPerTime, budgetHolds-b.held.Load()); add > 0 {
		b.held.Add(add)
	}
}

// left is what could be retried now.
func (b *budget) left() int { return int(b.held.Load() / oneRetry) }

// RetriesAllowed is the most that a router lets through in a number of calls
// and a time.
func RetriesAllowed(percent, calls int, in time.Duration) float64 {
	if percent == 0 {
		percent = DefaultRetryShare
	}
	return budgetBegins/oneRetry + float64(max(percent, 0)*calls)/100 + in.Seconds()*paidPerTime/oneRetry
}
