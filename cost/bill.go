package cost

import (
	"context"
	"iter"

	"outcrop"
)

// A BillLine is one line of a bill: what a Line came to in one period, as the
// account's settings show it. Whatever tells of cost in another form than Cost
// Explorer's is made of these, so that all forms add up to the same total.
type BillLine struct {
	Period      Period
	Line        *Line
	Tags        outcrop.Tags // of the keys that are active; shared between lines
	Tokens      outcrop.Tokens
	Invocations uint64
	Cost        outcrop.Money // nothing when !Line.Priced, which means unknown
}

// Bill walks the lines of an account's bill over each period, periods in
// order, from everything settled until now. A record without usage is no line
// of a bill. An error ends the walk.
func (c *Costs) Bill(ctx context.Context, account outcrop.AccountID, periods []Period) iter.Seq2[BillLine, error] {
	return func(yield func(BillLine, error) bool) {
		view, err := c.view(ctx, account, nil, nil)
		if err != nil {
			yield(BillLine{}, err)
			return
		}
		tags := map[*Line]outcrop.Tags{}
		for sum, err := range c.store.Sums(ctx, account, periods) {
			if err != nil {
				yield(BillLine{}, err)
				return
			}
			if sum.Tokens == 0 {
				continue
			}
			shown, ok := tags[sum.Line]
			if !ok {
				shown = view.fact(sum.Line).tags
				tags[sum.Line] = shown
			}
			line := BillLine{Period: periods[sum.Period], Line: sum.Line, Tags: shown, Tokens: sum.Tokens, Invocations: sum.Invocations}
			if sum.Line.Priced {
				line.Cost = sum.Line.Rate.For(sum.Tokens)
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}
