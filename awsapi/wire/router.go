package wire

import (
	"net/url"
	"slices"
	"strings"
)

// maxPathSegments bounds the work that a path can cause. AWS's deepest
// template has eight segments; an ARN with slashes adds a few.
const maxPathSegments = 32

// A Router finds the operation of a rest-json or rest-xml service by method,
// path and query. It works on the escaped path, because model ids arrive as
// percent-encoded ARNs, and decodes every label once.
//
// Labels must not be empty. A label holding an ARN whose slash the client left
// bare is matched all the same (control-plane.md §0).
type Router struct {
	root   routeNode
	routes []*route // for the lenient walk, those with most literals first
	recent recent
}

// A routeNode is a place in the tree of path segments.
type routeNode struct {
	literal map[string]*routeNode
	label   *routeNode
	greedy  []*route // end here, with a last label that takes the rest
	routes  []*route // end here
}

// NewRouter builds the routing table of svc.
func NewRouter(svc *Service) *Router {
	r := &Router{}
	for _, op := range svc.Operations {
		rt := parseTemplate(op)
		r.routes = append(r.routes, rt)
		r.root.add(rt, rt.segments)
	}
	slices.SortStableFunc(r.routes, func(a, b *route) int { return a.rank(b) })
	r.root.sort()
	return r
}

func (n *routeNode) add(rt *route, rest []segment) {
	if len(rest) == 0 {
		n.routes = append(n.routes, rt)
		return
	}
	switch s := rest[0]; {
	case s.greedy && len(rest) == 1:
		n.greedy = append(n.greedy, rt)
	case s.label:
		if n.label == nil {
			n.label = &routeNode{}
		}
		n.label.add(rt, rest[1:])
	default:
		if n.literal == nil {
			n.literal = map[string]*routeNode{}
		}
		next := n.literal[s.text]
		if next == nil {
			next = &routeNode{}
			n.literal[s.text] = next
		}
		next.add(rt, rest[1:])
	}
}

func (n *routeNode) sort() {
	slices.SortStableFunc(n.routes, func(a, b *route) int { return a.rank(b) })
	slices.SortStableFunc(n.greedy, func(a, b *route) int { return a.rank(b) })
	for _, next := range n.literal {
		next.sort()
	}
	if n.label != nil {
		n.label.sort()
	}
}

// Match finds the operation for a request. Labels are decoded once; they are
// nil when the template has none. They are shared, and must not be changed.
func (r *Router) Match(method, escapedPath, rawQuery string) (*Operation, Labels, bool) {
	if rawQuery != "" || len(escapedPath) > maxRecentPath {
		return r.match(method, escapedPath, rawQuery)
	}
	if m, ok := r.recent.find(method, escapedPath); ok {
		return m.op, m.labels, true
	}
	path := strings.Clone(escapedPath) // the request that it is cut from is not kept
	op, labels, ok := r.match(method, path, "")
	if ok {
		r.recent.keep(method, path, match{op, labels})
	}
	return op, labels, ok
}

func (r *Router) match(method, escapedPath, rawQuery string) (op *Operation, labels Labels, ok bool) {
	var store [maxPathSegments]string
	path, ok := splitPath(escapedPath, store[:0])
	if !ok {
		return nil, nil, false
	}
	q := routeQuery{method: method, query: rawQuery}
	rt := r.root.find(path, &q)
	if rt == nil {
		rt = r.findLenient(path, &q)
	}
	if rt == nil {
		return nil, nil, false
	}
	if labels, ok = rt.labels(path); !ok {
		return nil, nil, false
	}
	return rt.op, labels, true
}

// splitPath cuts a path into its segments; ok is false when it is not
// absolute or has too many.
func splitPath(path string, into []string) (segments []string, ok bool) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || strings.Count(rest, "/") >= maxPathSegments {
		return nil, false
	}
	for s := range strings.SplitSeq(rest, "/") {
		into = append(into, s)
	}
	return into, true
}

type routeQuery struct {
	method, query string
}

// find walks the tree, literals before labels, and turns back from a branch
// that has no route for the method.
func (n *routeNode) find(path []string, q *routeQuery) *route {
	if len(path) == 0 {
		return pick(n.routes, q)
	}
	if next := n.next(path[0]); next != nil {
		if rt := next.find(path[1:], q); rt != nil {
			return rt
		}
	}
	if path[0] == "" {
		return nil
	}
	if n.label != nil {
		if rt := n.label.find(path[1:], q); rt != nil {
			return rt
		}
	}
	return pick(n.greedy, q)
}

func (n *routeNode) next(s string) *routeNode {
	if next := n.literal[s]; next != nil || len(n.literal) == 0 || !strings.Contains(s, "%") {
		return next
	}
	plain, err := url.PathUnescape(s)
	if err != nil {
		return nil
	}
	return n.literal[plain]
}

func pick(routes []*route, q *routeQuery) *route {
	for _, rt := range routes {
		if rt.accepts(q) {
			return rt
		}
	}
	return nil
}

// findLenient looks for a route in which a label holds an ARN with bare
// slashes, or a greedy label stands before the end.
func (r *Router) findLenient(path []string, q *routeQuery) *route {
	for _, rt := range r.routes {
		if rt.accepts(q) && rt.fits(path) {
			return rt
		}
	}
	return nil
}
