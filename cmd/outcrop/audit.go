package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"outcrop/reconcile"
	"outcrop/usage"
)

type auditCommand struct {
	usageFilter
	UpstreamCounts string `help:"CSV of what an upstream counted, with a column request_id and any of input_tokens, output_tokens, total_tokens." placeholder:"FILE"`
	Bill           string `help:"Cost and Usage Report of the period, as CSV: its tokens are compared by profile and kind." placeholder:"FILE"`
	BillUnits      int64  `help:"How many tokens one of the bill's \"Units\" is." default:"1000000" placeholder:"N"`
	JSON           bool   `help:"Write JSON." name:"json"`
}

// What an audit's exit status means. 0 is equal.
const (
	exitDiffers    exitCode = 1
	exitCannotTell exitCode = 2
)

// An auditReport is what the command prints.
type auditReport struct {
	From     time.Time             `json:"from"`
	To       time.Time             `json:"to"`
	Counts   []auditCount          `json:"counts"`
	Opened   uint64                `json:"openedSinceStart,omitempty"`
	Settled  uint64                `json:"settledSinceStart,omitempty"`
	Open     uint64                `json:"open,omitempty"`
	Upstream *reconcile.Comparison `json:"upstreamCounts,omitempty"`
	Bill     *reconcile.Comparison `json:"bill,omitempty"`
	Verdict  reconcile.Verdict     `json:"verdict"`
}

type auditCount struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
	Off   int64  `json:"off"`
	Error string `json:"error,omitempty"`
}

// Run compares, prints and tells by the exit status how it came out.
func (a *auditCommand) Run(ctx context.Context) error {
	r, err := a.audit(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "outcrop:", err)
		return exitCannotTell
	}
	if a.JSON {
		err = writeJSON(r)
	} else {
		err = writeAudit(os.Stdout, r)
	}
	switch {
	case err != nil:
		return err
	case r.Verdict == reconcile.Differs:
		return exitDiffers
	case r.Verdict == reconcile.CannotTell:
		return exitCannotTell
	}
	return nil
}

func (a *auditCommand) audit(ctx context.Context) (*auditReport, error) {
	filter, err := a.filter()
	if err != nil {
		return nil, err
	}
	from, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	r, err := countsOf(ctx, from, filter)
	if err != nil {
		return nil, err
	}
	if err := a.compare(ctx, from, r); err != nil {
		return nil, err
	}
	for _, c := range []*reconcile.Comparison{r.Upstream, r.Bill} {
		if c != nil && (c.Verdict == reconcile.Differs || c.Verdict == reconcile.CannotTell && r.Verdict == reconcile.Equal) {
			r.Verdict = c.Verdict
		}
	}
	return r, nil
}

// countsOf asks for the invariant: the running server, or the folder.
func countsOf(ctx context.Context, source usageSource, f usage.Filter) (*auditReport, error) {
	switch s := source.(type) {
	case *folderUsage:
		from, to := reconcile.Period(f.From, f.To, time.Now())
		done, err := s.Auditor.Audit(ctx, from, to)
		if err != nil {
			return nil, err
		}
		r := &auditReport{From: done.From, To: done.To, Verdict: done.Verdict}
		for _, c := range done.Counts {
			r.Counts = append(r.Counts, auditCount{c.Name, c.N, c.Off, c.Error})
		}
		return r, nil
	case *serverUsage:
		return s.audit(ctx)
	}
	return nil, errors.New("nothing to audit")
}

func (u *serverUsage) audit(ctx context.Context) (*auditReport, error) {
	in := map[string]any{}
	for name, at := range map[string]time.Time{"From": u.filter.From, "To": u.filter.To} {
		if !at.IsZero() {
			in[name] = float64(at.UnixMilli()) / 1000
		}
	}
	var out struct {
		From, To              json.Number
		Counts                []auditCount
		Verdict               reconcile.Verdict
		Opened, Settled, Open uint64
	}
	if err := u.client.Admin(ctx, "AuditUsage", in, &out); err != nil {
		return nil, whyUnreachable(err)
	}
	return &auditReport{From: seconds(out.From), To: seconds(out.To), Counts: out.Counts, Verdict: out.Verdict,
		Opened: out.Opened, Settled: out.Settled, Open: out.Open}, nil
}

func seconds(n json.Number) time.Time {
	f, err := n.Float64()
	if err != nil {
		return time.Time{}
	}
	return time.Unix(int64(f), 0).UTC()
}

// compare reads the files and goes through the records once.
func (a *auditCommand) compare(ctx context.Context, from usageSource, r *auditReport) error {
	var matching *reconcile.Matching
	var billing *reconcile.Billing
	if a.UpstreamCounts != "" {
		q, err := readTable(a.UpstreamCounts, reconcile.ReadRequests)
		if err != nil {
			return err
		}
		matching = q.Compare()
	}
	if a.Bill != "" {
		b, err := readTable(a.Bill, func(f io.Reader) (*reconcile.Bill, error) { return reconcile.ReadBill(f, a.BillUnits) })
		if err != nil {
			return err
		}
		billing = b.Compare()
	}
	if matching == nil && billing == nil {
		return nil
	}
	err := walk(ctx, from, func(w *usage.Row) error {
		record := w.Record()
		if matching != nil {
			matching.Add(&record)
		}
		if billing != nil {
			billing.Add(&record)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if matching != nil {
		r.Upstream = new(matching.Done())
	}
	if billing != nil {
		r.Bill = new(billing.Done())
	}
	return nil
}

func readTable[T any](name string, read func(io.Reader) (T, error)) (out T, err error) {
	f, err := os.Open(name)
	if err != nil {
		return out, err
	}
	defer f.Close()
	if out, err = read(f); err != nil {
		return out, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

func writeAudit(w io.Writer, r *auditReport) error {
	fmt.Fprintf(w, "Usage of %s to %s, in whole hours\n\n", r.From.Format(time.RFC3339), r.To.Format(time.RFC3339))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COUNT OF\tNUMBER\tOFF BY")
	for i, c := range r.Counts {
		switch {
		case c.Error != "":
			fmt.Fprintf(table, "%s\tunknown\t%s\n", c.Name, c.Error)
		case i == 0:
			fmt.Fprintf(table, "%s\t%d\t\n", c.Name, c.Count)
		default:
			fmt.Fprintf(table, "%s\t%d\t%+d\n", c.Name, c.Count, c.Off)
		}
	}
	if r.Opened > 0 {
		fmt.Fprintf(table, "\t\t\nopened since the start\t%d\t\nsettled since the start\t%d\t\nopen now\t%d\t\n", r.Opened, r.Settled, r.Open)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	writeComparison(w, "what the upstream counted, by request", r.Upstream)
	writeComparison(w, "the bill, by profile and kind of token", r.Bill)
	fmt.Fprintf(w, "\nVerdict: %s\n", r.Verdict)
	return nil
}

func writeComparison(w io.Writer, with string, c *reconcile.Comparison) {
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\nBeside %s: %d alike, %d unlike (%d of estimated usage), %d in the ledger alone, %d in the file alone: %s\n",
		with, c.Matched, c.Unlike, c.Estimated, c.Ours, c.Theirs, c.Verdict)
	if len(c.Examples) > 0 {
		fmt.Fprintf(w, "  %s\n", strings.Join(c.Examples, "\n  "))
	}
}
