package alarm

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// How missing data is treated.
const (
	missingBreaches = "breaching"
	missingIsFine   = "notBreaching"
	missingIgnored  = "ignore"
)

// comparisons are the operators served.
var comparisons = map[string]struct {
	holds func(v, threshold float64) bool
	words string
}{
	"GreaterThanOrEqualToThreshold": {func(v, t float64) bool { return v >= t }, "greater than or equal to"},
	"GreaterThanThreshold":          {func(v, t float64) bool { return v > t }, "greater than"},
	"LessThanThreshold":             {func(v, t float64) bool { return v < t }, "less than"},
	"LessThanOrEqualToThreshold":    {func(v, t float64) bool { return v <= t }, "less than or equal to"},
}

// morePeriods are looked back for data when some of the latest is missing.
const morePeriods = 2

// A point is one period that has data.
type point struct {
	at    time.Time
	value float64
}

// decide says which state the points of the evaluation range lead to; the
// range is Periods and morePeriods, oldest first, without those that miss. The
// newest points there are decide; only what then still misses is treated as the
// alarm says (CloudWatch: "How alarm state is evaluated when data is missing").
func (d *Definition) decide(was State, points []point) (State, string) {
	recent := points[max(0, len(points)-d.Periods):]
	missing := d.Periods - len(recent)
	var breaching []point
	for _, p := range recent {
		if comparisons[d.Comparison].holds(p.value, d.Threshold) {
			breaching = append(breaching, p)
		}
	}
	bad, good := len(breaching), len(recent)-len(breaching)
	switch d.Missing {
	case missingBreaches:
		bad += missing
	case missingIsFine:
		good += missing
	case missingIgnored:
		if bad < d.ToAlarm && missing > 0 && good <= d.Periods-d.ToAlarm {
			return was, ""
		}
	default:
		if len(recent) == 0 {
			return InsufficientData, fmt.Sprintf("Insufficient Data: %d %s unknown.", d.Periods, plural(d.Periods, "datapoint was", "datapoints were"))
		}
		if good == 0 { // all that there is breaches
			return InAlarm, d.reason(breaching, len(recent), InAlarm)
		}
	}
	if bad >= d.ToAlarm {
		return InAlarm, d.reason(breaching, d.Periods, InAlarm)
	}
	return OK, d.reason(recent, d.Periods, OK)
}

// reason is worded as CloudWatch words it.
func (d *Definition) reason(points []point, of int, to State) string {
	if len(points) == 0 {
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %d %s and %s missing %s treated as [%s].",
			of, plural(of, "period", "periods"), fmt.Sprint(of), plural(of, "datapoint was", "datapoints were"), treatedAs(d.Missing))
	}
	var shown []string
	for _, p := range slices.Backward(points) {
		shown = append(shown, fmt.Sprintf("%v (%s)", p.value, p.at.UTC().Format("02/01/06 15:04:05")))
	}
	verb, from := plural(len(points), "was", "were"), "OK -> ALARM"
	if to == OK {
		verb, from = verb+" not", "ALARM -> OK"
	}
	needed := d.ToAlarm
	if to == OK {
		needed = d.Periods - d.ToAlarm + 1
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints [%s] %s %s the threshold (%v) (minimum %d %s for %s transition).",
		len(points), of, strings.Join(shown, ", "), verb, comparisons[d.Comparison].words, d.Threshold, needed, plural(needed, "datapoint", "datapoints"), from)
}

func treatedAs(missing string) string {
	if missing == missingBreaches {
		return "Breaching"
	}
	return "NonBreaching"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
