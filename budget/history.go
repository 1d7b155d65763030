package budget

import (
	"context"
	"fmt"
	"time"

	"outcrop"
)

// A History tells what an account's records came to, added up, so that a new
// budget need not read them one by one.
type History interface {
	// Past walks the sums of all records up to one, and returns its Seq. With
	// days they are by day, and their Hour is the first of it.
	Past(ctx context.Context, account outcrop.AccountID, days bool, each func(Sum)) (outcrop.Seq, error)
}

// A Sum is what records of one kind of token came to in an hour.
type Sum struct {
	Hour        int64
	Like        *outcrop.UsageRecord // what they have in common; the same pointer for the same
	Kind        outcrop.TokenKind    // TokenKinds for those without tokens
	Tokens      outcrop.Tokens
	Invocations uint64 // each record is among those of one kind
}

// seed is a new budget's spending from the history, if sums can tell it; else
// it begins at the ledger's first record.
func (b *Budgets) seed(ctx context.Context, d *definition) (outcrop.Seq, map[int64]outcrop.Money, error) {
	hours := map[int64]outcrop.Money{}
	if b.options.History == nil || !d.sumsTell() {
		return 0, hours, nil
	}
	if err := b.records.Sync(ctx); err != nil {
		return 0, nil, fmt.Errorf("sync ledger: %w", err)
	}
	rates := map[*outcrop.UsageRecord]*[outcrop.TokenKinds + 1]counts{}
	seq, err := b.options.History.Past(ctx, d.Account, d.wholeDays(), func(s Sum) {
		known := rates[s.Like]
		if known == nil {
			known = d.counts(s.Like)
			rates[s.Like] = known
		}
		c := known[min(s.Kind, outcrop.TokenKinds)]
		if m := c.rate.For(s.Tokens).Add(outcrop.Dollars(c.calls * s.Invocations)); !m.IsZero() {
			hours[s.Hour] = hours[s.Hour].Add(m)
		}
	})
	if err != nil {
		return 0, nil, fmt.Errorf("read what was spent before: %w", err)
	}
	return seq, hours, nil
}

// counts are what one token, and one call, counts.
type counts struct {
	rate  outcrop.Rate
	calls uint64
}

// counts of all kinds, of records like r.
func (d *definition) counts(r *outcrop.UsageRecord) *[outcrop.TokenKinds + 1]counts {
	all := new([outcrop.TokenKinds + 1]counts)
	under := d.filter.kinds(r)
	for k := range outcrop.Kinds() {
		if under.has(k) {
			all[k].rate, _ = d.rate(r, k)
		}
	}
	if d.Type == Usage && d.Unit == UnitCalls && under == allKinds {
		for k := range all {
			all[k] = counts{calls: 1}
		}
	}
	return all
}

// sumsTell says whether sums have all that the budget asks of records: they do
// not know access keys, nor which of a call's kinds were in the same call.
func (d *definition) sumsTell() bool {
	return !d.Filter.asks(DimAccessKey) && !(d.filter.perKind && d.Unit == UnitCalls)
}

func (f *Filter) asks(dimension string) bool {
	if f == nil {
		return false
	}
	for _, list := range [][]Filter{f.And, f.Or} {
		for i := range list {
			if list[i].asks(dimension) {
				return true
			}
		}
	}
	return f.Not.asks(dimension) || f.Dimension != nil && f.Dimension.Key == dimension
}

// wholeDays says whether all of the budget's periods begin and end at midnight,
// so that days are fine enough to count it by.
func (b *Budget) wholeDays() bool {
	midnight := func(t time.Time) bool { return t.Equal(t.Truncate(24 * time.Hour)) }
	return b.window() == 0 && midnight(b.Start) && midnight(b.End)
}
