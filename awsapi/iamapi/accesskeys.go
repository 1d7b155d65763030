package iamapi

import (
	"cmp"
	"context"

	"outcrop"
	"outcrop/identity"
)

// Statuses of an access key or a service-specific credential.
const (
	active   = "Active"
	inactive = "Inactive"
)

func (a *API) createAccessKey(ctx context.Context, who outcrop.Caller, in *CreateAccessKeyInput) (*CreateAccessKeyOutput, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := a.Identity.CreateAccessKey(ctx, who.Account, name)
	if err != nil {
		return nil, err
	}
	return &CreateAccessKeyOutput{AccessKey: AccessKey{
		UserName: name, AccessKeyId: k.ID, Status: active, SecretAccessKey: k.Secret, CreateDate: k.Created,
	}}, nil
}

func (a *API) listAccessKeys(ctx context.Context, who outcrop.Caller, in *ListAccessKeysInput) (*ListAccessKeysOutput, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := a.Identity.ListAccessKeys(ctx, who.Account, name)
	if err != nil {
		return nil, err
	}
	all := each(keys, func(k identity.AccessKey) AccessKeyMetadata {
		return AccessKeyMetadata{UserName: name, AccessKeyId: k.ID, Status: status(k.Active), CreateDate: k.Created}
	})
	some, next, err := cut(all, page(in.Marker, in.MaxItems), func(k AccessKeyMetadata) string { return byAge(k.CreateDate, k.AccessKeyId) })
	return &ListAccessKeysOutput{AccessKeyMetadata: some, IsTruncated: truncated(next), Marker: next}, err
}

func status(on bool) string {
	if on {
		return active
	}
	return inactive
}

// switchTo reads the status that a key is to have. Expired is a status that
// time gives and nobody else.
func switchTo(status string) (on bool, err error) {
	if status != active && status != inactive {
		return false, invalidInput("The status %s cannot be set.", status)
	}
	return status == active, nil
}

func (a *API) updateAccessKey(ctx context.Context, who outcrop.Caller, in *UpdateAccessKeyInput) (*nothing, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	on, err := switchTo(in.Status)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.SetAccessKeyActive(ctx, who.Account, name, in.AccessKeyId, on))
}

func (a *API) deleteAccessKey(ctx context.Context, who outcrop.Caller, in *DeleteAccessKeyInput) (*nothing, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.DeleteAccessKey(ctx, who.Account, name, in.AccessKeyId))
}

// getAccessKeyLastUsed writes N/A for what never was, as AWS does.
func (a *API) getAccessKeyLastUsed(ctx context.Context, who outcrop.Caller, in *GetAccessKeyLastUsedInput) (*GetAccessKeyLastUsedOutput, error) {
	owner, err := a.Identity.AccessKeyOwner(ctx, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	if owner.Account != who.Account {
		return nil, noSuchEntity("The Access Key with id %s cannot be found.", in.AccessKeyId)
	}
	use, err := a.Identity.LastUse(ctx, in.AccessKeyId)
	if err != nil {
		return nil, err
	}
	return &GetAccessKeyLastUsedOutput{UserName: owner.Name, AccessKeyLastUsed: &AccessKeyLastUsed{
		LastUsedDate: use.At, ServiceName: cmp.Or(use.Service, "N/A"), Region: cmp.Or(string(use.Region), "N/A"),
	}}, nil
}
