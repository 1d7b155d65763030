package wire

import (
	"cmp"
	"net/url"
	"strings"
)

// A route is one operation's URI template, taken apart.
type route struct {
	op       *Operation
	segments []segment
	query    []queryPart
	literals int // how many segments are literal
}

type segment struct {
	text   string // literal text or label name
	label  bool
	greedy bool
}

// A queryPart is a constant of the template: ?x must be present, ?x=y equal.
type queryPart struct {
	name, value string
	valued      bool
}

// rank orders the more particular route first: more literals, then more
// constants in the query.
func (rt *route) rank(other *route) int {
	return cmp.Or(cmp.Compare(other.literals, rt.literals), cmp.Compare(len(other.query), len(rt.query)))
}

func parseTemplate(op *Operation) *route {
	path, query, _ := strings.Cut(op.URI, "?")
	rt := &route{op: op}
	for s := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		seg := segment{text: s}
		if name, ok := strings.CutPrefix(s, "{"); ok && strings.HasSuffix(name, "}") {
			name = strings.TrimSuffix(name, "}")
			seg.label = true
			seg.text, seg.greedy = strings.CutSuffix(name, "+")
		} else {
			rt.literals++
		}
		rt.segments = append(rt.segments, seg)
	}
	for part := range strings.SplitSeq(query, "&") {
		if part != "" {
			name, value, valued := strings.Cut(part, "=")
			rt.query = append(rt.query, queryPart{name, value, valued})
		}
	}
	return rt
}

func (rt *route) accepts(q *routeQuery) bool {
	if rt.op.Method != q.method {
		return false
	}
	for _, part := range rt.query {
		if !part.in(q.query) {
			return false
		}
	}
	return true
}

func (p *queryPart) in(query string) bool {
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		if name == p.name && (!p.valued || value == p.value) {
			return true
		}
	}
	return false
}

func (rt *route) fits(path []string) bool { return align(rt.segments, path, nil) }

// labels reads the labels out of a path that fits. ok is false when an escape
// in one is malformed.
func (rt *route) labels(path []string) (Labels, bool) {
	if len(rt.segments) == rt.literals {
		return nil, true
	}
	labels := make(Labels, 0, len(rt.segments)-rt.literals)
	align(rt.segments, path, &labels)
	for i := range labels {
		plain, err := url.PathUnescape(labels[i].Value)
		if err != nil {
			return nil, false
		}
		labels[i].Value = plain
	}
	return labels, true
}

// align lays a template over a path. A label takes one segment; a greedy one,
// and one that begins like an ARN, takes as many as the rest of the template
// leaves. When into is not nil the labels' raw texts are written to it.
func align(template []segment, path []string, into *Labels) bool {
	if len(template) == 0 {
		return len(path) == 0
	}
	if len(path) < len(template) {
		return false
	}
	s := template[0]
	if !s.label {
		return sameSegment(s.text, path[0]) && align(template[1:], path[1:], into)
	}
	if path[0] == "" {
		return false
	}
	longest := 1
	if s.greedy || startsLikeARN(path[0]) {
		longest = len(path) - len(template) + 1
	}
	for n := longest; n > 0; n-- {
		if align(template[1:], path[n:], into) {
			if into != nil {
				into.set(s.text, strings.Join(path[:n], "/"))
			}
			return true
		}
	}
	return false
}

func sameSegment(literal, s string) bool {
	if s == literal || !strings.Contains(s, "%") {
		return s == literal
	}
	plain, err := url.PathUnescape(s)
	return err == nil && plain == literal
}

func startsLikeARN(s string) bool {
	return strings.HasPrefix(s, "arn:") || len(s) >= 6 && strings.EqualFold(s[:6], "arn%3A")
}
