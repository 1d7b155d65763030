package iamapi

import (
	"context"

	"outcrop"
	"outcrop/identity"
)

func (a *API) attachUserPolicy(ctx context.Context, who outcrop.Caller, in *AttachUserPolicyInput) (*nothing, error) {
	return done(a.Identity.AttachPolicy(ctx, identity.UserRef(who.Account, in.UserName), outcrop.ARN(in.PolicyArn)))
}

func (a *API) detachUserPolicy(ctx context.Context, who outcrop.Caller, in *DetachUserPolicyInput) (*nothing, error) {
	return done(a.Identity.DetachPolicy(ctx, identity.UserRef(who.Account, in.UserName), outcrop.ARN(in.PolicyArn)))
}

func (a *API) attachGroupPolicy(ctx context.Context, who outcrop.Caller, in *AttachGroupPolicyInput) (*nothing, error) {
	return done(a.Identity.AttachPolicy(ctx, identity.GroupRef(who.Account, in.GroupName), outcrop.ARN(in.PolicyArn)))
}

func (a *API) detachGroupPolicy(ctx context.Context, who outcrop.Caller, in *DetachGroupPolicyInput) (*nothing, error) {
	return done(a.Identity.DetachPolicy(ctx, identity.GroupRef(who.Account, in.GroupName), outcrop.ARN(in.PolicyArn)))
}

func (a *API) attachRolePolicy(ctx context.Context, who outcrop.Caller, in *AttachRolePolicyInput) (*nothing, error) {
	return done(a.Identity.AttachPolicy(ctx, identity.RoleRef(who.Account, in.RoleName), outcrop.ARN(in.PolicyArn)))
}

func (a *API) detachRolePolicy(ctx context.Context, who outcrop.Caller, in *DetachRolePolicyInput) (*nothing, error) {
	return done(a.Identity.DetachPolicy(ctx, identity.RoleRef(who.Account, in.RoleName), outcrop.ARN(in.PolicyArn)))
}

// attached lists an entity's managed policies.
func (a *API) attached(ctx context.Context, whose identity.Ref, prefix, marker string, maxItems *int64) ([]AttachedPolicy, string, error) {
	list, next, err := a.Identity.AttachedPolicies(ctx, whose, prefix, page(marker, maxItems))
	return each(list, attachedPolicy), next, err
}

func (a *API) listAttachedUserPolicies(ctx context.Context, who outcrop.Caller, in *ListAttachedUserPoliciesInput) (*ListAttachedUserPoliciesOutput, error) {
	list, next, err := a.attached(ctx, identity.UserRef(who.Account, in.UserName), in.PathPrefix, in.Marker, in.MaxItems)
	return &ListAttachedUserPoliciesOutput{AttachedPolicies: list, IsTruncated: truncated(next), Marker: next}, err
}

func (a *API) listAttachedGroupPolicies(ctx context.Context, who outcrop.Caller, in *ListAttachedGroupPoliciesInput) (*ListAttachedGroupPoliciesOutput, error) {
	list, next, err := a.attached(ctx, identity.GroupRef(who.Account, in.GroupName), in.PathPrefix, in.Marker, in.MaxItems)
	return &ListAttachedGroupPoliciesOutput{AttachedPolicies: list, IsTruncated: truncated(next), Marker: next}, err
}

func (a *API) listAttachedRolePolicies(ctx context.Context, who outcrop.Caller, in *ListAttachedRolePoliciesInput) (*ListAttachedRolePoliciesOutput, error) {
	list, next, err := a.attached(ctx, identity.RoleRef(who.Account, in.RoleName), in.PathPrefix, in.Marker, in.MaxItems)
	return &ListAttachedRolePoliciesOutput{AttachedPolicies: list, IsTruncated: truncated(next), Marker: next}, err
}
