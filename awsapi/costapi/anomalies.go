package costapi

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"outcrop"
	"outcrop/cost"
)

// getAnomalies looks through one monitor or all of them.
func (a *API) getAnomalies(ctx context.Context, who outcrop.Caller, in *GetAnomaliesInput) (*GetAnomaliesOutput, error) {
	p, err := intervalOf(in.DateInterval, a.now())
	if err != nil {
		return nil, err
	}
	monitors, err := a.monitorsOf(ctx, who, in.MonitorArn)
	if err != nil {
		return nil, err
	}
	said, err := a.costs.Said(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	out := &GetAnomaliesOutput{Anomalies: []Anomaly{}}
	for _, m := range monitors {
		found, err := a.costs.Anomalies(ctx, who.Account, m, p)
		if err != nil {
			return nil, err
		}
		for _, x := range found {
			if x.Feedback = said[x.ID]; in.wants(&x) {
				out.Anomalies = append(out.Anomalies, a.anomalyOf(who, &x))
			}
		}
	}
	slices.SortStableFunc(out.Anomalies, func(x, y Anomaly) int { return cmp.Compare(x.AnomalyStartDate, y.AnomalyStartDate) })
	out.Anomalies, out.NextPageToken, err = pageOf(out.Anomalies, in.NextPageToken, in.MaxResults, maxListed, func(x *Anomaly) string { return x.AnomalyId })
	return out, err
}

func intervalOf(in AnomalyDateInterval, now time.Time) (cost.Period, error) {
	end := cmp.Or(in.EndDate, now.UTC().Format(time.DateOnly))
	p, err := cost.ParsePeriod(in.StartDate, end, cost.Daily)
	if err == nil && p.End.Before(p.Start) {
		err = outcrop.Errorf(outcrop.Invalid, "StartDate %s is after EndDate %s", in.StartDate, end)
	}
	p.End = p.End.AddDate(0, 0, 1) // the last day counts
	return p, err
}

func (in *GetAnomaliesInput) wants(x *cost.Anomaly) bool {
	if in.Feedback != "" && in.Feedback != x.Feedback {
		return false
	}
	f := in.TotalImpact
	if f == nil {
		return true
	}
	switch f.NumericOperator {
	case "EQUAL":
		return x.Total == f.StartValue
	case "GREATER_THAN_OR_EQUAL":
		return x.Total >= f.StartValue
	case "LESS_THAN_OR_EQUAL":
		return x.Total <= f.StartValue
	case "GREATER_THAN":
		return x.Total > f.StartValue
	case "LESS_THAN":
		return x.Total < f.StartValue
	}
	return x.Total >= f.StartValue && (f.EndValue == nil || x.Total <= *f.EndValue) // BETWEEN
}

func (a *API) anomalyOf(who outcrop.Caller, x *cost.Anomaly) Anomaly {
	share := 0.0
	if x.Expected > 0 {
		share = x.Total / x.Expected * 100
	}
	out := Anomaly{AnomalyId: x.ID, AnomalyStartDate: date(x.Start), AnomalyEndDate: date(x.End), DimensionValue: x.Value,
		MonitorArn: arnOf(who, "anomalymonitor", x.Monitor), Feedback: x.Feedback, AnomalyScore: AnomalyScore{MaxScore: x.MaxScore, CurrentScore: x.Score},
		Impact:     Impact{MaxImpact: x.Max, TotalImpact: &x.Total, TotalActualSpend: &x.Actual, TotalExpectedSpend: &x.Expected, TotalImpactPercentage: &share},
		RootCauses: []RootCause{}}
	for _, c := range x.Causes {
		out.RootCauses = append(out.RootCauses, RootCause{Service: c.Service, Region: c.Region, LinkedAccount: c.Account, UsageType: c.UsageType,
			LinkedAccountName: a.costs.AccountName(outcrop.AccountID(c.Account)), Impact: &RootCauseImpact{Contribution: c.Dollars}})
	}
	return out
}

func (a *API) provideAnomalyFeedback(ctx context.Context, who outcrop.Caller, in *ProvideAnomalyFeedbackInput) (*ProvideAnomalyFeedbackOutput, error) {
	return &ProvideAnomalyFeedbackOutput{AnomalyId: in.AnomalyId}, a.costs.SayOfAnomaly(ctx, who.Account, in.AnomalyId, in.Feedback)
}

// monitorsOf finds one by its ARN, or all.
func (a *API) monitorsOf(ctx context.Context, who outcrop.Caller, arn string) ([]*cost.Monitor, error) {
	all, err := a.costs.Monitors(ctx, who.Account)
	if err != nil || arn == "" {
		return all, err
	}
	id := idOf(who, "anomalymonitor", arn)
	for _, m := range all {
		if m.ID == id {
			return []*cost.Monitor{m}, nil
		}
	}
	return nil, unknown("UnknownMonitorException", "anomaly monitor", arn)
}

func unknown(code, what, arn string) error {
	return &outcrop.Error{Kind: outcrop.Invalid, Code: code, Message: "Can't find " + what + " " + arn}
}

func (a *API) createAnomalyMonitor(ctx context.Context, who outcrop.Caller, in *CreateAnomalyMonitorInput) (*CreateAnomalyMonitorOutput, error) {
	m := &cost.Monitor{Name: in.AnomalyMonitor.MonitorName}
	var err error
	if m.Filter, err = filterOf(in.AnomalyMonitor.MonitorSpecification); err != nil {
		return nil, err
	}
	switch by := in.AnomalyMonitor.MonitorDimension; {
	case in.AnomalyMonitor.MonitorType == "CUSTOM" && (m.Filter == nil || by != ""):
		return nil, outcrop.Errorf(outcrop.Invalid, "A CUSTOM monitor has a MonitorSpecification and no MonitorDimension")
	case in.AnomalyMonitor.MonitorType == "DIMENSIONAL" && by == "":
		return nil, outcrop.Errorf(outcrop.Invalid, "A DIMENSIONAL monitor needs a MonitorDimension: SERVICE, LINKED_ACCOUNT, TAG or COST_CATEGORY")
	case by == "TAG" || by == "COST_CATEGORY":
		if m.By, err = keyed(by, m.Filter); err != nil {
			return nil, err
		}
	case by != "":
		m.By = &cost.Grouping{Type: cost.ByDimension, Key: by}
	}
	if err := a.costs.PutMonitor(ctx, who.Account, m); err != nil {
		return nil, err
	}
	arn := arnOf(who, "anomalymonitor", m.ID)
	return &CreateAnomalyMonitorOutput{MonitorArn: arn}, a.costs.SetResourceTags(ctx, who.Account, arn, tagsOf(in.ResourceTags))
}

// keyed reads which tag or cost category a monitor compares the values of: the
// one that its specification names.
func keyed(by string, f *cost.Filter) (*cost.Grouping, error) {
	switch {
	case by == "TAG" && f != nil && f.Tags != nil:
		return &cost.Grouping{Type: cost.ByTag, Key: f.Tags.Key}, nil
	case by == "COST_CATEGORY" && f != nil && f.Categories != nil:
		return &cost.Grouping{Type: cost.ByCategory, Key: f.Categories.Key}, nil
	}
	return nil, outcrop.Errorf(outcrop.Invalid, "A monitor by %s needs a MonitorSpecification that names the key, and the values to watch", by)
}

func (a *API) getAnomalyMonitors(ctx context.Context, who outcrop.Caller, in *GetAnomalyMonitorsInput) (*GetAnomalyMonitorsOutput, error) {
	var found []*cost.Monitor
	for _, arn := range in.MonitorArnList {
		one, err := a.monitorsOf(ctx, who, arn)
		if err != nil {
			return nil, err
		}
		found = append(found, one...)
	}
	if len(in.MonitorArnList) == 0 {
		var err error
		if found, err = a.costs.Monitors(ctx, who.Account); err != nil {
			return nil, err
		}
	}
	out := &GetAnomalyMonitorsOutput{AnomalyMonitors: []AnomalyMonitor{}}
	for _, m := range found {
		out.AnomalyMonitors = append(out.AnomalyMonitors, a.monitorOf(who, m))
	}
	var err error
	out.AnomalyMonitors, out.NextPageToken, err = pageOf(out.AnomalyMonitors, in.NextPageToken, in.MaxResults, maxListed, func(m *AnomalyMonitor) string { return m.MonitorArn })
	return out, err
}

func (a *API) monitorOf(who outcrop.Caller, m *cost.Monitor) AnomalyMonitor {
	out := AnomalyMonitor{MonitorArn: arnOf(who, "anomalymonitor", m.ID), MonitorName: m.Name, MonitorType: "CUSTOM", MonitorSpecification: expressionOf(m.Filter),
		CreationDate: date(m.Created), LastUpdatedDate: date(m.Updated), LastEvaluatedDate: a.now().UTC().Format(time.DateOnly)}
	if m.By != nil {
		out.MonitorType, out.MonitorDimension = "DIMENSIONAL", m.By.Key
		if m.By.Type != cost.ByDimension {
			out.MonitorDimension = string(m.By.Type)
		}
	}
	return out
}

func (a *API) updateAnomalyMonitor(ctx context.Context, who outcrop.Caller, in *UpdateAnomalyMonitorInput) (*UpdateAnomalyMonitorOutput, error) {
	found, err := a.monitorsOf(ctx, who, in.MonitorArn)
	if err != nil {
		return nil, err
	}
	m := *found[0]
	m.Name = cmp.Or(in.MonitorName, m.Name)
	return &UpdateAnomalyMonitorOutput{MonitorArn: in.MonitorArn}, a.costs.PutMonitor(ctx, who.Account, &m)
}

func (a *API) deleteAnomalyMonitor(ctx context.Context, who outcrop.Caller, in *DeleteAnomalyMonitorInput) (*DeleteAnomalyMonitorOutput, error) {
	ok, err := a.costs.DeleteMonitor(ctx, who.Account, idOf(who, "anomalymonitor", in.MonitorArn))
	if err == nil && !ok {
		err = unknown("UnknownMonitorException", "anomaly monitor", in.MonitorArn)
	}
	return &DeleteAnomalyMonitorOutput{}, err
}

func (a *API) createAnomalySubscription(ctx context.Context, who outcrop.Caller, in *CreateAnomalySubscriptionInput) (*CreateAnomalySubscriptionOutput, error) {
	x := in.AnomalySubscription
	s := &cost.Subscription{Name: x.SubscriptionName, Frequency: x.Frequency, Threshold: x.Threshold}
	if err := a.fill(ctx, who, s, x.MonitorArnList, x.Subscribers, x.ThresholdExpression); err != nil {
		return nil, err
	}
	if err := a.costs.PutSubscription(ctx, who.Account, s); err != nil {
		return nil, err
	}
	arn := arnOf(who, "anomalysubscription", s.ID)
	return &CreateAnomalySubscriptionOutput{SubscriptionArn: arn}, a.costs.SetResourceTags(ctx, who.Account, arn, tagsOf(in.ResourceTags))
}

// fill sets what was given.
func (a *API) fill(ctx context.Context, who outcrop.Caller, s *cost.Subscription, monitors []string, subscribers []Subscriber, threshold *Expression) error {
	if monitors != nil {
		s.Monitors = nil
	}
	for _, arn := range monitors {
		found, err := a.monitorsOf(ctx, who, arn)
		if err != nil {
			return err
		}
		s.Monitors = append(s.Monitors, found[0].ID)
	}
	if subscribers != nil {
		s.Subscribers = nil
	}
	for _, x := range subscribers {
		s.Subscribers = append(s.Subscribers, cost.Subscriber{Address: x.Address, Type: x.Type})
	}
	if s.Threshold != nil && threshold != nil {
		return outcrop.Errorf(outcrop.Invalid, "Threshold and ThresholdExpression exclude each other")
	}
	if threshold == nil {
		return nil
	}
	var err error
	s.Expression, err = json.Marshal(threshold)
	return err
}

func (a *API) subscription(ctx context.Context, who outcrop.Caller, arn string) (*cost.Subscription, error) {
	all, err := a.costs.Subscriptions(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	id := idOf(who, "anomalysubscription", arn)
	for _, s := range all {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, unknown("UnknownSubscriptionException", "anomaly subscription", arn)
}

func (a *API) getAnomalySubscriptions(ctx context.Context, who outcrop.Caller, in *GetAnomalySubscriptionsInput) (*GetAnomalySubscriptionsOutput, error) {
	found, err := a.costs.Subscriptions(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	if len(in.SubscriptionArnList) > 0 {
		found = nil
	}
	for _, arn := range in.SubscriptionArnList {
		s, err := a.subscription(ctx, who, arn)
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	monitor := idOf(who, "anomalymonitor", in.MonitorArn)
	out := &GetAnomalySubscriptionsOutput{AnomalySubscriptions: []AnomalySubscription{}}
	for _, s := range found {
		if in.MonitorArn != "" && !slices.Contains(s.Monitors, monitor) {
			continue
		}
		out.AnomalySubscriptions = append(out.AnomalySubscriptions, subscriptionOf(who, s))
	}
	out.AnomalySubscriptions, out.NextPageToken, err = pageOf(out.AnomalySubscriptions, in.NextPageToken, in.MaxResults, maxListed, func(s *AnomalySubscription) string { return s.SubscriptionArn })
	return out, err
}

func subscriptionOf(who outcrop.Caller, s *cost.Subscription) AnomalySubscription {
	out := AnomalySubscription{SubscriptionArn: arnOf(who, "anomalysubscription", s.ID), AccountId: string(who.Account), SubscriptionName: s.Name,
		Frequency: s.Frequency, Threshold: s.Threshold, MonitorArnList: []string{}, Subscribers: []Subscriber{}}
	for _, id := range s.Monitors {
		out.MonitorArnList = append(out.MonitorArnList, arnOf(who, "anomalymonitor", id))
	}
	for _, x := range s.Subscribers {
		out.Subscribers = append(out.Subscribers, Subscriber{Address: x.Address, Type: x.Type, Status: "CONFIRMED"})
	}
	if len(s.Expression) > 0 {
		out.ThresholdExpression = new(Expression)
		_ = json.Unmarshal(s.Expression, out.ThresholdExpression) // what fill wrote
	}
	return out
}

func (a *API) updateAnomalySubscription(ctx context.Context, who outcrop.Caller, in *UpdateAnomalySubscriptionInput) (*UpdateAnomalySubscriptionOutput, error) {
	old, err := a.subscription(ctx, who, in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	s := *old
	s.Name, s.Frequency = cmp.Or(in.SubscriptionName, s.Name), cmp.Or(in.Frequency, s.Frequency)
	switch {
	case in.Threshold != nil:
		s.Threshold, s.Expression = in.Threshold, nil
	case in.ThresholdExpression != nil:
		s.Threshold = nil
	}
	if err := a.fill(ctx, who, &s, in.MonitorArnList, in.Subscribers, in.ThresholdExpression); err != nil {
		return nil, err
	}
	return &UpdateAnomalySubscriptionOutput{SubscriptionArn: in.SubscriptionArn}, a.costs.PutSubscription(ctx, who.Account, &s)
}

func (a *API) deleteAnomalySubscription(ctx context.Context, who outcrop.Caller, in *DeleteAnomalySubscriptionInput) (*DeleteAnomalySubscriptionOutput, error) {
	ok, err := a.costs.DeleteSubscription(ctx, who.Account, idOf(who, "anomalysubscription", in.SubscriptionArn))
	if err == nil && !ok {
		err = unknown("UnknownSubscriptionException", "anomaly subscription", in.SubscriptionArn)
	}
	return &DeleteAnomalySubscriptionOutput{}, err
}
