// Package report asks a running server's Cost Explorer what was spent, and
// shows the answer to people: as a table, a chart, a page.
package report

import (
	"cmp"
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Server answers operations of Cost Explorer; Signed does.
type Server interface {
	CostExplorer(ctx context.Context, operation string, in, out any) error
}

// A Question is what to show.
type Question struct {
	By         string // tag:KEY, category:NAME, principal, or a dimension such as profile, usage-type, region
	Start, End time.Time
	Step       string // HOURLY, DAILY or MONTHLY
	View       string // billing view ARN; empty is the latest version of the history
	Filter     any    // an Expression as Cost Explorer takes it; nil for everything
}

// A Report is what was spent, by group and time. Amounts are exact.
type Report struct {
	Question
	Title   string
	Times   []time.Time // beginnings of the periods
	Groups  []Group     // the dearest first
	Totals  []*big.Rat  // by period
	Total   *big.Rat
	Open    bool      // the bill of the last period can still grow
	NoPrice []NoPrice // usage whose cost nobody knows; it is in no amount
}

// A Group is one value of what the report is by.
type Group struct {
	Name    string
	Amounts []*big.Rat // by period
	Total   *big.Rat
}

// A NoPrice is usage without a price.
type NoPrice struct{ UsageType, Quantity, Unit string }

// dimensions are the groupings that have a short name here.
var dimensions = map[string]string{
	"profile": "RESOURCE_ID", "usage-type": "USAGE_TYPE", "region": "REGION", "account": "LINKED_ACCOUNT", "operation": "OPERATION",
	"service": "SERVICE", "kind": "USAGE_TYPE_GROUP",
}

// principalKey is the tag key under which Cost Explorer shows who called.
const principalKey = "iamPrincipal/aws:PrincipalArn"

type grouping struct{ Type, Key string }

// parseBy reads Question.By.
func parseBy(by string) (g grouping, title string, err error) {
	kind, key, _ := strings.Cut(by, ":")
	switch {
	case kind == "tag" && key != "":
		return grouping{"TAG", key}, key, nil
	case kind == "category" && key != "":
		return grouping{"COST_CATEGORY", key}, key, nil
	case by == "principal":
		return grouping{"TAG", principalKey}, by, nil
	case dimensions[by] != "":
		return grouping{"DIMENSION", dimensions[by]}, by, nil
	}
	names := []string{"tag:KEY", "category:NAME", "principal"}
	for name := range dimensions {
		names = append(names, name)
	}
	slices.Sort(names[3:])
	return g, "", fmt.Errorf("--by %s: want one of %s", by, strings.Join(names, ", "))
}

// answer is GetCostAndUsage's.
type answer struct {
	ResultsByTime []struct {
		TimePeriod struct{ Start, End string }
		Groups     []struct {
			Keys    []string
			Metrics map[string]struct{ Amount, Unit string }
		}
		Estimated bool
	}
	NextPageToken string
}

// Ask asks the server and adds up.
func Ask(ctx context.Context, s Server, q Question) (*Report, error) {
	by, title, err := parseBy(q.By)
	if err != nil {
		return nil, err
	}
	r := &Report{Question: q, Title: title, Total: new(big.Rat)}
	groups := map[string]*Group{}
	err = r.pages(ctx, s, by, q.Filter, func(at int, name string, metrics map[string]struct{ Amount, Unit string }) error {
		amount, ok := new(big.Rat).SetString(metrics["UnblendedCost"].Amount)
		if !ok {
			return fmt.Errorf("the server answered %q for an amount", metrics["UnblendedCost"].Amount)
		}
		g := groups[name]
		if g == nil {
			g = &Group{Name: name, Total: new(big.Rat)}
			groups[name] = g
		}
		for len(g.Amounts) <= at {
			g.Amounts = append(g.Amounts, new(big.Rat))
		}
		g.Amounts[at].Add(g.Amounts[at], amount)
		g.Total.Add(g.Total, amount)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.add(groups)
	return r, r.findUnpriced(ctx, s)
}

// pages walks all groups of all pages.
func (r *Report) pages(ctx context.Context, s Server, by grouping, filter any, each func(at int, name string, metrics map[string]struct{ Amount, Unit string }) error) error {
	in := map[string]any{"TimePeriod": r.period(), "Granularity": r.Step, "Metrics": []string{"UnblendedCost", "UsageQuantity"}, "GroupBy": []grouping{by}}
	if filter != nil {
		in["Filter"] = filter
	}
	if r.View != "" {
		in["BillingViewArn"] = r.View
	}
	for {
		var out answer
		if err := s.CostExplorer(ctx, "GetCostAndUsage", in, &out); err != nil {
			return err
		}
		for _, result := range out.ResultsByTime {
			at, err := r.at(result.TimePeriod.Start)
			if err != nil {
				return err
			}
			r.Open = r.Open || result.Estimated
			for _, g := range result.Groups {
				if err := each(at, nameOf(by, g.Keys[0]), g.Metrics); err != nil {
					return err
				}
			}
		}
		if out.NextPageToken == "" {
			return nil
		}
		in["NextPageToken"] = out.NextPageToken
	}
}

func (r *Report) period() map[string]string {
	form := time.DateOnly
	if r.Step == "HOURLY" {
		form = "2006-01-02T15:04:05Z"
	}
	return map[string]string{"Start": r.Start.Format(form), "End": r.End.Format(form)}
}

// at numbers the period that begins at a time.
func (r *Report) at(start string) (int, error) {
	t, err := time.Parse(time.DateOnly, start)
	if err != nil {
		if t, err = time.Parse(time.RFC3339, start); err != nil {
			return 0, fmt.Errorf("the server answered %q for a time", start)
		}
	}
	i := slices.IndexFunc(r.Times, t.Equal)
	if i < 0 {
		i = len(r.Times)
		r.Times = append(r.Times, t)
	}
	return i, nil
}

// nameOf is what people call a group: "app01" of "project$app01".
func nameOf(by grouping, key string) string {
	if by.Type != "DIMENSION" {
		_, key, _ = strings.Cut(key, "$")
	}
	switch {
	case key == "" || key == "NoResourceId":
		return "(none)"
	case by.Key == "RESOURCE_ID" || by.Key == principalKey:
		if parts := strings.SplitN(key, ":", 6); len(parts) == 6 {
			return parts[5]
		}
	}
	return key
}

func (r *Report) add(groups map[string]*Group) {
	for range r.Times {
		r.Totals = append(r.Totals, new(big.Rat))
	}
	for _, g := range groups {
		for len(g.Amounts) < len(r.Times) {
			g.Amounts = append(g.Amounts, new(big.Rat))
		}
		for i, amount := range g.Amounts {
			r.Totals[i].Add(r.Totals[i], amount)
		}
		r.Total.Add(r.Total, g.Total)
		r.Groups = append(r.Groups, *g)
	}
	slices.SortFunc(r.Groups, func(a, b Group) int { return cmp.Or(b.Total.Cmp(a.Total), cmp.Compare(a.Name, b.Name)) })
}

// findUnpriced looks for usage types that say they have no price.
func (r *Report) findUnpriced(ctx context.Context, s Server) error {
	var filter any = map[string]any{"Dimensions": map[string]any{"Key": "USAGE_TYPE", "Values": []string{"-no-price"}, "MatchOptions": []string{"ENDS_WITH"}}}
	if r.Filter != nil {
		filter = map[string]any{"And": []any{r.Filter, filter}}
	}
	whole := *r // as one period, where that can be
	if r.Step == "DAILY" {
		whole.Step = "MONTHLY"
	}
	whole.Times = nil
	found := map[string]*big.Rat{}
	units := map[string]string{}
	err := whole.pages(ctx, s, grouping{"DIMENSION", "USAGE_TYPE"}, filter, func(_ int, name string, metrics map[string]struct{ Amount, Unit string }) error {
		n, ok := new(big.Rat).SetString(metrics["UsageQuantity"].Amount)
		if !ok {
			return fmt.Errorf("the server answered %q for a quantity", metrics["UsageQuantity"].Amount)
		}
		if found[name] == nil {
			found[name] = new(big.Rat)
		}
		found[name].Add(found[name], n)
		units[name] = metrics["UsageQuantity"].Unit
		return nil
	})
	for name, n := range found {
		r.NoPrice = append(r.NoPrice, NoPrice{name, Exact(n), units[name]})
	}
	slices.SortFunc(r.NoPrice, func(a, b NoPrice) int { return cmp.Compare(a.UsageType, b.UsageType) })
	return err
}

// Exact writes an amount with all its digits, which are never more than twelve.
func Exact(x *big.Rat) string {
	text := x.FloatString(12)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// Dollars writes an amount for people: to the cent when it is large, else with
// as many digits as tell it from nothing.
func Dollars(x *big.Rat) string { return Beside(x, x) }

// Beside writes an amount that stands in a column with others, of which the
// largest is top: with the digits that suit that one, so that points stand
// above each other.
func Beside(top, x *big.Rat) string {
	digits := 6
	switch f, _ := top.Float64(); {
	case f >= 100:
		digits = 2
	case f >= 0.01:
		digits = 4
	}
	least := new(big.Rat).Quo(big.NewRat(1, 1), new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)))
	switch {
	case x.Sign() == 0:
		return "0"
	case x.Cmp(least) < 0:
		return "<" + least.FloatString(digits)
	}
	return grouped(x.FloatString(digits))
}

// grouped puts a comma between thousands.
func grouped(s string) string {
	whole, frac, _ := strings.Cut(s, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + "." + frac
}

// ParseSpan reads a span such as 48h, 30d, 12w or 6m, and finds the step that
// suits it. It ends with the day, hour or month that now is in.
func ParseSpan(text string, now time.Time) (q Question, err error) {
	if text == "" {
		return q, fmt.Errorf("--last: want a span such as 48h, 30d, 12w or 6m")
	}
	n, err := strconv.Atoi(text[:len(text)-1])
	now = now.UTC()
	day := now.Truncate(24 * time.Hour)
	switch unit := text[len(text)-1]; {
	case err != nil || n < 1 || n > 2000:
	case unit == 'h' && n <= 14*24:
		end := now.Truncate(time.Hour).Add(time.Hour)
		return Question{Start: end.Add(-time.Duration(n) * time.Hour), End: end, Step: "HOURLY"}, nil
	case unit == 'd' || unit == 'w':
		if unit == 'w' {
			n *= 7
		}
		return stepped(Question{Start: day.AddDate(0, 0, 1-n), End: day.AddDate(0, 0, 1)}), nil
	case unit == 'm':
		first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
		return Question{Start: first.AddDate(0, 1-n, 0), End: day.AddDate(0, 0, 1), Step: "MONTHLY"}, nil
	}
	return q, fmt.Errorf("--last %s: want a span such as 48h (two weeks of hours at most), 30d, 12w or 6m", text)
}

// maxDays is how many days are shown one by one.
const maxDays = 100

func stepped(q Question) Question {
	q.Step = "DAILY"
	if q.End.Sub(q.Start) > maxDays*24*time.Hour {
		q.Step = "MONTHLY"
	}
	return q
}

// Between is a question about whole days, the last included.
func Between(from, to time.Time) Question {
	return stepped(Question{Start: from, End: to.AddDate(0, 0, 1)})
}
