package metricsapi

import (
	"context"
	"slices"
	"strings"

	"outcrop"
	"outcrop/metrics"
	"outcrop/metrics/alarm"
)

// Alarms keeps alarms; *alarm.Alarms does.
type Alarms interface {
	Put(context.Context, alarm.Key, alarm.Definition) error
	Delete(context.Context, outcrop.AccountID, outcrop.Region, []string) error
	Find(context.Context, outcrop.AccountID, outcrop.Region, func(*alarm.Alarm) bool) ([]alarm.Alarm, error)
	Set(ctx context.Context, k alarm.Key, to alarm.State, reason, data string) error
	Enable(context.Context, outcrop.AccountID, outcrop.Region, []string, bool) error
	Tag(context.Context, alarm.Key, func(outcrop.Tags)) error
	History(context.Context, alarm.HistoryQuery) ([]alarm.Entry, []int64, error)
}

// maxActions of one state, as the model has it.
const maxActions = 5

func (a *API) putMetricAlarm(ctx context.Context, who outcrop.Caller, in *PutMetricAlarmInput) (*struct{}, error) {
	if in.EvaluationCriteria != nil {
		return nil, refuse(invalidValue, "Outcrop does not evaluate PromQL alarms. Use a metric or metric math.")
	}
	if in.ThresholdMetricId != "" {
		return nil, refuse(invalidValue, "Outcrop does not serve anomaly detection alarms (ThresholdMetricId).")
	}
	d, err := definition(who, in)
	if err != nil {
		return nil, err
	}
	d.Tags = outcrop.Tags{}
	for _, t := range in.Tags {
		d.Tags[t.Key] = t.Value
	}
	return &struct{}{}, coded(validationError, a.Alarms.Put(ctx, keyOf(who, in.AlarmName), *d))
}

func keyOf(who outcrop.Caller, name string) alarm.Key {
	return alarm.Key{Account: who.Account, Region: who.Region, Name: name}
}

func definition(who outcrop.Caller, in *PutMetricAlarmInput) (*alarm.Definition, error) {
	d := &alarm.Definition{
		Description: in.AlarmDescription, ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled, Comparison: in.ComparisonOperator,
		Missing: in.TreatMissingData, LowSamples: in.EvaluateLowSampleCountPercentile,
		Actions: map[alarm.State][]string{alarm.OK: in.OKActions, alarm.InAlarm: in.AlarmActions, alarm.InsufficientData: in.InsufficientDataActions},
	}
	for _, actions := range d.Actions {
		if err := checkActions(actions); err != nil {
			return nil, err
		}
	}
	switch {
	case in.Threshold == nil:
		return nil, refuse(validationError, "The parameter Threshold is required.")
	case in.EvaluationPeriods == nil:
		return nil, refuse(missingParameter, "The parameter EvaluationPeriods is required.")
	case in.ComparisonOperator == "":
		return nil, refuse(missingParameter, "The parameter ComparisonOperator is required.")
	case !slices.Contains([]string{"", "breaching", "notBreaching", "ignore", "missing"}, in.TreatMissingData):
		return nil, refuse(validationError, "TreatMissingData must be breaching, notBreaching, ignore or missing, and is %s.", in.TreatMissingData)
	}
	d.Threshold, d.Periods, d.ToAlarm = *in.Threshold, int(*in.EvaluationPeriods), int(*in.EvaluationPeriods)
	if in.DatapointsToAlarm != nil {
		d.ToAlarm, d.ToAlarmGiven = int(*in.DatapointsToAlarm), true
	}
	if len(in.Metrics) > 0 {
		return d, queriesOf(who, in, d)
	}
	return d, plainQuery(in, d)
}

func checkActions(actions []string) error {
	if len(actions) > maxActions {
		return refuse(validationError, "An alarm has at most %d actions for each state.", maxActions)
	}
	for _, action := range actions {
		if !strings.HasPrefix(action, "arn:") && !strings.HasPrefix(action, "https://") && !strings.HasPrefix(action, "http://") {
			return refuse(validationError, "Invalid action %q: name the ARN of an action that alarms.webhooks maps to a URL, or the http or https URL of a webhook.", action)
		}
	}
	return nil
}

// plainQuery reads the alarm on one metric.
func plainQuery(in *PutMetricAlarmInput, d *alarm.Definition) error {
	switch {
	case in.MetricName == "" || in.Namespace == "":
		return refuse(missingParameter, "An alarm needs MetricName and Namespace, or Metrics.")
	case in.Period == nil:
		return refuse(missingParameter, "The parameter Period is required.")
	case (in.Statistic == "") == (in.ExtendedStatistic == ""):
		return refuse(invalidCombination, "An alarm on a metric needs either Statistic or ExtendedStatistic.")
	}
	if err := period(*in.Period); err != nil {
		return coded(validationError, err)
	}
	q := alarm.Query{ID: "m", Namespace: in.Namespace, Metric: in.MetricName, Stat: in.Statistic + in.ExtendedStatistic, Unit: in.Unit, Period: *in.Period, Return: true, Dimensions: map[string]string{}}
	for _, dim := range in.Dimensions {
		q.Dimensions[dim.Name] = dim.Value
	}
	d.Plain, d.Queries = true, []alarm.Query{q}
	return nil
}

// queriesOf reads the alarm on metric math.
func queriesOf(who outcrop.Caller, in *PutMetricAlarmInput, d *alarm.Definition) error {
	if in.MetricName != "" || in.Namespace != "" || in.Period != nil || in.Statistic != "" || in.ExtendedStatistic != "" || len(in.Dimensions) > 0 {
		return refuse(invalidCombination, "An alarm has either Metrics or MetricName, Namespace, Period, Statistic and Dimensions.")
	}
	if _, err := dataQueries(who, in.Metrics); err != nil {
		return err
	}
	for _, m := range in.Metrics {
		q := alarm.Query{ID: m.Id, Expression: m.Expression, Label: m.Label, Return: m.ReturnData == nil || *m.ReturnData}
		if m.Period != nil {
			q.Period = *m.Period
		}
		if s := m.MetricStat; s != nil {
			q.Namespace, q.Metric, q.Stat, q.Unit, q.Period = s.Metric.Namespace, s.Metric.MetricName, s.Stat, s.Unit, s.Period
			q.Dimensions = map[string]string{}
			for _, dim := range s.Metric.Dimensions {
				q.Dimensions[dim.Name] = dim.Value
			}
		}
		if strings.Contains(strings.ToUpper(m.Expression), "SEARCH") {
			return refuse(validationError, "SEARCH is not supported in alarms: what it finds changes.")
		}
		d.Queries = append(d.Queries, q)
	}
	return nil
}

func (a *API) deleteAlarms(ctx context.Context, who outcrop.Caller, in *DeleteAlarmsInput) (*struct{}, error) {
	return &struct{}{}, a.Alarms.Delete(ctx, who.Account, who.Region, in.AlarmNames)
}

func (a *API) enableAlarmActions(ctx context.Context, who outcrop.Caller, in *EnableAlarmActionsInput) (*struct{}, error) {
	return &struct{}{}, a.Alarms.Enable(ctx, who.Account, who.Region, in.AlarmNames, true)
}

func (a *API) disableAlarmActions(ctx context.Context, who outcrop.Caller, in *DisableAlarmActionsInput) (*struct{}, error) {
	return &struct{}{}, a.Alarms.Enable(ctx, who.Account, who.Region, in.AlarmNames, false)
}

func (a *API) setAlarmState(ctx context.Context, who outcrop.Caller, in *SetAlarmStateInput) (*struct{}, error) {
	return &struct{}{}, a.Alarms.Set(ctx, keyOf(who, in.AlarmName), alarm.State(in.StateValue), in.StateReason, in.StateReasonData)
}

// Limits of DescribeAlarms and DescribeAlarmHistory.
const (
	defaultAlarms = 50
	maxPage       = 100
)

func pageSize(n *int64) int {
	if n == nil {
		return defaultAlarms
	}
	return int(min(max(*n, 1), maxPage))
}

func (a *API) describeAlarms(ctx context.Context, who outcrop.Caller, in *DescribeAlarmsInput) (*DescribeAlarmsOutput, error) {
	out := &DescribeAlarmsOutput{MetricAlarms: []MetricAlarm{}, CompositeAlarms: []CompositeAlarm{}}
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != "" {
		return nil, refuse(invalidCombination, "AlarmNames and AlarmNamePrefix cannot be combined.")
	}
	if in.ChildrenOfAlarmName != "" || in.ParentsOfAlarmName != "" || len(in.AlarmTypes) > 0 && !slices.Contains(in.AlarmTypes, "MetricAlarm") {
		return out, nil // composite alarms alone have these, and there are none
	}
	found, err := a.Alarms.Find(ctx, who.Account, who.Region, func(x *alarm.Alarm) bool {
		return (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, x.Name)) && strings.HasPrefix(x.Name, in.AlarmNamePrefix) &&
			(in.StateValue == "" || in.StateValue == string(x.State)) && (in.ActionPrefix == "" || acts(x, in.ActionPrefix))
	})
	if err != nil {
		return nil, err
	}
	page, next, err := pageAfter(found, in.NextToken, pageSize(in.MaxRecords), func(x alarm.Alarm) string { return x.Name })
	if err != nil {
		return nil, err
	}
	out.NextToken = next
	for i := range page {
		out.MetricAlarms = append(out.MetricAlarms, describeAlarm(&page[i]))
	}
	return out, nil
}

func acts(x *alarm.Alarm, prefix string) bool {
	for _, actions := range x.Actions {
		if slices.ContainsFunc(actions, func(s string) bool { return strings.HasPrefix(s, prefix) }) {
			return true
		}
	}
	return false
}

func (a *API) describeAlarmsForMetric(ctx context.Context, who outcrop.Caller, in *DescribeAlarmsForMetricInput) (*DescribeAlarmsForMetricOutput, error) {
	want, err := dimensions(in.Dimensions)
	if err != nil {
		return nil, err
	}
	stat := in.Statistic + in.ExtendedStatistic
	found, err := a.Alarms.Find(ctx, who.Account, who.Region, func(x *alarm.Alarm) bool {
		return slices.ContainsFunc(x.Queries, func(q alarm.Query) bool {
			return q.Namespace == in.Namespace && q.Metric == in.MetricName && dimensionsOf(q.Dimensions) == want &&
				(stat == "" || q.Stat == stat) && (in.Period == nil || q.Period == *in.Period) && (in.Unit == "" || q.Unit == in.Unit)
		})
	})
	if err != nil {
		return nil, err
	}
	out := &DescribeAlarmsForMetricOutput{MetricAlarms: []MetricAlarm{}}
	for i := range found {
		out.MetricAlarms = append(out.MetricAlarms, describeAlarm(&found[i]))
	}
	return out, nil
}

func dimensionsOf(m map[string]string) metrics.Dimensions {
	var list []metrics.Dimension
	for name, value := range m {
		list = append(list, metrics.Dimension{Name: name, Value: value})
	}
	return metrics.NewDimensions(list...)
}

func describeAlarm(x *alarm.Alarm) MetricAlarm {
	out := MetricAlarm{
		AlarmName: x.Name, AlarmArn: string(x.ARN()), AlarmDescription: x.Description, AlarmConfigurationUpdatedTimestamp: x.Configured,
		ActionsEnabled: &x.ActionsEnabled, OKActions: list(x.Actions[alarm.OK]), AlarmActions: list(x.Actions[alarm.InAlarm]), InsufficientDataActions: list(x.Actions[alarm.InsufficientData]),
		StateValue: string(x.State), StateReason: x.Reason, StateReasonData: x.ReasonData, StateUpdatedTimestamp: x.Updated, StateTransitionedTimestamp: x.Transitioned,
		EvaluationPeriods: ptr(int64(x.Periods)), Threshold: &x.Threshold, ComparisonOperator: x.Comparison, TreatMissingData: x.Missing, EvaluateLowSampleCountPercentile: x.LowSamples,
	}
	if x.ToAlarmGiven {
		out.DatapointsToAlarm = ptr(int64(x.ToAlarm))
	}
	if !x.Plain {
		for i := range x.Queries {
			out.Metrics = append(out.Metrics, describeQuery(&x.Queries[i]))
		}
		return out
	}
	q := &x.Queries[0]
	out.MetricName, out.Namespace, out.Period, out.Unit = q.Metric, q.Namespace, &q.Period, q.Unit
	out.Dimensions = describeDimensions(dimensionsOf(q.Dimensions))
	if plainStatistics[q.Stat] {
		out.Statistic = q.Stat
	} else {
		out.ExtendedStatistic = q.Stat
	}
	return out
}

var plainStatistics = map[string]bool{"SampleCount": true, "Average": true, "Sum": true, "Minimum": true, "Maximum": true}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func describeQuery(q *alarm.Query) MetricDataQuery {
	out := MetricDataQuery{Id: q.ID, Expression: q.Expression, Label: q.Label, ReturnData: &q.Return}
	if q.Expression == "" {
		out.MetricStat = &MetricStat{Metric: Metric{Namespace: q.Namespace, MetricName: q.Metric, Dimensions: describeDimensions(dimensionsOf(q.Dimensions))}, Period: q.Period, Stat: q.Stat, Unit: q.Unit}
	} else if q.Period > 0 {
		out.Period = &q.Period
	}
	return out
}
