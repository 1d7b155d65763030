package cur

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/cost"
)

// Bills walk the lines of an account's bill and know which of its tags are
// active; *cost.Costs is one.
type Bills interface {
	ListTags(ctx context.Context, account outcrop.AccountID, q cost.TagQuery) (*cost.TagList, error)
	Bill(ctx context.Context, account outcrop.AccountID, periods []cost.Period) iter.Seq2[cost.BillLine, error]
}

// A Scope says which rows of a bill are asked for, and how fine.
type Scope struct {
	Account     outcrop.AccountID
	Month       cost.Period // whole month
	Granularity cost.Granularity
	Resources   bool // a row for each profile; else profiles are added up
	Principals  bool // a row for each principal
}

// Rows walks the rows of s in order of time and then of what they tell. A
// part of the month is in memory at a time.
func Rows(ctx context.Context, bills Bills, settings *cost.Settings, words *Words, s Scope) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		g := &gathering{scope: s, settings: settings, words: words, kinds: map[rowKey]*rowKind{}, of: map[*cost.Line]*rowKind{}}
		for line, err := range bills.Bill(ctx, s.Account, periods(s.Month, s.Granularity)) {
			if err != nil {
				yield(nil, err)
				return
			}
			if line.Period != g.at {
				if !g.emit(yield) {
					return
				}
				g.at = line.Period
			}
			g.add(line)
		}
		g.emit(yield)
	}
}

// periods cuts a month.
func periods(month cost.Period, g cost.Granularity) []cost.Period {
	step := func(t time.Time) time.Time { return month.End }
	switch g {
	case cost.Hourly:
		step = func(t time.Time) time.Time { return t.Add(time.Hour) }
	case cost.Daily:
		step = func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	}
	var all []cost.Period
	for t := month.Start; t.Before(month.End); t = step(t) {
		all = append(all, cost.Period{Start: t, End: step(t)})
	}
	return all
}

// A rowKey is what tells the rows of one period apart.
type rowKey struct {
	line       cost.Line
	categories cost.TagSet
}

// A rowKind is what rows that differ by time and amount alone have in common.
type rowKind struct {
	Row              // without an amount
	usage     string // its usage type
	says      []byte // all that it says, behind the time, for its name
	tokens    outcrop.Tokens
	calls     uint64
	cost      outcrop.Money
	gathering bool // there is an amount in the period under way
}

// A gathering adds up the lines of one period to rows.
type gathering struct {
	scope    Scope
	settings *cost.Settings
	words    *Words
	at       cost.Period
	kinds    map[rowKey]*rowKind
	of       map[*cost.Line]*rowKind // a line says the same all month: cost categories change between months
	now      []*rowKind              // of the period under way
}

func (g *gathering) add(b cost.BillLine) {
	k := g.of[b.Line]
	if k == nil {
		k = g.kind(b)
		g.of[b.Line] = k
	}
	if !k.gathering {
		k.gathering = true
		g.now = append(g.now, k)
	}
	k.tokens += b.Tokens
	k.calls += b.Invocations
	k.cost = k.cost.Add(b.Cost)
}

// kind finds the rows that a line belongs to. What the scope leaves out, and
// what no column tells of, does not tell rows apart.
func (g *gathering) kind(b cost.BillLine) *rowKind {
	line := *b.Line
	line.Estimated, line.Input = false, 0
	line.Tags, line.Session = cost.NewTagSet(b.Tags), cost.NewTagSet(b.SessionTags)
	if !g.scope.Resources {
		line.Profile = ""
	}
	if !g.scope.Principals {
		line.Principal, line.Session, b.SessionTags = "", "", nil
	}
	key := rowKey{line, cost.NewTagSet(b.Categories)}
	if k := g.kinds[key]; k != nil {
		return k
	}
	b.Line = &line
	k := &rowKind{Row: Row{BillLine: b, bill: g.scope.Month, settings: g.settings, words: g.words}}
	k.unit = g.settings.Unit(&line)
	k.rate = line.Rate.For(1000 / cost.Thousandths(line.Kind, 1))
	k.usage = k.usageType()
	k.says = fmt.Appendf(nil, " %+v %s", line, key.categories)
	g.kinds[key] = k
	return k
}

// take makes the period's row, and begins the next.
func (k *rowKind) take(at cost.Period, span []byte) (*Row, string) {
	r := k.Row
	r.Period, r.Tokens, r.Invocations, r.Cost = at, k.tokens, k.calls, k.cost
	used := cost.Value{Thousandths: cost.Thousandths(r.Line.Kind, r.Tokens), Unit: k.unit}
	r.amount, _ = used.Metric(cost.UsageQuantity)
	r.id = nameOf(span, k.says)
	k.tokens, k.calls, k.cost, k.gathering = 0, 0, outcrop.Money{}, false
	return &r, k.usage + "\x00" + r.id
}

func (g *gathering) emit(yield func(*Row, error) bool) bool {
	type named struct {
		*Row
		name string
	}
	rows := make([]named, len(g.now))
	span := []byte(iso(g.at.Start) + " " + iso(g.at.End))
	for i, k := range g.now {
		rows[i].Row, rows[i].name = k.take(g.at, span)
	}
	g.now = g.now[:0]
	slices.SortFunc(rows, func(a, b named) int { return strings.Compare(a.name, b.name) })
	for _, r := range rows {
		if !yield(r.Row, nil) {
			return false
		}
	}
	return true
}

func (r *Row) usageType() string { return r.settings.UsageType(r.Line) }

func (r *Row) dimension(d cost.Dimension) string {
	value, _ := r.settings.Value(r.Line, d)
	return value
}

// nameOf names a row: the same line of the same time has the same name in each
// file that is made.
func nameOf(span, says []byte) string {
	h := sha256.New()
	h.Write(span)
	h.Write(says)
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0])[:16])
}

func (r *Row) interval() string { return iso(r.Period.Start) + "/" + iso(r.Period.End) }

// iso is the form that identity_time_interval has.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
