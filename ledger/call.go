package ledger

import (
	"context"
	"time"

	"outcrop"
)

// A call is one invocation, from Open until its record is on disk.
type call struct {
	begin       outcrop.UsageRecord // as opened, with what Progress added
	opened      time.Time
	progressed  bool      // since its newest intent
	intending   bool      // an intent is waiting for the disk
	intent      *segment  // where its newest intent is, nil for none
	intended    time.Time // when that was noted
	intentBytes int       // of the intent that is waiting for the disk
	record      *commit   // carries the settled record, nil while open
	bytes       int       // room that its record needs at most
	recovered   bool
}

// Open registers an invocation before anything is asked of an upstream. It
// refuses with Unavailable while the ledger could not write the record, and
// with Throttled when too many invocations are open. It writes nothing: an
// invocation that lasts gets an intent on disk a second later.
func (l *Ledger) Open(ctx context.Context, begin outcrop.UsageRecord) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	n, err := l.bound(&begin)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.admit(n); err != nil {
		return err
	}
	if l.calls[begin.Invocation] != nil || l.settled.has(begin.Invocation) {
		return outcrop.Errorf(outcrop.Conflict, "invocation %s was opened before", begin.Invocation)
	}
	c := l.newCall()
	c.begin, c.opened, c.bytes = begin, time.Now(), n
	l.calls[begin.Invocation] = c
	l.reserved += int64(n)
	l.count.Opened++
	return nil
}

// newCall takes one that was settled, if there is any. The caller holds l.mu.
func (l *Ledger) newCall() *call {
	last := len(l.idle) - 1
	if last < 0 {
		return new(call)
	}
	c := l.idle[last]
	l.idle = l.idle[:last]
	return c
}

// Settle writes the record of an invocation, opened or not, and returns when
// it is on disk. When ctx ends first, or the disk fails, Settle returns an
// error and the record is still written as soon as that is possible. A second
// Settle of an invocation waits for the first and changes nothing. The ledger
// sets the record's Seq.
func (l *Ledger) Settle(ctx context.Context, r outcrop.UsageRecord) error {
	if l.settledLongAgo(ctx, r.Invocation) {
		return nil
	}
	w, err := l.join(ctx, &r)
	if err != nil || w == nil {
		return err
	}
	return l.await(ctx, w)
}

// settledLongAgo looks in the store for an invocation that was never opened
// here. A store that does not answer is no reason to lose a record: it will
// leave out a second one by itself.
func (l *Ledger) settledLongAgo(ctx context.Context, id outcrop.InvocationID) bool {
	l.mu.Lock()
	known := l.calls[id] != nil || l.settled.has(id)
	l.mu.Unlock()
	if known {
		return false
	}
	_, err := l.store.ByInvocation(ctx, id)
	if err != nil && outcrop.KindOf(err) != outcrop.NotFound {
		l.recent.doubt() // the store may leave out what the log has
	}
	return err == nil
}

// join encodes r, has the next commit write it, and returns what to wait for:
// nil when the record is on disk already.
func (l *Ledger) join(ctx context.Context, r *outcrop.UsageRecord) (*wait, error) {
	n, err := l.bound(r)
	if err != nil {
		return nil, err
	}
	scratch := l.bytes.Get().(*[]byte)
	*scratch = appendRecord((*scratch)[:0], r)
	w, next, err := l.enlist(ctx, r.Invocation, n, *scratch)
	l.bytes.Put(scratch)
	switch next {
	case tellWriter:
		l.signal()
	case lead:
		l.lead()
	}
	return w, err
}

// What whoever puts a record into the queue has to do next, best when the lock
// is free again.
type next int

const (
	onlyWait next = iota
	tellWriter
	lead
)

// enlist puts an encoded record into the queue.
func (l *Ledger) enlist(ctx context.Context, id outcrop.InvocationID, n int, encoded []byte) (*wait, next, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.calls[id]
	switch {
	case c == nil && l.settled.has(id):
		return nil, onlyWait, nil
	case l.ended: // what waits could not be written
		return nil, onlyWait, errClosed()
	case c != nil && c.record != nil:
		return c.record.wait.join(ctx), onlyWait, nil
	case l.closing:
		return nil, onlyWait, errClosed()
	case c == nil && len(l.calls) >= l.opts.MaxWaiting:
		return nil, onlyWait, errTooMany()
	case c == nil:
		c = l.newCall()
		c.begin.Invocation, c.bytes = id, n
		l.calls[id] = c
		l.reserved += int64(n)
	}
	c.record = l.enqueue(c, frameSettled, encoded)
	w := c.record.wait.join(ctx)
	switch {
	case ctx.Done() == nil && l.mayLead():
		return w, lead, nil
	case l.listens():
		return w, tellWriter, nil
	}
	return w, onlyWait, nil
}

// Progress notes what an open invocation has used so far, for recovery to bill
// should the process die. It is cheap and may be called for each event.
func (l *Ledger) Progress(id outcrop.InvocationID, u outcrop.Usage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.calls[id]; c != nil && c.record == nil {
		c.begin.Usage, c.progressed = u, true
	}
}

// admit says whether one more invocation, whose record may have n bytes, could
// be settled. Room is kept for each that is open, so that a full disk stops
// the next call and not the record of the last one.
func (l *Ledger) admit(n int) error {
	if l.closing {
		return errClosed()
	}
	if len(l.calls) >= l.opts.MaxWaiting {
		return errTooMany()
	}
	if err := l.cannotWrite(n); err != nil {
		return errUnavailable(l.opts.RetryEvery).Because(err)
	}
	return nil
}

// bound is how many bytes r may come to in the log, found without encoding it.
// It refuses what the log could not hold.
func (l *Ledger) bound(r *outcrop.UsageRecord) (int, error) {
	if r.Invocation == "" {
		return 0, outcrop.Errorf(outcrop.Internal, "usage record without an invocation")
	}
	const fixed, perField = 512, 10
	n := fixed + len(r.Invocation) + len(r.Operation) + len(r.Account) + len(r.Principal) + len(r.AccessKey) +
		len(r.SDKAttempt) + len(r.Region) + len(r.ServedIn) + len(r.Upstream) + len(r.ModelRef) + len(r.MetricID) +
		len(r.Profile) + len(r.Model) + len(r.Geography) + len(r.Quote.Price) + len(r.ServiceTier) +
		len(r.Outcome.Error) + len(r.Outcome.StopReason) + len(r.TierAsked) + len(r.Latency) + len(r.LatencyAsked) +
		len(r.UpstreamRequest) + len(r.Binding) + len(r.Guardrail) + len(r.ImageSize)
	for k, v := range r.SessionTags {
		n += len(k) + len(v) + perField
	}
	for k, v := range r.Tags {
		n += len(k) + len(v) + perField
	}
	for k, v := range r.RequestMetadata {
		n += len(k) + len(v) + perField
	}
	if n > l.recordLimit() {
		return 0, outcrop.Errorf(outcrop.Invalid, "tags, metadata and names of the invocation come to %d bytes, more than the %d that a usage record may have", n, l.recordLimit())
	}
	return n, nil
}

func errClosed() error {
	return outcrop.Errorf(outcrop.Unavailable, "The service is shutting down. Try again later.")
}

func errTooMany() error {
	return outcrop.Errorf(outcrop.Throttled, "Too many requests are waiting to be recorded. Wait and try again.")
}

func errUnavailable(after time.Duration) *outcrop.Error {
	e := outcrop.Errorf(outcrop.Unavailable, "Usage cannot be recorded at the moment. Try again later.")
	e.RetryAfter = after
	return e
}
