package iamapi

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"outcrop"
	"outcrop/identity"
)

// A section is one kind of things in GetAccountAuthorizationDetails. A marker
// is the section's name, a colon and the marker inside it.
type section struct {
	name string // as Filter has it
	read func(context.Context, outcrop.AccountID, identity.Page, *GetAccountAuthorizationDetailsOutput) (n int, next string, err error)
}

func (a *API) sections() []section {
	return []section{
		{"User", a.userDetails}, {"Group", a.groupDetails}, {"Role", a.roleDetails},
		{"LocalManagedPolicy", a.policyDetails(identity.PolicyFilter{Scope: identity.LocalPolicies})},
		{"AWSManagedPolicy", a.policyDetails(identity.PolicyFilter{Scope: identity.AWSPolicies, OnlyAttached: true})},
	}
}

// getAccountAuthorizationDetails fills a page section by section.
func (a *API) getAccountAuthorizationDetails(ctx context.Context, who outcrop.Caller, in *GetAccountAuthorizationDetailsInput) (*GetAccountAuthorizationDetailsOutput, error) {
	left := page("", in.MaxItems)
	left.Max = cmp.Or(left.Max, defaultPage)
	at, inner, _ := strings.Cut(in.Marker, ":")
	out := &GetAccountAuthorizationDetailsOutput{
		UserDetailList: []UserDetail{}, GroupDetailList: []GroupDetail{}, RoleDetailList: []RoleDetail{}, Policies: []ManagedPolicyDetail{},
		IsTruncated: ptr(false),
	}
	begun := in.Marker == ""
	for _, s := range a.sections() {
		if len(in.Filter) > 0 && !slices.Contains(in.Filter, s.name) {
			continue
		}
		if begun = begun || s.name == at; !begun {
			continue
		}
		if left.Max == 0 {
			out.IsTruncated, out.Marker = ptr(true), s.name+":"
			return out, nil
		}
		left.Marker, inner = inner, ""
		n, next, err := s.read(ctx, who.Account, left, out)
		if err != nil {
			return nil, err
		}
		if left.Max -= n; next != "" {
			out.IsTruncated, out.Marker = ptr(true), s.name+":"+next
			return out, nil
		}
	}
	if !begun {
		return nil, failure(outcrop.Invalid, "ValidationError", "Invalid Marker.")
	}
	return out, nil
}

func (a *API) userDetails(ctx context.Context, account outcrop.AccountID, p identity.Page, out *GetAccountAuthorizationDetailsOutput) (int, string, error) {
	users, next, err := a.Identity.ListUsers(ctx, account, "", p)
	if err != nil {
		return 0, "", err
	}
	for _, u := range users {
		groups, err := everything(identity.MaxGroupsPerUser, func(p identity.Page) ([]identity.Group, string, error) {
			return a.Identity.GroupsOf(ctx, account, u.Name, p)
		})
		if err != nil {
			return 0, "", err
		}
		d := describeUser(u)
		out.UserDetailList = append(out.UserDetailList, UserDetail{
			Path: d.Path, UserName: d.UserName, UserId: d.UserId, Arn: d.Arn, CreateDate: d.CreateDate, Tags: d.Tags,
			PermissionsBoundary: d.PermissionsBoundary, UserPolicyList: inlineDetails(u.Rights), AttachedManagedPolicies: attachedDetails(u.Rights),
			GroupList: each(groups, func(g identity.Group) string { return g.Name }),
		})
	}
	return len(users), next, nil
}

func (a *API) groupDetails(ctx context.Context, account outcrop.AccountID, p identity.Page, out *GetAccountAuthorizationDetailsOutput) (int, string, error) {
	groups, next, err := a.Identity.ListGroups(ctx, account, "", p)
	for _, g := range groups {
		d := describeGroup(g)
		out.GroupDetailList = append(out.GroupDetailList, GroupDetail{
			Path: d.Path, GroupName: d.GroupName, GroupId: d.GroupId, Arn: d.Arn, CreateDate: d.CreateDate,
			GroupPolicyList: inlineDetails(g.Rights), AttachedManagedPolicies: attachedDetails(g.Rights),
		})
	}
	return len(groups), next, err
}

func (a *API) roleDetails(ctx context.Context, account outcrop.AccountID, p identity.Page, out *GetAccountAuthorizationDetailsOutput) (int, string, error) {
	roles, next, err := a.Identity.ListRoles(ctx, account, "", p)
	if err != nil {
		return 0, "", err
	}
	for _, r := range roles {
		used, err := a.lastAssumed(ctx, r)
		if err != nil {
			return 0, "", err
		}
		d := describeRole(r)
		out.RoleDetailList = append(out.RoleDetailList, RoleDetail{
			Path: d.Path, RoleName: d.RoleName, RoleId: d.RoleId, Arn: d.Arn, CreateDate: d.CreateDate, Tags: d.Tags,
			AssumeRolePolicyDocument: d.AssumeRolePolicyDocument, PermissionsBoundary: d.PermissionsBoundary, InstanceProfileList: []InstanceProfile{},
			RolePolicyList: inlineDetails(r.Rights), AttachedManagedPolicies: attachedDetails(r.Rights), RoleLastUsed: used,
		})
	}
	return len(roles), next, nil
}

func (a *API) policyDetails(f identity.PolicyFilter) func(context.Context, outcrop.AccountID, identity.Page, *GetAccountAuthorizationDetailsOutput) (int, string, error) {
	return func(ctx context.Context, account outcrop.AccountID, p identity.Page, out *GetAccountAuthorizationDetailsOutput) (int, string, error) {
		policies, next, err := a.Identity.ListPolicies(ctx, account, f, p)
		if err != nil {
			return 0, "", err
		}
		for _, p := range policies {
			used, err := a.Identity.PolicyCounts(ctx, account, p.ARN())
			if err != nil {
				return 0, "", err
			}
			d := listPolicy(p, used)
			out.Policies = append(out.Policies, ManagedPolicyDetail{
				PolicyName: d.PolicyName, PolicyId: d.PolicyId, Arn: d.Arn, Path: d.Path, DefaultVersionId: d.DefaultVersionId,
				AttachmentCount: d.AttachmentCount, PermissionsBoundaryUsageCount: d.PermissionsBoundaryUsageCount, IsAttachable: d.IsAttachable,
				CreateDate: d.CreateDate, UpdateDate: d.UpdateDate, Description: p.Description, PolicyVersionList: versionDetails(p),
			})
		}
		return len(policies), next, nil
	}
}

func versionDetails(p identity.ManagedPolicy) []PolicyVersion {
	return each(p.VersionsNewestFirst(), func(v identity.PolicyVersion) PolicyVersion {
		d := listVersion(p, v)
		d.Document = document(v.Document)
		return d
	})
}

func inlineDetails(r identity.Rights) []PolicyDetail {
	return each(slices.Sorted(maps.Keys(r.Inline)), func(name string) PolicyDetail {
		return PolicyDetail{PolicyName: name, PolicyDocument: document(r.Inline[name])}
	})
}

func attachedDetails(r identity.Rights) []AttachedPolicy {
	return each(r.Attached, func(arn outcrop.ARN) AttachedPolicy {
		return AttachedPolicy{PolicyName: nameOf(arn.Parts()), PolicyArn: string(arn)}
	})
}
