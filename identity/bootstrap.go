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
	d.changing.Lock()
	defer d.changing.Unlock()
	u, err := d.store.User(ctx, account, AdminName)
	if err == nil {
		return &Bootstrapped{User: u}, false, nil
	}
	if outcrop.KindOf(err) != outcrop.NotFound {
		return nil, false, wrap("find administrator", err)
	}
	if u, err = d.newUser(account, UserSpec{Name: AdminName}); err != nil {
		return nil, false, err
	}
	u.Attached = []outcrop.ARN{AdministratorAccess}
	first, err := d.withAccount(ctx, Batch{Users: []User{u}}, account)
	if err != nil {
		return nil, false, err
	}
	b, err = d.issue(ctx, u, first, 0)
	if outcrop.KindOf(err) == outcrop.Conflict { // another process was first
		u, err = d.store.User(ctx, account, AdminName)
		return &Bootstrapped{User: u}, false, wrap("find administrator", err)
	}
	return b, err == nil, err
}

// Reissue gives the administrator another access key and API key, for when
// the first ones are lost. The earlier ones keep working until revoked.
func (d *Directory) Reissue(ctx context.Context, account outcrop.AccountID) (*Bootstrapped, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	u, err := d.User(ctx, account, AdminName)
	if err != nil {
		return nil, err
	}
	for n := range maxAPIKeysPerUser {
		b, err := d.issue(ctx, u, Batch{}, n)
		if outcrop.KindOf(err) != outcrop.Conflict {
			return b, err
		}
	}
	return nil, tooManyAPIKeys()
}

// withAccount adds account to b unless it is there already.
func (d *Directory) withAccount(ctx context.Context, b Batch, account outcrop.AccountID) (Batch, error) {
	_, err := d.Account(ctx, account)
	if outcrop.KindOf(err) != outcrop.NotFound {
		return b, err
	}
	e, err := entryOf(Account{ID: account, Name: string(account), Created: d.stamp()}, 0)
	b.Entries = append(b.Entries, e)
	return b, err
}

// issue adds an access key and the n-th API key of u, with what else is in b.
func (d *Directory) issue(ctx context.Context, u User, b Batch, n int) (*Bootstrapped, error) {
	d.sealing.RLock()
	defer d.sealing.RUnlock()
	access, err := d.newAccessKey(u)
	if err != nil {
		return nil, err
	}
	api := d.newAPIKey(u, n, time.Time{})
	b.AccessKeys, b.APIKeys = []AccessKey{access.AccessKey}, []APIKey{api.APIKey}
	if err := d.store.Add(ctx, b); err != nil {
		return nil, wrap("issue credentials", err)
	}
	return &Bootstrapped{User: u, AccessKeyID: access.ID, SecretAccessKey: access.Secret, APIKey: api.Token}, nil
}
