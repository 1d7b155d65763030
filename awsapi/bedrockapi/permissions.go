package bedrockapi

import (
	"context"

	"outcrop"
	"outcrop/iam"
)

// What each operation touches, for the question whether its caller may
// (reference/control-plane.md §6.1). An operation that is not here touches "*".

// onCreate asks about the profile to be, the source it copies and, when it
// comes with tags, about tagging it.
func (a *API) onCreate(_ context.Context, who outcrop.Caller, _ iam.Operation, in *CreateInferenceProfileInput) []iam.Check {
	return iam.CreateProfileChecks(who.Region, who.Account, ownSource(in, who), tagMap(in.Tags))
}

// ownSource is the source to ask about, or empty. One in another account cannot
// be copied, whoever may use it there: that is for the operation to say.
func ownSource(in *CreateInferenceProfileInput, who outcrop.Caller) outcrop.ARN {
	if in.ModelSource.CopyFrom == nil {
		return ""
	}
	source := outcrop.ARN(*in.ModelSource.CopyFrom)
	if account := source.Parts().Account; account != "" && account != who.Account {
		return ""
	}
	return source
}

func (a *API) onGet(ctx context.Context, who outcrop.Caller, op iam.Operation, in *GetInferenceProfileInput) []iam.Check {
	return a.onProfile(ctx, who, op, in.InferenceProfileIdentifier)
}

func (a *API) onDelete(ctx context.Context, who outcrop.Caller, op iam.Operation, in *DeleteInferenceProfileInput) []iam.Check {
	return a.onProfile(ctx, who, op, in.InferenceProfileIdentifier)
}

func (a *API) onTag(ctx context.Context, who outcrop.Caller, op iam.Operation, in *TagResourceInput) []iam.Check {
	checks := a.onProfile(ctx, who, op, in.ResourceARN)
	checks[0].Context.SetRequestTags(tagMap(in.Tags))
	return checks
}

func (a *API) onUntag(ctx context.Context, who outcrop.Caller, op iam.Operation, in *UntagResourceInput) []iam.Check {
	checks := a.onProfile(ctx, who, op, in.ResourceARN)
	checks[0].Context.SetMulti(iam.KeyTagKeys, in.TagKeys...)
	return checks
}

func (a *API) onListTags(ctx context.Context, who outcrop.Caller, op iam.Operation, in *ListTagsForResourceInput) []iam.Check {
	return a.onProfile(ctx, who, op, in.ResourceARN)
}

// onProfile asks about a profile by its id or ARN. One that is not there is
// asked about all the same, under the name it would have: who may not look
// does not learn what exists.
func (a *API) onProfile(ctx context.Context, who outcrop.Caller, op iam.Operation, identifier string) []iam.Check {
	check := iam.Check{Action: op.Action, Resource: outcrop.ARN(identifier)}
	p, err := a.Profiles.Get(ctx, who.Account, who.Region, identifier)
	switch {
	case err == nil:
		check.Resource = p.ARN
		if p.Kind == outcrop.Application { // system-defined profiles have no tags
			check.Context.SetTags(iam.KeyResourceTag, p.Tags)
		}
	case outcrop.ParseModelRef(identifier).Kind == outcrop.RefBare:
		check.Resource = outcrop.ApplicationProfileARN(who.Region, who.Account, identifier)
	}
	return []iam.Check{check}
}

func (a *API) onModel(_ context.Context, who outcrop.Caller, op iam.Operation, in *GetFoundationModelInput) []iam.Check {
	arn := outcrop.ARN(in.ModelIdentifier)
	if outcrop.ParseModelRef(in.ModelIdentifier).Kind == outcrop.RefBare {
		arn = outcrop.FoundationModelARN(who.Region.Partition(), who.Region, outcrop.ModelID(in.ModelIdentifier))
	}
	return []iam.Check{{Action: op.Action, Resource: arn}}
}

func tagMap(tags []Tag) outcrop.Tags {
	m := make(outcrop.Tags, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}
