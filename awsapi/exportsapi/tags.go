package exportsapi

import (
	"context"
	"maps"

	"outcrop"
	"outcrop/cost/cur"
)

// maxTags is the model's limit of an export's tags.
const maxTags = 200

func (a *API) listTags(ctx context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	e, err := a.Exports.Get(ctx, who.Account, outcrop.ARN(in.ResourceArn))
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(tagList(e.Tags), in.MaxResults, in.NextToken, func(t *ResourceTag) string { return t.Key })
	return &ListTagsForResourceOutput{ResourceTags: page, NextToken: next}, err
}

func (a *API) tagResource(ctx context.Context, who outcrop.Caller, in *TagResourceInput) (*TagResourceOutput, error) {
	return &TagResourceOutput{}, a.Exports.Tag(ctx, who.Account, outcrop.ARN(in.ResourceArn), func(e *cur.Export) error {
		tags := maps.Clone(e.Tags)
		if tags == nil {
			tags = outcrop.Tags{}
		}
		maps.Copy(tags, tagsOf(in.ResourceTags))
		if len(tags) > maxTags {
			return outcrop.Errorf(outcrop.Invalid, "An export can have at most %d tags.", maxTags)
		}
		e.Tags = tags
		return nil
	})
}

func (a *API) untagResource(ctx context.Context, who outcrop.Caller, in *UntagResourceInput) (*UntagResourceOutput, error) {
	return &UntagResourceOutput{}, a.Exports.Tag(ctx, who.Account, outcrop.ARN(in.ResourceArn), func(e *cur.Export) error {
		tags := maps.Clone(e.Tags)
		for _, key := range in.ResourceTagKeys {
			delete(tags, key)
		}
		e.Tags = tags
		return nil
	})
}
