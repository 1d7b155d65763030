package conform

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A Report is a run and its results.
type Report struct {
	Endpoint string   `json:"endpoint"`
	Region   string   `json:"region"`
	Account  string   `json:"account"`
	Passed   int      `json:"passed"`
	Failed   int      `json:"failed"`
	Skipped  int      `json:"skipped"`
	Results  []Result `json:"results"`
}

// Report begins a report about s.
func (s *Subject) Report() *Report {
	return &Report{Endpoint: s.base("bedrock"), Region: string(s.endpoint.Region), Account: s.facts.account, Results: []Result{}}
}

// Add counts a result in.
func (r *Report) Add(result Result) {
	switch result.Status {
	case Pass:
		r.Passed++
	case Fail:
		r.Failed++
	case Skip:
		r.Skipped++
	}
	r.Results = append(r.Results, result)
}

// Err says how many checks failed; it is nil when none did.
func (r *Report) Err() error {
	if r.Failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d checks failed", r.Failed, len(r.Results))
}

// WriteJSON writes the whole report.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteTable writes the results by operation; paint colours a status.
func (r *Report) WriteTable(w io.Writer, paint func(Status) string) error {
	var b strings.Builder
	operation := ""
	for _, result := range r.Results {
		if result.Operation != operation {
			operation = result.Operation
			fmt.Fprintf(&b, "\n%s\n", operation)
		}
		fmt.Fprintf(&b, "  %s  %s\n", paint(result.Status), result.Says)
		result.explain(&b)
	}
	fmt.Fprintf(&b, "\n%s, account %s, %s: %d passed, %d failed, %d skipped\n", r.Endpoint, r.Account, r.Region, r.Passed, r.Failed, r.Skipped)
	_, err := io.WriteString(w, b.String())
	return err
}

// explain says why a check did not pass.
func (r *Result) explain(b *strings.Builder) {
	const indent = "        "
	if r.Status == Skip {
		fmt.Fprintf(b, "%s%s\n", indent, r.Reason)
	}
	if r.Status == Fail {
		fmt.Fprintf(b, "%srecorded in %s\n", indent, r.Source)
	}
	for _, m := range r.Mismatches {
		fmt.Fprintf(b, "%s%s\n%s  expected %s\n%s  got      %s\n", indent, m.What, indent, m.Expected, indent, m.Got)
	}
}

// WriteList writes what would be checked.
func WriteList(w io.Writer, checks []Check) error {
	var b strings.Builder
	operation := ""
	for _, c := range checks {
		if c.Operation != operation {
			operation = c.Operation
			fmt.Fprintf(&b, "%s\n", operation)
		}
		fmt.Fprintf(&b, "  %s  (%s%s)\n", c.Says, c.Source, c.Needs.note())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// note says where a check is not made.
func (n Need) note() string {
	switch n {
	case Spend:
		return "; on AWS with --spend"
	case Own:
		return "; not on AWS"
	}
	return ""
}
