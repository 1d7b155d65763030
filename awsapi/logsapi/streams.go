package logsapi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"outcrop"
	"outcrop/logs"
)

func (a *API) createLogStream(_ context.Context, who outcrop.Caller, in *CreateLogStreamInput) (*None, error) {
	g, err := own(who, in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &None{}, a.Logs.CreateStream(g, in.LogStreamName)
}

func (a *API) deleteLogStream(_ context.Context, who outcrop.Caller, in *DeleteLogStreamInput) (*None, error) {
	g, err := own(who, in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &None{}, a.Logs.DeleteStream(g, in.LogStreamName)
}

func (a *API) describeLogStreams(_ context.Context, who outcrop.Caller, in *DescribeLogStreamsInput) (*DescribeLogStreamsOutput, error) {
	g, err := own(who, either(in.LogGroupName, in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	byTime := in.OrderBy == "LastEventTime"
	if byTime && in.LogStreamNamePrefix != "" {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	all, err := a.Logs.Streams(g)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s logs.Stream) bool { return !strings.HasPrefix(s.Name, in.LogStreamNamePrefix) })
	if byTime {
		slices.SortStableFunc(all, func(x, y logs.Stream) int { return cmp.Compare(x.Last, y.Last) })
	}
	if in.Descending != nil && *in.Descending {
		slices.Reverse(all)
	}
	// A page begins behind the stream that the token names, wherever that is.
	from := 0
	if in.NextToken != "" {
		from = 1 + slices.IndexFunc(all, func(s logs.Stream) bool { return s.Name == in.NextToken })
	}
	some, _ := page(all[from:], "", in.Limit, maxDescribed, func(s logs.Stream) string { return s.Name })
	out := &DescribeLogStreamsOutput{LogStreams: []LogStream{}}
	for _, s := range some {
		out.LogStreams = append(out.LogStreams, stream(g, s))
	}
	if n := len(some); n > 0 && from+n < len(all) {
		out.NextToken = some[n-1].Name
	}
	return out, nil
}

func stream(g logs.GroupName, s logs.Stream) LogStream {
	return LogStream{
		LogStreamName: s.Name, CreationTime: millis(s.Created), FirstEventTimestamp: millisOrNone(s.First), LastEventTimestamp: millisOrNone(s.Last),
		LastIngestionTime: millisOrNone(s.LastIngestion), UploadSequenceToken: fmt.Sprintf("%056d", s.Events+1),
		Arn: string(g.ARN()) + ":log-stream:" + s.Name, StoredBytes: new(int64), // AWS answers 0 since June 2019
	}
}
