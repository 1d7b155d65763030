// Package trailapi answers AWS CloudTrail: look-ups in the audit trail.
package trailapi

import (
	"context"
	"strconv"

	"outcrop"
	"outcrop/awsapi"
)

// A Trail finds audit events; *trail.Trail is one.
type Trail interface {
	Lookup(context.Context, outcrop.AuditQuery) (outcrop.AuditPage, error)
}

// An API is CloudTrail's event history for the account and Region of each
// caller.
type API struct{ Trail Trail }

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{awsapi.Op("LookupEvents", a.lookupEvents)}
}

// maxResults is the default and the maximum of LookupEvents.
const maxResults = 50

func (a *API) lookupEvents(ctx context.Context, who outcrop.Caller, in *LookupEventsInput) (*LookupEventsOutput, error) {
	q, err := queryOf(who, in)
	if err != nil {
		return nil, err
	}
	out := &LookupEventsOutput{Events: []Event{}}
	if in.EventCategory != "" {
		return out, nil // insight: Outcrop measures nothing that would be one
	}
	page, err := a.Trail.Lookup(ctx, q)
	if err != nil {
		return nil, err
	}
	for i := range page.Events {
		out.Events = append(out.Events, eventOf(&page.Events[i]))
	}
	out.NextToken = page.Next
	return out, nil
}

func queryOf(who outcrop.Caller, in *LookupEventsInput) (outcrop.AuditQuery, error) {
	q := outcrop.AuditQuery{Account: who.Account, Region: who.Region, Start: in.StartTime, End: in.EndTime, Max: maxResults, Page: in.NextToken}
	if !q.Start.IsZero() && !q.End.IsZero() && q.Start.After(q.End) {
		return q, refusal("InvalidTimeRangeException", "Invalid time range: StartTime must not be after EndTime.")
	}
	if in.MaxResults != nil { // the door has refused what the model does
		q.Max = int(*in.MaxResults)
	}
	switch len(in.LookupAttributes) {
	case 0:
	case 1:
		q.Key, q.Value = in.LookupAttributes[0].AttributeKey, in.LookupAttributes[0].AttributeValue
	default: // the model's documentation: "Currently the list can contain only one item."
		return q, refusal("InvalidLookupAttributesException", "LookupAttributes can contain only one item.")
	}
	return q, nil
}

func eventOf(r *outcrop.AuditRecord) Event {
	e := Event{
		EventId: r.ID, EventName: r.Name, ReadOnly: strconv.FormatBool(r.ReadOnly), AccessKeyId: r.AccessKey, EventTime: r.Time,
		EventSource: r.Source, Username: r.Username, Resources: []Resource{}, CloudTrailEvent: r.Text,
	}
	for _, x := range r.Resources {
		e.Resources = append(e.Resources, Resource{ResourceType: x.Type, ResourceName: x.Name})
	}
	return e
}

func refusal(code, message string) error {
	e := outcrop.Errorf(outcrop.Invalid, "%s", message)
	e.Code = code
	return e
}
