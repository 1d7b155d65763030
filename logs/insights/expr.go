package insights

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A value is nil, a string, a float64, a bool or a time.
type value any

// An expr has a value in each row.
type expr func(r *row) value

func truth(v value) bool { b, ok := v.(bool); return ok && b }

func text(v value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1e15 {
			return strconv.FormatInt(int64(v), 10)
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		if v {
			return "1"
		}
		return "0"
	case time.Time:
		return v.UTC().Format("2006-01-02 15:04:05.000")
	}
	return ""
}

func number(v value) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(v, 64)
		return n, err == nil && v != "" && (v[0] == '-' || v[0] == '.' || v[0] >= '0' && v[0] <= '9')
	case time.Time:
		return float64(v.UnixMilli()), true
	}
	return 0, false
}

// compare orders two values: as numbers when both are.
func compare(a, b value) int {
	x, ok := number(a)
	if y, also := number(b); ok && also {
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	return strings.Compare(text(a), text(b))
}

func (s *scanner) expr() (expr, error) {
	if s.depth++; s.depth > maxNested {
		return nil, malformed("it is nested too deeply")
	}
	defer func() { s.depth-- }()
	return s.binary(s.and, map[string]func(a, b expr) expr{"or": func(a, b expr) expr {
		return func(r *row) value { return truth(a(r)) || truth(b(r)) }
	}})
}

func (s *scanner) and() (expr, error) {
	return s.binary(s.not, map[string]func(a, b expr) expr{"and": func(a, b expr) expr {
		return func(r *row) value { return truth(a(r)) && truth(b(r)) }
	}})
}

// binary reads operands joined by words or signs of one rank.
func (s *scanner) binary(operand func() (expr, error), ops map[string]func(a, b expr) expr) (expr, error) {
	left, err := operand()
	for err == nil {
		join := s.operator(ops)
		if join == nil {
			break
		}
		var right expr
		if right, err = operand(); err == nil {
			left = join(left, right)
		}
	}
	return left, err
}

func (s *scanner) operator(ops map[string]func(a, b expr) expr) func(a, b expr) expr {
	for op, join := range ops {
		if isName(op[0]) && s.takeWord(op) || !isName(op[0]) && s.take(op) {
			return join
		}
	}
	return nil
}

func (s *scanner) not() (expr, error) {
	if s.takeWord("not") {
		if s.depth++; s.depth > maxNested {
			return nil, malformed("it is nested too deeply")
		}
		defer func() { s.depth-- }()
		e, err := s.not()
		return func(r *row) value { return !truth(e(r)) }, err
	}
	return s.comparison()
}

func (s *scanner) comparison() (expr, error) {
	left, err := s.sum()
	if err != nil {
		return nil, err
	}
	for _, op := range []string{"!=", "=~", "<=", ">=", "=", "<", ">"} {
		if !s.take(op) {
			continue
		}
		if op == "=~" {
			return s.like(left, false)
		}
		right, err := s.sum()
		return ordered(op, left, right), err
	}
	negated := s.takeWord("not")
	switch {
	case s.takeWord("like"):
		return s.like(left, negated)
	case s.takeWord("in"):
		return s.in(left, negated)
	case negated:
		return nil, s.unexpected("like or in")
	}
	return left, nil
}

func ordered(op string, left, right expr) expr {
	return func(r *row) value {
		a, b := left(r), right(r)
		if a == nil || b == nil {
			return op == "!=" && (a != nil || b != nil)
		}
		c := compare(a, b)
		switch op {
		case "=":
			return c == 0
		case "!=":
			return c != 0
		case "<":
			return c < 0
		case "<=":
			return c <= 0
		case ">":
			return c > 0
		}
		return c >= 0
	}
}

func (s *scanner) like(left expr, negated bool) (expr, error) {
	s.space()
	var test func(string) bool
	switch s.peek() {
	case '/':
		p, err := s.regexp()
		if err != nil {
			return nil, err
		}
		test = p.MatchString
	case '"', '\'':
		part, err := s.quoted()
		if err != nil {
			return nil, err
		}
		if strings.Contains(part, "%") { // SQL's wildcard, which Insights takes too
			p, err := regexp.Compile(`\A(?s:` + strings.ReplaceAll(regexp.QuoteMeta(part), "%", ".*") + `)\z`)
			if err != nil {
				return nil, malformed("the pattern %q cannot be read", part)
			}
			test = p.MatchString
		} else {
			test = func(t string) bool { return strings.Contains(t, part) }
		}
	default:
		return nil, s.unexpected("a text or a regular expression")
	}
	return func(r *row) value {
		v := left(r)
		return v != nil && test(text(v)) != negated
	}, nil
}

func (s *scanner) in(left expr, negated bool) (expr, error) {
	if !s.take("[") {
		return nil, s.unexpected("[")
	}
	list, err := s.list()
	if err == nil && !s.take("]") {
		err = s.unexpected("]")
	}
	return func(r *row) value {
		v := left(r)
		for _, e := range list {
			if v != nil && compare(v, e(r)) == 0 {
				return !negated
			}
		}
		return negated
	}, err
}

func arithmetic(do func(a, b float64) float64) func(a, b expr) expr {
	return func(a, b expr) expr {
		return func(r *row) value {
			x, ok := number(a(r))
			y, also := number(b(r))
			if !ok || !also {
				return nil
			}
			if n := do(x, y); !math.IsNaN(n) && !math.IsInf(n, 0) {
				return n
			}
			return nil
		}
	}
}

func (s *scanner) sum() (expr, error) {
	return s.binary(s.product, map[string]func(a, b expr) expr{
		"+": arithmetic(func(a, b float64) float64 { return a + b }), "-": arithmetic(func(a, b float64) float64 { return a - b }),
	})
}

func (s *scanner) product() (expr, error) {
	return s.binary(s.primary, map[string]func(a, b expr) expr{
		"*": arithmetic(func(a, b float64) float64 { return a * b }), "/": arithmetic(func(a, b float64) float64 { return a / b }),
		"%": arithmetic(math.Mod), "^": arithmetic(math.Pow),
	})
}

func (s *scanner) primary() (expr, error) {
	s.space()
	switch c := s.peek(); {
	case c == '(':
		s.pos++
		e, err := s.expr()
		if err == nil && !s.take(")") {
			err = s.unexpected(")")
		}
		return e, err
	case c == '"' || c == '\'':
		t, err := s.quoted()
		return constant(t), err
	case c == '-':
		s.pos++
		if s.depth++; s.depth > maxNested {
			return nil, malformed("it is nested too deeply")
		}
		defer func() { s.depth-- }()
		e, err := s.primary()
		return func(r *row) value {
			if n, ok := number(e(r)); ok {
				return -n
			}
			return nil
		}, err
	}
	quoted := s.peek() == '`'
	name := s.word()
	if name == "" {
		return nil, s.unexpected("a field, a value or a function")
	}
	if n, ok := number(name); ok && !quoted {
		return constant(n), nil
	}
	if !quoted && s.take("(") {
		return s.function(strings.ToLower(name))
	}
	return func(r *row) value { return r.get(name) }, nil
}

func constant(v value) expr { return func(*row) value { return v } }
