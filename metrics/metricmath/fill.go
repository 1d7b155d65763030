package metricmath

import "strings"

// fill is FILL(series, with): a number, another time series, or the words
// REPEAT (the value before) and LINEAR (the line between its neighbours).
func fill(env *Env, args []Value) (Value, error) {
	with := args[1]
	return eachSeries(args[0], func(s *Series) (Series, error) {
		switch {
		case with.Kind == Word && strings.EqualFold(with.Text, "REPEAT"):
			return env.filled(s, repeat(s))
		case with.Kind == Word && strings.EqualFold(with.Text, "LINEAR"):
			return env.filled(s, linear(s))
		case with.Kind == Number || with.Kind == One:
			points, err := pointsOf(with)
			if err != nil {
				return Series{}, err
			}
			return env.filled(s, func(_ int, t int64) (float64, bool) { return points(t) })
		}
		return Series{}, errorf("fill with a number, a time series, REPEAT or LINEAR")
	})
}

// filled asks missing for the value at each time where s has no data; i is the
// place of the next point that has.
func (env *Env) filled(s *Series, missing func(i int, t int64) (float64, bool)) (Series, error) {
	out := Series{Label: s.Label, Period: s.Period, About: s.About}
	i := 0
	err := env.grid(s, func(t int64) {
		for i < len(s.T) && s.T[i] < t {
			i++
		}
		v, ok := 0.0, false
		if i < len(s.T) && s.T[i] == t {
			v, ok = s.V[i], true
		} else {
			v, ok = missing(i, t)
		}
		if ok {
			out.T, out.V = append(out.T, t), append(out.V, v)
		}
	})
	return out, err
}

func repeat(s *Series) func(int, int64) (float64, bool) {
	return func(i int, _ int64) (float64, bool) {
		if i == 0 {
			return 0, false
		}
		return s.V[i-1], true
	}
}

func linear(s *Series) func(int, int64) (float64, bool) {
	return func(i int, t int64) (float64, bool) {
		if i == 0 || i == len(s.T) {
			return 0, false
		}
		part := float64(t-s.T[i-1]) / float64(s.T[i]-s.T[i-1])
		return s.V[i-1] + part*(s.V[i]-s.V[i-1]), true
	}
}
