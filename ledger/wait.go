package ledger

import (
	"context"
	"sync"
	"sync/atomic"
)

// A wait is what the callers of one commit wait for. After a failure the commit
// gets a new one and is tried again. Once the commit and all who wait have left
// it, it is used again.
type wait struct {
	err   error          // set before it is over
	ended sync.WaitGroup // of one: its end
	done  chan struct{}  // closed at its end; nil unless somebody may give up waiting
	users atomic.Int32   // the commit, and those who wait
}

func (l *Ledger) newWait() *wait {
	w, ok := l.waits.Get().(*wait)
	if !ok {
		w = new(wait)
	}
	w.ended.Add(1)
	w.users.Store(1)
	return w
}

// join is w for one more who will wait, once, with this ctx. The caller holds
// l.mu, and w is not over.
func (w *wait) join(ctx context.Context) *wait {
	w.users.Add(1)
	if ctx.Done() != nil && w.done == nil {
		w.done = make(chan struct{})
	}
	return w
}

// await returns when w is over, or ctx.
func (l *Ledger) await(ctx context.Context, w *wait) error {
	defer l.leave(w)
	if ctx.Done() == nil {
		w.ended.Wait()
		return w.err
	}
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// over wakes all who wait. Nobody may join any more.
func (l *Ledger) over(w *wait) {
	w.ended.Done()
	if w.done != nil {
		close(w.done)
	}
	l.leave(w)
}

func (l *Ledger) leave(w *wait) {
	if w.users.Add(-1) == 0 {
		w.err, w.done = nil, nil
		l.waits.Put(w)
	}
}
