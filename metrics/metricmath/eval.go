package metricmath

import (
	"errors"
	"math"
)

// MaxPoints bounds what the expressions of a question may compute, in data
// points.
const MaxPoints = 10_000_000

// Eval computes the expression.
func (e *Expression) Eval(env *Env) (Value, error) {
	if env.Spare == nil {
		env.Spare = new(MaxPoints)
	}
	return e.root.eval(env)
}

// spend takes data points out of what may still be computed.
func (env *Env) spend(points int) error {
	if *env.Spare -= points; *env.Spare < 0 {
		return errorf("the expressions compute more than %d data points: ask for a shorter time, a longer period or less at once", MaxPoints)
	}
	return nil
}

func (l literal) eval(*Env) (Value, error) { return l.Value, nil }

func (x *id) eval(env *Env) (Value, error) { return env.Lookup(x.name) }

func (x *list) eval(env *Env) (Value, error) {
	out := Value{Kind: Many}
	for _, item := range x.items {
		v, err := item.eval(env)
		if err != nil {
			return Value{}, err
		}
		switch v.Kind {
		case One, Many:
			out.Series = append(out.Series, v.Series...)
		default:
			return Value{}, errorf("an array holds time series, and not %s", v.Kind)
		}
	}
	return out, nil
}

func (x *unary) eval(env *Env) (Value, error) {
	v, err := x.x.eval(env)
	if err != nil || x.sign == "+" {
		return v, err
	}
	return apply(env, v, func(f float64) float64 {
		if x.sign == "-" {
			return -f
		}
		return truth(f == 0)
	})
}

// apply computes fn of each number in v.
func apply(env *Env, v Value, fn func(float64) float64) (Value, error) {
	switch v.Kind {
	case Number:
		was := v.Number
		if v.Number = fn(was); math.IsNaN(v.Number) || math.IsInf(v.Number, 0) {
			return Value{}, errorf("there is no result for %v", was)
		}
		return v, nil
	case One, Many:
		out := Value{Kind: v.Kind, Series: make([]Series, 0, len(v.Series))}
		for _, s := range v.Series {
			mapped, err := env.mapped(&s, func(_ int64, f float64) (float64, bool) { return fn(f), true })
			if err != nil {
				return Value{}, err
			}
			out.Series = append(out.Series, mapped)
		}
		return out, nil
	}
	return Value{}, errorf("a number or time series is wanted, and not %s", v.Kind)
}

// mapped computes fn of each point of s; where it says no, or the result is no
// number, there is no data.
func (env *Env) mapped(s *Series, fn func(t int64, v float64) (float64, bool)) (Series, error) {
	if err := env.spend(len(s.T)); err != nil {
		return Series{}, err
	}
	out := Series{Label: s.Label, Period: s.Period, About: s.About, T: make([]int64, 0, len(s.T)), V: make([]float64, 0, len(s.T))}
	for i, t := range s.T {
		if v, ok := fn(t, s.V[i]); ok && !math.IsNaN(v) && !math.IsInf(v, 0) {
			out.T, out.V = append(out.T, t), append(out.V, v)
		}
	}
	return out, nil
}

func (x *binary) eval(env *Env) (Value, error) {
	a, err := x.a.eval(env)
	if err != nil {
		return Value{}, err
	}
	b, err := x.b.eval(env)
	if err != nil {
		return Value{}, err
	}
	return combine(env, a, b, operators[x.sign], x.sign)
}

func combine(env *Env, a, b Value, fn func(a, b float64) float64, sign string) (Value, error) {
	switch {
	case a.Kind > Many || b.Kind > Many:
		return Value{}, errorf("'%s' cannot be used with %s", sign, max(a.Kind, b.Kind))
	case a.Kind == Number && b.Kind == Number:
		v := fn(a.Number, b.Number)
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Value{}, errorf("'%s' has no result for %v and %v", sign, a.Number, b.Number)
		}
		return Value{Kind: Number, Number: v}, nil
	case b.Kind == Number:
		return apply(env, a, func(f float64) float64 { return fn(f, b.Number) })
	case a.Kind == Number:
		return apply(env, b, func(f float64) float64 { return fn(a.Number, f) })
	case a.Kind == Many && b.Kind == Many:
		return Value{}, errorf("'%s' cannot combine two arrays of time series; add each up first, as SUM does", sign)
	}
	return combineEach(env, a, b, fn)
}

// combineEach combines each Series of one side with the only one of the other.
func combineEach(env *Env, a, b Value, fn func(a, b float64) float64) (Value, error) {
	out := Value{Kind: max(a.Kind, b.Kind)}
	if len(a.Series) == 0 || len(b.Series) == 0 {
		return out, nil
	}
	for i := range max(len(a.Series), len(b.Series)) {
		x, y := &a.Series[min(i, len(a.Series)-1)], &b.Series[min(i, len(b.Series)-1)]
		s, err := env.together(x, y, fn)
		if err != nil {
			return Value{}, err
		}
		if b.Kind == Many {
			s.Label, s.About = y.Label, y.About
		}
		out.Series = append(out.Series, s)
	}
	return out, nil
}

// together computes fn where both have data.
func (env *Env) together(a, b *Series, fn func(a, b float64) float64) (Series, error) {
	i := 0
	out, err := env.mapped(a, func(t int64, v float64) (float64, bool) {
		for i < len(b.T) && b.T[i] < t {
			i++
		}
		if i == len(b.T) || b.T[i] != t {
			return 0, false
		}
		return fn(v, b.V[i]), true
	})
	out.Period = max(a.Period, b.Period)
	return out, err
}

var operators = map[string]func(a, b float64) float64{
	"+":  func(a, b float64) float64 { return a + b },
	"-":  func(a, b float64) float64 { return a - b },
	"*":  func(a, b float64) float64 { return a * b },
	"/":  func(a, b float64) float64 { return a / b }, // by zero: no data
	"^":  math.Pow,
	"==": func(a, b float64) float64 { return truth(a == b) },
	"!=": func(a, b float64) float64 { return truth(a != b) },
	"<":  func(a, b float64) float64 { return truth(a < b) },
	"<=": func(a, b float64) float64 { return truth(a <= b) },
	">":  func(a, b float64) float64 { return truth(a > b) },
	">=": func(a, b float64) float64 { return truth(a >= b) },
	"&&": func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"||": func(a, b float64) float64 { return truth(a != 0 || b != 0) },
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (x *call) eval(env *Env) (Value, error) {
	args := make([]Value, len(x.args))
	for i, a := range x.args {
		v, err := a.eval(env)
		if err != nil {
			return Value{}, err
		}
		args[i] = v
	}
	v, err := x.fn.of(env, args)
	var fault *Error
	if errors.As(err, &fault) {
		return Value{}, errorf("%s: %s", x.name, fault.Message)
	}
	return v, err
}
