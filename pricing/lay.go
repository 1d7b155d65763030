package pricing

import (
	"fmt"
	"slices"

	"outcrop"
)

// lay puts the rows of one list over those of earlier lists: where both hold,
// the later list speaks, and the earlier row keeps the time before and after.
// Rows of one list that overlap contradict each other and are refused.
func (d *draft) lay(list []*row) error {
	fresh := make(map[key][]*row, len(list))
	for _, r := range list {
		for _, o := range fresh[r.key] {
			if r.overlaps(o) {
				return fmt.Errorf("price list %s: %s and %s hold at the same time", r.list, o.price, r.price)
			}
		}
		fresh[r.key] = append(fresh[r.key], r)
	}
	for k, rows := range fresh {
		for _, r := range rows {
			d.rows[k] = append(cut(d.rows[k], r), r)
		}
		slices.SortFunc(d.rows[k], func(a, b *row) int { return a.from.Compare(b.from) })
	}
	return nil
}

// cut takes the time of r out of rows.
func cut(rows []*row, r *row) []*row {
	var kept []*row
	for _, old := range rows {
		if !old.overlaps(r) {
			kept = append(kept, old)
			continue
		}
		if old.from.Before(r.from) {
			before := *old
			before.until = r.from
			kept = append(kept, &before)
		}
		if !r.until.IsZero() && (old.until.IsZero() || r.until.Before(old.until)) {
			after := *old
			after.from = r.until
			kept = append(kept, &after)
		}
	}
	return kept
}

func (d *draft) book() (*Book, error) {
	b := &Book{rows: d.rows, long: map[outcrop.ModelID]bool{}}
	for _, rows := range b.rows {
		for _, r := range rows {
			if err := r.quote(d.tiers); err != nil {
				return nil, err
			}
			if r.longOver > 0 {
				b.long[r.model] = true
			}
		}
	}
	return b, nil
}
