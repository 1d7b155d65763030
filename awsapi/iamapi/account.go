package iamapi

import (
	"context"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
)

// getAccountSummary counts what there is, beside the quotas it is held to.
func (a *API) getAccountSummary(ctx context.Context, who outcrop.Caller, _ *nothing) (*GetAccountSummaryOutput, error) {
	s, err := a.Identity.Summary(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	return &GetAccountSummaryOutput{SummaryMap: map[string]int64{
		"Users": int64(s.Users), "UsersQuota": identity.MaxUsersPerAccount,
		"Groups": int64(s.Groups), "GroupsQuota": identity.MaxGroupsPerAccount, "GroupsPerUserQuota": identity.MaxGroupsPerUser,
		"Roles": int64(s.Roles), "RolesQuota": identity.MaxRolesPerAccount,
		"Policies": int64(s.Policies), "PoliciesQuota": identity.MaxPoliciesPerAccount, "VersionsPerPolicyQuota": identity.MaxPolicyVersions,
		"Providers": int64(s.Providers), "AccessKeysPerUserQuota": identity.MaxAccessKeysPerUser,
		"AttachedPoliciesPerUserQuota": identity.MaxAttachedPolicies, "AttachedPoliciesPerGroupQuota": identity.MaxAttachedPolicies,
		"AttachedPoliciesPerRoleQuota": identity.MaxAttachedPolicies, "PolicySizeQuota": int64(iam.ManagedPolicyChars),
		"UserPolicySizeQuota": int64(iam.UserInlineChars), "GroupPolicySizeQuota": int64(iam.GroupInlineChars),
		"RolePolicySizeQuota": int64(iam.RoleInlineChars), "AssumeRolePolicySizeQuota": int64(iam.TrustPolicyChars),
		"MFADevices": 0, "MFADevicesInUse": 0, "AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 0,
		"AccountSigningCertificatesPresent": 0, "ServerCertificates": 0, "InstanceProfiles": 0,
	}}, nil
}

func (a *API) createAccountAlias(ctx context.Context, who outcrop.Caller, in *CreateAccountAliasInput) (*nothing, error) {
	return done(a.Identity.SetAlias(ctx, who.Account, in.AccountAlias))
}

func (a *API) deleteAccountAlias(ctx context.Context, who outcrop.Caller, in *DeleteAccountAliasInput) (*nothing, error) {
	return done(a.Identity.RemoveAlias(ctx, who.Account, in.AccountAlias))
}

// listAccountAliases: an account has one alias or none.
func (a *API) listAccountAliases(ctx context.Context, who outcrop.Caller, _ *ListAccountAliasesInput) (*ListAccountAliasesOutput, error) {
	account, err := a.Identity.Account(ctx, who.Account)
	out := &ListAccountAliasesOutput{IsTruncated: ptr(false)}
	if account.Alias != "" {
		out.AccountAliases = []string{account.Alias}
	}
	if outcrop.KindOf(err) == outcrop.NotFound { // nobody gave it a name yet
		err = nil
	}
	return out, err
}
