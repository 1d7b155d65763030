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
		for i, p := range periods {
			if !b.period(c.walk(ctx, account, view.history, periods[i:i+1]), p, yield) {
				return
			}
		}
	}
}

type shownLine struct {
	pass          bool
	tags, session outcrop.Tags
	categories    map[string]string
}

// A biller turns sums into lines.
type biller struct {
	view  *view
	shown memo[shownLine]
}

// period adds up the days of one period, line by line.
func (b *biller) period(sums iter.Seq2[sum, error], p Period, yield func(BillLine, error) bool) (more bool) {
	var order []*entry
	var amounts memo[Amount] // a period is read from one source: no numbers meet
	for s, err := range sums {
		if err != nil {
			yield(BillLine{}, err)
			return false
		}
		if s.Tokens == 0 {
			continue
		}
		have, known := amounts.at(s.entry, 0)
		if !known {
			order = append(order, s.entry)
		}
		*have = have.plus(s.Amount)
	}
	for _, e := range order {
		amount, _ := amounts.at(e, 0)
		if line, pass := b.line(e, p, *amount); pass && !yield(line, nil) {
			return false
		}
	}
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
