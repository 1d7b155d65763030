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
		part := map[rowKey]cost.BillLine{}
		var at cost.Period
		for line, err := range bills.Bill(ctx, s.Account, periods(s.Month, s.Granularity)) {
			if err != nil {
				yield(nil, err)
				return
			}
			if line.Period != at {
				if !s.emit(part, settings, words, yield) {
					return
				}
				at = line.Period
				clear(part)
			}
			s.add(part, line)
		}
		s.emit(part, settings, words, yield)
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

// add puts a line into the part that is being gathered. What the scope leaves
// out, and what no column tells of, does not tell rows apart.
func (s *Scope) add(part map[rowKey]cost.BillLine, b cost.BillLine) {
	line := *b.Line
	line.Estimated, line.Input = false, 0
	line.Tags, line.Session = cost.NewTagSet(b.Tags), cost.NewTagSet(b.SessionTags)
	if !s.Resources {
		line.Profile = ""
	}
	if !s.Principals {
		line.Principal, line.Session, b.SessionTags = "", "", nil
	}
	key := rowKey{line, cost.NewTagSet(b.Categories)}
	sum, ok := part[key]
	if !ok {
		sum = cost.BillLine{Period: b.Period, Line: &line, Tags: b.Tags, SessionTags: b.SessionTags, Categories: b.Categories}
	}
	sum.Tokens += b.Tokens
	sum.Invocations += b.Invocations
	sum.Cost = sum.Cost.Add(b.Cost)
	part[key] = sum
}

func (s *Scope) emit(part map[rowKey]cost.BillLine, settings *cost.Settings, words *Words, yield func(*Row, error) bool) bool {
	rows := make([]*Row, 0, len(part))
	names := make(map[*Row]string, len(part))
	for _, b := range part {
		r := newRow(b, s.Month, settings, words)
		rows = append(rows, r)
		names[r] = r.usageType() + "\x00" + r.lineID()
	}
	slices.SortFunc(rows, func(a, b *Row) int { return strings.Compare(names[a], names[b]) })
	for _, r := range rows {
		if !yield(r, nil) {
			return false
		}
	}
	return true
}

func newRow(b cost.BillLine, month cost.Period, settings *cost.Settings, words *Words) *Row {
	r := &Row{BillLine: b, bill: month, settings: settings, words: words}
	used := cost.Value{Thousandths: cost.Thousandths(b.Line.Kind, b.Tokens), Unit: settings.Unit(b.Line)}
	r.amount, r.unit = used.Metric(cost.UsageQuantity)
	r.rate = b.Line.Rate.For(1000 / cost.Thousandths(b.Line.Kind, 1))
	return r
}

func (r *Row) usageType() string { return r.settings.UsageType(r.Line) }

func (r *Row) dimension(d cost.Dimension) string {
	value, _ := r.settings.Value(r.Line, d)
	return value
}

// lineID names the row: the same line of the same time has the same name in
// each file that is made.
func (r *Row) lineID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %+v %s", iso(r.Period.Start), iso(r.Period.End), *r.Line, cost.NewTagSet(r.Categories)))
	return hex.EncodeToString(sum[:16])
}

func (r *Row) interval() string { return iso(r.Period.Start) + "/" + iso(r.Period.End) }

// iso is the form that identity_time_interval has.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
