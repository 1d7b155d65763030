// Package ledger opens and settles UsageRecords: a settled record is on disk,
// exactly once, before its caller goes on.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"outcrop"
	"outcrop/internal/record"
)

// Bounds that are not for an operator to turn.
const (
	maxRecordBytes    = 256 << 10 // one encoded record
	maxCommitBytes    = 1 << 20   // records that share one sync
	drainRecords      = 1000      // records in one transaction of the store
	readerRecords     = 1024      // drained records after which readers are woken; at least so many are kept at hand
	freeCommits       = 4         // commits that are kept for reuse
	freeCommitBytes   = 64 << 10  // that each of them may have
	idleCalls         = 256       // calls that are kept for reuse
	closeDrainSeconds = 10        // how long Close waits for the store
)

// Options are what an operator can turn. The zero value runs.
type Options struct {
	SegmentBytes  int64                    // size of a segment file; default 16 MiB
	MaxSegments   int                      // files to keep while the store does not take them; default 64
	MaxWaiting    int                      // invocations open or waiting for the disk; default 65,536
	DrainEvery    time.Duration            // how often settled records go to the store unasked; default 500ms
	DrainAfter    int                      // records that go there before that time; default 1,000
	IntentAfter   time.Duration            // age at which an open invocation gets an intent; default 1s
	IntentRefresh time.Duration            // age at which progress makes an intent anew; default 10s
	RetryEvery    time.Duration            // pause after a failed write; default 250ms
	StallAfter    time.Duration            // a write that takes longer closes the door; default 5s
	Committed     func(took time.Duration) // told of each commit that is on disk; may be nil
	Salvage       bool                     // start with a damaged log: keep a copy, and go on without the lost records
	Files         Files                    // default: the folder given to Start
	Log           *slog.Logger             // default: none
}

func (o Options) withDefaults() Options {
	o.SegmentBytes = cmp.Or(o.SegmentBytes, 16<<20) &^ (record.Align - 1)
	o.MaxSegments = cmp.Or(o.MaxSegments, 64)
	o.MaxWaiting = cmp.Or(o.MaxWaiting, 65_536)
	o.DrainEvery = cmp.Or(o.DrainEvery, 500*time.Millisecond)
	o.DrainAfter = cmp.Or(o.DrainAfter, drainRecords)
	o.IntentAfter = cmp.Or(o.IntentAfter, time.Second)
	o.IntentRefresh = cmp.Or(o.IntentRefresh, 10*time.Second)
	o.RetryEvery = cmp.Or(o.RetryEvery, 250*time.Millisecond)
	o.StallAfter = cmp.Or(o.StallAfter, 5*time.Second)
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	return o
}

// A Ledger is open. Its methods are safe for concurrent use.
type Ledger struct {
	files Files
	store Store
	opts  Options
	log   *slog.Logger

	mu        sync.Mutex // guards all of these
	calls     map[outcrop.InvocationID]*call
	settled   memory     // ids settled lately
	queue     []*commit  // the first may be on its way to disk
	segs      []*segment // oldest first, the last is written to
	durable   outcrop.Seq
	drained   outcrop.Seq
	free      []*commit // empty ones to reuse
	idle      []*call   // likewise
	failed    error     // why the last write failed; nil once one succeeds
	noSpare   error     // why there is no next segment; nil once there is
	stuck     error     // why the last drain failed; nil once one succeeds
	since     time.Time // when the write under way began; zero when there is none
	closing   bool
	ended     bool // nothing is written any more
	gathering bool // the writer waits for company
	pace      pace
	reserved  int64 // bytes that the records of calls may need, and intents that are waiting
	count     Stats

	turn     chan struct{} // held by who writes: the writer, or a caller that leads
	ledInto  error         // guarded by turn; what a caller that led failed with, until the writer knows
	wake     chan struct{} // there may be something to commit
	full     chan struct{} // there is a whole batch to drain
	stop     chan struct{} // closed by Close
	patience *time.Timer   // of the writer
	draining chan struct{} // held by who drains
	cursor   cursor        // guarded by draining
	flushed  outcrop.Seq   // guarded by draining; up to here the store has it for good
	buf      []byte        // guarded by draining
	batch    batch         // guarded by draining; what was read last
	shapes   shapes        // guarded by draining
	recent   recent
	spare    spare
	bytes    sync.Pool // of *[]byte, to encode in
	waits    sync.Pool // of *wait
	end      context.CancelFunc
	commits  sync.WaitGroup // the goroutine that writes
	helpers  sync.WaitGroup // those that drain, note intents and make segments
}

// Stats count what a ledger did since Start, and where it stands.
type Stats struct {
	Opened    uint64 // invocations opened
	Settled   uint64 // records settled, recovered ones among them
	Recovered uint64 // records settled by Start for a process that died
	Commits   uint64 // writes that were synced
	InFlight  int    // invocations open or waiting for the disk
	Segments  int    // files on disk
	Durable   outcrop.Seq
	Drained   outcrop.Seq // up to here readers of the store see it
}

// Start opens the ledger in folder dir, which it makes if need be, settles
// what a process that died left open, and goes on from there. It refuses a
// damaged log with a *DamageError unless opts.Salvage is set. A disk that
// cannot be written to does not fail Start; Health says so.
func Start(dir string, store Store, opts Options) (*Ledger, error) {
	opts = opts.withDefaults()
	if opts.SegmentBytes < 1<<10 || opts.SegmentBytes > 1<<30 {
		return nil, fmt.Errorf("start ledger: a segment of %d bytes is not between 1 KiB and 1 GiB", opts.SegmentBytes)
	}
	files := opts.Files
	if files == nil {
		var err error
		if files, err = openFolder(dir); err != nil {
			return nil, err
		}
	}
	l := &Ledger{
		files: files, store: store, opts: opts, log: opts.Log,
		calls: map[outcrop.InvocationID]*call{},
		turn:  make(chan struct{}, 1), wake: make(chan struct{}, 1), full: make(chan struct{}, 1), stop: make(chan struct{}), draining: make(chan struct{}, 1),
	}
	l.bytes.New = func() any { return new([]byte) }
	l.spare.wanted = make(chan struct{}, 1)
	l.patience = time.NewTimer(time.Hour)
	l.patience.Stop()
	ctx, cancel := context.WithCancel(context.Background())
	l.end = cancel
	if err := l.recover(ctx); err != nil {
		cancel()
		return nil, errors.Join(fmt.Errorf("start ledger: %w", err), l.closeFiles())
	}
	l.run(ctx)
	return l, nil
}

// run starts what Close waits for, and has the recovered records written.
func (l *Ledger) run(ctx context.Context) {
	if err := l.rotate(); err != nil {
		l.fail(err)
	}
	if len(l.queue) > 0 && l.failed == nil {
		l.writeQueue()
	}
	l.commits.Go(l.commitLoop)
	l.helpers.Go(func() { l.drainLoop(ctx) })
	l.helpers.Go(func() { l.intentLoop(ctx) })
	l.helpers.Go(func() { l.spareLoop(ctx) })
	l.signal()
}

// Health is nil when the ledger can write and the store takes what it writes.
func (l *Ledger) Health() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	const usualRecordBytes = 2 << 10
	return errors.Join(l.cannotWrite(usualRecordBytes), l.stuck)
}

// Stats returns the counters.
func (l *Ledger) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.count
	s.InFlight, s.Segments, s.Durable, s.Drained = len(l.calls), len(l.segs), l.durable, l.drained
	return s
}

// After reads settled records that are in the store: what a reader that keeps
// up has not seen is still at hand, the rest is read. There may be more than it
// answers, as long as it answers any. Sync first to see the newest. Their maps
// are shared with others: nobody may change them. Who reads all the time has a
// Follower.
func (l *Ledger) After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	if records, ok := l.recent.after(nil, after, limit); ok {
		return records, nil
	}
	return l.store.After(ctx, after, limit)
}

// Filled is closed when as much has come as is kept at hand for readers. A reader that then reads on finds all of it in memory.
func (l *Ledger) Filled() <-chan struct{} { return l.recent.wake() }

// Close writes what is waiting, notes as an intent each invocation that is
// still open, so that the next Start settles it, drains, and lets go of the
// folder. Nothing may be opened or settled from here on.
func (l *Ledger) Close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return nil
	}
	l.noteIntents(allIntents, func(c *call) bool { return c.intent == nil || c.progressed })
	l.closing = true
	l.mu.Unlock()
	close(l.stop)
	l.commits.Wait()
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	err := l.lastDrain()
	l.end()
	l.helpers.Wait()
	return errors.Join(err, l.unwritten(), l.spare.discard(l.files), l.closeFiles())
}

func (l *Ledger) lastDrain() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeDrainSeconds*time.Second)
	defer cancel()
	return l.Sync(ctx)
}

func (l *Ledger) unwritten() error {
	if len(l.queue) == 0 {
		return nil
	}
	return fmt.Errorf("close ledger: %d commits could not be written: %w", len(l.queue), l.failed)
}

func (l *Ledger) closeFiles() error {
	var errs []error
	for _, s := range l.segs {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(append(errs, l.files.Close())...)
}
