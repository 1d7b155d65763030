package pattern

import (
	"regexp"
	"strconv"
	"strings"
)

// A value is what a field is compared with.
type value struct {
	text   string
	number float64
	isNum  bool
	expr   *regexp.Regexp
	parts  []string // of a text with *, between them; nil for one without
}

// value reads what stands behind an operator. stops end one without quotes.
func (s *scanner) value(stops string) (v value, err error) {
	s.space()
	switch s.peek() {
	case '"':
		if v.text, err = s.quoted(); err != nil {
			return v, err
		}
	case '%':
		v.expr, err = s.regexp()
		return v, err
	default:
		if v.text = s.bare(stops); v.text == "" {
			return v, s.unexpected("a value")
		}
		v.number, v.isNum = number(v.text)
	}
	if strings.Contains(v.text, "*") {
		v.parts = strings.Split(v.text, "*")
	}
	return v, nil
}

func number(text string) (float64, bool) {
	if text == "" || text[0] != '-' && text[0] != '+' && text[0] != '.' && (text[0] < '0' || text[0] > '9') {
		return 0, false // no Inf, no NaN
	}
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !strings.ContainsAny(text, "xX_")
}

// holds says whether a field's text is, or fits, the value.
func (v *value) holds(text string) bool {
	switch {
	case v.expr != nil:
		return v.expr.MatchString(text)
	case v.parts != nil:
		return glob(v.parts, text)
	case v.text == text:
		return true
	case v.isNum:
		n, ok := number(text)
		return ok && n == v.number
	}
	return false
}

// glob matches the parts between asterisks, each at its first place.
func glob(parts []string, text string) bool {
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1:last] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// need is a text that a message with a fitting field holds, or empty.
func (v *value) need() string {
	if v.expr != nil || v.isNum {
		return ""
	}
	longest := ""
	for _, part := range append(v.parts, v.textIfWhole()) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

func (v *value) textIfWhole() string {
	if v.parts != nil {
		return ""
	}
	return v.text
}

// The operators, longest first.
var operators = []string{"!=", "<=", ">=", "=", "<", ">"}

func (s *scanner) operator() string {
	for _, op := range operators {
		if s.take(op) {
			return op
		}
	}
	return ""
}

// compare asks a field's text.
func (v *value) compare(op, text string) bool {
	switch op {
	case "=":
		return v.holds(text)
	case "!=":
		return !v.holds(text)
	}
	n, ok := number(text)
	if !ok {
		return false
	}
	switch op {
	case "<":
		return n < v.number
	case "<=":
		return n <= v.number
	case ">":
		return n > v.number
	}
	return n >= v.number
}

// check refuses an order of what has none.
func (v *value) check(op string) error {
	if op != "=" && op != "!=" && !v.isNum {
		return invalid("%s compares numbers, and %q is none", op, v.text)
	}
	return nil
}
