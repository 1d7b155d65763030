package identity

import (
	"context"
	"time"

	"outcrop"
)

// AdminName is the user that the first start creates.
const AdminName = "admin"

// Bootstrap makes sure that account has its administrator. The first time it
// creates the user with one access key and one Bedrock API key, all in one
// step, and returns their secrets; from then on created is false and there
// are no secrets to return.
func (d *Directory) Bootstrap(ctx context.Context, account outcrop.AccountID) (b *Bootstrapped, created bool, err error) {
	u, err := d.store.User(ctx, account, AdminName)
	if err == nil {
		return &Bootstrapped{User: u}, false, nil
	}
	if outcrop.KindOf(err) != outcrop.NotFound {
		return nil, false, wrap("find administrator", err)
	}
	if u, err = d.newUser(account, AdminName); err != nil {
		return nil, false, err
	}
	b, err = d.issue(ctx, u, []User{u}, 0)
	if outcrop.KindOf(err) == outcrop.Conflict { // another process was first
		u, err = d.store.User(ctx, account, AdminName)
		return &Bootstrapped{User: u}, false, wrap("find administrator", err)
	}
	return b, err == nil, err
}

// Reissue gives the administrator another access key and API key, for when
// the first ones are lost. The earlier ones keep working until revoked.
func (d *Directory) Reissue(ctx context.Context, account outcrop.AccountID) (*Bootstrapped, error) {
	u, err := d.user(ctx, account, AdminName)
	if err != nil {
		return nil, err
	}
	for n := range maxAPIKeysPerUser {
		b, err := d.issue(ctx, u, nil, n)
		if outcrop.KindOf(err) != outcrop.Conflict {
			return b, err
		}
	}
	return nil, tooManyAPIKeys()
}

// issue adds an access key and the n-th API key of u, and u itself if new.
func (d *Directory) issue(ctx context.Context, u User, added []User, n int) (*Bootstrapped, error) {
	d.sealing.RLock()
	defer d.sealing.RUnlock()
	access, err := d.newAccessKey(u)
	if err != nil {
		return nil, err
	}
	api := d.newAPIKey(u, n, time.Time{})
	err = d.store.Add(ctx, Batch{Users: added, AccessKeys: []AccessKey{access.AccessKey}, APIKeys: []APIKey{api.APIKey}})
	if err != nil {
		return nil, wrap("issue credentials", err)
	}
	return &Bootstrapped{User: u, AccessKeyID: access.ID, SecretAccessKey: access.Secret, APIKey: api.Token}, nil
}
