package cost

import (
	"context"
	"errors"
	"fmt"
	"math"

	"outcrop"
)

// Past walks an account's rollups, by days or by hours, from everything settled
// until now, and returns the last record among them.
func (c *Costs) Past(ctx context.Context, account outcrop.AccountID, days bool, each func(Rollup)) (outcrop.Seq, error) {
	if err := c.records.Sync(ctx); err != nil {
		return 0, fmt.Errorf("sync ledger: %w", err)
	}
	if err := c.lock(ctx); err != nil { // nothing is folded while we read
		return 0, err
	}
	defer c.unlock()
	if err := c.catchUp(ctx); err != nil {
		return 0, err
	}
	mark, err := c.mark(ctx)
	if err != nil {
		return 0, err
	}
	walk := c.store.Hours
	if days {
		walk = c.store.Days
	}
	for r, err := range walk(ctx, account, math.MinInt32, math.MaxInt32) {
		if err != nil {
			return 0, fmt.Errorf("read rollups: %w", err)
		}
		each(r)
	}
	if after, err := c.mark(ctx); err != nil || after != mark {
		return 0, errors.Join(ErrMoved, err) // another node folded meanwhile
	}
	return mark, nil
}

// Like is a record that differs from those of a line by its tokens alone.
func (l *Line) Like() *outcrop.UsageRecord {
	r := &outcrop.UsageRecord{
		Account: l.Account, Region: l.Region, Model: l.Model, Geography: l.Geography, Operation: l.Operation, Profile: l.Profile,
		Tags: l.Tags.Tags(), Principal: l.Principal, SessionTags: l.Session.Tags(), ServiceTier: l.Tier,
	}
	if l.Tier == LatencyOptimized {
		r.ServiceTier, r.Latency = "", "optimized"
	}
	r.Quote.Price = l.Price
	if l.Priced && l.Kind < outcrop.TokenKinds {
		r.Quote.Rates.Set(l.Kind, l.Rate)
	}
	return r
}
