package ledger

import (
	"context"

	"outcrop"
)

// A Follower reads the ledger for one reader that keeps up, into memory that
// it uses again: what After answers is the reader's until it asks for more.
// Texts and maps of a record may be kept. A Follower serves one at a time.
type Follower struct {
	ledger  *Ledger
	records []outcrop.UsageRecord
}

// followerRecords are what it answers at a time from memory.
const followerRecords = 64

// Follow makes a Follower.
func (l *Ledger) Follow() *Follower { return &Follower{ledger: l} }

// Sync is that of the ledger.
func (f *Follower) Sync(ctx context.Context) error { return f.ledger.Sync(ctx) }

// After is that of the ledger. It ends what may be done with the last answer.
func (f *Follower) After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	f.giveBack()
	records, ok := f.ledger.recent.after(f.records, after, min(limit, followerRecords))
	if !ok {
		return f.ledger.store.After(ctx, after, limit)
	}
	f.records = records
	return records, nil
}

// Spoil, where a test sets it, is given the records that a reader may not look
// at any more, to see that it does not.
var Spoil func([]outcrop.UsageRecord)

// giveBack ends the last answer. Who is behind the end holds nothing then.
func (f *Follower) giveBack() {
	if Spoil != nil {
		Spoil(f.records)
		f.records = nil
		return
	}
	clear(f.records)
	f.records = f.records[:0]
}
