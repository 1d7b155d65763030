package cur

import (
	"fmt"
	"strings"

	"outcrop"
	"outcrop/internal/slip"
)

// A Query is a statement of the subset of SQL that Data Exports takes:
//
//	SELECT column [AS name], map['key'] | map.key, ... FROM table [WHERE condition]
//
// with conditions of =, <>, !=, <, <=, >, >=, [NOT] LIKE, [NOT] IN, [NOT] BETWEEN,
// IS [NOT] NULL, AND, OR, NOT and parentheses.
type Query struct {
	Table  *Table
	Fields []Field
	where  condition // nil for all rows
}

// A Field is one column of the file.
type Field struct {
	Name   string // as the file calls it
	Column *Column
	Key    string // of a map; empty takes the whole column
}

// Type of what the field holds.
func (f *Field) Type() Type {
	if f.Key != "" {
		return Text
	}
	return f.Column.Type
}

// of reads the field from a row.
func (f *Field) of(r *Row) Value {
	v := f.Column.of(r)
	if f.Key == "" {
		return v
	}
	return text(v.pairs[f.Key])
}

// Takes says whether a row passes the WHERE of the query.
func (q *Query) Takes(r *Row) bool { return q.where == nil || q.where(r) == yes }

// Limits of a statement.
const (
	maxStatementBytes = 36_000
	maxFields         = 1_000
	maxConditionDepth = 50
)

// Parse reads a statement. What is wrong with it is a ValidationException that
// names the place and, for a column, the nearest that there is.
func Parse(statement string) (*Query, error) {
	if len(statement) > maxStatementBytes {
		return nil, outcrop.Errorf(outcrop.Invalid, "The query statement is longer than %d characters.", maxStatementBytes)
	}
	tokens, err := lex(statement)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	return p.query()
}

// A fieldText is a selected field before the table is known.
type fieldText struct {
	column, key, name string
	at                token
}

type parser struct {
	tokens []token
	at     int
	table  *Table
	depth  int
}

func (p *parser) query() (*Query, error) {
	if err := p.expect("SELECT"); err != nil {
		return nil, err
	}
	chosen, err := p.selected()
	if err != nil {
		return nil, err
	}
	if err := p.expect("FROM"); err != nil {
		return nil, err
	}
	name := p.next()
	table, ok := TableNamed(name.text)
	if !ok {
		return nil, outcrop.Errorf(outcrop.Invalid, "The query is from the table %q, which does not exist. The tables are %s.", name.text, tableNames())
	}
	p.table = table
	q := &Query{Table: table}
	if q.Fields, err = p.fields(chosen); err != nil {
		return nil, err
	}
	if p.keyword("WHERE") {
		if q.where, err = p.or(); err != nil {
			return nil, err
		}
	}
	p.symbol(";")
	if rest := p.peek(); rest.kind != end {
		return nil, p.wrong(rest, "the end of the query")
	}
	return q, nil
}

func tableNames() string {
	var names []string
	for _, t := range Tables() {
		names = append(names, t.Name)
	}
	return strings.Join(names, ", ")
}

func (p *parser) selected() ([]fieldText, error) {
	if p.symbol("*") {
		return nil, outcrop.Errorf(outcrop.Invalid, "SELECT * is not supported: name the columns.")
	}
	var all []fieldText
	for {
		f, err := p.reference()
		if err != nil {
			return nil, err
		}
		if p.keyword("AS") {
			as := p.next()
			if as.kind != word && as.kind != quoted {
				return nil, p.wrong(as, "a name")
			}
			f.name = as.text
		}
		if all = append(all, f); len(all) > maxFields {
			return nil, outcrop.Errorf(outcrop.Invalid, "The query selects more than %d columns.", maxFields)
		}
		if !p.symbol(",") {
			return all, nil
		}
	}
}

// reference reads column, column.key or column['key'].
func (p *parser) reference() (fieldText, error) {
	t := p.next()
	if t.kind != word && t.kind != quoted || reserved(t) {
		return fieldText{}, p.wrong(t, "a column")
	}
	f := fieldText{column: t.text, name: t.text, at: t}
	switch {
	case p.symbol("."):
		key := p.next()
		if key.kind != word && key.kind != quoted {
			return f, p.wrong(key, "a key of the map "+t.text)
		}
		f.key, f.name = key.text, key.text
	case p.symbol("["):
		key := p.next()
		if key.kind != literal {
			return f, p.wrong(key, "a key of the map "+t.text+" in single quotes")
		}
		if !p.symbol("]") {
			return f, p.wrong(p.peek(), "]")
		}
		f.key, f.name = key.text, key.text
	}
	return f, nil
}

func (p *parser) fields(chosen []fieldText) ([]Field, error) {
	seen := map[string]bool{}
	fields := make([]Field, 0, len(chosen))
	for _, c := range chosen {
		f, err := p.field(c)
		if err != nil {
			return nil, err
		}
		if seen[strings.ToLower(f.Name)] {
			return nil, outcrop.Errorf(outcrop.Invalid, "The query selects two columns of the name %q. Give one of them another name with AS.", f.Name)
		}
		seen[strings.ToLower(f.Name)] = true
		fields = append(fields, f)
	}
	return fields, nil
}

func (p *parser) field(c fieldText) (Field, error) {
	column, ok := p.table.Column(c.column)
	if !ok {
		return Field{}, outcrop.Errorf(outcrop.Invalid, "The table %s has no column %q.%s", p.table.Name, c.column, p.table.nearest(c.column))
	}
	if c.key != "" && column.Type != Map {
		return Field{}, outcrop.Errorf(outcrop.Invalid, "The column %s is of type %s and has no keys.", column.Name, column.Type)
	}
	return Field{Name: c.name, Column: column, Key: c.key}, nil
}

// nearest is a sentence that names the column that was likely meant.
func (t *Table) nearest(name string) string {
	names := make([]string, len(t.Columns))
	for i := range t.Columns {
		names[i] = t.Columns[i].Name
	}
	best := slip.Within(len(name)/2, name, names)
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %s?", best)
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) keyword(name string) bool {
	if t := p.peek(); t.kind == word && strings.EqualFold(t.text, name) {
		p.at++
		return true
	}
	return false
}

func (p *parser) symbol(s string) bool {
	if t := p.peek(); t.kind == mark && t.text == s {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(keyword string) error {
	if !p.keyword(keyword) {
		return p.wrong(p.peek(), keyword)
	}
	return nil
}

func (p *parser) wrong(t token, want string) error {
	if t.kind == end {
		return outcrop.Errorf(outcrop.Invalid, "The query ends where %s should stand.", want)
	}
	return outcrop.Errorf(outcrop.Invalid, "The query has %q at character %d, where %s should stand.", clip(t.text), t.place+1, want)
}

func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most]
	}
	return s
}
