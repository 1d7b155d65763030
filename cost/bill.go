package cost

import (
	"context"
	"iter"
	"time"

	"outcrop"
)

// A BillLine is one line of a bill: what a Line came to in one period, as the
// account's settings show it. Whatever tells of cost in another form than Cost
// Explorer's is made of these, so that all forms add up to the same total.
type BillLine struct {
	Period      Period
	Line        *Line
	Tags        outcrop.Tags      // of the keys that are active; shared between lines
	SessionTags outcrop.Tags      // of the caller's session, keys that are active as iamPrincipal/KEY; shared
	Categories  map[string]string // cost category to its value; shared
	Tokens      outcrop.Tokens
	Invocations uint64
	Cost        outcrop.Money // nothing when !Line.Priced, which means unknown
}

// Bill walks the lines of an account's bill over each period, periods in
// order, from everything settled until now. A record without usage is no line
// of a bill. A line comes once in a period. An error ends the walk.
func (c *Costs) Bill(ctx context.Context, account outcrop.AccountID, periods []Period) iter.Seq2[BillLine, error] {
	return c.BillOf(ctx, account, "", nil, periods)
}

// BillOf is Bill of a version of the history, and of the lines that pass a
// filter. Without a version it is the latest, without a filter everything.
func (c *Costs) BillOf(ctx context.Context, account outcrop.AccountID, version string, f *Filter, periods []Period) iter.Seq2[BillLine, error] {
	return func(yield func(BillLine, error) bool) {
		view, err := c.view(ctx, account, version, f, nil)
		if err != nil {
			yield(BillLine{}, err)
			return
		}
		b := &biller{view: view}
		for len(periods) > 0 {
			n := together(periods)
			if !b.run(c.walk(ctx, account, view.history, periods[:n]), periods[:n], yield) {
				return
			}
			periods = periods[n:]
		}
	}
}

// together is how many of the first periods are walked at once. Hours come in
// order, so that one walk does; days have a tail that comes after them all, so
// that each is walked by itself.
func together(periods []Period) (n int) {
	for n < len(periods) && !periods[n].wholeDays() {
		n++
	}
	return max(n, 1)
}

type shownLine struct {
	pass          bool
	tags, session outcrop.Tags
	categories    map[string]string
}

// A biller turns sums into lines.
type biller struct {
	view   *view
	shown  memo[shownLine]
	lines  []gathered // of the period under way, in the order they were met
	places memo[gatheredAt]
	round  int // counts periods
}

// A gathered line is what an entry came to in a period.
type gathered struct {
	*entry
	Amount
}

// gatheredAt is where an entry was put in a round.
type gatheredAt struct{ round, index int }

// run adds up the periods of one walk, line by line.
func (b *biller) run(sums iter.Seq2[sum, error], periods []Period, yield func(BillLine, error) bool) (more bool) {
	period := 0
	for s, err := range sums {
		if err != nil {
			yield(BillLine{}, err)
			return false
		}
		if s.period != period {
			if !b.emit(periods[period], yield) {
				return false
			}
			period = s.period
		}
		if s.Tokens > 0 {
			b.gather(s)
		}
	}
	return b.emit(periods[period], yield)
}

func (b *biller) gather(s sum) {
	at, known := b.places.at(s.entry, 0)
	if !known || at.round != b.round {
		*at = gatheredAt{b.round, len(b.lines)}
		b.lines = append(b.lines, gathered{entry: s.entry})
	}
	line := &b.lines[at.index]
	line.Amount = line.plus(s.Amount)
}

// emit tells of what was gathered for a period, and begins the next.
func (b *biller) emit(p Period, yield func(BillLine, error) bool) (more bool) {
	for i := range b.lines {
		if line, pass := b.line(b.lines[i].entry, p, b.lines[i].Amount); pass && !yield(line, nil) {
			return false
		}
	}
	b.lines = b.lines[:0]
	b.round++
	return true
}

func (b *biller) line(e *entry, p Period, a Amount) (BillLine, bool) {
	as := b.show(e, p.Start)
	line := BillLine{Period: p, Line: &e.Line, Tags: as.tags, SessionTags: as.session, Categories: as.categories, Tokens: a.Tokens, Invocations: a.Invocations}
	if e.Priced {
		line.Cost = e.Rate.For(a.Tokens)
	}
	return line, as.pass
}

func (b *biller) show(e *entry, at time.Time) *shownLine {
	as, ok := b.shown.at(e, b.view.epoch(at))
	if ok {
		return as
	}
	x := b.view.fact(e, at)
	if as.pass = b.view.pass(x); as.pass {
		as.tags, as.session = x.shown(), x.shownSession()
		as.categories = make(map[string]string, len(b.view.categories))
		for name := range b.view.categories {
			if value, ok := x.category(name); ok {
				as.categories[name] = value
			}
		}
	}
	return as
}
