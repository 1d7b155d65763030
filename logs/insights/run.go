package insights

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An Event is what a query is asked of.
type Event struct {
	Group, Stream       string
	Timestamp, Ingested int64
	Pointer             string
	Message             []byte
}

// A Field is one cell of a result.
type Field struct{ Name, Value string }

// A row is an event, or what stats made of many.
type row struct {
	event  *Event
	json   any // the message read, once asked for
	read   bool
	made   map[string]value
	closed bool // it has no event
}

func (r *row) set(name string, v value) {
	if r.made == nil {
		r.made = map[string]value{}
	}
	r.made[name] = v
}

// get finds a field: one made by the query, one of the event, or one of its
// message, when that is JSON.
func (r *row) get(name string) value {
	if v, ok := r.made[name]; ok {
		return v
	}
	if r.closed {
		return nil
	}
	e := r.event
	switch name {
	case "@timestamp":
		return time.UnixMilli(e.Timestamp)
	case "@ingestionTime":
		return time.UnixMilli(e.Ingested)
	case "@message":
		return string(e.Message)
	case "@logStream":
		return e.Stream
	case "@log":
		return e.Group
	case "@ptr":
		return e.Pointer
	}
	if !r.read {
		r.read = true
		if bytes.HasPrefix(bytes.TrimSpace(e.Message), []byte("{")) {
			d := json.NewDecoder(bytes.NewReader(e.Message))
			d.UseNumber()
			if d.Decode(&r.json) != nil {
				r.json = nil
			}
		}
	}
	return find(r.json, name)
}

// find follows a dotted name. A member whose name has dots itself is found too.
func find(v any, name string) value {
	switch v := v.(type) {
	case map[string]any:
		if x, ok := v[name]; ok {
			return scalar(x)
		}
		for i := range len(name) {
			if name[i] != '.' {
				continue
			}
			if x, ok := v[name[:i]]; ok {
				if found := find(x, name[i+1:]); found != nil {
					return found
				}
			}
		}
	case []any:
		first, rest, more := strings.Cut(name, ".")
		i, err := strconv.Atoi(first)
		if err != nil || i < 0 || i >= len(v) {
			return nil
		}
		if more {
			return find(v[i], rest)
		}
		return scalar(v[i])
	}
	return nil
}

func scalar(v any) value {
	switch v := v.(type) {
	case json.Number:
		n, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return n
	case string:
		return v
	case bool:
		return v
	case nil:
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return string(text)
}

// A Run takes events, newest first, and has results.
type Run struct {
	q       *Query
	groups  []*groups // of each stats command
	rows    []*row
	dedups  []map[string]bool
	count   []int // rows that each limit has let through
	Matched int64
	err     error
}

// Run begins.
func (q *Query) Run() *Run {
	r := &Run{q: q, groups: make([]*groups, len(q.stages)), dedups: make([]map[string]bool, len(q.stages)), count: make([]int, len(q.stages))}
	for i, s := range q.stages {
		if s.stats != nil {
			r.groups[i] = &groups{st: s.stats, all: map[string]*groupOf{}}
		}
		if s.dedup != nil {
			r.dedups[i] = map[string]bool{}
		}
	}
	return r
}

// Add takes an event. It returns false when no other can change the result.
func (r *Run) Add(e *Event) bool {
	if r.err != nil {
		return false
	}
	return r.push(&row{event: e}, 0)
}

// push moves a row through the stages from one on, until one keeps it.
func (r *Run) push(x *row, from int) bool {
	for i := from; i < len(r.q.stages); i++ {
		s := &r.q.stages[i]
		switch {
		case s.filter != nil:
			if !truth(s.filter(x)) {
				return true
			}
		case s.fields != nil:
			for _, c := range s.fields {
				x.set(c.name, c.expr(x))
			}
		case s.parse != nil:
			s.parse.run(x)
		case s.dedup != nil:
			if r.seen(i, x) {
				return true
			}
		case s.limit > 0 && !r.sortedBefore(i):
			if r.count[i]++; r.count[i] > s.limit {
				return false
			}
		case s.stats != nil:
			r.Matched++
			r.err = r.groups[i].add(x)
			return r.err == nil
		case s.sort != nil:
			return r.keep(x, i)
		}
	}
	return r.keep(x, len(r.q.stages))
}

func (r *Run) sortedBefore(i int) bool {
	return slices.ContainsFunc(r.q.stages[:i], func(s stage) bool { return s.sort != nil })
}

func (r *Run) seen(i int, x *row) bool {
	var parts []string
	for _, e := range r.q.stages[i].dedup {
		parts = append(parts, text(e(x)))
	}
	key := strings.Join(parts, "\x00")
	if r.dedups[i][key] {
		return true
	}
	if len(r.dedups[i]) < maxGroups {
		r.dedups[i][key] = true
	}
	return false
}

// keep holds a row for the end. Unsorted ones beyond the limit are not needed.
func (r *Run) keep(x *row, _ int) bool {
	r.Matched++
	if x.event != nil && x.made != nil { // what was read of it is not needed any more
		x.json = nil
	}
	r.rows = append(r.rows, x)
	if !r.q.sorted {
		return len(r.rows) < r.q.limit
	}
	if len(r.rows) >= 2*MaxLimit {
		r.sort()
		r.rows = r.rows[:MaxLimit]
	}
	return true
}

func (r *Run) sort() {
	for _, s := range r.q.stages {
		if s.sort == nil {
			continue
		}
		slices.SortStableFunc(r.rows, func(a, b *row) int {
			for _, o := range s.sort {
				if c := compare(o.by(a), o.by(b)); c != 0 {
					if o.desc {
						return -c
					}
					return c
				}
			}
			return 0
		})
	}
}

// Results are the rows, at most limit of them, 0 for the query's own.
func (r *Run) Results(limit int) ([][]Field, error) {
	if r.err != nil {
		return nil, r.err
	}
	for i, g := range r.groups {
		if g == nil {
			continue
		}
		r.Matched, r.rows = r.Matched-int64(len(r.rows)), nil
		for _, x := range g.rows() {
			if !r.push(x, i+1) {
				break
			}
		}
	}
	r.sort()
	n := r.q.limit
	if limit > 0 {
		n = min(n, limit)
	}
	rows := r.rows[:min(n, len(r.rows))]
	out := make([][]Field, len(rows))
	for i, x := range rows {
		out[i] = r.q.shown(x)
	}
	return out, nil
}

func (q *Query) shown(x *row) (fields []Field) {
	columns := q.display
	if columns == nil {
		columns = []column{{"@timestamp", func(r *row) value { return r.get("@timestamp") }}, {"@message", func(r *row) value { return r.get("@message") }}}
	}
	for _, c := range columns {
		v, ok := x.made[c.name]
		if !ok {
			v = c.expr(x)
		}
		if v != nil {
			fields = append(fields, Field{c.name, text(v)})
		}
	}
	if x.event != nil {
		fields = append(fields, Field{"@ptr", x.event.Pointer})
	}
	return fields
}
