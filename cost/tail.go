package cost

import (
	"context"
	"fmt"

	"outcrop"
)

// A late is what an entry came to in one hour, of records that are not folded
// yet.
type late struct {
	hour int64
	*entry
	Amount
}

// maxTail is how many unfolded records a question adds up by itself. When there
// are more, it folds them first.
const maxTail = 512

// A tail is the sum of the records after the last fold, which questions add to
// as records come. Whoever holds the folding token may change it.
type tail struct {
	from, to outcrop.Seq // the last record folded, and the last in the tail
	records  int
	lates    map[outcrop.AccountID][]late
	at       map[RollupKey]int
}

// tail adds up what has been settled after the last fold, without a write: a
// question would otherwise wait for the disk. The caller holds the folding
// token, and pages that it takes now lack exactly these records.
func (c *Costs) tail(ctx context.Context, account outcrop.AccountID, v history) ([]late, error) {
	mark, err := c.mark(ctx)
	if err != nil {
		return nil, err
	}
	t := &c.late
	if t.from != mark || t.at == nil {
		*t = tail{from: mark, to: mark, lates: map[outcrop.AccountID][]late{}, at: map[RollupKey]int{}}
	}
	for {
		records, err := c.records.After(ctx, t.to, maxTail-t.records+1)
		if err != nil {
			return nil, fmt.Errorf("read ledger after %d: %w", t.to, err)
		}
		if len(records) == 0 {
			break
		}
		if t.records+len(records) > maxTail {
			*t = tail{}
			return nil, c.catchUp(ctx)
		}
		if err := t.add(records, &c.cube); err != nil {
			*t = tail{}
			return nil, err
		}
	}
	out := make([]late, len(t.lates[account]))
	copy(out, t.lates[account])
	if len(v) > 0 {
		for i := range out {
			out[i].entry = c.cube.entry(v.tell(c.Settings, out[i].entry, out[i].hour))
		}
	}
	return out, nil
}

func (t *tail) add(records []outcrop.UsageRecord, entries *cube) error {
	b := newBatch(t.to)
	if err := b.fold(records); err != nil {
		return err
	}
	for key, amount := range b.Rollups {
		list := t.lates[key.Line.Account]
		i, ok := t.at[key]
		if !ok {
			i = len(list)
			t.at[key] = i
			list = append(list, late{hour: key.Hour, entry: entries.entry(&key.Line)})
			t.lates[key.Line.Account] = list
		}
		list[i].Amount = list[i].plus(amount)
	}
	t.to, t.records = b.To, t.records+len(records)
	return nil
}
