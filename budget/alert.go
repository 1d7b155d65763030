package budget

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"outcrop"
)

// An Alert tells subscribers once in a period that spending, or what it is
// going to be, has crossed a threshold.
type Alert struct {
	Threshold
	Subscribers []Subscriber
	Fired       time.Time `json:",omitzero"` // start of the period in which it last did; it is in alarm while that runs
}

// A Threshold is an amount of the budget's unit, or a percentage of its limit.
type Threshold struct {
	Kind     string // Actual or Forecasted
	Operator string `json:",omitempty"` // of AWS's ComparisonOperator
	Value    float64
	Absolute bool `json:",omitempty"`
}

// The kinds of threshold.
const (
	Actual     = "ACTUAL"
	Forecasted = "FORECASTED"
)

// A Subscriber hears of an alert. Type is AWS's: EMAIL, or SNS, whose Address
// is here a URL that gets the message as a webhook.
type Subscriber struct{ Type, Address string }

func (a *Alert) check() error {
	if n := len(a.Subscribers); n < 1 || n > maxSubscribers {
		return invalid("A notification has 1 to %d subscribers.", maxSubscribers)
	}
	for i, s := range a.Subscribers {
		if err := s.check(); err != nil {
			return err
		}
		if slices.Contains(a.Subscribers[:i], s) {
			return duplicate("Subscriber %s is given twice.", s.Type)
		}
	}
	return nil
}

// crossed says whether an amount is beyond the threshold, which is compared as
// the decimal that it was given as: 7 cents of a dollar are not above 7%.
func (t *Threshold) crossed(amount, limit outcrop.Money) bool {
	spent := amount.Rat()
	value, ok := new(big.Rat).SetString(strconv.FormatFloat(t.Value, 'f', -1, 64))
	if !ok {
		return false // no number
	}
	if !t.Absolute {
		spent.Mul(spent, big.NewRat(100, 1))
		value.Mul(value, limit.Rat())
	}
	switch beyond := spent.Cmp(value); t.Operator {
	case "LESS_THAN":
		return beyond < 0
	case "EQUAL_TO":
		return beyond == 0
	default:
		return beyond > 0
	}
}

func (t *Threshold) String() string {
	words := map[string]string{"LESS_THAN": "below", "EQUAL_TO": "exactly", "GREATER_THAN": "above"}
	unit := "% of its limit"
	if t.Absolute {
		unit = ""
	}
	return words[t.Operator] + " " + strconv.FormatFloat(t.Value, 'f', -1, 64) + unit
}

// A Status is what a budget stands at.
type Status struct {
	Budget
	Period   Period
	Limit    outcrop.Money // of Period
	Spent    outcrop.Money // settled, whether read from the ledger yet or not
	Forecast outcrop.Money // at the end of Period, if spending goes on as it did
	Alive    bool          // within the budget's life; what is over stands at its last period
}

// Left is what may still be spent.
func (s *Status) Left() outcrop.Money { return s.Limit.Sub(s.Spent) }

// status is called with mu held.
func (b *Budgets) status(s *state, now time.Time) Status {
	d := s.def.Load()
	st := Status{Budget: d.Budget, Alive: d.lives(now)}
	st.Period, _ = s.roll(d.until(now))
	st.Limit = st.LimitAt(st.Period.Start)
	st.Spent = s.known()
	if st.Alive {
		st.Forecast = s.forecast(st, now)
	}
	return st
}

// forecastDays is how far back a forecast looks for the pace of spending.
const forecastDays = 14

// forecast adds to what is spent the rest of the period at the pace of the
// last two weeks, or of the budget's history where that is shorter.
func (s *state) forecast(st Status, now time.Time) outcrop.Money {
	if st.window() > 0 {
		return st.Spent
	}
	since := now.Add(-forecastDays * 24 * time.Hour)
	var recent outcrop.Money
	first := now
	for hour, m := range s.hours {
		at := time.Unix(hour*3600, 0)
		if at.Before(since) || at.After(now) {
			continue
		}
		recent = recent.Add(m)
		if at.Before(first) {
			first = at
		}
	}
	past, rest := now.Sub(first), st.Period.End.Sub(now)
	if past <= 0 || rest <= 0 {
		return st.Spent
	}
	past = max(past, time.Hour) // one call in the first second is no pace
	return st.Spent.Add(recent.Scale(uint64(rest/time.Second), uint64(past/time.Second)))
}

// look holds every alert and action against what is spent, and has told who
// subscribed.
func (b *Budgets) look(ctx context.Context) {
	for _, st := range b.statuses() {
		if v := st.judge(); v.idle() {
			continue
		}
		if err := b.act(ctx, st); err != nil && ctx.Err() == nil {
			b.options.Log.Error("budgets: an alert could not be kept, will try again", "budget", st.Name, "err", err)
		}
	}
}

// statuses of the budgets that are counted and alive.
func (b *Budgets) statuses() (all []Status) {
	now := b.options.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.states {
		if st := b.status(s, now); st.Alive && s.counted && len(st.Alerts)+len(st.Actions) > 0 {
			all = append(all, st)
		}
	}
	return all
}

// A verdict is what has to be told and done.
type verdict struct {
	changed  bool // alerts are in another state than before
	messages []Delivery
	acts     []act
}

func (v *verdict) idle() bool { return !v.changed && len(v.acts) == 0 }

// judge marks which alerts are in alarm, and lists what has to be told and
// done. It changes copies.
func (st *Status) judge() (v verdict) {
	st.Alerts, st.Actions = slices.Clone(st.Alerts), slices.Clone(st.Actions)
	for i := range st.Alerts {
		a := &st.Alerts[i]
		alarm, was := st.beyond(&a.Threshold), a.Fired.Equal(st.Period.Start) && !a.Fired.IsZero()
		if st.window() > 0 {
			was = !a.Fired.IsZero()
		}
		switch {
		case alarm && !was:
			a.Fired, v.changed = st.Period.Start, true
			v.messages = append(v.messages, st.messages(&a.Threshold, a.Subscribers, "")...)
		case !alarm && !a.Fired.IsZero():
			a.Fired, v.changed = time.Time{}, true
		}
	}
	for i := range st.Actions {
		if what := st.Actions[i].next(st); what != none {
			v.acts = append(v.acts, act{st.Actions[i].ID, what})
		}
	}
	return v
}

func (st *Status) beyond(t *Threshold) bool {
	if t.Kind == Forecasted {
		return t.crossed(st.Forecast, st.Limit)
	}
	return t.crossed(st.Spent, st.Limit)
}

// messages tells each subscriber, in words and as JSON.
func (st *Status) messages(t *Threshold, to []Subscriber, what string) (all []Delivery) {
	value, of := st.Spent, "spending"
	if t.Kind == Forecasted {
		value, of = st.Forecast, "forecast spending"
	}
	text := fmt.Sprintf("Budget %s of account %s: %s is %s %s of %s, %s. The period ends at %s.",
		st.Name, st.Account, of, value, st.Unit, st.Limit, t, st.Period.End.Format(time.RFC3339))
	if what != "" {
		text += " " + what
	}
	for _, s := range to {
		all = append(all, Delivery{
			Subscriber: s, Subject: "Budget " + st.Name + ": " + of + " is " + t.String(), Text: text,
			Facts: Facts{Account: st.Account, Budget: st.Name, Kind: t.Kind, Threshold: t.Value, Absolute: t.Absolute, Spent: st.Spent,
				Forecast: st.Forecast, Limit: st.Limit, Unit: st.Unit, Start: st.Period.Start, End: st.Period.End},
		})
	}
	return all
}
