// Package cost folds settled usage records into hourly rollups and answers
// cost questions from them, as Cost Explorer does (see DESIGN.md).
package cost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"outcrop"
	"outcrop/pricing"
)

// Records is the ledger as a reader sees it.
type Records interface {
	// Sync returns once every record settled before the call is visible to
	// After.
	Sync(ctx context.Context) error
	// After returns up to limit records with Seq greater than after, in order
	// of Seq. An empty answer means the end. The list is the reader's until it
	// asks for more.
	After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error)
}

// How the fold works through the ledger.
const (
	foldBatchRecords = 16_384          // records in one transaction
	foldEvery        = time.Second     // pause of the background fold
	complainEvery    = 5 * time.Minute // how often one persisting failure is logged
)

// Settings are what an operator may turn. The zero value is AWS's documented
// form. Set them before the first use of Costs.
type Settings struct {
	// Marketplace shows models sold on AWS Marketplace (Anthropic, Cohere and
	// others) as the services of their own that real bills show; off, every
	// model is "Amazon Bedrock". Configuration key billing.marketplace_style.
	Marketplace bool
	// AccountName names an account; nil uses its number.
	AccountName func(outcrop.AccountID) string
	// SessionTags lets the tags of the caller's session stand in where a profile
	// lacks a key, or none was used. Configuration key billing.session_tags.
	SessionTags bool
	// TagsInUse lists the tag keys on an account's resources, so that a key can
	// be activated before the first record carries it. May be nil.
	TagsInUse func(context.Context, outcrop.AccountID) ([]string, error)
	// ProfileTags are the tags that an account's profiles have now, by ARN; nil
	// when they cannot be told.
	ProfileTags func(context.Context, outcrop.AccountID) (map[outcrop.ARN]outcrop.Tags, error)
	// Quote is the price book that holds now; nil when there is none.
	Quote func(pricing.Query) outcrop.Quote
}

// Costs folds records and answers questions. It is safe for concurrent use.
type Costs struct {
	Settings Settings

	records Records
	store   Store
	now     func() time.Time
	log     *slog.Logger
	folding chan struct{} // holds one token: one fold at a time
	cube    cube          // days in memory; changed by who holds the token
	late    tail          // records behind them, likewise
	known   known         // what questions have found out
	docs    parsed
	unpriced
}

// New makes a reader of records that keeps its rollups in store.
func New(records Records, store Store, now func() time.Time, log *slog.Logger) *Costs {
	c := &Costs{records: records, store: store, now: now, log: log, folding: make(chan struct{}, 1)}
	c.unpriced.seen = map[outcrop.ModelID]time.Time{}
	c.cube.forget(0)
	return c
}

// Run folds in the background until ctx ends, so that questions find little
// left to do: every second, and whenever filled says that much has come. A
// failure is logged and tried again.
func (c *Costs) Run(ctx context.Context, filled func() <-chan struct{}) {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	var complained time.Time
	for much := filled(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-much:
		}
		much = filled() // what comes during the fold counts for the next
		err := c.CatchUp(ctx)
		if err == nil {
			complained = time.Time{}
			continue
		}
		if now := c.now(); ctx.Err() == nil && now.Sub(complained) >= complainEvery {
			complained = now
			c.log.ErrorContext(ctx, "cost: fold failed, will try again", "error", err)
		}
	}
}

// CatchUp folds every visible record after the watermark. Each batch and its
// watermark are one transaction, so that a crash anywhere folds nothing twice.
func (c *Costs) CatchUp(ctx context.Context) error {
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	return c.catchUp(ctx)
}

// Rebuild drops the rollups and folds the whole ledger again. Which cost
// allocation tags are active is a setting, not a fold, and stays.
func (c *Costs) Rebuild(ctx context.Context) error {
	if err := c.records.Sync(ctx); err != nil {
		return fmt.Errorf("sync ledger: %w", err)
	}
	if err := c.lock(ctx); err != nil {
		return err
	}
	defer c.unlock()
	if err := c.store.Reset(ctx); err != nil {
		return fmt.Errorf("drop rollups: %w", err)
	}
	c.cube.forget(0)
	return c.catchUp(ctx)
}

// Totals is what has been folded so far, for audits: Records must equal the
// number of records in the ledger up to Watermark.
func (c *Costs) Totals(ctx context.Context) (Totals, error) {
	if err := c.fresh(ctx); err != nil {
		return Totals{}, err
	}
	return c.store.Totals(ctx)
}

// fresh makes everything settled before the call part of the rollups.
func (c *Costs) fresh(ctx context.Context) error {
	if err := c.records.Sync(ctx); err != nil {
		return fmt.Errorf("sync ledger: %w", err)
	}
	return c.CatchUp(ctx)
}

func (c *Costs) catchUp(ctx context.Context) error {
	for {
		mark, err := c.mark(ctx)
		if err != nil {
			return err
		}
		batch, end, err := c.gather(ctx, mark)
		if err != nil {
			return err
		}
		if batch.To > mark {
			if err := c.foldBatch(ctx, batch); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
}

// gather adds up what follows mark, as much as one transaction may have. end
// says that there is no more.
func (c *Costs) gather(ctx context.Context, mark outcrop.Seq) (b Batch, end bool, err error) {
	b = newBatch(mark)
	for n := 0; n < foldBatchRecords; {
		records, err := c.records.After(ctx, b.To, foldBatchRecords-n)
		if err != nil {
			return b, false, fmt.Errorf("read ledger after %d: %w", b.To, err)
		}
		if len(records) == 0 {
			return b, true, nil
		}
		if err := b.fold(records); err != nil {
			return b, false, err
		}
		n += len(records)
	}
	return b, false, nil
}

// mark is the Seq of the last record folded. The cube forgets what it holds
// when it was not this process that folded it.
func (c *Costs) mark(ctx context.Context) (outcrop.Seq, error) {
	mark, err := c.store.Watermark(ctx)
	if err != nil {
		return 0, fmt.Errorf("read watermark: %w", err)
	}
	if mark != c.cube.mark {
		c.cube.forget(mark)
	}
	return mark, nil
}

func (c *Costs) foldBatch(ctx context.Context, batch Batch) error {
	err := c.store.Fold(ctx, batch)
	if errors.Is(err, ErrMoved) {
		return nil // another node folded these; the next round reads its watermark
	}
	if err != nil {
		c.cube.forget(0) // it may have happened all the same
		return fmt.Errorf("fold records %d to %d: %w", batch.From+1, batch.To, err)
	}
	c.cube.fold(batch)
	c.report(ctx, batch)
	return nil
}

func (c *Costs) lock(ctx context.Context) error {
	select {
	case c.folding <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Costs) unlock() { <-c.folding }

// AccountName names an account as answers show it.
func (c *Costs) AccountName(a outcrop.AccountID) string { return c.Settings.accountName(a) }

func (s Settings) accountName(a outcrop.AccountID) string {
	if s.AccountName == nil {
		return string(a)
	}
	return s.AccountName(a)
}
