package adminapi

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"outcrop"
	"outcrop/ledger"
	"outcrop/reconcile"
	"outcrop/usage"
)

// A Meter is what the operations on usage need.
type Meter struct {
	Records *usage.Reader
	Auditor *reconcile.Auditor
	Ledger  func() ledger.Stats
}

// defaultPage is how many records a page holds when nobody says.
const defaultPage = 100

// listUsageRecords shows records of the caller's account.
func (a *API) listUsageRecords(ctx context.Context, who outcrop.Caller, in *ListUsageRecordsInput) (*ListUsageRecordsOutput, error) {
	tags, err := usage.ParseTags(in.Tags)
	if err != nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "%s", err)
	}
	f := usage.Filter{
		From: in.From, To: in.To, Account: who.Account, Profile: in.Profile, Model: in.Model, Principal: in.Principal,
		Operation: in.Operation, Upstream: in.Upstream, Region: in.Region, Status: in.Status, SDKAttempt: in.SDKAttempt,
		Tags: tags, Estimated: in.Estimated != nil && *in.Estimated,
	}
	var page usage.Page
	if in.Tail != nil {
		page, err = a.Meter.Records.Tail(ctx, &f, int(*in.Tail))
	} else {
		page, err = a.Meter.Records.Page(ctx, outcrop.Seq(deref(in.After)), &f, int(cmp.Or(deref(in.Limit), defaultPage)))
	}
	if err != nil {
		return nil, err
	}
	out := &ListUsageRecordsOutput{Records: make([]string, len(page.Records)), Next: new(int64(page.Next)), Last: new(int64(page.Last))}
	for i := range page.Records {
		text, err := json.Marshal(usage.RowOf(&page.Records[i]))
		if err != nil {
			return nil, fmt.Errorf("show record %d: %w", page.Records[i].Seq, err)
		}
		out.Records[i] = string(text)
	}
	return out, nil
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// auditUsage compares the counts of a period; without one, of everything. They
// are those of the whole server: a lost record has no account.
func (a *API) auditUsage(ctx context.Context, _ outcrop.Caller, in *AuditUsageInput) (*AuditUsageOutput, error) {
	from, to := reconcile.Period(in.From, in.To, time.Now())
	if !from.Before(to) {
		return nil, outcrop.Errorf(outcrop.Invalid, "The period ends at %s, before it begins at %s.", to.Format(time.RFC3339), from.Format(time.RFC3339))
	}
	r, err := a.Meter.Auditor.Audit(ctx, from, to)
	if err != nil {
		return nil, err
	}
	s := a.Meter.Ledger()
	out := &AuditUsageOutput{From: r.From, To: r.To, Verdict: string(r.Verdict), Counts: []AuditCount{},
		Opened: new(int64(s.Opened)), Settled: new(int64(s.Settled)), Open: new(int64(s.InFlight)), Recovered: new(int64(s.Recovered))}
	for _, c := range r.Counts {
		out.Counts = append(out.Counts, AuditCount{Name: c.Name, Count: new(int64(c.N)), Off: new(c.Off), Error: c.Error})
	}
	return out, nil
}
