package ledger

import (
	"context"
	"time"

	"outcrop"
	"outcrop/internal/record"
)

// Writing intents holds up callers, so it is done in portions. Close, which
// nobody waits behind, notes all.
const (
	intentsPerTick = 1000
	allIntents     = -1
)

// intentLoop notes on disk which invocations are open, once they have lasted:
// a short call never costs more than its one record.
func (l *Ledger) intentLoop(ctx context.Context) {
	tick := time.NewTicker(max(l.opts.IntentAfter/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			l.mu.Lock()
			if l.cannotWrite(0) == nil { // else what room is left belongs to records
				l.noteIntents(intentsPerTick, func(c *call) bool { return l.intentDue(c, now) })
			}
			l.mu.Unlock()
		}
	}
}

// intentDue says whether c needs an intent: its first, a newer one because
// much was used since, or a copy further on because its present one is all
// that keeps the oldest segment.
func (l *Ledger) intentDue(c *call, now time.Time) bool {
	switch {
	case now.Sub(c.opened) < l.opts.IntentAfter:
		return false
	case c.intent == nil:
		return true
	case c.progressed && now.Sub(c.intended) >= l.opts.IntentRefresh:
		return true
	}
	return c.intent == l.segs[0] && len(l.segs) > 1 && c.intent.last <= l.drained
}

// noteIntents has an intent written for up to limit open invocations that are
// due.
// Its Ended is now: the last moment the invocation is known to have lived.
// The caller holds l.mu.
func (l *Ledger) noteIntents(limit int, due func(*call) bool) {
	if l.closing {
		return
	}
	now, noted := time.Now(), 0
	var scratch []byte
	for _, c := range l.calls {
		if c.record != nil || c.intending || !due(c) {
			continue
		}
		r := c.begin
		r.Ended = now
		scratch = appendRecord(scratch[:0], &r)
		if limit != allIntents && l.noSpare != nil && l.active().room() < l.reserved+int64(record.Size(len(scratch))) {
			break // what room is left is kept for records
		}
		l.enqueue(c, frameIntent, scratch)
		c.intentBytes = record.Size(len(scratch))
		l.reserved += int64(c.intentBytes) // until it is on disk
		c.intending, c.progressed, c.intended = true, false, now
		if noted++; noted == limit {
			break
		}
	}
	if noted > 0 {
		l.signal()
	}
}

// recovered is the record of an invocation whose process died: the client's
// connection broke, and what the upstream produced was seen in part.
func recovered(begin outcrop.UsageRecord) outcrop.UsageRecord {
	begin.Usage.Estimated = true
	begin.Outcome = outcrop.Outcome{Status: 500, Error: "InternalServerException", Recovered: true}
	return begin
}
