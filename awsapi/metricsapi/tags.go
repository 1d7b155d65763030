package metricsapi

import (
	"context"
	"strings"

	"outcrop"
	"outcrop/metrics/alarm"
)

// alarmOf reads the ARN of an alarm of the caller's.
func alarmOf(who outcrop.Caller, arn string) (alarm.Key, error) {
	p, ok := outcrop.ParseARN(arn)
	name, isAlarm := strings.CutPrefix(p.Resource, "alarm:")
	if !ok || p.Service != "cloudwatch" || p.Account != who.Account || p.Region != who.Region || !isAlarm {
		return alarm.Key{}, refuse(invalidValue, "The ResourceARN %s is not that of an alarm in this account and Region, which alone have tags here.", arn)
	}
	return keyOf(who, name), nil
}

func (a *API) tagResource(ctx context.Context, who outcrop.Caller, in *TagResourceInput) (*TagResourceOutput, error) {
	k, err := alarmOf(who, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &TagResourceOutput{}, a.Alarms.Tag(ctx, k, func(tags outcrop.Tags) {
		for _, t := range in.Tags {
			tags[t.Key] = t.Value
		}
	})
}

func (a *API) untagResource(ctx context.Context, who outcrop.Caller, in *UntagResourceInput) (*UntagResourceOutput, error) {
	k, err := alarmOf(who, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &UntagResourceOutput{}, a.Alarms.Tag(ctx, k, func(tags outcrop.Tags) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (a *API) listTagsForResource(ctx context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	k, err := alarmOf(who, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	found, err := a.Alarms.Find(ctx, who.Account, who.Region, func(x *alarm.Alarm) bool { return x.Name == k.Name })
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		e := outcrop.Errorf(outcrop.NotFound, "The resource %s does not exist.", in.ResourceARN)
		e.Code = "ResourceNotFoundException"
		return nil, e
	}
	out := &ListTagsForResourceOutput{Tags: []Tag{}}
	for _, key := range found[0].Tags.Keys() {
		out.Tags = append(out.Tags, Tag{Key: key, Value: found[0].Tags[key]})
	}
	return out, nil
}
