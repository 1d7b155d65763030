package cur

import (
	"cmp"
	"math/big"
	"regexp"
	"strings"
	"time"

	"outcrop"
)

// A truth is SQL's: what is compared with null is unknown.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// A condition decides about a row.
type condition func(*Row) truth

func (p *parser) or() (condition, error) {
	return p.joined("OR", p.and, func(a, b truth) truth { return max(a, b) })
}

func (p *parser) and() (condition, error) {
	return p.joined("AND", p.not, func(a, b truth) truth { return min(a, b) })
}

func (p *parser) joined(by string, part func() (condition, error), join func(a, b truth) truth) (condition, error) {
	left, err := part()
	if err != nil {
		return nil, err
	}
	for p.keyword(by) {
		right, err := part()
		if err != nil {
			return nil, err
		}
		a := left
		left = func(r *Row) truth { return join(a(r), right(r)) }
	}
	return left, nil
}

func (p *parser) not() (condition, error) {
	if p.depth++; p.depth > maxConditionDepth {
		return nil, outcrop.Errorf(outcrop.Invalid, "The condition of the query is nested more than %d levels deep.", maxConditionDepth)
	}
	defer func() { p.depth-- }()
	if p.keyword("NOT") {
		inner, err := p.not()
		return negated(inner), err
	}
	if p.symbol("(") {
		inner, err := p.or()
		if err == nil && !p.symbol(")") {
			err = p.wrong(p.peek(), ")")
		}
		return inner, err
	}
	return p.comparison()
}

func negated(c condition) condition { return func(r *Row) truth { return -c(r) } }

func (p *parser) comparison() (condition, error) {
	ref, err := p.reference()
	if err != nil {
		return nil, err
	}
	f, err := p.field(ref)
	if err != nil {
		return nil, err
	}
	if p.keyword("IS") {
		return p.null(&f)
	}
	opposite := p.keyword("NOT")
	c, err := p.test(&f, opposite)
	if opposite && err == nil {
		c = negated(c)
	}
	return c, err
}

func (p *parser) null(f *Field) (condition, error) {
	opposite := p.keyword("NOT")
	if err := p.expect("NULL"); err != nil {
		return nil, err
	}
	return func(r *Row) truth { return truthOf(f.of(r).known == opposite) }, nil
}

// test reads what follows a column: a comparison, LIKE, IN or BETWEEN. Behind a
// NOT only the last three may stand.
func (p *parser) test(f *Field, not bool) (condition, error) {
	switch {
	case p.keyword("LIKE"):
		return p.like(f)
	case p.keyword("IN"):
		return p.in(f)
	case p.keyword("BETWEEN"):
		return p.between(f)
	case not:
		return nil, p.wrong(p.peek(), "LIKE, IN or BETWEEN")
	}
	t := p.next()
	holds, ok := comparisons[t.text]
	if t.kind != mark || !ok {
		return nil, p.wrong(t, "a comparison")
	}
	c, err := p.operand(f)
	if err != nil {
		return nil, err
	}
	return func(r *Row) truth { return c.compare(f.of(r), holds) }, nil
}

var comparisons = map[string]func(order int) bool{
	"=":  func(o int) bool { return o == 0 },
	"<>": func(o int) bool { return o != 0 },
	"!=": func(o int) bool { return o != 0 },
	"<":  func(o int) bool { return o < 0 },
	"<=": func(o int) bool { return o <= 0 },
	">":  func(o int) bool { return o > 0 },
	">=": func(o int) bool { return o >= 0 },
}

func (p *parser) between(f *Field) (condition, error) {
	low, err := p.operand(f)
	if err != nil {
		return nil, err
	}
	if err := p.expect("AND"); err != nil {
		return nil, err
	}
	high, err := p.operand(f)
	if err != nil {
		return nil, err
	}
	return func(r *Row) truth {
		v := f.of(r)
		return min(low.compare(v, comparisons[">="]), high.compare(v, comparisons["<="]))
	}, nil
}

func (p *parser) in(f *Field) (condition, error) {
	if !p.symbol("(") {
		return nil, p.wrong(p.peek(), "(")
	}
	var all []operand
	for {
		c, err := p.operand(f)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
		if !p.symbol(",") {
			break
		}
	}
	if !p.symbol(")") {
		return nil, p.wrong(p.peek(), ")")
	}
	return func(r *Row) truth {
		v, found := f.of(r), no
		for _, c := range all {
			found = max(found, c.compare(v, comparisons["="]))
		}
		return found
	}, nil
}

func (p *parser) like(f *Field) (condition, error) {
	t := p.next()
	if t.kind != literal || f.Type() != Text {
		return nil, p.wrong(t, "a pattern in single quotes, for a column of text")
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for _, c := range t.text {
		switch c {
		case '%':
			b.WriteString(".*")
		case '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	pattern, err := regexp.Compile(b.String())
	if err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The pattern %q of LIKE cannot be read.", clip(t.text))
	}
	return func(r *Row) truth {
		v := f.of(r)
		if !v.known {
			return unknown
		}
		return truthOf(pattern.MatchString(v.text))
	}, nil
}

// An operand is a constant of a query, read as the column it is compared with.
type operand struct {
	kind   Type
	text   string
	number *big.Rat
	time   time.Time
}

// timeForms are the ways to write a time.
var timeForms = []string{"2006-01-02T15:04:05.999Z", "2006-01-02 15:04:05.999", "2006-01-02T15:04:05Z07:00", "2006-01-02"}

func (p *parser) operand(f *Field) (operand, error) {
	if f.Type() == Time {
		p.keyword("TIMESTAMP") // as in TIMESTAMP '2026-11-01 00:00:00'
	}
	t := p.next()
	c := operand{kind: f.Type(), text: t.text}
	switch {
	case t.kind != literal && t.kind != numeral:
		return c, p.wrong(t, "a constant")
	case c.kind == Map:
		return c, outcrop.Errorf(outcrop.Invalid, "The column %s is a map: compare one of its keys, as in %s['key'].", f.Column.Name, f.Column.Name)
	case c.kind == Number:
		if c.number, _ = new(big.Rat).SetString(t.text); c.number == nil || len(t.text) > 64 || strings.ContainsAny(t.text, "eEpP/") {
			return c, p.wrong(t, "a number, for the column "+f.Column.Name)
		}
	case c.kind == Time:
		for _, form := range timeForms {
			if at, err := time.Parse(form, t.text); err == nil {
				c.time = at
				return c, nil
			}
		}
		return c, p.wrong(t, "a time such as '2026-11-01T00:00:00Z', for the column "+f.Column.Name)
	}
	return c, nil
}

func (c operand) compare(v Value, holds func(int) bool) truth {
	if !v.known {
		return unknown
	}
	switch c.kind {
	case Number:
		n, ok := new(big.Rat).SetString(v.text)
		if !ok {
			return unknown
		}
		return truthOf(holds(n.Cmp(c.number)))
	case Time:
		return truthOf(holds(v.time.Compare(c.time)))
	}
	return truthOf(holds(cmp.Compare(v.text, c.text)))
}
