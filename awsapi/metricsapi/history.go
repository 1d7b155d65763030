package metricsapi

import (
	"context"
	"strconv"

	"outcrop"
	"outcrop/metrics/alarm"
)

func (a *API) describeAlarmHistory(ctx context.Context, who outcrop.Caller, in *DescribeAlarmHistoryInput) (*DescribeAlarmHistoryOutput, error) {
	size := pageSize(in.MaxRecords)
	q := alarm.HistoryQuery{
		Account: who.Account, Region: who.Region, Name: in.AlarmName, Type: in.HistoryItemType, Start: in.StartDate, End: in.EndDate,
		Ascending: in.ScanBy == "TimestampAscending", Limit: size + 1,
	}
	if in.NextToken != "" {
		var err error
		if q.After, err = strconv.ParseInt(in.NextToken, 36, 64); err != nil {
			return nil, refuse(invalidToken, "The NextToken is invalid: pass on the one of the answer before, as it is.")
		}
	}
	entries, places, err := a.Alarms.History(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &DescribeAlarmHistoryOutput{AlarmHistoryItems: []AlarmHistoryItem{}}
	if len(entries) > size {
		entries = entries[:size]
		out.NextToken = strconv.FormatInt(places[size-1], 36)
	}
	for _, e := range entries {
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, AlarmHistoryItem{
			AlarmName: e.Name, AlarmType: "MetricAlarm", Timestamp: e.Time, HistoryItemType: e.Type, HistorySummary: e.Summary, HistoryData: e.Data,
		})
	}
	return out, nil
}
