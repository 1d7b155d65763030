// Package logsapi answers CloudWatch Logs: groups, streams, events, filters,
// Insights and live tails.
package logsapi

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
	"outcrop/logs"
)

// Config is what the API answers from.
type Config struct {
	Logs   *logs.Store
	Policy awsapi.Policy
	Now    func() time.Time
	Log    *slog.Logger
}

// An API is CloudWatch Logs for the account and Region of each caller.
type API struct {
	Config
	queries queries
}

// New makes an API.
func New(c Config) *API { return &API{Config: c} }

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.OpOn("CreateLogGroup", a.onCreateGroup, a.createLogGroup),
		awsapi.Op("DescribeLogGroups", a.describeLogGroups),
		awsapi.OpOn("DeleteLogGroup", on(a, func(in *DeleteLogGroupInput) string { return in.LogGroupName }), a.deleteLogGroup),
		awsapi.OpOn("PutRetentionPolicy", on(a, func(in *PutRetentionPolicyInput) string { return in.LogGroupName }), a.putRetentionPolicy),
		awsapi.OpOn("DeleteRetentionPolicy", on(a, func(in *DeleteRetentionPolicyInput) string { return in.LogGroupName }), a.deleteRetentionPolicy),
		awsapi.OpOn("PutLogGroupDeletionProtection", on(a, func(in *PutLogGroupDeletionProtectionInput) string { return in.LogGroupIdentifier }), a.putLogGroupDeletionProtection),
		awsapi.OpOn("CreateLogStream", onStream(a, func(in *CreateLogStreamInput) (string, string) { return in.LogGroupName, in.LogStreamName }), a.createLogStream),
		awsapi.OpOn("DeleteLogStream", onStream(a, func(in *DeleteLogStreamInput) (string, string) { return in.LogGroupName, in.LogStreamName }), a.deleteLogStream),
		awsapi.OpOn("DescribeLogStreams", on(a, func(in *DescribeLogStreamsInput) string { return either(in.LogGroupName, in.LogGroupIdentifier) }), a.describeLogStreams),
		awsapi.OpOn("PutLogEvents", onStream(a, func(in *PutLogEventsInput) (string, string) { return in.LogGroupName, in.LogStreamName }), a.putLogEvents),
		awsapi.OpOn("GetLogEvents", onStream(a, func(in *GetLogEventsInput) (string, string) {
			return either(in.LogGroupName, in.LogGroupIdentifier), in.LogStreamName
		}), a.getLogEvents),
		awsapi.OpOn("FilterLogEvents", on(a, func(in *FilterLogEventsInput) string { return either(in.LogGroupName, in.LogGroupIdentifier) }), a.filterLogEvents),
		awsapi.OpOn("TagResource", a.onTag, a.tagResource),
		awsapi.OpOn("UntagResource", a.onUntag, a.untagResource),
		awsapi.OpOn("ListTagsForResource", on(a, func(in *ListTagsForResourceInput) string { return in.ResourceArn }), a.listTagsForResource),
		awsapi.OpOn("TagLogGroup", a.onTagGroup, a.tagLogGroup),
		awsapi.OpOn("UntagLogGroup", a.onUntagGroup, a.untagLogGroup),
		awsapi.OpOn("ListTagsLogGroup", on(a, func(in *ListTagsLogGroupInput) string { return in.LogGroupName }), a.listTagsLogGroup),
		awsapi.OpOn("GetLogGroupFields", on(a, func(in *GetLogGroupFieldsInput) string { return either(in.LogGroupName, in.LogGroupIdentifier) }), a.getLogGroupFields),
		awsapi.OpOn("StartQuery", a.onStartQuery, a.startQuery),
		awsapi.OpOn("GetQueryResults", a.onQueryResults, a.getQueryResults),
		awsapi.Op("StopQuery", a.stopQuery),
		awsapi.Op("DescribeQueries", a.describeQueries),
		awsapi.Raw("StartLiveTail", a.startLiveTail),
	}
}

func either(name, identifier string) string {
	if name != "" {
		return name
	}
	return identifier
}

// groupOf is the group that a name or an ARN means.
func groupOf(who outcrop.Caller, identifier string) logs.GroupName {
	n := logs.GroupName{Account: who.Account, Region: who.Region, Name: identifier}
	if !strings.HasPrefix(identifier, "arn:") {
		return n
	}
	p := outcrop.ARN(identifier).Parts()
	name, ok := strings.CutPrefix(p.Resource, "log-group:")
	if !ok || p.Service != "logs" {
		return n
	}
	return logs.GroupName{Account: p.Account, Region: p.Region, Name: strings.TrimSuffix(name, ":*")}
}

// on asks about the group that an input names, with the group's tags.
func on[In any](a *API, name func(*In) string) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(_ context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return a.onGroup(who, op, name(in))
	}
}

func (a *API) onGroup(who outcrop.Caller, op iam.Operation, name string) []iam.Check {
	g := groupOf(who, name)
	t, _ := op.ResourceType("log-group")
	return []iam.Check{a.tagged(g, iam.Check{Action: op.Action, Resource: t.ARN(g.Region, g.Account, g.Name)})}
}

func onStream[In any](a *API, names func(*In) (group, stream string)) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(_ context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		group, stream := names(in)
		g := groupOf(who, group)
		t, _ := op.ResourceType("log-stream")
		return []iam.Check{a.tagged(g, iam.Check{Action: op.Action, Resource: t.ARN(g.Region, g.Account, g.Name, stream)})}
	}
}

func (a *API) tagged(g logs.GroupName, c iam.Check) iam.Check {
	if known, err := a.Logs.Group(g); err == nil {
		c.Context.SetTags(iam.KeyResourceTag, known.Tags)
	}
	return c
}

// own is groupOf for what only the own account has: all there is.
func own(who outcrop.Caller, identifier string) (logs.GroupName, error) {
	if identifier == "" {
		return logs.GroupName{}, invalid("One of logGroupName and logGroupIdentifier must be given.")
	}
	g := groupOf(who, identifier)
	if g.Account != who.Account || g.Region != who.Region {
		return g, invalid("The log group %s is not in this account and Region.", identifier)
	}
	return g, nil
}

// invalid is the service's InvalidParameterException.
func invalid(format string, args ...any) error {
	e := outcrop.Errorf(outcrop.Invalid, format, args...)
	e.Code = "InvalidParameterException"
	return e
}

// page cuts one page out of a list that is in order. The token is where the
// next one begins.
func page[T any](all []T, token string, limit *int64, most int, name func(T) string) (some []T, next string) {
	n := most
	if limit != nil {
		n = min(int(*limit), most)
	}
	from := 0
	for from < len(all) && token != "" && name(all[from]) <= token {
		from++
	}
	all = all[from:]
	if len(all) <= n {
		return all, ""
	}
	return all[:n], name(all[n-1])
}

func millis(n int64) *int64 { return &n }

func millisOrNone(n int64) *int64 {
	if n == 0 {
		return nil
	}
	return &n
}

// None is an answer without content.
type None struct{}
