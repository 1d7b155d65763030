package logsapi

import (
	"context"
	"fmt"
	"strings"

	"outcrop"
	"outcrop/iam"
	"outcrop/logs"
)

func numbers(all []int64) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(all)), ", "), "[]")
}

func (a *API) onTag(_ context.Context, who outcrop.Caller, op iam.Operation, in *TagResourceInput) []iam.Check {
	checks := a.onGroup(who, op, in.ResourceArn)
	checks[0].Context.SetRequestTags(in.Tags)
	return checks
}

func (a *API) onUntag(_ context.Context, who outcrop.Caller, op iam.Operation, in *UntagResourceInput) []iam.Check {
	checks := a.onGroup(who, op, in.ResourceArn)
	checks[0].Context.SetMulti(iam.KeyTagKeys, in.TagKeys...)
	return checks
}

func (a *API) onTagGroup(_ context.Context, who outcrop.Caller, op iam.Operation, in *TagLogGroupInput) []iam.Check {
	checks := a.onGroup(who, op, in.LogGroupName)
	checks[0].Context.SetRequestTags(in.Tags)
	return checks
}

func (a *API) onUntagGroup(_ context.Context, who outcrop.Caller, op iam.Operation, in *UntagLogGroupInput) []iam.Check {
	checks := a.onGroup(who, op, in.LogGroupName)
	checks[0].Context.SetMulti(iam.KeyTagKeys, in.Tags...)
	return checks
}

func (a *API) tagResource(_ context.Context, who outcrop.Caller, in *TagResourceInput) (*None, error) {
	return a.tag(who, in.ResourceArn, in.Tags)
}

func (a *API) tagLogGroup(_ context.Context, who outcrop.Caller, in *TagLogGroupInput) (*None, error) {
	return a.tag(who, in.LogGroupName, in.Tags)
}

func (a *API) untagResource(_ context.Context, who outcrop.Caller, in *UntagResourceInput) (*None, error) {
	return a.untag(who, in.ResourceArn, in.TagKeys)
}

func (a *API) untagLogGroup(_ context.Context, who outcrop.Caller, in *UntagLogGroupInput) (*None, error) {
	return a.untag(who, in.LogGroupName, in.Tags)
}

func (a *API) tag(who outcrop.Caller, name string, tags map[string]string) (*None, error) {
	g, err := own(who, name)
	if err == nil {
		err = checkTags(tags)
	}
	if err != nil {
		return nil, err
	}
	return &None{}, a.Logs.Change(g, func(g *logs.Group) error {
		if g.Tags == nil {
			g.Tags = outcrop.Tags{}
		}
		for k, v := range tags {
			g.Tags[k] = v
		}
		if len(g.Tags) > outcrop.MaxTagsPerResource {
			e := outcrop.Errorf(outcrop.Invalid, "A log group may have at most %d tags.", outcrop.MaxTagsPerResource)
			e.Code, e.Resource = "TooManyTagsException", string(g.ARN())
			return e
		}
		return nil
	})
}

func (a *API) untag(who outcrop.Caller, name string, keys []string) (*None, error) {
	g, err := own(who, name)
	if err != nil {
		return nil, err
	}
	return &None{}, a.Logs.Change(g, func(g *logs.Group) error {
		for _, k := range keys {
			delete(g.Tags, k)
		}
		return nil
	})
}

func checkTags(tags map[string]string) error {
	for k := range tags {
		if outcrop.ReservedTagKey(k) {
			return invalid("Tag keys starting with 'aws:' are reserved for system use.")
		}
	}
	return nil
}

func (a *API) listTagsForResource(_ context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	tags, err := a.tags(who, in.ResourceArn)
	return &ListTagsForResourceOutput{Tags: tags}, err
}

func (a *API) listTagsLogGroup(_ context.Context, who outcrop.Caller, in *ListTagsLogGroupInput) (*ListTagsLogGroupOutput, error) {
	tags, err := a.tags(who, in.LogGroupName)
	return &ListTagsLogGroupOutput{Tags: tags}, err
}

func (a *API) tags(who outcrop.Caller, name string) (map[string]string, error) {
	n, err := own(who, name)
	if err != nil {
		return nil, err
	}
	g, err := a.Logs.Group(n)
	if g.Tags == nil {
		g.Tags = outcrop.Tags{}
	}
	return g.Tags, err
}
