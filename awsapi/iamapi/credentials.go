package iamapi

import (
	"context"
	"time"

	"outcrop"
	"outcrop/identity"
)

// Service-specific credentials are long-term Bedrock API keys
// (reference/runtime-metering-billing.md §4.4).

func (a *API) createServiceSpecificCredential(ctx context.Context, who outcrop.Caller, in *CreateServiceSpecificCredentialInput) (*CreateServiceSpecificCredentialOutput, error) {
	days := 0
	if in.CredentialAgeDays != nil {
		days = int(*in.CredentialAgeDays)
	}
	k, err := a.Identity.CreateServiceCredential(ctx, who.Account, in.UserName, in.ServiceName, days)
	if err != nil {
		return nil, err
	}
	return &CreateServiceSpecificCredentialOutput{ServiceSpecificCredential: a.shownOnce(k, in.UserName)}, nil
}

// shownOnce is a credential with its secret, which no other operation shows.
func (a *API) shownOnce(k *identity.NewAPIKey, user string) *ServiceSpecificCredential {
	return &ServiceSpecificCredential{
		CreateDate: k.Created, ExpirationDate: k.Expires, ServiceName: identity.ServiceName, ServiceCredentialAlias: k.Alias,
		ServiceCredentialSecret: k.Token, ServiceSpecificCredentialId: k.ID, UserName: user, Status: k.Status(a.Now()),
	}
}

func (a *API) listServiceSpecificCredentials(ctx context.Context, who outcrop.Caller, in *ListServiceSpecificCredentialsInput) (*ListServiceSpecificCredentialsOutput, error) {
	all, err := a.serviceCredentials(ctx, who, in)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(all, page(in.Marker, in.MaxItems), func(c ServiceSpecificCredentialMetadata) string {
		return c.UserName + " " + byAge(c.CreateDate, c.ServiceSpecificCredentialId)
	})
	return &ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: some, IsTruncated: truncated(next), Marker: next}, err
}

func (a *API) serviceCredentials(ctx context.Context, who outcrop.Caller, in *ListServiceSpecificCredentialsInput) ([]ServiceSpecificCredentialMetadata, error) {
	if in.AllUsers != nil && *in.AllUsers {
		if in.UserName != "" {
			return nil, invalidInput("UserName cannot be given together with AllUsers.")
		}
		keys, err := a.Identity.ListServiceCredentials(ctx, who.Account)
		return each(keys, func(k identity.OwnedAPIKey) ServiceSpecificCredentialMetadata {
			return a.listed(k.APIKey, k.User.Name)
		}), err
	}
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := a.Identity.ServiceCredentials(ctx, who.Account, name, in.ServiceName)
	return each(keys, func(k identity.APIKey) ServiceSpecificCredentialMetadata { return a.listed(k, name) }), err
}

func (a *API) listed(k identity.APIKey, user string) ServiceSpecificCredentialMetadata {
	return ServiceSpecificCredentialMetadata{
		UserName: user, Status: k.Status(a.Now()), ServiceCredentialAlias: k.Alias, CreateDate: k.Created,
		ExpirationDate: k.Expires, ServiceSpecificCredentialId: k.ID, ServiceName: identity.ServiceName,
	}
}

// byAge is a key that sorts the oldest first.
func byAge(created time.Time, id string) string { return created.UTC().Format(time.RFC3339) + " " + id }

func (a *API) updateServiceSpecificCredential(ctx context.Context, who outcrop.Caller, in *UpdateServiceSpecificCredentialInput) (*nothing, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	on, err := switchTo(in.Status)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.SetServiceCredentialActive(ctx, who.Account, name, in.ServiceSpecificCredentialId, on))
}

func (a *API) resetServiceSpecificCredential(ctx context.Context, who outcrop.Caller, in *ResetServiceSpecificCredentialInput) (*ResetServiceSpecificCredentialOutput, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	k, err := a.Identity.ResetServiceCredential(ctx, who.Account, name, in.ServiceSpecificCredentialId)
	if err != nil {
		return nil, err
	}
	return &ResetServiceSpecificCredentialOutput{ServiceSpecificCredential: a.shownOnce(k, name)}, nil
}

func (a *API) deleteServiceSpecificCredential(ctx context.Context, who outcrop.Caller, in *DeleteServiceSpecificCredentialInput) (*nothing, error) {
	name, err := userName(who, in.UserName)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.DeleteServiceCredential(ctx, who.Account, name, in.ServiceSpecificCredentialId))
}
