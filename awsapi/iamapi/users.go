package iamapi

import (
	"context"

	"outcrop"
	"outcrop/identity"
)

func (a *API) createUser(ctx context.Context, who outcrop.Caller, in *CreateUserInput) (*CreateUserOutput, error) {
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	u, err := a.Identity.CreateUserWith(ctx, who.Account, identity.UserSpec{
		Name: in.UserName, Path: in.Path, Boundary: outcrop.ARN(in.PermissionsBoundary), Tags: tags,
	})
	if err != nil {
		return nil, err
	}
	return &CreateUserOutput{User: ptr(describeUser(u))}, nil
}

func (a *API) getUser(ctx context.Context, who outcrop.Caller, in *GetUserInput) (*GetUserOutput, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	u, err := a.Identity.User(ctx, who.Account, name)
	if err != nil {
		return nil, err
	}
	return &GetUserOutput{User: describeUser(u)}, nil
}

func (a *API) listUsers(ctx context.Context, who outcrop.Caller, in *ListUsersInput) (*ListUsersOutput, error) {
	users, next, err := a.Identity.ListUsers(ctx, who.Account, in.PathPrefix, page(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &ListUsersOutput{Users: each(users, listUser), IsTruncated: truncated(next), Marker: next}, nil
}

func (a *API) updateUser(ctx context.Context, who outcrop.Caller, in *UpdateUserInput) (*nothing, error) {
	return done(a.Identity.RenameUser(ctx, who.Account, in.UserName, in.NewUserName, in.NewPath))
}

func (a *API) deleteUser(ctx context.Context, who outcrop.Caller, in *DeleteUserInput) (*nothing, error) {
	return done(a.Identity.DeleteUser(ctx, who.Account, in.UserName))
}

func (a *API) listUserTags(ctx context.Context, who outcrop.Caller, in *ListUserTagsInput) (*ListUserTagsOutput, error) {
	u, err := a.Identity.User(ctx, who.Account, in.UserName)
	if err != nil {
		return nil, err
	}
	tags, next, err := tagPage(u.Tags, in.Marker, in.MaxItems)
	return &ListUserTagsOutput{Tags: tags, IsTruncated: truncated(next), Marker: next}, err
}

func (a *API) tagUser(ctx context.Context, who outcrop.Caller, in *TagUserInput) (*nothing, error) {
	return a.tag(ctx, identity.UserRef(who.Account, in.UserName), in.Tags)
}

func (a *API) untagUser(ctx context.Context, who outcrop.Caller, in *UntagUserInput) (*nothing, error) {
	return done(a.Identity.RemoveTags(ctx, identity.UserRef(who.Account, in.UserName), in.TagKeys))
}

// tag gives a user or role tags.
func (a *API) tag(ctx context.Context, who identity.Ref, list []Tag) (*nothing, error) {
	tags, err := toTags(list)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.SetTags(ctx, who, tags))
}

func (a *API) putUserPermissionsBoundary(ctx context.Context, who outcrop.Caller, in *PutUserPermissionsBoundaryInput) (*nothing, error) {
	return done(a.Identity.SetBoundary(ctx, identity.UserRef(who.Account, in.UserName), outcrop.ARN(in.PermissionsBoundary)))
}

func (a *API) deleteUserPermissionsBoundary(ctx context.Context, who outcrop.Caller, in *DeleteUserPermissionsBoundaryInput) (*nothing, error) {
	return done(a.Identity.RemoveBoundary(ctx, identity.UserRef(who.Account, in.UserName)))
}
