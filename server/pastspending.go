package server

import (
	"context"

	"outcrop"
	"outcrop/budget"
	"outcrop/cost"
)

// pastSpending lets new budgets be counted from the rollups of costs.
type pastSpending struct{ *cost.Costs }

// Past is budget.History's.
func (p pastSpending) Past(ctx context.Context, account outcrop.AccountID, days bool, each func(budget.Sum)) (outcrop.Seq, error) {
	like := map[*cost.Line]*outcrop.UsageRecord{}
	return p.Costs.Past(ctx, account, days, func(r cost.Rollup) {
		record := like[r.Line]
		if record == nil {
			record = r.Line.Like()
			like[r.Line] = record
		}
		hour := r.At
		if days {
			hour *= 24
		}
		each(budget.Sum{Hour: hour, Like: record, Kind: r.Line.Kind, Tokens: r.Tokens, Invocations: r.Invocations})
	})
}
