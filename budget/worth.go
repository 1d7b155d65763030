package budget

import "outcrop"

// What a token counts for in the units of usage budgets.
const (
	perUnit     outcrop.Rate = outcrop.PicoPerDollar
	perThousand outcrop.Rate = outcrop.PicoPerDollar / 1000
)

// amount is what r comes to in the budget's unit. falls says whether r falls
// under it at all, priced whether all that does has a price.
func (d *definition) amount(r *outcrop.UsageRecord) (sum outcrop.Money, falls, priced bool) {
	return d.worth(r, d.filter.kindsUsed(r))
}

// becomes are the kinds that tokens of a call may turn out to be, beside the
// one that they are reserved as.
var becomes = [outcrop.TokenKinds][]outcrop.TokenKind{
	outcrop.InputTokens:        {outcrop.CacheReadTokens},
	outcrop.CacheWrite5mTokens: {outcrop.InputTokens, outcrop.CacheReadTokens, outcrop.CacheWrite1hTokens},
	outcrop.CacheWrite1hTokens: {outcrop.InputTokens, outcrop.CacheReadTokens, outcrop.CacheWrite5mTokens},
	outcrop.OutputTokens:       {outcrop.ReasoningTokens},
}

// most is the most that a call can come to which is worst at the dearest: its
// amount, or that of the dearest kinds that its tokens may become. A filter that
// tells kinds apart may have these alone.
func (d *definition) most(worst *outcrop.UsageRecord) (sum outcrop.Money, falls, priced bool) {
	sum, falls, priced = d.amount(worst)
	if !d.filter.perKind && !falls {
		return sum, falls, priced
	}
	under := func(k outcrop.TokenKind) bool { return !d.filter.perKind || d.filter.match(worst, k) }
	for k, n := range worst.Usage.All() {
		var had, dearest outcrop.Rate
		if n > 0 && under(k) {
			had, _ = d.rate(worst, k)
		}
		for _, other := range becomes[k] {
			if n > 0 && under(other) {
				rate, _ := d.rate(worst, other)
				falls, dearest = true, max(dearest, rate)
			}
		}
		if dearest > had {
			sum = sum.Add((dearest - had).For(n))
		}
	}
	if d.Type == Usage && d.Unit == UnitCalls && falls {
		sum = outcrop.Dollars(1)
	}
	return sum, falls, priced
}

// worth is the amount of those kinds of r that fall under the budget.
func (d *definition) worth(r *outcrop.UsageRecord, under kinds) (sum outcrop.Money, falls, priced bool) {
	falls, priced = under == allKinds, true
	for k, n := range r.Usage.All() {
		if n == 0 || !under.has(k) {
			continue
		}
		falls = true
		rate, ok := d.rate(r, k)
		priced = priced && ok
		sum = sum.Add(rate.For(n))
	}
	if d.Type == Usage && d.Unit == UnitCalls && falls {
		sum = outcrop.Dollars(1)
	}
	return sum, falls, priced
}

// rate is what one unit of kind k counts in the budget's own unit.
func (d *Budget) rate(r *outcrop.UsageRecord, k outcrop.TokenKind) (outcrop.Rate, bool) {
	switch {
	case d.Type == Cost:
		return r.Quote.Rate(k)
	case d.Unit == UnitCalls:
		return 0, true
	case !k.CountsTokens():
		return 0, true
	case d.Unit == UnitTokens:
		return perUnit, true
	}
	return perThousand, true
}
