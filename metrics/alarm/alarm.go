// Package alarm keeps CloudWatch's metric alarms, evaluates them once a minute,
// and tells webhooks of their changes.
package alarm

import (
	"cmp"
	"context"
	"slices"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// A State is what an alarm is in.
type State string

// The states.
const (
	OK               State = "OK"
	InAlarm          State = "ALARM"
	InsufficientData State = "INSUFFICIENT_DATA"
)

// A Key names an alarm.
type Key struct {
	Account outcrop.AccountID
	Region  outcrop.Region
	Name    string
}

// ARN of the alarm.
func (k Key) ARN() outcrop.ARN {
	return outcrop.ARN("arn:" + k.Region.Partition() + ":cloudwatch:" + string(k.Region) + ":" + string(k.Account) + ":alarm:" + k.Name)
}

// A Query is one of an alarm's: a statistic of a metric, or an expression.
type Query struct {
	ID         string            `json:"id"`
	Namespace  string            `json:"namespace,omitempty"`
	Metric     string            `json:"metric,omitempty"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	Stat       string            `json:"stat,omitempty"`
	Unit       string            `json:"unit,omitempty"`
	Expression string            `json:"expression,omitempty"`
	Label      string            `json:"label,omitempty"`
	Period     int64             `json:"period,omitempty"` // seconds
	Return     bool              `json:"return,omitempty"` // the one that is compared
}

// A Definition is what somebody wants to be told of. A Plain one names one
// metric in the alarm itself; any other has Queries.
type Definition struct {
	Description    string             `json:"description,omitempty"`
	ActionsEnabled bool               `json:"actionsEnabled"`
	Actions        map[State][]string `json:"actions,omitempty"`
	Plain          bool               `json:"plain,omitempty"`
	Queries        []Query            `json:"queries"`
	Periods        int                `json:"periods"` // looked at
	ToAlarm        int                `json:"toAlarm"` // of them that must breach
	ToAlarmGiven   bool               `json:"toAlarmGiven,omitempty"`
	Threshold      float64            `json:"threshold"`
	Comparison     string             `json:"comparison"`
	Missing        string             `json:"missing,omitempty"` // breaching, notBreaching, ignore or missing
	LowSamples     string             `json:"lowSamples,omitempty"`
	Tags           outcrop.Tags       `json:"tags,omitempty"`
}

// An Alarm is a Definition with the state it is in.
type Alarm struct {
	Key
	Definition
	State        State     `json:"state"`
	Reason       string    `json:"reason"`
	ReasonData   string    `json:"reasonData,omitempty"`
	Configured   time.Time `json:"configured"`
	Updated      time.Time `json:"updated"`      // of the state's reason
	Transitioned time.Time `json:"transitioned"` // of the state itself
}

// period of the alarm is the longest of its queries'.
func (d *Definition) period() int64 {
	longest := metrics.Minute.Seconds()
	for _, q := range d.Queries {
		longest = max(longest, q.Period)
	}
	return longest
}

// Ask is the query as metrics reads it.
func (q *Query) ask() (metrics.DataQuery, error) {
	out := metrics.DataQuery{ID: q.ID, Expression: q.Expression, Label: q.Label, Period: q.Period, Return: q.Return}
	if q.Expression != "" {
		return out, nil
	}
	stat, err := metrics.ParseStat(q.Stat)
	if err != nil {
		return out, err
	}
	var dims []metrics.Dimension
	for name, value := range q.Dimensions {
		dims = append(dims, metrics.Dimension{Name: name, Value: value})
	}
	out.Ask = &metrics.Ask{Metric: metrics.Metric{Namespace: q.Namespace, Name: q.Metric, Dimensions: metrics.NewDimensions(dims...)}, Stat: stat, Period: q.Period, Unit: q.Unit}
	return out, nil
}

// An Entry is one line of an alarm's history.
type Entry struct {
	Key
	Time    time.Time
	Type    string // ConfigurationUpdate, StateUpdate or Action
	Summary string
	Data    string // JSON
}

// A Store keeps alarms and what happened to them.
type Store interface {
	// PutAlarm creates or replaces one.
	PutAlarm(context.Context, *Alarm) error
	// MoveAlarm sets the state of one that is there still, as it was configured.
	MoveAlarm(ctx context.Context, a *Alarm) error
	// DeleteAlarms deletes those there are.
	DeleteAlarms(context.Context, outcrop.AccountID, outcrop.Region, []string) error
	// Alarms of an account and Region by name; what is empty is any.
	Alarms(context.Context, outcrop.AccountID, outcrop.Region) ([]Alarm, error)
	// Note adds to the history, and forgets what is older than keep.
	Note(ctx context.Context, e Entry, keep time.Duration) error
	// History of an account and Region, newest first, up to limit entries before
	// the given place in it (0 for the newest). Each place is returned.
	History(ctx context.Context, q HistoryQuery) ([]Entry, []int64, error)
}

// A HistoryQuery asks for Entries. What is empty is any.
type HistoryQuery struct {
	Account    outcrop.AccountID
	Region     outcrop.Region
	Name, Type string
	Start, End time.Time
	Ascending  bool
	After      int64 // place of the last entry of the page before
	Limit      int
}

// Data answers queries; *metrics.Metrics does.
type Data interface {
	Data(ctx context.Context, who metrics.Viewer, queries []metrics.DataQuery, start, end time.Time) ([]metrics.DataResult, error)
}

// A Notifier tells a webhook. It tries as often as makes sense before it gives up.
type Notifier interface {
	Notify(ctx context.Context, url string, body []byte) error
}

// byName orders alarms.
func byName(a, b Alarm) int { return cmp.Compare(a.Name, b.Name) }

// Find returns the alarms of an account and Region for which keep says so, by name.
func (a *Alarms) Find(ctx context.Context, account outcrop.AccountID, region outcrop.Region, keep func(*Alarm) bool) ([]Alarm, error) {
	all, err := a.store.Alarms(ctx, account, region)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(x Alarm) bool { return !keep(&x) })
	slices.SortFunc(all, byName)
	return all, nil
}
