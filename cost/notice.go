package cost

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// A Notice tells the subscribers of a subscription of anomalies.
type Notice struct {
	Account       outcrop.AccountID
	Subscription  string // its name
	Subscribers   []Subscriber
	Subject, Text string
	Anomalies     []NoticedAnomaly
}

// A NoticedAnomaly is an anomaly as a webhook gets it.
type NoticedAnomaly struct {
	ID         string  `json:"anomalyId"`
	Monitor    string  `json:"monitorName"`
	Value      string  `json:"dimensionValue"`
	Start      string  `json:"anomalyStartDate"`
	End        string  `json:"anomalyEndDate"`
	Actual     float64 `json:"totalActualSpend"`
	Expected   float64 `json:"totalExpectedSpend"`
	Impact     float64 `json:"totalImpact"`
	Percentage float64 `json:"totalImpactPercentage"`
	Causes     []Cause `json:"rootCauses"`
}

// A Watch looks for anomalies and has subscribers told. Accounts and Tell are
// required; what Tell took is not told again.
type Watch struct {
	Costs    *Costs
	Accounts func(context.Context) ([]outcrop.AccountID, error)
	Tell     func(context.Context, Notice) error
	Every    time.Duration // between looks; 0 is a quarter of an hour
	Log      *slog.Logger
}

const lookEvery = 15 * time.Minute

// Run looks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	every := w.Every
	if every == 0 {
		every = lookEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := w.Look(ctx); err != nil && ctx.Err() == nil {
			w.Log.Error("cost anomalies: subscribers could not be told, will try again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look looks once.
func (w *Watch) Look(ctx context.Context) error {
	accounts, err := w.Accounts(ctx)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		subscriptions, err := w.Costs.Subscriptions(ctx, account)
		if err != nil {
			return err
		}
		for _, s := range subscriptions {
			if err := w.look(ctx, account, s); err != nil {
				return fmt.Errorf("subscription %s: %w", s.Name, err)
			}
		}
	}
	return nil
}

// told is what one subscription has been told. It is kept, so that a restart
// tells nothing twice.
type told struct {
	Subscription string
	Since        time.Time            // the day, or the Monday, from which on anomalies count
	Anomalies    map[string]time.Time // the last day each had when it was told
}

const toldKind = "told"

// opens is the beginning of the time that one summary is about.
func (s *Subscription) opens(now time.Time) time.Time {
	day := now.UTC().Truncate(24 * time.Hour)
	if s.Frequency == "WEEKLY" {
		return day.AddDate(0, 0, -(int(day.Weekday())+6)%7) // Monday
	}
	return day
}

func (w *Watch) look(ctx context.Context, account outcrop.AccountID, s *Subscription) error {
	c := w.Costs
	now := c.now()
	was, err := c.toldOf(ctx, account, s.ID)
	if err != nil {
		return err
	}
	if was == nil { // a new subscription hears of nothing that was over before
		was = &told{Subscription: s.ID, Since: s.opens(now)}
		if err := write(ctx, c, account, toldKind, s.ID, was); err != nil {
			return err
		}
	}
	if s.Frequency != "IMMEDIATE" && !s.opens(now).After(was.Since) {
		return nil // a summary comes when its day or week is over
	}
	found, names, err := c.newAnomalies(ctx, account, s, was, now)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		if err := w.Tell(ctx, notice(account, s, found, names)); err != nil {
			return err
		}
	}
	next := &told{Subscription: s.ID, Since: s.opens(now), Anomalies: map[string]time.Time{}}
	for id, end := range was.Anomalies {
		if end.After(now.AddDate(0, 0, -anomalyReach)) {
			next.Anomalies[id] = end
		}
	}
	for i := range found {
		next.Anomalies[found[i].ID] = found[i].End
	}
	if len(found) == 0 && next.Since.Equal(was.Since) {
		return nil
	}
	return write(ctx, c, account, toldKind, s.ID, next)
}

func (c *Costs) toldOf(ctx context.Context, account outcrop.AccountID, id string) (*told, error) {
	all, err := read[told](ctx, c, account, toldKind, nil)
	for _, t := range all {
		if t.Subscription == id {
			return t, err
		}
	}
	return nil, err
}

// newAnomalies are those beyond the threshold that have not been told. Days
// before was.Since belong to an earlier summary.
func (c *Costs) newAnomalies(ctx context.Context, account outcrop.AccountID, s *Subscription, was *told, now time.Time) (found []Anomaly, names map[string]string, err error) {
	beyond, err := s.beyond()
	if err != nil {
		return nil, nil, err
	}
	monitors, err := c.Monitors(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	names = map[string]string{}
	for _, m := range monitors {
		if !slices.Contains(s.Monitors, m.ID) {
			continue
		}
		names[m.ID] = m.Name
		end := now
		if s.Frequency != "IMMEDIATE" {
			end = s.opens(now) // today is the next summary's
		}
		all, err := c.Anomalies(ctx, account, m, Period{was.Since, end})
		if err != nil {
			return nil, nil, err
		}
		for _, a := range all {
			if _, old := was.Anomalies[a.ID]; !old && beyond(&a) {
				found = append(found, a)
			}
		}
	}
	return found, names, nil
}

// percentage is an anomaly's impact beside what was expected.
func (a *Anomaly) percentage() float64 {
	if a.Expected == 0 {
		return 0
	}
	return a.Total / a.Expected * 100
}

func notice(account outcrop.AccountID, s *Subscription, found []Anomaly, names map[string]string) Notice {
	n := Notice{Account: account, Subscription: s.Name, Subscribers: s.Subscribers, Subject: fmt.Sprintf("Cost anomalies in account %s: %d", account, len(found))}
	lines := make([]string, len(found))
	for i := range found {
		a := &found[i]
		x := NoticedAnomaly{ID: a.ID, Monitor: names[a.Monitor], Value: a.Value, Start: a.Start.Format(dayForm), End: a.End.Format(dayForm),
			Actual: a.Actual, Expected: a.Expected, Impact: a.Total, Percentage: a.percentage(), Causes: a.Causes}
		n.Anomalies = append(n.Anomalies, x)
		lines[i] = fmt.Sprintf("%s (monitor %s), %s to %s: USD %.2f, where %.2f was to be expected.", pick(x.Value == "", "All usage", x.Value), x.Monitor, x.Start, x.End, x.Actual, x.Expected)
		if len(a.Causes) > 0 {
			lines[i] += fmt.Sprintf(" Most of it is %s in %s.", a.Causes[0].UsageType, a.Causes[0].Region)
		}
	}
	n.Text = strings.Join(lines, "\n")
	return n
}

// beyond says which anomalies s wants to hear of. Without a threshold it is
// all of them.
func (s *Subscription) beyond() (func(*Anomaly) bool, error) {
	switch {
	case s.Threshold != nil:
		return func(a *Anomaly) bool { return a.Total >= *s.Threshold }, nil
	case len(s.Expression) == 0:
		return func(*Anomaly) bool { return true }, nil
	}
	var x thresholdExpression
	if err := json.Unmarshal(s.Expression, &x); err != nil {
		return nil, fmt.Errorf("read ThresholdExpression: %w", err)
	}
	return x.compile(0)
}

// A thresholdExpression is AWS's Expression as far as thresholds use it: the
// impact in dollars or as a percentage, under And and Or.
type thresholdExpression struct {
	And, Or    []thresholdExpression
	Dimensions *struct {
		Key                  string
		Values, MatchOptions []string
	}
}

var errThreshold = outcrop.Errorf(outcrop.Invalid, "A ThresholdExpression compares the dimension ANOMALY_TOTAL_IMPACT_ABSOLUTE or ANOMALY_TOTAL_IMPACT_PERCENTAGE with one number by the match option GREATER_THAN_OR_EQUAL; two of them may stand under And or Or")

func (x *thresholdExpression) compile(depth int) (func(*Anomaly) bool, error) {
	if depth > 1 || len(x.And)+len(x.Or) > 2 || len(x.And) > 0 && len(x.Or) > 0 {
		return nil, errThreshold
	}
	if d := x.Dimensions; d != nil {
		if len(x.And)+len(x.Or) > 0 || len(d.Values) != 1 || !slices.Equal(d.MatchOptions, []string{"GREATER_THAN_OR_EQUAL"}) {
			return nil, errThreshold
		}
		least, err := strconv.ParseFloat(d.Values[0], 64)
		switch {
		case err != nil || !(least >= 0):
			return nil, errThreshold
		case d.Key == "ANOMALY_TOTAL_IMPACT_ABSOLUTE":
			return func(a *Anomaly) bool { return a.Total >= least }, nil
		case d.Key == "ANOMALY_TOTAL_IMPACT_PERCENTAGE":
			return func(a *Anomaly) bool { return a.Expected == 0 || a.percentage() >= least }, nil
		}
		return nil, errThreshold
	}
	var parts []func(*Anomaly) bool
	for _, part := range slices.Concat(x.And, x.Or) {
		f, err := part.compile(depth + 1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, f)
	}
	if len(parts) == 0 {
		return nil, errThreshold
	}
	every := len(x.And) > 0
	return func(a *Anomaly) bool {
		for _, f := range parts {
			if f(a) != every {
				return !every
			}
		}
		return every
	}, nil
}
