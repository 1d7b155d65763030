package costapi

import (
	"context"
	"maps"

	"outcrop"
)

func tagsOf(list []ResourceTag) outcrop.Tags {
	tags := outcrop.Tags{}
	for _, t := range list {
		tags[t.Key] = t.Value
	}
	return tags
}

// resource refuses what there is not.
func (a *API) resource(ctx context.Context, who outcrop.Caller, arn string) error {
	var err error
	switch {
	case idOf(who, "costcategory", arn) != "":
		_, err = a.costs.CategoryByID(ctx, who.Account, idOf(who, "costcategory", arn))
	case idOf(who, "anomalymonitor", arn) != "":
		_, err = a.monitorsOf(ctx, who, arn)
	default:
		_, err = a.subscription(ctx, who, arn)
	}
	if err != nil {
		return outcrop.Errorf(outcrop.NotFound, "Resource %s not found", arn)
	}
	return nil
}

func (a *API) listTagsForResource(ctx context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	if err := a.resource(ctx, who, in.ResourceArn); err != nil {
		return nil, err
	}
	tags, err := a.costs.ResourceTags(ctx, who.Account, in.ResourceArn)
	out := &ListTagsForResourceOutput{ResourceTags: []ResourceTag{}}
	for _, key := range tags.Keys() {
		out.ResourceTags = append(out.ResourceTags, ResourceTag{Key: key, Value: tags[key]})
	}
	return out, err
}

func (a *API) tagResource(ctx context.Context, who outcrop.Caller, in *TagResourceInput) (*TagResourceOutput, error) {
	return &TagResourceOutput{}, a.changeTags(ctx, who, in.ResourceArn, func(tags outcrop.Tags) { maps.Copy(tags, tagsOf(in.ResourceTags)) })
}

func (a *API) untagResource(ctx context.Context, who outcrop.Caller, in *UntagResourceInput) (*UntagResourceOutput, error) {
	return &UntagResourceOutput{}, a.changeTags(ctx, who, in.ResourceArn, func(tags outcrop.Tags) {
		for _, key := range in.ResourceTagKeys {
			delete(tags, key)
		}
	})
}

func (a *API) changeTags(ctx context.Context, who outcrop.Caller, arn string, change func(outcrop.Tags)) error {
	if err := a.resource(ctx, who, arn); err != nil {
		return err
	}
	old, err := a.costs.ResourceTags(ctx, who.Account, arn)
	if err != nil {
		return err
	}
	tags := outcrop.Tags{}
	maps.Copy(tags, old)
	change(tags)
	return a.costs.SetResourceTags(ctx, who.Account, arn, tags)
}
