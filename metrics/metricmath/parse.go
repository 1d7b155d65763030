package metricmath

import "strings"

// A node is a part of an expression.
type node interface{ eval(*Env) (Value, error) }

type (
	literal struct{ Value }
	id      struct{ name string }
	list    struct{ items []node }
	unary   struct {
		sign string
		x    node
	}
	binary struct {
		sign string
		a, b node
	}
	call struct {
		name string
		fn   function
		args []node
	}
)

// An Expression is read.
type Expression struct {
	root node
	ids  []string // of the queries it refers to
	all  bool     // it uses METRICS
}

// Refers lists the ids that the expression needs; all says that it needs every
// metric of the request.
func (e *Expression) Refers() (ids []string, all bool) { return e.ids, e.all }

// Limits of an expression.
const (
	maxLength = 2048 // characters, as the model has it
	maxNested = 100
)

type parser struct {
	tokens []token
	at     int
	depth  int
	out    *Expression
}

// Parse reads an expression.
func Parse(text string) (*Expression, error) {
	if len(text) > maxLength {
		return nil, errorf("the expression is longer than %d characters", maxLength)
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, out: new(Expression)}
	if p.out.root, err = p.binary(0); err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != endToken {
		return nil, errorf("unexpected %s at position %d", t, t.at+1)
	}
	return p.out, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != endToken {
		p.at++
	}
	return t
}

func (p *parser) takes(sign string) bool {
	if t := p.peek(); t.kind == signToken && t.text == sign {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(sign string) error {
	if p.takes(sign) {
		return nil
	}
	t := p.peek()
	return errorf("'%s' is missing before %s at position %d", sign, t, t.at+1)
}

// levels of binary operators, loosest first.
var levels = [][]string{{"||", "OR"}, {"&&", "AND"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/"}}

func (p *parser) binary(level int) (node, error) {
	if p.depth++; p.depth > maxNested*len(levels) {
		return nil, errorf("the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	if level == len(levels) {
		return p.power()
	}
	a, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		sign, ok := p.operator(levels[level])
		if !ok {
			return a, nil
		}
		b, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		a = &binary{sign, a, b}
	}
}

func (p *parser) operator(signs []string) (string, bool) {
	t := p.peek()
	if t.kind != signToken && t.kind != wordToken {
		return "", false
	}
	for _, sign := range signs {
		if t.text == sign {
			p.at++
			if t.kind == wordToken {
				sign = signs[0] // AND is &&, OR is ||
			}
			return sign, true
		}
	}
	return "", false
}

func (p *parser) power() (node, error) {
	a, err := p.unary()
	if err != nil || !p.takes("^") {
		return a, err
	}
	b, err := p.nested(p.power)
	return &binary{"^", a, b}, err
}

func (p *parser) unary() (node, error) {
	for _, sign := range []string{"-", "+", "!"} {
		if p.takes(sign) {
			x, err := p.nested(p.power)
			return &unary{sign, x}, err
		}
	}
	return p.primary()
}

func (p *parser) nested(fn func() (node, error)) (node, error) {
	if p.depth += len(levels); p.depth > maxNested*len(levels) {
		return nil, errorf("the expression is nested too deeply")
	}
	defer func() { p.depth -= len(levels) }()
	return fn()
}

func (p *parser) primary() (node, error) {
	t := p.take()
	switch {
	case t.kind == numberToken:
		return literal{Value{Kind: Number, Number: t.number}}, nil
	case t.kind == textToken:
		return literal{Value{Kind: Text, Text: t.text}}, nil
	case t.kind == wordToken:
		return p.word(t)
	case t.kind == signToken && t.text == "(":
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return x, p.expect(")")
	case t.kind == signToken && t.text == "[":
		items, err := p.items("]")
		return &list{items}, err
	}
	return nil, errorf("unexpected %s at position %d", t, t.at+1)
}

func (p *parser) word(t token) (node, error) {
	if p.takes("(") {
		fn, ok := functions[strings.ToUpper(t.text)]
		if !ok {
			return nil, unknownFunction(t.text)
		}
		args, err := p.items(")")
		if err != nil {
			return nil, err
		}
		if len(args) < fn.least || len(args) > fn.most {
			return nil, errorf("%s takes %s, and is given %d", strings.ToUpper(t.text), fn.takes(), len(args))
		}
		p.out.all = p.out.all || strings.EqualFold(t.text, "METRICS")
		return &call{strings.ToUpper(t.text), fn, args}, nil
	}
	if c := t.text[0]; c >= 'a' && c <= 'z' {
		p.out.ids = append(p.out.ids, t.text)
		return &id{t.text}, nil
	}
	return literal{Value{Kind: Word, Text: t.text}}, nil
}

// items reads what stands between brackets, up to the closing one.
func (p *parser) items(closing string) ([]node, error) {
	if p.takes(closing) {
		return nil, nil
	}
	var items []node
	for {
		x, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		items = append(items, x)
		if p.takes(closing) {
			return items, nil
		}
		if err := p.expect(","); err != nil {
			return nil, err
		}
	}
}
