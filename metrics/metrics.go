// Package metrics folds settled usage records into CloudWatch's metrics, one
// minute at a time, and answers questions about them (see DESIGN.md).
package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"outcrop"
)

// Records is the ledger as a reader sees it.
type Records interface {
	// Sync returns once every record settled before the call is visible to After.
	Sync(ctx context.Context) error
	// After returns up to limit records with Seq greater than after, in order of
	// Seq. An empty answer means the end. The list is the reader's until it asks
	// for more.
	After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error)
}

// How the fold works through the ledger.
const (
	readRecords   = 4096            // in one read
	batchRecords  = 64 << 10        // in one transaction, at most
	batchGrains   = 16 << 10        // in one transaction, about
	foldEvery     = 5 * time.Second // pause of the background fold; a question does not wait for it
	compactEvery  = time.Hour
	complainEvery = 5 * time.Minute // how often one persisting failure is logged
)

// Metrics folds records and answers questions. It is safe for concurrent use.
type Metrics struct {
	records Records
	store   Store
	rules   Rules
	now     func() time.Time
	log     *slog.Logger
	folding chan struct{} // holds one token: one fold at a time

	mu     sync.Mutex
	direct map[rowKey]*Block // minutes of refusals and of other samples, not yet stored
	stats  Stats
}

// Stats say how the fold stands.
type Stats struct {
	Watermark outcrop.Seq // folded so far, as of the last fold
	Folded    time.Time   // when a fold last reached the end of the ledger
	Dropped   uint64      // samples that were not counted because the store was away too long
	Err       error       // why the last fold failed; nil once one succeeds
}

// New makes a reader of records that keeps what it folds in store.
func New(records Records, store Store, rules Rules, now func() time.Time, log *slog.Logger) *Metrics {
	return &Metrics{records: records, store: store, rules: rules, now: now, log: log, folding: make(chan struct{}, 1), direct: map[rowKey]*Block{}}
}

// Run folds in the background until ctx ends, and compacts what is old: every
// few seconds, and whenever filled says that much has come. A failure is logged
// and tried again.
func (m *Metrics) Run(ctx context.Context, filled func() <-chan struct{}) {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	var complained, compacted time.Time
	for much := filled(); ; {
		select {
		case <-ctx.Done():
			m.last(context.WithoutCancel(ctx))
			return
		case <-tick.C:
		case <-much:
		}
		much = filled() // what comes during the fold counts for the next
		err := m.CatchUp(ctx)
		if now := m.now(); err == nil && now.Sub(compacted) >= compactEvery {
			compacted = now
			err = m.compact(ctx)
		}
		if now := m.now(); err != nil && ctx.Err() == nil && now.Sub(complained) >= complainEvery {
			complained = now
			m.log.ErrorContext(ctx, "metrics: fold failed, will try again", "err", err)
		}
	}
}

// last stores what only memory has.
func (m *Metrics) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, foldEvery)
	defer cancel()
	if err := m.flush(ctx); err != nil {
		m.log.ErrorContext(ctx, "metrics: the last refusals were not stored", "err", err)
	}
}

// CatchUp folds every visible record after the watermark, and stores what was
// counted beside the ledger. Each batch and its watermark are one transaction,
// so that a crash anywhere folds nothing twice.
func (m *Metrics) CatchUp(ctx context.Context) error {
	select {
	case m.folding <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-m.folding }()
	err := errors.Join(m.catchUp(ctx), m.flush(ctx))
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stats.Err = err; err == nil {
		m.stats.Folded = m.now()
	}
	return err
}

// Rebuild drops what was folded and folds the whole ledger again. Samples that
// did not come from the ledger stay.
func (m *Metrics) Rebuild(ctx context.Context) error {
	if err := m.records.Sync(ctx); err != nil {
		return fmt.Errorf("sync ledger: %w", err)
	}
	if err := m.store.Reset(ctx); err != nil {
		return fmt.Errorf("drop metrics: %w", err)
	}
	return m.CatchUp(ctx)
}

// Stats returns how the fold stands.
func (m *Metrics) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// fresh makes everything settled before the call part of the answer.
func (m *Metrics) fresh(ctx context.Context) error {
	if err := m.records.Sync(ctx); err != nil {
		return fmt.Errorf("sync ledger: %w", err)
	}
	return m.CatchUp(ctx)
}

func (m *Metrics) catchUp(ctx context.Context) error {
	for {
		b, err := m.gather(ctx)
		if err != nil {
			return err
		}
		if b.to > b.from {
			err = m.store.Fold(ctx, b.from, b.to, rows(b.grains, b.own, m.now().Unix()))
			if err != nil && !errors.Is(err, ErrMoved) { // moved: another node folded these, and the next round reads its watermark
				return fmt.Errorf("fold records %d to %d: %w", b.from+1, b.to, err)
			}
		}
		m.noteWatermark(b.to)
		if b.end {
			return nil
		}
	}
}

func (m *Metrics) noteWatermark(to outcrop.Seq) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stats.Watermark = to
}

// A batch is what one transaction folds.
type batch struct {
	from, to outcrop.Seq
	grains   map[grain]*Block
	own      map[rowKey]*Block // minutes of OwnNamespace
	end      bool              // of the ledger, for now
}

// gather adds up records after the watermark, many at a time when there are
// many: a rebuild then writes each Row a few times only.
func (m *Metrics) gather(ctx context.Context) (*batch, error) {
	mark, err := m.store.Watermark(ctx)
	if err != nil {
		return nil, fmt.Errorf("read watermark: %w", err)
	}
	b := &batch{from: mark, to: mark, grains: map[grain]*Block{}, own: map[rowKey]*Block{}}
	for n := 0; n < batchRecords && len(b.grains) < batchGrains; {
		records, err := m.records.After(ctx, b.to, readRecords)
		if err != nil {
			return nil, fmt.Errorf("read ledger after %d: %w", b.to, err)
		}
		for i := range records {
			m.add(b.grains, &records[i])
			unpriced(b.own, &records[i])
			b.to = records[i].Seq
		}
		if n += len(records); len(records) == 0 {
			b.end = true
			return b, nil
		}
	}
	return b, nil
}

func (m *Metrics) add(grains map[grain]*Block, r *outcrop.UsageRecord) {
	g := m.rules.grainOf(r, known(r))
	m.rules.observe(blockOf(grains, g), r)
	g.minute = floor(r.Started.Unix(), Minute.Seconds())
	blockOf(grains, g).At(recordsFolded).Add(1)
}

func blockOf(grains map[grain]*Block, g grain) *Block {
	block := grains[g]
	if block == nil {
		block = new(Block)
		grains[g] = block
	}
	return block
}

func (m *Metrics) compact(ctx context.Context) error {
	if err := m.store.Compact(ctx, m.now().Unix()); err != nil {
		return fmt.Errorf("compact metrics: %w", err)
	}
	return nil
}

// Counted is how many records of the ledger were folded whose calls began in
// from <= t < to, both rounded down to the minute (to 5 minutes or an hour where
// they lie further back than minutes are kept).
func (m *Metrics) Counted(ctx context.Context, from, to time.Time) (uint64, error) {
	if err := m.fresh(ctx); err != nil {
		return 0, err
	}
	lanes, err := m.store.Lanes(ctx, "", "", Namespace)
	if err != nil {
		return 0, fmt.Errorf("list metrics: %w", err)
	}
	step, now := Minute, m.now().Unix()
	for step < Hour && !step.kept(floor(from.Unix(), step.Seconds()), now) {
		step++
	}
	var n uint64
	for _, lane := range lanes {
		if lane.Dimensions != "" {
			continue
		}
		for row, err := range m.store.Rows(ctx, Reading{lane.Lane, step, floor(from.Unix(), step.Seconds()), floor(to.Unix(), step.Seconds())}) {
			if err != nil {
				return 0, fmt.Errorf("read metrics: %w", err)
			}
			block, err := readPart(row.Block, part{only: map[string]bool{recordsFolded: true}})
			if err != nil {
				return 0, err
			}
			if p := block.Of(recordsFolded); p != nil {
				n += p.Count
			}
		}
	}
	return n, nil
}
