package insights

import (
	"math"
	"strings"
	"time"
)

// functions have their arguments' values in one row.
var functions = map[string]func(args []value) value{
	"strlen":      func(a []value) value { return float64(len([]rune(text(arg(a, 0))))) },
	"toupper":     func(a []value) value { return strings.ToUpper(text(arg(a, 0))) },
	"tolower":     func(a []value) value { return strings.ToLower(text(arg(a, 0))) },
	"trim":        func(a []value) value { return strings.Trim(text(arg(a, 0)), cutset(a)) },
	"ltrim":       func(a []value) value { return strings.TrimLeft(text(arg(a, 0)), cutset(a)) },
	"rtrim":       func(a []value) value { return strings.TrimRight(text(arg(a, 0)), cutset(a)) },
	"strcontains": func(a []value) value { return bit(strings.Contains(text(arg(a, 0)), text(arg(a, 1)))) },
	"replace":     func(a []value) value { return strings.ReplaceAll(text(arg(a, 0)), text(arg(a, 1)), text(arg(a, 2))) },
	"substr":      substr,
	"concat": func(a []value) value {
		var b strings.Builder
		for _, v := range a {
			b.WriteString(text(v))
		}
		return b.String()
	},
	"ispresent": func(a []value) value { return arg(a, 0) != nil },
	"isempty":   func(a []value) value { return text(arg(a, 0)) == "" },
	"isblank":   func(a []value) value { return strings.TrimSpace(text(arg(a, 0))) == "" },
	"coalesce": func(a []value) value {
		for _, v := range a {
			if v != nil {
				return v
			}
		}
		return nil
	},
	"abs": numeric(math.Abs), "ceil": numeric(math.Ceil), "floor": numeric(math.Floor), "log": numeric(math.Log), "sqrt": numeric(math.Sqrt),
	"greatest":   func(a []value) value { return extreme(a, 1) },
	"least":      func(a []value) value { return extreme(a, -1) },
	"frommillis": func(a []value) value { return fromMillis(arg(a, 0)) },
	"tomillis": func(a []value) value {
		if t, ok := moment(arg(a, 0)); ok {
			return float64(t.UnixMilli())
		}
		return nil
	},
}

func arg(a []value, i int) value {
	if i < len(a) {
		return a[i]
	}
	return nil
}

func cutset(a []value) string {
	if len(a) > 1 {
		return text(a[1])
	}
	return " \t\r\n"
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func numeric(do func(float64) float64) func([]value) value {
	return func(a []value) value {
		n, ok := number(arg(a, 0))
		if n = do(n); !ok || math.IsNaN(n) || math.IsInf(n, 0) {
			return nil
		}
		return n
	}
}

func extreme(a []value, sign int) value {
	var found value
	for _, v := range a {
		if v != nil && (found == nil || compare(v, found)*sign > 0) {
			found = v
		}
	}
	return found
}

func substr(a []value) value {
	runes := []rune(text(arg(a, 0)))
	from, _ := number(arg(a, 1))
	start := min(max(int(from), 0), len(runes))
	end := len(runes)
	if n, ok := number(arg(a, 2)); ok {
		end = min(start+max(int(n), 0), len(runes))
	}
	return string(runes[start:end])
}

func fromMillis(v value) value {
	n, ok := number(v)
	if !ok {
		return nil
	}
	return time.UnixMilli(int64(n))
}

func moment(v value) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case float64:
		return time.UnixMilli(int64(v)), true
	case string:
		t, err := time.Parse(time.RFC3339, v)
		return t, err == nil
	}
	return time.Time{}, false
}

// function reads the arguments of a call whose parenthesis is open.
func (s *scanner) function(name string) (expr, error) {
	switch name {
	case "bin", "datefloor", "dateceil":
		return s.timeFunction(name)
	}
	do, ok := functions[name]
	if !ok {
		return nil, malformed("there is no function %.30s", name)
	}
	var args []expr
	if !s.take(")") {
		var err error
		if args, err = s.list(); err == nil && !s.take(")") {
			err = s.unexpected(")")
		}
		if err != nil {
			return nil, err
		}
	}
	return func(r *row) value {
		values := make([]value, len(args))
		for i, a := range args {
			values[i] = a(r)
		}
		return do(values)
	}, nil
}

// timeFunction is bin(5m), which rounds @timestamp, or datefloor(field, 5m).
func (s *scanner) timeFunction(name string) (expr, error) {
	of := func(r *row) value { return r.get("@timestamp") }
	var err error
	if name != "bin" {
		var e expr
		if e, err = s.expr(); err == nil && !s.take(",") {
			err = s.unexpected("a comma and a length of time")
		}
		of = e
	}
	if err != nil {
		return nil, err
	}
	size, ok := span(s.word())
	if !ok {
		return nil, malformed("%s takes a length of time such as 5m", name)
	}
	if !s.take(")") {
		return nil, s.unexpected(")")
	}
	return func(r *row) value {
		t, ok := moment(of(r))
		if !ok {
			return nil
		}
		floor := t.UTC().Truncate(size)
		if name == "dateceil" && floor.Before(t) {
			return floor.Add(size)
		}
		return floor
	}, nil
}
