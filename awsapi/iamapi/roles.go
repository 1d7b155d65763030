package iamapi

import (
	"context"
	"time"

	"outcrop"
	"outcrop/identity"
)

func (a *API) createRole(ctx context.Context, who outcrop.Caller, in *CreateRoleInput) (*CreateRoleOutput, error) {
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	r, err := a.Identity.CreateRole(ctx, who.Account, identity.RoleSpec{
		Name: in.RoleName, Path: in.Path, Trust: in.AssumeRolePolicyDocument, Description: in.Description,
		MaxSession: seconds(in.MaxSessionDuration), Boundary: outcrop.ARN(in.PermissionsBoundary), Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	return &CreateRoleOutput{Role: describeRole(r)}, nil
}

func seconds(n *int64) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}

func (a *API) getRole(ctx context.Context, who outcrop.Caller, in *GetRoleInput) (*GetRoleOutput, error) {
	r, err := a.Identity.Role(ctx, who.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	out := &GetRoleOutput{Role: describeRole(r)}
	out.Role.RoleLastUsed, err = a.lastAssumed(ctx, r)
	return out, err
}

// lastAssumed is an empty element for a role that nobody assumed yet.
func (a *API) lastAssumed(ctx context.Context, r identity.Role) (*RoleLastUsed, error) {
	use, err := a.Identity.LastUse(ctx, r.ID)
	return &RoleLastUsed{LastUsedDate: use.At, Region: string(use.Region)}, err
}

func (a *API) listRoles(ctx context.Context, who outcrop.Caller, in *ListRolesInput) (*ListRolesOutput, error) {
	roles, next, err := a.Identity.ListRoles(ctx, who.Account, in.PathPrefix, page(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &ListRolesOutput{Roles: each(roles, listRole), IsTruncated: truncated(next), Marker: next}, nil
}

// updateRole keeps what is not given: an empty description cannot be told
// from an absent one here, and UpdateRoleDescription is there to empty it.
func (a *API) updateRole(ctx context.Context, who outcrop.Caller, in *UpdateRoleInput) (*UpdateRoleOutput, error) {
	var c identity.RoleChange
	if in.Description != "" {
		c.Description = &in.Description
	}
	if in.MaxSessionDuration != nil {
		c.MaxSession = ptr(seconds(in.MaxSessionDuration))
	}
	_, err := a.Identity.UpdateRole(ctx, who.Account, in.RoleName, c)
	return &UpdateRoleOutput{}, err
}

func (a *API) updateRoleDescription(ctx context.Context, who outcrop.Caller, in *UpdateRoleDescriptionInput) (*UpdateRoleDescriptionOutput, error) {
	r, err := a.Identity.UpdateRole(ctx, who.Account, in.RoleName, identity.RoleChange{Description: &in.Description})
	if err != nil {
		return nil, err
	}
	return &UpdateRoleDescriptionOutput{Role: ptr(listRole(r))}, nil
}

func (a *API) updateAssumeRolePolicy(ctx context.Context, who outcrop.Caller, in *UpdateAssumeRolePolicyInput) (*nothing, error) {
	return done(a.Identity.SetTrust(ctx, who.Account, in.RoleName, in.PolicyDocument))
}

func (a *API) deleteRole(ctx context.Context, who outcrop.Caller, in *DeleteRoleInput) (*nothing, error) {
	return done(a.Identity.DeleteRole(ctx, who.Account, in.RoleName))
}

func (a *API) listRoleTags(ctx context.Context, who outcrop.Caller, in *ListRoleTagsInput) (*ListRoleTagsOutput, error) {
	r, err := a.Identity.Role(ctx, who.Account, in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, next, err := tagPage(r.Tags, in.Marker, in.MaxItems)
	return &ListRoleTagsOutput{Tags: tags, IsTruncated: truncated(next), Marker: next}, err
}

func (a *API) tagRole(ctx context.Context, who outcrop.Caller, in *TagRoleInput) (*nothing, error) {
	return a.tag(ctx, identity.RoleRef(who.Account, in.RoleName), in.Tags)
}

func (a *API) untagRole(ctx context.Context, who outcrop.Caller, in *UntagRoleInput) (*nothing, error) {
	return done(a.Identity.RemoveTags(ctx, identity.RoleRef(who.Account, in.RoleName), in.TagKeys))
}

func (a *API) putRolePermissionsBoundary(ctx context.Context, who outcrop.Caller, in *PutRolePermissionsBoundaryInput) (*nothing, error) {
	return done(a.Identity.SetBoundary(ctx, identity.RoleRef(who.Account, in.RoleName), outcrop.ARN(in.PermissionsBoundary)))
}

func (a *API) deleteRolePermissionsBoundary(ctx context.Context, who outcrop.Caller, in *DeleteRolePermissionsBoundaryInput) (*nothing, error) {
	return done(a.Identity.RemoveBoundary(ctx, identity.RoleRef(who.Account, in.RoleName)))
}
