package iamapi

import (
	"context"

	"outcrop"
)

func (a *API) createGroup(ctx context.Context, who outcrop.Caller, in *CreateGroupInput) (*CreateGroupOutput, error) {
	g, err := a.Identity.CreateGroup(ctx, who.Account, in.GroupName, in.Path)
	if err != nil {
		return nil, err
	}
	return &CreateGroupOutput{Group: describeGroup(g)}, nil
}

func (a *API) getGroup(ctx context.Context, who outcrop.Caller, in *GetGroupInput) (*GetGroupOutput, error) {
	g, err := a.Identity.Group(ctx, who.Account, in.GroupName)
	if err != nil {
		return nil, err
	}
	users, next, err := a.Identity.Members(ctx, who.Account, in.GroupName, page(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &GetGroupOutput{Group: describeGroup(g), Users: each(users, listUser), IsTruncated: truncated(next), Marker: next}, nil
}

func (a *API) listGroups(ctx context.Context, who outcrop.Caller, in *ListGroupsInput) (*ListGroupsOutput, error) {
	groups, next, err := a.Identity.ListGroups(ctx, who.Account, in.PathPrefix, page(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &ListGroupsOutput{Groups: each(groups, describeGroup), IsTruncated: truncated(next), Marker: next}, nil
}

func (a *API) updateGroup(ctx context.Context, who outcrop.Caller, in *UpdateGroupInput) (*nothing, error) {
	return done(a.Identity.RenameGroup(ctx, who.Account, in.GroupName, in.NewGroupName, in.NewPath))
}

func (a *API) deleteGroup(ctx context.Context, who outcrop.Caller, in *DeleteGroupInput) (*nothing, error) {
	return done(a.Identity.DeleteGroup(ctx, who.Account, in.GroupName))
}

func (a *API) addUserToGroup(ctx context.Context, who outcrop.Caller, in *AddUserToGroupInput) (*nothing, error) {
	return done(a.Identity.AddToGroup(ctx, who.Account, in.GroupName, in.UserName))
}

func (a *API) removeUserFromGroup(ctx context.Context, who outcrop.Caller, in *RemoveUserFromGroupInput) (*nothing, error) {
	return done(a.Identity.RemoveFromGroup(ctx, who.Account, in.GroupName, in.UserName))
}

func (a *API) listGroupsForUser(ctx context.Context, who outcrop.Caller, in *ListGroupsForUserInput) (*ListGroupsForUserOutput, error) {
	groups, next, err := a.Identity.GroupsOf(ctx, who.Account, in.UserName, page(in.Marker, in.MaxItems))
	if err != nil {
		return nil, err
	}
	return &ListGroupsForUserOutput{Groups: each(groups, describeGroup), IsTruncated: truncated(next), Marker: next}, nil
}
