package alarm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// How alarms are evaluated.
const (
	evaluateEvery   = time.Minute
	settle          = 5 * time.Second // after the minute, for the last of its data
	look            = time.Second     // how often the clock is looked at
	keepHistory     = 30 * 24 * time.Hour
	maxAlarms       = 5000 // of one account and Region
	maxNotifying    = 64   // notifications under way at once
	notifyFor       = 2 * time.Minute
	complainEvery   = 5 * time.Minute
	initialReason   = "Unchecked: Initial alarm creation"
	configureReason = "Unchecked: Alarm configuration has changed"
)

// Settings say where actions go.
type Settings struct {
	Webhooks   map[string]string // URL for an action's ARN
	DirectURLs bool              // an action may be a URL itself
}

// Alarms evaluates alarms. It is safe for concurrent use.
type Alarms struct {
	store    Store
	data     Data
	notifier Notifier
	settings Settings
	now      func() time.Time
	log      *slog.Logger

	moving    sync.Mutex    // one state changes at a time
	notifying chan struct{} // holds a token for each notification under way
	telling   sync.WaitGroup
	ctx       context.Context // ends when Close gives up on notifications
	stop      context.CancelFunc
}

// New makes Alarms over store. Close it.
func New(store Store, data Data, notifier Notifier, settings Settings, now func() time.Time, log *slog.Logger) *Alarms {
	ctx, stop := context.WithCancel(context.Background())
	return &Alarms{store: store, data: data, notifier: notifier, settings: settings, now: now, log: log, notifying: make(chan struct{}, maxNotifying), ctx: ctx, stop: stop}
}

// Close ends what is still being told.
func (a *Alarms) Close() error {
	a.stop()
	a.telling.Wait()
	return nil
}

// Run evaluates every alarm, once a minute, until ctx ends.
func (a *Alarms) Run(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	var done, complained time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		minute := a.now().Add(-settle).Truncate(evaluateEvery)
		if !minute.After(done) {
			continue
		}
		done = minute
		if err := a.Evaluate(ctx, minute); err != nil && ctx.Err() == nil && a.now().Sub(complained) >= complainEvery {
			complained = a.now()
			a.log.ErrorContext(ctx, "alarms were not evaluated, and are tried again", "err", err)
		}
	}
}

// Evaluate looks at every alarm with the data up to end.
func (a *Alarms) Evaluate(ctx context.Context, end time.Time) error {
	all, err := a.store.Alarms(ctx, "", "")
	if err != nil {
		return fmt.Errorf("list alarms: %w", err)
	}
	var errs []error
	for i := range all {
		if err := a.evaluate(ctx, &all[i], end); err != nil {
			errs = append(errs, fmt.Errorf("alarm %s: %w", all[i].Name, err))
		}
	}
	return errors.Join(errs...)
}

func (a *Alarms) evaluate(ctx context.Context, x *Alarm, end time.Time) error {
	points, err := a.points(ctx, x, end)
	if err != nil {
		return err
	}
	to, reason := x.decide(x.State, points)
	if to == x.State {
		return nil
	}
	return a.move(ctx, x, to, reason, reasonData(x, points, end))
}

// points reads what the alarm compares, oldest first.
func (a *Alarms) points(ctx context.Context, x *Alarm, end time.Time) ([]point, error) {
	queries := make([]metrics.DataQuery, len(x.Queries))
	for i := range x.Queries {
		var err error
		if queries[i], err = x.Queries[i].ask(); err != nil {
			return nil, err
		}
	}
	start := end.Add(-time.Duration(int64(x.Periods+morePeriods)*x.period()) * time.Second)
	results, err := a.data.Data(ctx, metrics.Viewer{Account: x.Account, Region: x.Region}, queries, start, end)
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("its expression comes to %d time series, and one can be compared", len(results))
	}
	out := make([]point, len(results[0].Times))
	for i, at := range results[0].Times {
		out[i] = point{time.Unix(at, 0).UTC(), results[0].Values[i]}
	}
	return out, nil
}

// reasonData tells machines what reason tells people.
func reasonData(x *Alarm, points []point, end time.Time) string {
	recent := points[max(0, len(points)-x.Periods):]
	values := make([]float64, len(recent))
	for i, p := range recent {
		values[i] = p.value
	}
	b, err := json.Marshal(map[string]any{
		"version": "1.0", "queryDate": stamp(end), "period": x.period(), "recentDatapoints": values, "threshold": x.Threshold,
	})
	if err != nil {
		return "" // plain values always encode
	}
	return string(b)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// Put creates or changes an alarm. One that is there keeps its state until it
// is evaluated.
func (a *Alarms) Put(ctx context.Context, k Key, d Definition) error {
	if err := d.check(); err != nil {
		return err
	}
	a.moving.Lock()
	defer a.moving.Unlock()
	have, err := a.store.Alarms(ctx, k.Account, k.Region)
	if err != nil {
		return err
	}
	now := a.now()
	x := Alarm{Key: k, Definition: d, State: InsufficientData, Reason: initialReason, Configured: now, Updated: now, Transitioned: now}
	what := "created"
	for i := range have {
		if have[i].Name == k.Name {
			old := &have[i]
			x.State, x.Reason, x.ReasonData, x.Updated, x.Transitioned, x.Tags = old.State, old.Reason, old.ReasonData, old.Updated, old.Transitioned, old.Tags
			what = "updated"
		}
	}
	if what == "created" && len(have) >= maxAlarms {
		e := outcrop.Errorf(outcrop.QuotaExceeded, "There are %d alarms in this account and Region already, and no more may be made.", len(have))
		e.Code = "LimitExceeded"
		return e
	}
	if err := a.store.PutAlarm(ctx, &x); err != nil {
		return err
	}
	return a.note(ctx, k, "ConfigurationUpdate", fmt.Sprintf("Alarm %q %s", k.Name, what), map[string]any{"type": strings.ToUpper(what[:1]) + what[1:], "updatedAlarm": x.Definition})
}

// check says what is wrong with a definition, by asking for its data's form.
func (d *Definition) check() error {
	if _, ok := comparisons[d.Comparison]; !ok {
		return outcrop.Errorf(outcrop.Invalid, "The ComparisonOperator %s is not served: anomaly detection is not. Use GreaterThanThreshold, GreaterThanOrEqualToThreshold, LessThanThreshold or LessThanOrEqualToThreshold.", d.Comparison)
	}
	if d.Periods < 1 || d.ToAlarm < 1 || d.ToAlarm > d.Periods {
		return outcrop.Errorf(outcrop.Invalid, "DatapointsToAlarm (%d) must be between 1 and EvaluationPeriods (%d).", d.ToAlarm, d.Periods)
	}
	const longest = 7 * 24 * 3600
	if int64(d.Periods)*d.period() > longest {
		return outcrop.Errorf(outcrop.Invalid, "Metrics cannot be checked across more than %d seconds (EvaluationPeriods * Period).", longest)
	}
	returned := 0
	for i := range d.Queries {
		if d.Queries[i].Return {
			returned++
		}
		if _, err := d.Queries[i].ask(); err != nil {
			return err
		}
	}
	if returned != 1 {
		return outcrop.Errorf(outcrop.Invalid, "Exactly one element of the Metrics list must have ReturnData true; %d have.", returned)
	}
	return nil
}

// Set moves an alarm by hand, as SetAlarmState does: its actions follow, and
// the next evaluation may move it back.
func (a *Alarms) Set(ctx context.Context, k Key, to State, reason, data string) error {
	found, err := a.Find(ctx, k.Account, k.Region, func(x *Alarm) bool { return x.Name == k.Name })
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notFound(k.Name)
	}
	return a.move(ctx, &found[0], to, reason, data)
}

func notFound(name string) error {
	e := outcrop.Errorf(outcrop.NotFound, "Alarm %s does not exist.", name)
	e.Code = "ResourceNotFound"
	return e
}

// Enable turns the actions of alarms on or off. Names without an alarm are
// passed over.
func (a *Alarms) Enable(ctx context.Context, account outcrop.AccountID, region outcrop.Region, names []string, on bool) error {
	a.moving.Lock()
	defer a.moving.Unlock()
	for _, name := range names {
		if err := a.change(ctx, Key{account, region, name}, func(x *Alarm) { x.ActionsEnabled = on }); err != nil && outcrop.KindOf(err) != outcrop.NotFound {
			return err
		}
	}
	return nil
}

// Tag changes the tags of an alarm.
func (a *Alarms) Tag(ctx context.Context, k Key, change func(outcrop.Tags)) error {
	a.moving.Lock()
	defer a.moving.Unlock()
	return a.change(ctx, k, func(x *Alarm) {
		if x.Tags == nil {
			x.Tags = outcrop.Tags{}
		}
		change(x.Tags)
	})
}

func (a *Alarms) change(ctx context.Context, k Key, fn func(*Alarm)) error {
	found, err := a.Find(ctx, k.Account, k.Region, func(x *Alarm) bool { return x.Name == k.Name })
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return notFound(k.Name)
	}
	fn(&found[0])
	return a.store.PutAlarm(ctx, &found[0])
}

// Delete deletes alarms, all or, when one is not there, none.
func (a *Alarms) Delete(ctx context.Context, account outcrop.AccountID, region outcrop.Region, names []string) error {
	a.moving.Lock()
	defer a.moving.Unlock()
	for _, name := range names {
		found, err := a.Find(ctx, account, region, func(x *Alarm) bool { return x.Name == name })
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound(name)
		}
	}
	return a.store.DeleteAlarms(ctx, account, region, names)
}

// History is the store's.
func (a *Alarms) History(ctx context.Context, q HistoryQuery) ([]Entry, []int64, error) {
	return a.store.History(ctx, q)
}

func (a *Alarms) note(ctx context.Context, k Key, kind, summary string, data map[string]any) error {
	data["version"] = "1.0"
	b, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("note history: %w", err)
	}
	return a.store.Note(ctx, Entry{Key: k, Time: a.now(), Type: kind, Summary: summary, Data: string(b)}, keepHistory)
}
