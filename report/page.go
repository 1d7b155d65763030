package report

import (
	"context"
	"fmt"
	"math/big"
	"time"
)

// A Page is a report of one week beside the week before it.
type Page struct {
	Made     time.Time
	This     *Report   // what it is about, by the grouping that was asked for
	Before   *Report   // the same of the week before
	Others   []*Report // the week by other groupings
	Forecast *Expected // of the month; nil when there is not enough to learn from
	Movers   []Mover   // groups that changed most
	Chart    []byte    // SVG, whose texts are escaped
}

// Expected is what the month may come to.
type Expected struct{ Month, Amount, Low, High string }

// A Mover is a group and what it cost more, or less, than in the week before.
type Mover struct {
	Name        string
	Now, Before *big.Rat
	Top         *big.Rat // the largest amount beside them
	Change      string
	Up          bool
}

// MakePage asks for everything that a page shows: of the seven days that end
// with end, which is excluded.
func MakePage(ctx context.Context, s Server, by string, end, now time.Time) (*Page, error) {
	p := &Page{Made: now.UTC()}
	var err error
	if p.This, err = Ask(ctx, s, Question{By: by, Start: end.AddDate(0, 0, -7), End: end, Step: "DAILY"}); err != nil {
		return nil, err
	}
	if p.Before, err = Ask(ctx, s, Question{By: by, Start: end.AddDate(0, 0, -14), End: end.AddDate(0, 0, -7), Step: "DAILY"}); err != nil {
		return nil, err
	}
	for _, other := range []string{"usage-type", "profile", "principal"} {
		if other == by {
			continue
		}
		r, err := Ask(ctx, s, Question{By: other, Start: end.AddDate(0, 0, -7), End: end, Step: "DAILY"})
		if err != nil {
			return nil, err
		}
		p.Others = append(p.Others, r)
	}
	p.Chart = p.This.SVG()
	p.Movers = movers(p.This, p.Before, p.larger())
	p.Forecast = forecast(ctx, s, now)
	return p, nil
}

// forecast asks what is left of this month, and adds what it has cost. A server
// that cannot tell yet leaves it out.
func forecast(ctx context.Context, s Server, now time.Time) *Expected {
	today := now.UTC().Truncate(24 * time.Hour)
	first := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	var out struct {
		ForecastResultsByTime []struct{ MeanValue, PredictionIntervalLowerBound, PredictionIntervalUpperBound string }
	}
	err := s.CostExplorer(ctx, "GetCostForecast", map[string]any{"Metric": "UNBLENDED_COST", "Granularity": "MONTHLY", "PredictionIntervalLevel": 80,
		"TimePeriod": map[string]string{"Start": today.Format(time.DateOnly), "End": first.AddDate(0, 1, 0).Format(time.DateOnly)}}, &out)
	if err != nil || len(out.ForecastResultsByTime) == 0 {
		return nil
	}
	spent := new(big.Rat)
	if today.After(first) {
		r, err := Ask(ctx, s, Question{By: "service", Start: first, End: today, Step: "MONTHLY"})
		if err != nil {
			return nil
		}
		spent = r.Total
	}
	rest := out.ForecastResultsByTime[0]
	plus := func(text string) string {
		x, ok := new(big.Rat).SetString(text)
		if !ok {
			return "?"
		}
		return Dollars(x.Add(x, spent))
	}
	return &Expected{first.Format("January 2006"), plus(rest.MeanValue), plus(rest.PredictionIntervalLowerBound), plus(rest.PredictionIntervalUpperBound)}
}

const maxMovers = 8

func movers(now, before *Report, top *big.Rat) (out []Mover) {
	was := map[string]*big.Rat{}
	for _, g := range before.Groups {
		was[g.Name] = g.Total
	}
	add := func(name string, is, old *big.Rat) {
		change := new(big.Rat).Sub(is, old)
		if change.Sign() == 0 {
			return
		}
		m := Mover{Name: name, Now: is, Before: old, Up: change.Sign() > 0, Top: top, Change: "-" + Beside(top, new(big.Rat).Neg(change))}
		if m.Up {
			m.Change = "+" + Beside(top, change)
		}
		out = append(out, m)
	}
	for _, g := range now.Groups {
		old := was[g.Name]
		if old == nil {
			old = new(big.Rat)
		}
		add(g.Name, g.Total, old)
		delete(was, g.Name)
	}
	for name, old := range was {
		add(name, new(big.Rat), old)
	}
	sortMovers(out)
	return out[:min(len(out), maxMovers)]
}

// Change is this week's cost beside the last week's.
func (p *Page) Change() string {
	if p.Before.Total.Sign() == 0 {
		return "nothing was spent the week before"
	}
	f := float(new(big.Rat).Quo(p.This.Total, p.Before.Total))
	return fmt.Sprintf("%+.1f %% against the week before (USD %s)", (f-1)*100, Beside(p.larger(), p.Before.Total))
}

// larger is what the dearer of both weeks cost.
func (p *Page) larger() *big.Rat {
	if p.Before.Total.Cmp(p.This.Total) > 0 {
		return p.Before.Total
	}
	return p.This.Total
}

// Last is the last day of the week.
func (p *Page) Last() time.Time { return p.This.End.AddDate(0, 0, -1) }

// Rows are the groups that a table shows.
func (r *Report) Rows() []Group { return r.top(15) }

// ratio is a part in percent of the whole, in digits alone.
func ratio(part, whole *big.Rat) string {
	if whole.Sign() == 0 {
		return "0"
	}
	return new(big.Rat).Mul(new(big.Rat).Quo(part, whole), big.NewRat(100, 1)).FloatString(2)
}
