package iamapi

import (
	"context"

	"outcrop"
	"outcrop/identity"
)

func (a *API) putUserPolicy(ctx context.Context, who outcrop.Caller, in *PutUserPolicyInput) (*nothing, error) {
	return done(a.Identity.PutInlinePolicy(ctx, identity.UserRef(who.Account, in.UserName), in.PolicyName, in.PolicyDocument))
}

func (a *API) getUserPolicy(ctx context.Context, who outcrop.Caller, in *GetUserPolicyInput) (*GetUserPolicyOutput, error) {
	text, err := a.Identity.InlinePolicy(ctx, identity.UserRef(who.Account, in.UserName), in.PolicyName)
	return &GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName, PolicyDocument: document(text)}, err
}

func (a *API) deleteUserPolicy(ctx context.Context, who outcrop.Caller, in *DeleteUserPolicyInput) (*nothing, error) {
	return done(a.Identity.DeleteInlinePolicy(ctx, identity.UserRef(who.Account, in.UserName), in.PolicyName))
}

func (a *API) listUserPolicies(ctx context.Context, who outcrop.Caller, in *ListUserPoliciesInput) (*ListUserPoliciesOutput, error) {
	names, next, err := a.Identity.InlinePolicies(ctx, identity.UserRef(who.Account, in.UserName), page(in.Marker, in.MaxItems))
	return &ListUserPoliciesOutput{PolicyNames: names, IsTruncated: truncated(next), Marker: next}, err
}

func (a *API) putGroupPolicy(ctx context.Context, who outcrop.Caller, in *PutGroupPolicyInput) (*nothing, error) {
	return done(a.Identity.PutInlinePolicy(ctx, identity.GroupRef(who.Account, in.GroupName), in.PolicyName, in.PolicyDocument))
}

func (a *API) getGroupPolicy(ctx context.Context, who outcrop.Caller, in *GetGroupPolicyInput) (*GetGroupPolicyOutput, error) {
	text, err := a.Identity.InlinePolicy(ctx, identity.GroupRef(who.Account, in.GroupName), in.PolicyName)
	return &GetGroupPolicyOutput{GroupName: in.GroupName, PolicyName: in.PolicyName, PolicyDocument: document(text)}, err
}

func (a *API) deleteGroupPolicy(ctx context.Context, who outcrop.Caller, in *DeleteGroupPolicyInput) (*nothing, error) {
	return done(a.Identity.DeleteInlinePolicy(ctx, identity.GroupRef(who.Account, in.GroupName), in.PolicyName))
}

func (a *API) listGroupPolicies(ctx context.Context, who outcrop.Caller, in *ListGroupPoliciesInput) (*ListGroupPoliciesOutput, error) {
	names, next, err := a.Identity.InlinePolicies(ctx, identity.GroupRef(who.Account, in.GroupName), page(in.Marker, in.MaxItems))
	return &ListGroupPoliciesOutput{PolicyNames: names, IsTruncated: truncated(next), Marker: next}, err
}

func (a *API) putRolePolicy(ctx context.Context, who outcrop.Caller, in *PutRolePolicyInput) (*nothing, error) {
	return done(a.Identity.PutInlinePolicy(ctx, identity.RoleRef(who.Account, in.RoleName), in.PolicyName, in.PolicyDocument))
}

func (a *API) getRolePolicy(ctx context.Context, who outcrop.Caller, in *GetRolePolicyInput) (*GetRolePolicyOutput, error) {
	text, err := a.Identity.InlinePolicy(ctx, identity.RoleRef(who.Account, in.RoleName), in.PolicyName)
	return &GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName, PolicyDocument: document(text)}, err
}

func (a *API) deleteRolePolicy(ctx context.Context, who outcrop.Caller, in *DeleteRolePolicyInput) (*nothing, error) {
	return done(a.Identity.DeleteInlinePolicy(ctx, identity.RoleRef(who.Account, in.RoleName), in.PolicyName))
}

func (a *API) listRolePolicies(ctx context.Context, who outcrop.Caller, in *ListRolePoliciesInput) (*ListRolePoliciesOutput, error) {
	names, next, err := a.Identity.InlinePolicies(ctx, identity.RoleRef(who.Account, in.RoleName), page(in.Marker, in.MaxItems))
	return &ListRolePoliciesOutput{PolicyNames: names, IsTruncated: truncated(next), Marker: next}, err
}
