package iamapi

import (
	"context"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
)

// maxCounted bounds what GetAccountSummary counts of each kind.
const maxCounted = identity.MaxUsersPerAccount

// getAccountSummary counts what there is, beside the quotas it is held to.
func (a *API) getAccountSummary(ctx context.Context, who outcrop.Caller, _ *nothing) (*GetAccountSummaryOutput, error) {
	summary := map[string]int64{
		"UsersQuota": identity.MaxUsersPerAccount, "GroupsQuota": identity.MaxGroupsPerAccount, "RolesQuota": identity.MaxRolesPerAccount,
		"PoliciesQuota": identity.MaxPoliciesPerAccount, "AccessKeysPerUserQuota": identity.MaxAccessKeysPerUser,
		"GroupsPerUserQuota": identity.MaxGroupsPerUser, "VersionsPerPolicyQuota": identity.MaxPolicyVersions,
		"AttachedPoliciesPerUserQuota": identity.MaxAttachedPolicies, "AttachedPoliciesPerGroupQuota": identity.MaxAttachedPolicies,
		"AttachedPoliciesPerRoleQuota": identity.MaxAttachedPolicies, "PolicySizeQuota": int64(iam.ManagedPolicyChars),
		"UserPolicySizeQuota": int64(iam.UserInlineChars), "GroupPolicySizeQuota": int64(iam.GroupInlineChars),
		"RolePolicySizeQuota": int64(iam.RoleInlineChars), "AssumeRolePolicySizeQuota": int64(iam.TrustPolicyChars),
		"MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 0,
		"AccountSigningCertificatesPresent": 0, "ServerCertificates": 0, "InstanceProfiles": 0,
	}
	for name, count := range map[string]func(context.Context, outcrop.AccountID) (int, error){
		"Users": a.countUsers, "Groups": a.countGroups, "Roles": a.countRoles, "Policies": a.countPolicies, "Providers": a.countProviders,
	} {
		n, err := count(ctx, who.Account)
		if err != nil {
			return nil, err
		}
		summary[name] = int64(n)
	}
	return &GetAccountSummaryOutput{SummaryMap: summary}, nil
}

func (a *API) countUsers(ctx context.Context, account outcrop.AccountID) (int, error) {
	all, err := everything(maxCounted, func(p identity.Page) ([]identity.User, string, error) {
		return a.Identity.ListUsers(ctx, account, "", p)
	})
	return len(all), err
}

func (a *API) countGroups(ctx context.Context, account outcrop.AccountID) (int, error) {
	all, err := everything(maxCounted, func(p identity.Page) ([]identity.Group, string, error) {
		return a.Identity.ListGroups(ctx, account, "", p)
	})
	return len(all), err
}

func (a *API) countRoles(ctx context.Context, account outcrop.AccountID) (int, error) {
	all, err := everything(maxCounted, func(p identity.Page) ([]identity.Role, string, error) {
		return a.Identity.ListRoles(ctx, account, "", p)
	})
	return len(all), err
}

func (a *API) countPolicies(ctx context.Context, account outcrop.AccountID) (int, error) {
	all, err := everything(maxCounted, func(p identity.Page) ([]identity.ManagedPolicy, string, error) {
		return a.Identity.ListPolicies(ctx, account, identity.PolicyFilter{Scope: identity.LocalPolicies}, p)
	})
	return len(all), err
}

func (a *API) countProviders(ctx context.Context, account outcrop.AccountID) (int, error) {
	all, err := a.Identity.ListProviders(ctx, account)
	return len(all), err
}
