package identity

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity/sealing"
	"outcrop/sigv4"
)

// A Directory finds who a request comes from, and manages who there is. It is
// safe for concurrent use. Every change passes through it and empties its
// memory, so that what it answers next is already true; a change made by
// another node on the same store is seen within maxCacheAge.
type Directory struct {
	store  Store
	sealer *sealing.Sealer
	now    func() time.Time

	keys     *cache[Key]
	apiKeys  *cache[knownAPIKey]
	verifier sigv4.Verifier // of short-term API keys

	sessions *cache[Key]         // temporary credentials, by digest
	grants   *memo               // of callers
	allowed  allowed             // invocations, under their Grants
	texts    *cache[*iam.Policy] // compiled documents
	uses     uses

	// changing is held while anything but a secret's seal changes, so that
	// what a change is checked against stays true until it is written.
	changing sync.Mutex

	// sealing is held for writing while the envelope key changes, so that no
	// secret is sealed with a key that is about to retire.
	sealing sync.RWMutex
}

// A knownAPIKey is a long-term key and whose it is.
type knownAPIKey struct {
	key    APIKey
	caller outcrop.Caller
}

// AccessKeySecret is the secret half of an access key.
const AccessKeySecret sealing.Purpose = "outcrop identity access-key-secret v1"

// New makes a Directory over store; sealer opens its secrets.
func New(store Store, sealer *sealing.Sealer, now func() time.Time) *Directory {
	return &Directory{store: store, sealer: sealer, now: now,
		keys: newCache[Key](now), apiKeys: newCache[knownAPIKey](now), sessions: newCache[Key](now),
		grants: newMemo(now), texts: newCache[*iam.Policy](now), uses: uses{last: map[string]Use{}}}
}

// SecretFor finds an access key by its id. An unknown id is outcrop.Denied; so
// is a deactivated one, whose Key then comes without its secret.
func (d *Directory) SecretFor(ctx context.Context, accessKey string) (Key, error) {
	k, err := d.keys.get(ctx, accessKey, d.loadKey)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return Key{}, unrecognized()
	}
	if err == nil && !k.Active {
		err = unrecognized()
	}
	return k, err
}

func (d *Directory) loadKey(ctx context.Context, id string) (Key, error) {
	if !accessKeyID.MatchString(id) { // spares the store what cannot be there
		return Key{}, unrecognized()
	}
	k, u, err := d.store.AccessKey(ctx, id)
	if err != nil {
		return Key{}, fmt.Errorf("load access key: %w", err)
	}
	key := Key{Caller: callerOf(u, id), Active: k.Active}
	if k.Active {
		key.Secret, err = d.sealer.Open(AccessKeySecret, id, k.Sealed)
	}
	return key, err
}

func callerOf(u User, credential string) outcrop.Caller {
	return outcrop.Caller{Account: u.Account, Principal: u.ARN(), UserID: u.ID, AccessKey: credential}
}

// forget drops every key remembered, after a change is in the store.
func (d *Directory) forget() {
	d.keys.clear()
	d.apiKeys.clear()
	d.sessions.clear()
}

// drop forgets what was concluded from a thing that has changed: the rights of
// those it bears on and, for a user or role, its keys and sessions.
func (d *Directory) drop(e Entry) {
	switch e.Kind {
	case userEntry, roleEntry:
		d.keys.drop(func(k Key) bool { return k.Caller.UserID == e.ID })
		d.apiKeys.drop(func(k knownAPIKey) bool { return k.caller.UserID == e.ID })
		d.sessions.drop(func(k Key) bool { return strings.HasPrefix(k.Caller.UserID, e.ID) })
		d.grants.drop(e.ID)
	case groupEntry:
		d.grants.drop(e.ID)
	case policyEntry:
		d.grants.drop(policyLean(e.arn))
		d.sessions.clear() // session policies may be copies of it
	case accountEntry, orgEntry, unitEntry, scpEntry:
		d.grants.clear() // rare, and they bear on whole accounts
	}
}
