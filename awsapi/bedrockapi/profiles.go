package bedrockapi

import (
	"context"

	"outcrop"
	"outcrop/profile"
)

// statusActive is the only status a profile has: it is usable at once.
const statusActive = "ACTIVE"

func (a *API) createInferenceProfile(ctx context.Context, who outcrop.Caller, in *CreateInferenceProfileInput) (*CreateInferenceProfileOutput, error) {
	if in.ModelSource.CopyFrom == nil {
		return nil, outcrop.Errorf(outcrop.Invalid, "The modelSource must name the model or profile to copy in copyFrom.")
	}
	made, err := a.Profiles.Create(ctx, profile.CreateRequest{
		Account: who.Account, Region: who.Region, Name: in.InferenceProfileName, Description: in.Description,
		Token: in.ClientRequestToken, CopyFrom: *in.ModelSource.CopyFrom, Tags: tagList(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &CreateInferenceProfileOutput{InferenceProfileArn: string(made.ARN), Status: statusActive}, nil
}

func (a *API) getInferenceProfile(ctx context.Context, who outcrop.Caller, in *GetInferenceProfileInput) (*GetInferenceProfileOutput, error) {
	found, err := a.Profiles.Get(ctx, who.Account, who.Region, in.InferenceProfileIdentifier)
	if err != nil {
		return nil, err
	}
	out := GetInferenceProfileOutput(describe(found))
	return &out, nil
}

func (a *API) listInferenceProfiles(ctx context.Context, who outcrop.Caller, in *ListInferenceProfilesInput) (*ListInferenceProfilesOutput, error) {
	req := profile.ListRequest{Account: who.Account, Region: who.Region, Kind: outcrop.ProfileKind(in.TypeEquals), NextToken: in.NextToken}
	if in.MaxResults != nil {
		req.Limit = int(*in.MaxResults)
	}
	page, next, err := a.Profiles.List(ctx, req)
	if err != nil {
		return nil, err
	}
	return pageOf(page, next), nil
}

func pageOf(page []*outcrop.InferenceProfile, next string) *ListInferenceProfilesOutput {
	out := &ListInferenceProfilesOutput{InferenceProfileSummaries: make([]InferenceProfileSummary, len(page)), NextToken: next}
	for i, p := range page {
		out.InferenceProfileSummaries[i] = describe(p)
	}
	return out
}

func (a *API) deleteInferenceProfile(ctx context.Context, who outcrop.Caller, in *DeleteInferenceProfileInput) (*DeleteInferenceProfileOutput, error) {
	if err := a.Profiles.Delete(ctx, who.Account, who.Region, in.InferenceProfileIdentifier); err != nil {
		return nil, err
	}
	return &DeleteInferenceProfileOutput{}, nil
}

// describe has the members of Get, which are also those of a list's entry.
func describe(p *outcrop.InferenceProfile) InferenceProfileSummary {
	models := make([]InferenceProfileModel, len(p.Models))
	for i, arn := range p.Models {
		models[i].ModelArn = string(arn)
	}
	return InferenceProfileSummary{
		InferenceProfileName: p.Name, Description: p.Description, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		InferenceProfileArn: string(p.ARN), Models: models, InferenceProfileId: p.ID, Status: statusActive, Type: string(p.Kind),
	}
}

func (a *API) tagResource(ctx context.Context, who outcrop.Caller, in *TagResourceInput) (*TagResourceOutput, error) {
	if err := a.Profiles.Tag(ctx, who.Account, who.Region, in.ResourceARN, tagList(in.Tags)); err != nil {
		return nil, err
	}
	return &TagResourceOutput{}, nil
}

func (a *API) untagResource(ctx context.Context, who outcrop.Caller, in *UntagResourceInput) (*UntagResourceOutput, error) {
	if err := a.Profiles.Untag(ctx, who.Account, who.Region, in.ResourceARN, in.TagKeys); err != nil {
		return nil, err
	}
	return &UntagResourceOutput{}, nil
}

func (a *API) listTagsForResource(ctx context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	tags, err := a.Profiles.TagsOf(ctx, who.Account, who.Region, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &ListTagsForResourceOutput{Tags: make([]Tag, 0, len(tags))}
	for _, k := range tags.Keys() { // AWS's order is not the order of insertion either
		out.Tags = append(out.Tags, Tag{Key: k, Value: tags[k]})
	}
	return out, nil
}

func tagList(tags []Tag) []profile.Tag {
	list := make([]profile.Tag, len(tags))
	for i, t := range tags {
		list[i] = profile.Tag(t)
	}
	return list
}
