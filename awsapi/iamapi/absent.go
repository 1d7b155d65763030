package iamapi

import (
	"context"

	"outcrop"
)

// What Outcrop's users and roles never have. Terraform and the console ask
// for it before they delete a user or role, and go on when there is none.

// userExists is nil when the user that an operation is about does.
func (a *API) userExists(ctx context.Context, who outcrop.Caller, named string) error {
	name, err := userName(who, named)
	if err == nil {
		_, err = a.Identity.User(ctx, who.Account, name)
	}
	return err
}

func (a *API) listMFADevices(ctx context.Context, who outcrop.Caller, in *ListMFADevicesInput) (*ListMFADevicesOutput, error) {
	return &ListMFADevicesOutput{IsTruncated: ptr(false)}, a.userExists(ctx, who, in.UserName)
}

func (a *API) listVirtualMFADevices(context.Context, outcrop.Caller, *ListVirtualMFADevicesInput) (*ListVirtualMFADevicesOutput, error) {
	return &ListVirtualMFADevicesOutput{IsTruncated: ptr(false)}, nil
}

func (a *API) listSSHPublicKeys(ctx context.Context, who outcrop.Caller, in *ListSSHPublicKeysInput) (*ListSSHPublicKeysOutput, error) {
	return &ListSSHPublicKeysOutput{SSHPublicKeys: []SSHPublicKeyMetadata{}, IsTruncated: ptr(false)}, a.userExists(ctx, who, in.UserName)
}

func (a *API) listSigningCertificates(ctx context.Context, who outcrop.Caller, in *ListSigningCertificatesInput) (*ListSigningCertificatesOutput, error) {
	return &ListSigningCertificatesOutput{IsTruncated: ptr(false)}, a.userExists(ctx, who, in.UserName)
}

func (a *API) getLoginProfile(ctx context.Context, who outcrop.Caller, in *GetLoginProfileInput) (*GetLoginProfileOutput, error) {
	return nil, a.noLoginProfile(ctx, who, in.UserName)
}

func (a *API) deleteLoginProfile(ctx context.Context, who outcrop.Caller, in *DeleteLoginProfileInput) (*nothing, error) {
	return nil, a.noLoginProfile(ctx, who, in.UserName)
}

// noLoginProfile: passwords are for AWS's console, and there is none.
func (a *API) noLoginProfile(ctx context.Context, who outcrop.Caller, named string) error {
	name, err := userName(who, named)
	if err != nil {
		return err
	}
	if _, err := a.Identity.User(ctx, who.Account, name); err != nil {
		return err
	}
	return noSuchEntity("Login Profile for User %s cannot be found.", name)
}

func (a *API) getAccountPasswordPolicy(_ context.Context, who outcrop.Caller, _ *nothing) (*GetAccountPasswordPolicyOutput, error) {
	return nil, noSuchEntity("The Password Policy with domain name %s cannot be found.", who.Account)
}

func (a *API) listInstanceProfilesForRole(ctx context.Context, who outcrop.Caller, in *ListInstanceProfilesForRoleInput) (*ListInstanceProfilesForRoleOutput, error) {
	_, err := a.Identity.Role(ctx, who.Account, in.RoleName)
	return &ListInstanceProfilesForRoleOutput{IsTruncated: ptr(false)}, err
}

func (a *API) listInstanceProfiles(context.Context, outcrop.Caller, *ListInstanceProfilesInput) (*ListInstanceProfilesOutput, error) {
	return &ListInstanceProfilesOutput{IsTruncated: ptr(false)}, nil
}
