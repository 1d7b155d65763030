package cost

import (
	"maps"

	"outcrop"
)

// Records come in crowds: the same caller, profile and price within the same
// hour. What stands on the same lines is added up before it goes into the map
// of rollups, whose keys are long.

// maxCrowds is how many crowds are told apart at a time; whoever belongs to
// none of them is counted alone.
const maxCrowds = 8

// A crowd is records that stand on the same lines.
type crowd struct {
	of    *outcrop.UsageRecord // one of them
	hour  int64
	class InputClass
	line  Line // without what depends on the kind of token
	sums  [outcrop.TokenKinds]Amount
	empty uint64 // records without tokens
}

// has says whether r is one of them: all that decides a line, but for the kind
// of token, is the same.
func (c *crowd) has(r *outcrop.UsageRecord, hour int64, class InputClass) bool {
	of := c.of
	return c.hour == hour && c.class == class &&
		of.Profile == r.Profile && of.Principal == r.Principal && of.Model == r.Model && of.Operation == r.Operation &&
		of.Account == r.Account && of.Region == r.Region && of.Geography == r.Geography &&
		of.ServiceTier == r.ServiceTier && of.Latency == r.Latency && of.Usage.Estimated == r.Usage.Estimated && of.Quote == r.Quote &&
		maps.Equal(of.Tags, r.Tags) && maps.Equal(of.SessionTags, r.SessionTags)
}

// add counts one record of the crowd, and says how many of its counts were
// damaged.
func (c *crowd) add(r *outcrop.UsageRecord) (damaged int) {
	count := uint64(1)
	for kind, n := range r.Usage.All() {
		if n == 0 {
			continue
		}
		if n > maxTokensPerKind {
			n = maxTokensPerKind
			damaged++
		}
		c.sums[kind] = c.sums[kind].plus(Amount{n, count})
		count = 0
	}
	c.empty += count
	return damaged
}

// crowd finds or begins the one that r belongs to, nil when there are too many.
func (b *Batch) crowd(r *outcrop.UsageRecord) *crowd {
	hour, class := HourOf(r.Started), InputClassOf(r.Usage.Input())
	for i := range b.crowds {
		if b.crowds[i].has(r, hour, class) {
			return &b.crowds[i]
		}
	}
	if len(b.crowds) == maxCrowds {
		return nil
	}
	b.use(r)
	b.crowds = append(b.crowds, crowd{of: r, hour: hour, class: class, line: lineOf(r, b.set(r.Profile, r.Tags), b.set(r.Principal, r.SessionTags))})
	return &b.crowds[len(b.crowds)-1]
}

// settle puts what crowds came to into the rollups.
func (b *Batch) settle() {
	for i := range b.crowds {
		c := &b.crowds[i]
		for kind, sum := range c.sums {
			if sum != (Amount{}) {
				b.count(RollupKey{c.hour, c.line.of(outcrop.TokenKind(kind), &c.of.Quote)}, sum)
			}
		}
		if c.empty > 0 {
			b.count(RollupKey{c.hour, c.line.ofNone()}, Amount{0, c.empty})
		}
	}
	clear(b.crowds)
	b.crowds = b.crowds[:0]
}
