package iamapi

import (
	"cmp"
	"context"

	"outcrop"
	"outcrop/identity"
)

func (a *API) createPolicy(ctx context.Context, who outcrop.Caller, in *CreatePolicyInput) (*CreatePolicyOutput, error) {
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	p, err := a.Identity.CreatePolicy(ctx, who.Account, identity.PolicySpec{
		Name: in.PolicyName, Path: in.Path, Description: in.Description, Document: in.PolicyDocument, Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	out := listPolicy(p, identity.Counts{})
	out.Tags = fromTags(p.Tags)
	return &CreatePolicyOutput{Policy: &out}, nil
}

// listPolicy is a policy as ListPolicies has it: without description and tags.
func listPolicy(p identity.ManagedPolicy, used identity.Counts) Policy {
	return Policy{
		PolicyName: p.Name, PolicyId: p.ID, Arn: string(p.ARN()), Path: pathOf(p.Path), DefaultVersionId: p.Default,
		AttachmentCount: ptr(int64(used.Attached)), PermissionsBoundaryUsageCount: ptr(int64(used.Boundaries)),
		IsAttachable: ptr(true), CreateDate: p.Created, UpdateDate: p.Updated,
	}
}

func (a *API) getPolicy(ctx context.Context, who outcrop.Caller, in *GetPolicyInput) (*GetPolicyOutput, error) {
	p, err := a.Identity.Policy(ctx, who.Account, outcrop.ARN(in.PolicyArn))
	if err != nil {
		return nil, err
	}
	used, err := a.Identity.PolicyCounts(ctx, who.Account, p.ARN())
	if err != nil {
		return nil, err
	}
	out := listPolicy(p, used)
	out.Description, out.Tags = p.Description, fromTags(p.Tags)
	return &GetPolicyOutput{Policy: &out}, nil
}

func (a *API) listPolicies(ctx context.Context, who outcrop.Caller, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	policies, next, err := a.Identity.ListPolicies(ctx, who.Account, identity.PolicyFilter{
		Scope: identity.PolicyScope(cmp.Or(in.Scope, string(identity.AllPolicies))), PathPrefix: in.PathPrefix,
		OnlyAttached: in.OnlyAttached != nil && *in.OnlyAttached, Usage: identity.PolicyUsage(in.PolicyUsageFilter),
	}, page(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	out := &ListPoliciesOutput{Policies: make([]Policy, len(policies)), IsTruncated: truncated(next), Marker: next}
	for i, p := range policies {
		used, err := a.Identity.PolicyCounts(ctx, who.Account, p.ARN())
		if err != nil {
			return nil, err
		}
		out.Policies[i] = listPolicy(p, used)
	}
	return out, nil
}

func (a *API) deletePolicy(ctx context.Context, who outcrop.Caller, in *DeletePolicyInput) (*nothing, error) {
	return done(a.Identity.DeletePolicy(ctx, who.Account, outcrop.ARN(in.PolicyArn)))
}

func (a *API) tagPolicy(ctx context.Context, who outcrop.Caller, in *TagPolicyInput) (*nothing, error) {
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.SetPolicyTags(ctx, who.Account, outcrop.ARN(in.PolicyArn), tags))
}

func (a *API) untagPolicy(ctx context.Context, who outcrop.Caller, in *UntagPolicyInput) (*nothing, error) {
	return done(a.Identity.RemovePolicyTags(ctx, who.Account, outcrop.ARN(in.PolicyArn), in.TagKeys))
}

func (a *API) listPolicyTags(ctx context.Context, who outcrop.Caller, in *ListPolicyTagsInput) (*ListPolicyTagsOutput, error) {
	p, err := a.Identity.Policy(ctx, who.Account, outcrop.ARN(in.PolicyArn))
	if err != nil {
		return nil, err
	}
	tags, next, err := tagPage(p.Tags, in.Marker, in.MaxItems)
	return &ListPolicyTagsOutput{Tags: tags, IsTruncated: truncated(next), Marker: next}, err
}

// entityKinds are the EntityFilters that a policy can be attached under. The
// two others of the model name kinds of policies and match nobody.
var entityKinds = map[string]identity.EntityKind{
	"": "", "User": identity.UserEntity, "Group": identity.GroupEntity, "Role": identity.RoleEntity,
}

func (a *API) listEntitiesForPolicy(ctx context.Context, who outcrop.Caller, in *ListEntitiesForPolicyInput) (*ListEntitiesForPolicyOutput, error) {
	kind, ok := entityKinds[in.EntityFilter]
	if !ok {
		return nil, invalidInput("Invalid Entity Filter: %s", in.EntityFilter)
	}
	found, next, err := a.Identity.EntitiesForPolicy(ctx, who.Account, outcrop.ARN(in.PolicyArn), identity.EntityFilter{
		Kind: kind, PathPrefix: in.PathPrefix, Usage: identity.PolicyUsage(in.PolicyUsageFilter),
	}, page(in.Marker, in.MaxItems))
	return &ListEntitiesForPolicyOutput{
		PolicyGroups: each(found.Groups, func(g identity.Group) PolicyGroup { return PolicyGroup{g.Name, g.ID} }),
		PolicyUsers:  each(found.Users, func(u identity.User) PolicyUser { return PolicyUser{u.Name, u.ID} }),
		PolicyRoles:  each(found.Roles, func(r identity.Role) PolicyRole { return PolicyRole{r.Name, r.ID} }),
		IsTruncated:  truncated(next), Marker: next,
	}, err
}
