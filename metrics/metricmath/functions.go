package metricmath

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// A function is one of metric math's, with how many arguments it takes.
type function struct {
	least, most int
	of          func(*Env, []Value) (Value, error)
}

func (f function) takes() string {
	switch {
	case f.least == f.most && f.least == 1:
		return "1 argument"
	case f.least == f.most:
		return fmt.Sprintf("%d arguments", f.least)
	}
	return fmt.Sprintf("%d to %d arguments", f.least, f.most)
}

var functions map[string]function

func init() { // it refers to itself through the parser
	functions = map[string]function{
		"ABS": each(math.Abs), "CEIL": each(math.Ceil), "FLOOR": each(math.Floor), "LOG": each(math.Log), "LOG10": each(math.Log10),
		"SUM": summary(sum), "AVG": summary(average), "MIN": summary(slices.Min[[]float64]), "MAX": summary(slices.Max[[]float64]),
		"STDDEV": summary(deviation), "DATAPOINT_COUNT": summary(count),
		"RATE": steps(func(dt, dv float64) float64 { return dv / dt }), "DIFF": steps(func(_, dv float64) float64 { return dv }),
		"DIFF_TIME": steps(func(dt, _ float64) float64 { return dt }), "RUNNING_SUM": {1, 1, runningSum},
		"MINUTE": clock(time.Time.Minute), "HOUR": clock(time.Time.Hour), "DAY": clock(weekday), "DATE": clock(time.Time.Day),
		"MONTH": clock(func(t time.Time) int { return int(t.Month()) }), "YEAR": clock(time.Time.Year), "EPOCH": clock(func(t time.Time) int { return int(t.Unix()) }),
		"FILL": {2, 2, fill}, "IF": {2, 3, choose}, "PERIOD": {1, 1, period}, "TIME_SERIES": {1, 1, timeSeries},
		"METRICS": {0, 1, allMetrics}, "METRIC_COUNT": {1, 1, metricCount}, "REMOVE_EMPTY": {1, 1, removeEmpty},
		"SORT": {2, 4, sorted}, "SLICE": {2, 3, slice}, "FIRST": {1, 1, pick(0)}, "LAST": {1, 1, pick(-1)}, "SEARCH": {2, 3, search},
	}
}

// elsewhere are functions that need services which are not served.
var elsewhere = []string{"ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SERVICE_QUOTA"}

func unknownFunction(name string) error {
	if slices.Contains(elsewhere, strings.ToUpper(name)) {
		return errorf("Outcrop does not serve the function %s", strings.ToUpper(name))
	}
	return errorf("there is no function %s; the functions are %s", name, strings.Join(slices.Sorted(maps.Keys(functions)), ", "))
}

func each(fn func(float64) float64) function {
	return function{1, 1, func(env *Env, args []Value) (Value, error) { return apply(env, args[0], fn) }}
}

// summary adds a time series up to a number, and an array to one time series.
func summary(fn func([]float64) float64) function {
	return function{1, 1, func(env *Env, args []Value) (Value, error) {
		switch v := args[0]; v.Kind {
		case Number:
			return v, nil
		case One:
			if len(v.Series[0].V) == 0 {
				return Value{Kind: Number}, nil
			}
			return Value{Kind: Number, Number: fn(v.Series[0].V)}, nil
		case Many:
			s, err := env.across(v.Series, fn)
			return Of(s), err
		default:
			return Value{}, errorf("a time series or an array of them is wanted, and not %s", v.Kind)
		}
	}}
}

// across computes fn of what the series have at each time.
func (env *Env) across(series []Series, fn func([]float64) float64) (Series, error) {
	at := map[int64][]float64{}
	out := Series{}
	for _, s := range series {
		if err := env.spend(len(s.T)); err != nil {
			return out, err
		}
		out.Period = max(out.Period, s.Period)
		for i, t := range s.T {
			at[t] = append(at[t], s.V[i])
		}
	}
	for _, t := range slices.Sorted(maps.Keys(at)) {
		out.T, out.V = append(out.T, t), append(out.V, fn(at[t]))
	}
	return out, nil
}

func sum(v []float64) (s float64) {
	for _, f := range v {
		s += f
	}
	return s
}

func average(v []float64) float64 { return sum(v) / float64(len(v)) }
func count(v []float64) float64   { return float64(len(v)) }

func deviation(v []float64) float64 {
	mean, squares := average(v), 0.0
	for _, f := range v {
		squares += (f - mean) * (f - mean)
	}
	return math.Sqrt(squares / float64(len(v)))
}

// steps computes fn of the distances to the point before.
func steps(fn func(dt, dv float64) float64) function {
	return function{1, 1, func(env *Env, args []Value) (Value, error) {
		return eachSeries(args[0], func(s *Series) (Series, error) {
			first, lastT, lastV := true, int64(0), 0.0
			return env.mapped(s, func(t int64, v float64) (float64, bool) {
				step, ok := fn(float64(t-lastT), v-lastV), !first
				first, lastT, lastV = false, t, v
				return step, ok
			})
		})
	}}
}

func runningSum(env *Env, args []Value) (Value, error) {
	return eachSeries(args[0], func(s *Series) (Series, error) {
		total := 0.0
		return env.mapped(s, func(_ int64, v float64) (float64, bool) { total += v; return total, true })
	})
}

func clock(fn func(time.Time) int) function {
	return function{1, 1, func(env *Env, args []Value) (Value, error) {
		return eachSeries(args[0], func(s *Series) (Series, error) {
			return env.mapped(s, func(t int64, _ float64) (float64, bool) { return float64(fn(time.Unix(t, 0).UTC())), true })
		})
	}}
}

// weekday counts from 1 for Monday.
func weekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// eachSeries computes fn of every Series in v.
func eachSeries(v Value, fn func(*Series) (Series, error)) (Value, error) {
	if v.Kind != One && v.Kind != Many {
		return Value{}, errorf("a time series is wanted, and not %s", v.Kind)
	}
	out := Value{Kind: v.Kind, Series: make([]Series, 0, len(v.Series))}
	for i := range v.Series {
		s, err := fn(&v.Series[i])
		if err != nil {
			return Value{}, err
		}
		out.Series = append(out.Series, s)
	}
	return out, nil
}

// choose is IF(condition, then, else): by each point of a condition that is a
// time series. Without else, points that fail the condition are left out.
func choose(env *Env, args []Value) (Value, error) {
	c := args[0]
	if c.Kind == Number {
		switch {
		case c.Number != 0:
			return args[1], nil
		case len(args) == 3:
			return args[2], nil
		}
		return Value{}, errorf("a condition that is a number needs a third argument")
	}
	then, err := pointsOf(args[1])
	if err != nil {
		return Value{}, err
	}
	other := func(int64) (float64, bool) { return 0, false }
	if len(args) == 3 {
		if other, err = pointsOf(args[2]); err != nil {
			return Value{}, err
		}
	}
	return eachSeries(c, func(s *Series) (Series, error) {
		return env.mapped(s, func(t int64, v float64) (float64, bool) {
			if v != 0 {
				return then(t)
			}
			return other(t)
		})
	})
}

// pointsOf reads v at a time.
func pointsOf(v Value) (func(int64) (float64, bool), error) {
	switch v.Kind {
	case Number:
		return func(int64) (float64, bool) { return v.Number, true }, nil
	case One:
		s := v.Series[0]
		return func(t int64) (float64, bool) {
			i, ok := slices.BinarySearch(s.T, t)
			if !ok {
				return 0, false
			}
			return s.V[i], true
		}, nil
	}
	return nil, errorf("a number or a time series is wanted, and not %s", v.Kind)
}

func period(env *Env, args []Value) (Value, error) {
	if args[0].Kind != One {
		return Value{}, errorf("a time series is wanted, and not %s", args[0].Kind)
	}
	return Value{Kind: Number, Number: float64(cmp.Or(args[0].Series[0].Period, env.Period))}, nil
}

func timeSeries(env *Env, args []Value) (Value, error) {
	if args[0].Kind != Number {
		return Value{}, errorf("a number is wanted, and not %s", args[0].Kind)
	}
	s := Series{Period: env.Period}
	err := env.grid(&s, func(t int64) { s.T, s.V = append(s.T, t), append(s.V, args[0].Number) })
	return Of(s), err
}

// grid walks the times at which s may have data.
func (env *Env) grid(s *Series, visit func(t int64)) error {
	step := cmp.Or(s.Period, env.Period)
	if step <= 0 {
		return errorf("the period is not known; name it in the query's Period")
	}
	if err := env.spend(int((env.End - env.Start) / step)); err != nil {
		return err
	}
	for t := env.Start; t < env.End; t += step {
		visit(t)
	}
	return nil
}

func allMetrics(env *Env, args []Value) (Value, error) {
	ids, series, err := env.Metrics()
	if err != nil {
		return Value{}, err
	}
	out := Value{Kind: Many}
	for i := range ids {
		if len(args) == 0 || args[0].Kind == Text && strings.Contains(ids[i], args[0].Text) {
			out.Series = append(out.Series, series[i])
		}
	}
	return out, nil
}

func array(v Value) ([]Series, error) {
	if v.Kind != Many && v.Kind != One {
		return nil, errorf("an array of time series is wanted, and not %s", v.Kind)
	}
	return v.Series, nil
}

func metricCount(_ *Env, args []Value) (Value, error) {
	series, err := array(args[0])
	return Value{Kind: Number, Number: float64(len(series))}, err
}

func removeEmpty(_ *Env, args []Value) (Value, error) {
	series, err := array(args[0])
	kept := slices.DeleteFunc(slices.Clone(series), func(s Series) bool { return len(s.T) == 0 })
	return Value{Kind: Many, Series: kept}, err
}

var sortKeys = map[string]func([]float64) float64{
	"AVG": average, "COUNT": count, "MAX": slices.Max[[]float64], "MIN": slices.Min[[]float64], "STDDEV": deviation, "SUM": sum,
}

// sorted is SORT(array, by, order, how many): series without data come last.
func sorted(_ *Env, args []Value) (Value, error) {
	series, err := array(args[0])
	if err != nil {
		return Value{}, err
	}
	by, ok := sortKeys[strings.ToUpper(args[1].Text)]
	if !ok {
		return Value{}, errorf("sort by AVG, COUNT, MAX, MIN, STDDEV or SUM")
	}
	order, limit := "DESC", len(series)
	for _, a := range args[2:] {
		switch {
		case a.Kind == Word || a.Kind == Text:
			order = strings.ToUpper(a.Text)
		case a.Kind == Number && a.Number >= 1:
			limit = int(min(a.Number, float64(len(series))))
		}
	}
	if order != "ASC" && order != "DESC" {
		return Value{}, errorf("the order is ASC or DESC, and not %s", order)
	}
	out := slices.Clone(series)
	slices.SortStableFunc(out, func(a, b Series) int {
		if len(a.V) == 0 || len(b.V) == 0 {
			return cmp.Compare(len(b.V), len(a.V))
		}
		if order == "ASC" {
			return cmp.Compare(by(a.V), by(b.V))
		}
		return cmp.Compare(by(b.V), by(a.V))
	})
	return Value{Kind: Many, Series: out[:limit]}, nil
}

func slice(_ *Env, args []Value) (Value, error) {
	series, err := array(args[0])
	if err != nil {
		return Value{}, err
	}
	place := func(v Value) int { return int(max(0, min(v.Number, float64(len(series))))) }
	from := place(args[1])
	switch {
	case len(args) == 3:
		return Value{Kind: Many, Series: series[from:max(from, place(args[2]))]}, nil
	case from < len(series):
		return Of(series[from]), nil
	}
	return Of(Series{}), nil
}

func pick(at int) func(*Env, []Value) (Value, error) {
	return func(_ *Env, args []Value) (Value, error) {
		series, err := array(args[0])
		if err != nil || len(series) == 0 {
			return Of(Series{}), err
		}
		return Of(series[(at+len(series))%len(series)]), nil
	}
}

func search(env *Env, args []Value) (Value, error) {
	if args[0].Kind != Text || args[1].Kind != Text {
		return Value{}, errorf("the search and the statistic are quoted texts: SEARCH('{AWS/Bedrock,ModelId} MetricName=\"Invocations\"', 'Sum')")
	}
	s, err := ParseSearch(args[0].Text)
	if err != nil {
		return Value{}, err
	}
	var seconds int64
	if len(args) == 3 {
		if args[2].Kind != Number || args[2].Number < 1 || args[2].Number > 1e7 {
			return Value{}, errorf("the period is a number of seconds")
		}
		seconds = int64(args[2].Number)
	}
	found, err := env.Search(s, args[1].Text, seconds)
	return Value{Kind: Many, Series: found}, err
}
