package identity

import (
	"context"
	"slices"

	"outcrop"
)

// ListAccessKeys lists a user's access keys, oldest first, without secrets.
func (d *Directory) ListAccessKeys(ctx context.Context, account outcrop.AccountID, user string) ([]AccessKey, error) {
	u, err := d.User(ctx, account, user)
	if err != nil {
		return nil, err
	}
	keys, err := d.store.AccessKeysOf(ctx, u.ID)
	return keys, wrap("list access keys", err)
}

// SetAccessKeyActive switches one of a user's access keys on or off.
func (d *Directory) SetAccessKeyActive(ctx context.Context, account outcrop.AccountID, user, id string, active bool) error {
	return d.changeAccessKey(ctx, account, user, id, d.switching(active))
}

// DeleteAccessKey forgets one of a user's access keys.
func (d *Directory) DeleteAccessKey(ctx context.Context, account outcrop.AccountID, user, id string) error {
	return d.changeAccessKey(ctx, account, user, id, d.store.Remove)
}

func (d *Directory) switching(active bool) func(context.Context, string) error {
	if active {
		return d.store.Activate
	}
	return d.store.Deactivate
}

func (d *Directory) changeAccessKey(ctx context.Context, account outcrop.AccountID, user, id string, change func(context.Context, string) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	keys, err := d.ListAccessKeys(ctx, account, user)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(keys, func(k AccessKey) bool { return k.ID == id }) {
		return noSuchKey(id)
	}
	return d.change(id, change(ctx, id))
}

// AccessKeyOwner finds whose access key id is.
func (d *Directory) AccessKeyOwner(ctx context.Context, id string) (User, error) {
	_, u, err := d.store.AccessKey(ctx, id)
	return u, mustExist(wrap("find access key", err), noSuchKey(id))
}
