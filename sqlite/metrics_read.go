package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"

	"outcrop/metrics"
)

// Rows is metrics.Store's. All forms are read by one statement, so that nothing
// is seen twice or not at all while it is being compacted.
func (s *Metrics) Rows(ctx context.Context, r metrics.Reading) iter.Seq2[metrics.Row, error] {
	return func(yield func(metrics.Row, error) bool) {
		text, args := packsOf(r)
		rows, err := s.db.read.QueryContext(ctx, text, args...)
		if err != nil {
			yield(metrics.Row{}, fmt.Errorf("read metrics: %w", err))
			return
		}
		defer rows.Close()
		for more := true; more && rows.Next(); {
			var form packForm
			var start int64
			var pack sql.RawBytes
			err := rows.Scan(&form, &start, &pack)
			if err == nil {
				err = unpack(form, start, pack, func(start int64, block []byte) bool {
					if start < r.From || start >= r.To {
						return start < r.To
					}
					more = yield(metrics.Row{Lane: r.Lane, Step: form.step(), Start: start, Block: block}, nil)
					return more
				})
			}
			if err != nil {
				yield(metrics.Row{}, fmt.Errorf("read metrics: %w", err))
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(metrics.Row{}, fmt.Errorf("read metrics: %w", err))
		}
	}
}

// packsOf selects the packs that a reading touches.
func packsOf(r metrics.Reading) (string, []any) {
	var parts []string
	var args []any
	for form := range dayForm(r.Step) + 1 {
		parts = append(parts, `SELECT form, start, pack FROM metric_packs WHERE lane =
			(SELECT id FROM metric_lanes WHERE account = ? AND region = ? AND namespace = ? AND dimensions = ?) AND form = ? AND start > ? AND start < ?`)
		args = append(args, r.Lane.Account, r.Lane.Region, r.Lane.Namespace, r.Lane.Dimensions, form, r.From-form.span(), r.To)
	}
	return strings.Join(parts, " UNION ALL "), args
}
