package logsapi

import (
	"context"
	"slices"
	"strings"

	"outcrop"
	"outcrop/iam"
	"outcrop/logs"
)

func (a *API) onCreateGroup(_ context.Context, who outcrop.Caller, op iam.Operation, in *CreateLogGroupInput) []iam.Check {
	checks := a.onGroup(who, op, in.LogGroupName)
	if len(in.Tags) > 0 {
		tag := checks[0]
		tag.Action = "logs:TagResource"
		checks = append(checks, tag)
	}
	for i := range checks {
		checks[i].Context.SetRequestTags(in.Tags)
	}
	return checks
}

func (a *API) createLogGroup(_ context.Context, who outcrop.Caller, in *CreateLogGroupInput) (*None, error) {
	if strings.HasPrefix(in.LogGroupName, "aws/") {
		return nil, invalid("Log groups starting with AWS/ are reserved for AWS.")
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	g := logs.Group{
		GroupName: logs.GroupName{Account: who.Account, Region: who.Region, Name: in.LogGroupName},
		Class:     in.LogGroupClass, KMSKey: in.KmsKeyId, Tags: in.Tags, Protected: in.DeletionProtectionEnabled != nil && *in.DeletionProtectionEnabled,
	}
	if g.Class == "" {
		g.Class = "STANDARD"
	}
	return &None{}, a.Logs.CreateGroup(g)
}

func (a *API) deleteLogGroup(_ context.Context, who outcrop.Caller, in *DeleteLogGroupInput) (*None, error) {
	g, err := own(who, in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &None{}, a.Logs.DeleteGroup(g)
}

// maxDescribed is the default and the maximum of a page.
const maxDescribed = 50

func (a *API) describeLogGroups(_ context.Context, who outcrop.Caller, in *DescribeLogGroupsInput) (*DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "" {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	wanted := map[string]bool{}
	for _, id := range in.LogGroupIdentifiers {
		wanted[groupOf(who, id).Name] = true
	}
	all := slices.DeleteFunc(a.Logs.Groups(who.Account, who.Region), func(g logs.Group) bool {
		return !strings.HasPrefix(g.Name, in.LogGroupNamePrefix) ||
			!strings.Contains(strings.ToLower(g.Name), strings.ToLower(in.LogGroupNamePattern)) ||
			in.LogGroupClass != "" && g.Class != in.LogGroupClass || len(wanted) > 0 && !wanted[g.Name]
	})
	some, next := page(all, in.NextToken, in.Limit, maxDescribed, func(g logs.Group) string { return g.Name })
	out := &DescribeLogGroupsOutput{LogGroups: []LogGroup{}, NextToken: next}
	for _, g := range some {
		out.LogGroups = append(out.LogGroups, described(g))
	}
	return out, nil
}

func described(g logs.Group) LogGroup {
	arn := string(g.ARN())
	protected, bearer, filters := g.Protected, false, int64(0)
	return LogGroup{
		LogGroupName: g.Name, CreationTime: millis(g.Created), RetentionInDays: millisOrNone(int64(g.Retention)), MetricFilterCount: &filters,
		Arn: arn + ":*", LogGroupArn: arn, StoredBytes: millis(g.Bytes), KmsKeyId: g.KMSKey, LogGroupClass: g.Class,
		DeletionProtectionEnabled: &protected, BearerTokenAuthenticationEnabled: &bearer,
	}
}

// retentions are the days that CloudWatch Logs takes.
var retentions = []int64{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (a *API) putRetentionPolicy(_ context.Context, who outcrop.Caller, in *PutRetentionPolicyInput) (*None, error) {
	if !slices.Contains(retentions, in.RetentionInDays) {
		return nil, invalid("Invalid retention value '%d'. The values are %s.", in.RetentionInDays, numbers(retentions))
	}
	return a.setRetention(who, in.LogGroupName, int(in.RetentionInDays))
}

func (a *API) deleteRetentionPolicy(_ context.Context, who outcrop.Caller, in *DeleteRetentionPolicyInput) (*None, error) {
	return a.setRetention(who, in.LogGroupName, 0)
}

func (a *API) setRetention(who outcrop.Caller, name string, days int) (*None, error) {
	g, err := own(who, name)
	if err != nil {
		return nil, err
	}
	return &None{}, a.Logs.Change(g, func(g *logs.Group) error { g.Retention = days; return nil })
}

func (a *API) putLogGroupDeletionProtection(_ context.Context, who outcrop.Caller, in *PutLogGroupDeletionProtectionInput) (*None, error) {
	g, err := own(who, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	return &None{}, a.Logs.Change(g, func(g *logs.Group) error { g.Protected = in.DeletionProtectionEnabled; return nil })
}
