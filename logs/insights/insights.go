// Package insights is the query language of CloudWatch Logs Insights: fields,
// filter, parse, stats, sort, limit, display and dedup.
package insights

import (
	"strings"
	"unicode/utf8"

	"outcrop"
)

// Limits of a query. The last two are ours: they bound what one may hold.
const (
	MaxBytes     = 10_000
	DefaultLimit = 10_000
	MaxLimit     = 100_000
	maxNested    = 64
	maxGroups    = 100_000
)

// A Query is what is asked of events.
type Query struct {
	text    string
	stages  []stage
	display []column // what is shown; nil for @timestamp and @message
	limit   int
	sorted  bool
}

// A column is a field to be shown, under a name.
type column struct {
	name string
	expr expr
}

// A stage is one command.
type stage struct {
	fields []column
	filter expr
	parse  *parser
	stats  *stats
	sort   []order
	limit  int // 0 for none
	dedup  []expr
}

type order struct {
	by   expr
	desc bool
}

// Parse reads a query.
func Parse(text string) (*Query, error) {
	if len(text) > MaxBytes {
		return nil, malformed("the query is longer than %d characters", MaxBytes)
	}
	if !utf8.ValidString(text) {
		return nil, malformed("the query is not UTF-8")
	}
	q := &Query{text: text, limit: DefaultLimit}
	s := &scanner{text: text}
	for {
		s.space()
		if s.end() {
			break
		}
		if err := q.command(s); err != nil {
			return nil, err
		}
		s.space()
		if s.end() {
			break
		}
		if !s.take("|") {
			return nil, s.unexpected("a | before the next command")
		}
	}
	if len(q.stages) == 0 && q.display == nil {
		return nil, malformed("the query is empty")
	}
	return q, nil
}

func (q *Query) command(s *scanner) error {
	switch word := strings.ToLower(s.word()); word {
	case "fields":
		columns, err := s.columns()
		if err != nil {
			return err
		}
		q.stages = append(q.stages, stage{fields: columns})
		q.display = append(q.display, columns...)
	case "display":
		columns, err := s.columns()
		if err != nil {
			return err
		}
		q.stages, q.display = append(q.stages, stage{fields: columns}), columns
	case "filter":
		e, err := s.expr()
		if err != nil {
			return err
		}
		q.stages = append(q.stages, stage{filter: e})
	case "parse":
		p, err := s.parser()
		if err != nil {
			return err
		}
		q.stages = append(q.stages, stage{parse: p})
	case "stats":
		st, err := s.stats()
		if err != nil {
			return err
		}
		q.stages, q.display = append(q.stages, stage{stats: st}), st.columns()
	case "sort":
		return q.readSort(s)
	case "limit", "head", "tail":
		n, ok := s.integer()
		if !ok || n < 1 || n > MaxLimit {
			return malformed("limit takes a number from 1 to %d", MaxLimit)
		}
		q.stages, q.limit = append(q.stages, stage{limit: n}), n
	case "dedup":
		list, err := s.list()
		if err != nil {
			return err
		}
		q.stages = append(q.stages, stage{dedup: list})
	default:
		return malformed("unknown command '%.30s': the commands are fields, display, filter, parse, stats, sort, limit and dedup", word)
	}
	return nil
}

func (q *Query) readSort(s *scanner) error {
	var all []order
	for {
		e, err := s.expr()
		if err != nil {
			return err
		}
		o := order{by: e}
		if s.takeWord("desc") {
			o.desc = true
		} else {
			s.takeWord("asc")
		}
		all = append(all, o)
		if !s.take(",") {
			q.stages, q.sorted = append(q.stages, stage{sort: all}), true
			return nil
		}
	}
}

func malformed(format string, args ...any) error {
	e := outcrop.Errorf(outcrop.Invalid, "Malformed query: "+format+".", args...)
	e.Code = "MalformedQueryException"
	return e
}
