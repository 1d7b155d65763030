package reconcile

import (
	"fmt"
	"io"
	"strings"

	"outcrop"
)

// Requests are what an upstream counted, by the id of each request.
type Requests struct {
	rows map[string]*request
	kind [3]bool // which of input, output and total the file tells
}

type request struct {
	input, output, total outcrop.Tokens
	met                  bool
}

// Names that request ids and counts go by in exports of providers.
var (
	idColumns     = []string{"request_id", "requestId", "x-request-id", "upstream_request", "invocation", "invocation_id", "id"}
	inputColumns  = []string{"input_tokens", "inputTokenCount", "input.inputTokenCount", "prompt_tokens", "n_context_tokens_total"}
	outputColumns = []string{"output_tokens", "outputTokenCount", "output.outputTokenCount", "completion_tokens", "n_generated_tokens_total"}
	totalColumns  = []string{"total_tokens", "tokens"}
)

// ReadRequests reads CSV with a column of request ids and, if it has them,
// columns of input, output and total tokens.
func ReadRequests(r io.Reader) (*Requests, error) {
	s, err := openSheet(r)
	if err != nil {
		return nil, err
	}
	id, ok := s.has(idColumns...)
	if !ok {
		return nil, fmt.Errorf("there is no column of request ids: name one %s", strings.Join(idColumns[:2], " or "))
	}
	q := &Requests{rows: map[string]*request{}}
	var columns [3]int
	for i, names := range [][]string{inputColumns, outputColumns, totalColumns} {
		columns[i], q.kind[i] = s.has(names...)
	}
	for {
		row, err := s.next()
		if err != nil || row == nil {
			return q, err
		}
		var one request
		for i, n := range []*outcrop.Tokens{&one.input, &one.output, &one.total} {
			if !q.kind[i] {
				continue
			}
			if *n, err = tokens(row[columns[i]], 1); err != nil {
				return nil, fmt.Errorf("line %d: %w", s.line, err)
			}
		}
		key := strings.Clone(row[id])
		switch {
		case key == "":
			return nil, fmt.Errorf("line %d: no request id", s.line)
		case q.rows[key] != nil:
			return nil, fmt.Errorf("line %d: request %.100q stands in the file twice", s.line, key)
		case len(q.rows) >= maxIDs:
			return nil, fmt.Errorf("the file has more than %d requests: compare shorter periods", maxIDs)
		}
		q.rows[key] = &one
	}
}

// A Comparison is a ledger beside another's count.
type Comparison struct {
	Matched   uint64 // in both, with the same counts
	Unlike    uint64 // in both, with different counts
	Estimated uint64 // of Unlike, those whose record says that it is estimated
	Ours      uint64 // in the ledger alone
	Theirs    uint64 // in the file alone
	Examples  []string
	Verdict   Verdict
}

// maxExamples bounds what a Comparison shows.
const maxExamples = 20

func (c *Comparison) example(format string, args ...any) {
	if len(c.Examples) < maxExamples {
		c.Examples = append(c.Examples, fmt.Sprintf(format, args...))
	}
}

// Compare takes the records of a period one after another, and judges at the
// end.
func (q *Requests) Compare() *Matching { return &Matching{theirs: q} }

// A Matching is a comparison under way.
type Matching struct {
	theirs *Requests
	c      Comparison
}

// Add looks for one record: by the upstream's id of the request, or ours, which
// servers that take one over know.
func (m *Matching) Add(r *outcrop.UsageRecord) {
	one := m.theirs.rows[r.UpstreamRequest]
	if one == nil || r.UpstreamRequest == "" {
		one = m.theirs.rows[string(r.Invocation)]
	}
	if one == nil {
		if r.Usage.Known() { // else no upstream counted anything
			m.c.Ours++
			m.c.example("only in the ledger: invocation %s, request %s of upstream %s", r.Invocation, orNone(r.UpstreamRequest), r.Upstream)
		}
		return
	}
	one.met = true
	if m.alike(one, &r.Usage) {
		m.c.Matched++
		return
	}
	m.c.Unlike++
	if r.Usage.Estimated {
		m.c.Estimated++
	}
	m.c.example("unlike: invocation %s has %d in and %d out, the file %s", r.Invocation, r.Usage.Input(), r.Usage.Output(), m.theirs.said(one))
}

// alike compares what the file tells. Some count what was read from a cache as
// input, and some do not.
func (m *Matching) alike(one *request, u *outcrop.Usage) bool {
	k := m.theirs.kind
	return (!k[0] || one.input == u.Input() || one.input == u.Of(outcrop.InputTokens)) &&
		(!k[1] || one.output == u.Output()) && (!k[2] || one.total == u.Total())
}

func (q *Requests) said(one *request) string {
	var parts []string
	for i, n := range []outcrop.Tokens{one.input, one.output, one.total} {
		if q.kind[i] {
			parts = append(parts, fmt.Sprintf("%d %s", n, [...]string{"in", "out", "in all"}[i]))
		}
	}
	return strings.Join(parts, ", ")
}

func orNone(id string) string {
	if id == "" {
		return "(unknown)"
	}
	return id
}

// Done judges.
func (m *Matching) Done() Comparison {
	for id, one := range m.theirs.rows {
		if !one.met {
			m.c.Theirs++
			m.c.example("only in the file: request %s", id)
		}
	}
	m.c.Verdict = Equal
	if m.c.Unlike+m.c.Ours+m.c.Theirs > 0 {
		m.c.Verdict = Differs
	}
	if m.c.Matched+m.c.Unlike+m.c.Ours+m.c.Theirs == 0 {
		m.c.Verdict = CannotTell
	}
	return m.c
}
