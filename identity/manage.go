package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"outcrop"
)

// CreateAccessKey gives a user another access key.
func (d *Directory) CreateAccessKey(ctx context.Context, account outcrop.AccountID, userName string) (*NewAccessKey, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	u, err := d.User(ctx, account, userName)
	if err != nil {
		return nil, err
	}
	have, err := d.store.AccessKeysOf(ctx, u.ID)
	if err != nil {
		return nil, wrap("list access keys", err)
	}
	if len(have) >= MaxAccessKeysPerUser {
		return nil, quota("AccessKeysPerUser", MaxAccessKeysPerUser)
	}
	d.sealing.RLock()
	defer d.sealing.RUnlock()
	k, err := d.newAccessKey(u)
	if err != nil {
		return nil, err
	}
	if err := d.store.Add(ctx, Batch{AccessKeys: []AccessKey{k.AccessKey}}); err != nil {
		return nil, wrap("create access key", err)
	}
	return k, nil
}

// newAccessKey needs d.sealing, until the key is in the store.
func (d *Directory) newAccessKey(u User) (*NewAccessKey, error) {
	k := &NewAccessKey{AccessKey: AccessKey{ID: newID("AKIA", 16), UserID: u.ID, Active: true, Created: d.stamp()}, Secret: newSecret(30)}
	var err error
	k.Sealed, err = d.sealer.Seal(AccessKeySecret, k.ID, k.Secret)
	return k, err
}

// DeactivateAccessKey keeps the key and stops it from working.
func (d *Directory) DeactivateAccessKey(ctx context.Context, id string) error {
	return d.change(id, d.store.Deactivate(ctx, id))
}

// CreateAPIKey gives a user a long-term Bedrock API key. It expires at the
// time given, or never at the zero time.
func (d *Directory) CreateAPIKey(ctx context.Context, account outcrop.AccountID, userName string, expires time.Time) (*NewAPIKey, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	u, err := d.User(ctx, account, userName)
	if err != nil {
		return nil, err
	}
	have, err := d.store.APIKeysOf(ctx, u.ID)
	if err != nil {
		return nil, wrap("list API keys", err)
	}
	if len(have) >= maxAPIKeysPerUser {
		return nil, tooManyAPIKeys()
	}
	for n := range maxAliasTries {
		k := d.newAPIKey(u, n, expires)
		err := d.store.Add(ctx, Batch{APIKeys: []APIKey{k.APIKey}})
		switch {
		case err == nil:
			return k, nil
		case outcrop.KindOf(err) != outcrop.Conflict:
			return nil, wrap("create API key", err)
		}
	}
	return nil, tooManyAPIKeys()
}

// newAPIKey makes the n-th key of u. The alias says which one it is, as IAM's
// do: alice-at-123456789012, then alice+1-at-123456789012. A renamed user keeps
// its aliases, so that a later alice may have to go further.
func (d *Directory) newAPIKey(u User, n int, expires time.Time) *NewAPIKey {
	alias := fmt.Sprintf("%s-at-%s", u.Name, u.Account)
	if n > 0 {
		alias = fmt.Sprintf("%s+%d-at-%s", u.Name, n, u.Account)
	}
	secret := newSecret(32)
	return &NewAPIKey{
		APIKey: APIKey{ID: newID("ACCA", 17), UserID: u.ID, Alias: alias, Digest: sha256.Sum256([]byte(secret)), Active: true, Created: d.stamp(), Expires: expires},
		Token:  tokenOf(alias, secret),
	}
}

func tokenOf(alias, secret string) string {
	return longTermPrefix + base64.StdEncoding.EncodeToString([]byte(alias+":"+secret))
}

// RevokeAPIKey forgets a long-term key.
func (d *Directory) RevokeAPIKey(ctx context.Context, id string) error {
	return d.change(id, d.store.Remove(ctx, id))
}

// change makes an alteration of a key visible at once.
func (d *Directory) change(id string, err error) error {
	d.forget() // even on failure: the store may have changed before it failed
	if outcrop.KindOf(err) == outcrop.NotFound {
		return noSuchKey(id)
	}
	return wrap("change key", err)
}

// RotateEnvelope seals every secret with a new envelope key and retires the
// old ones. If it stops half-way, secrets sealed either way stay readable, and
// the next call finishes the work.
func (d *Directory) RotateEnvelope(ctx context.Context) error {
	d.sealing.Lock()
	defer d.sealing.Unlock()
	if err := d.sealer.Rotate(); err != nil {
		return err
	}
	keys, err := d.store.AccessKeys(ctx)
	if err != nil {
		return wrap("list access keys", err)
	}
	for _, k := range keys {
		if err := d.reseal(ctx, k); err != nil {
			return err
		}
	}
	return d.sealer.Retire()
}

func (d *Directory) reseal(ctx context.Context, k AccessKey) error {
	secret, err := d.sealer.Open(AccessKeySecret, k.ID, k.Sealed)
	if err != nil {
		return err
	}
	sealed, err := d.sealer.Seal(AccessKeySecret, k.ID, secret)
	if err != nil {
		return err
	}
	err = d.store.Reseal(ctx, k.ID, k.Sealed, sealed)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return nil // removed since it was listed
	}
	return wrap("reseal access key", err)
}

// stamp is the time that records carry: IAM's dates are whole seconds.
func (d *Directory) stamp() time.Time { return d.now().UTC().Truncate(time.Second) }

// wrap says what was being done; a refusal that has words of its own keeps them.
func wrap(doing string, err error) error {
	if err == nil || errors.As(err, new(*outcrop.Error)) {
		return err
	}
	return fmt.Errorf("%s: %w", doing, err)
}
