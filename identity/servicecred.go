package identity

import (
	"context"
	"crypto/sha256"
	"slices"
	"strconv"
	"time"

	"outcrop"
)

// ServiceName is the service that long-term Bedrock API keys are for.
const ServiceName = "bedrock.amazonaws.com"

// CreateServiceCredential gives a user a long-term Bedrock API key, as
// CreateServiceSpecificCredential does. It expires after ageDays, or never at
// 0. The token is in the answer and nowhere else.
func (d *Directory) CreateServiceCredential(ctx context.Context, account outcrop.AccountID, user, service string, ageDays int) (*NewAPIKey, error) {
	if err := knownService(service); err != nil {
		return nil, err
	}
	if ageDays < 0 || ageDays > MaxCredentialAgeDays {
		return nil, constraint(ageDays, "credentialAgeDays", "Member must have value between 1 and "+strconv.Itoa(MaxCredentialAgeDays))
	}
	var expires time.Time
	if ageDays > 0 {
		expires = d.stamp().Add(time.Duration(ageDays) * 24 * time.Hour)
	}
	return d.CreateAPIKey(ctx, account, user, expires)
}

func knownService(service string) error {
	if service != ServiceName {
		return coded(outcrop.NotFound, "NotSupportedService", "The service %s is not supported.", service)
	}
	return nil
}

// ServiceCredentials lists a user's long-term Bedrock API keys, oldest first.
// service narrows to one service; empty is any.
func (d *Directory) ServiceCredentials(ctx context.Context, account outcrop.AccountID, user, service string) ([]APIKey, error) {
	if service != "" {
		if err := knownService(service); err != nil {
			return nil, err
		}
	}
	u, err := d.User(ctx, account, user)
	if err != nil {
		return nil, err
	}
	keys, err := d.store.APIKeysOf(ctx, u.ID)
	return keys, wrap("list API keys", err)
}

// ListServiceCredentials lists every long-term key of an account with its
// user, in order of user name and then age, as AllUsers asks for.
func (d *Directory) ListServiceCredentials(ctx context.Context, account outcrop.AccountID) ([]OwnedAPIKey, error) {
	users, err := all[User](ctx, d, userEntry, string(account))
	if err != nil {
		return nil, err
	}
	var out []OwnedAPIKey
	for _, u := range users {
		keys, err := d.store.APIKeysOf(ctx, u.ID)
		if err != nil {
			return nil, wrap("list API keys", err)
		}
		for _, k := range keys {
			out = append(out, OwnedAPIKey{k, u})
		}
	}
	return out, nil
}

// An OwnedAPIKey is an API key and whose it is.
type OwnedAPIKey struct {
	APIKey
	User User
}

// Status is Active, Inactive or Expired, in IAM's words.
func (k APIKey) Status(now time.Time) string {
	switch {
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return "Expired"
	case k.Active:
		return "Active"
	}
	return "Inactive"
}

// SetServiceCredentialActive switches one of a user's API keys on or off. An
// expired one stays expired.
func (d *Directory) SetServiceCredentialActive(ctx context.Context, account outcrop.AccountID, user, id string, active bool) error {
	return d.changeServiceCredential(ctx, account, user, id, func(k APIKey) error {
		if k.Status(d.now()) == "Expired" {
			return invalidInput("The status of an expired service-specific credential cannot be changed.")
		}
		return d.switching(active)(ctx, id)
	})
}

// DeleteServiceCredential forgets one of a user's API keys.
func (d *Directory) DeleteServiceCredential(ctx context.Context, account outcrop.AccountID, user, id string) error {
	return d.changeServiceCredential(ctx, account, user, id, func(APIKey) error { return d.store.Remove(ctx, id) })
}

// ResetServiceCredential gives an API key a new secret; the old token stops
// working at once.
func (d *Directory) ResetServiceCredential(ctx context.Context, account outcrop.AccountID, user, id string) (*NewAPIKey, error) {
	var fresh *NewAPIKey
	err := d.changeServiceCredential(ctx, account, user, id, func(k APIKey) error {
		secret := newSecret(32)
		k.Digest = sha256.Sum256([]byte(secret))
		fresh = &NewAPIKey{APIKey: k, Token: tokenOf(k.Alias, secret)}
		return d.store.Renew(ctx, id, k.Digest)
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

func (d *Directory) changeServiceCredential(ctx context.Context, account outcrop.AccountID, user, id string, change func(APIKey) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	keys, err := d.ServiceCredentials(ctx, account, user, "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k APIKey) bool { return k.ID == id })
	if i < 0 {
		return noSuch("Service Specific Credential %s was not found.", id)
	}
	return d.change(id, change(keys[i]))
}
