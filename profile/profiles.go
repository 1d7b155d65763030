// Package profile creates, finds, tags and resolves inference profiles.
package profile

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"time"

	"outcrop"
	"outcrop/catalog"
)

// Options are what an operator can turn. The zero value behaves as AWS does.
type Options struct {
	Quota                   int           // application profiles per account and Region; default 1,000 (L-40EC9882)
	UniqueNames             bool          // refuse a second profile of the same name in an account and Region
	AcceptBareProfileID     bool          // let an application profile be invoked by its 12 characters, as AWS does not
	RejectProfileOnlyModels bool          // refuse at create to copy a model that cannot be invoked on demand
	TokenTTL                time.Duration // how long a clientRequestToken is remembered; default 24 hours
	CacheEntries            int           // resolved references kept in memory; default 50,000
}

// Defaults of Options.
const (
	DefaultQuota        = 1000
	DefaultTokenTTL     = 24 * time.Hour
	DefaultCacheEntries = 50_000
)

func (o Options) withDefaults() Options {
	o.Quota = cmp.Or(o.Quota, DefaultQuota)
	o.TokenTTL = cmp.Or(o.TokenTTL, DefaultTokenTTL)
	o.CacheEntries = cmp.Or(o.CacheEntries, DefaultCacheEntries)
	return o
}

// Profiles are the inference profiles of all accounts and Regions. It is safe
// for concurrent use.
type Profiles struct {
	store   Store
	catalog func() *catalog.Catalog
	now     func() time.Time
	opts    Options
	cache   *cache
}

// New makes Profiles over a store. catalog gives the catalogue that holds at
// the moment of the call; it is asked on every call.
func New(store Store, catalog func() *catalog.Catalog, now func() time.Time, opts Options) *Profiles {
	opts = opts.withDefaults()
	return &Profiles{store: store, catalog: catalog, now: now, opts: opts, cache: newCache(opts.CacheEntries)}
}

// A Key is an application profile's place in the store.
type Key struct {
	Account outcrop.AccountID
	Region  outcrop.Region
	ID      string
}

// A Creation is what the store decides on in one transaction.
type Creation struct {
	Key         Key
	Profile     *outcrop.InferenceProfile
	Token       string    // clientRequestToken; empty when the client sent none
	Fingerprint string    // of the request's parameters: a token is only good for the same ones
	TokensSince time.Time // tokens first used before this are forgotten
	Quota       int       // profiles that the account may have in the Region
	UniqueName  bool
}

// A Position is a place in the order of a list: by creation, then by ID. The
// zero Position is before the first.
type Position struct {
	Created time.Time
	ID      string
}

// A Store keeps application profiles. Timestamps are kept to the microsecond.
// What it hands out belongs to the caller, and it keeps nothing of what it was
// handed. Package profiletest holds it to these promises.
type Store interface {
	// CreateProfile keeps a new profile and returns it; when the Token was
	// used for it before and the profile still lives, it returns that one and
	// keeps nothing. In this order it fails with ErrTokenReused, ErrQuota,
	// ErrNameTaken and ErrIDTaken.
	CreateProfile(context.Context, Creation) (*outcrop.InferenceProfile, error)
	// Profile fails with ErrNotFound.
	Profile(context.Context, Key) (*outcrop.InferenceProfile, error)
	// ProfilePage lists at most limit profiles after a Position. They may share
	// memory with each other.
	ProfilePage(ctx context.Context, a outcrop.AccountID, r outcrop.Region, after Position, limit int) ([]*outcrop.InferenceProfile, error)
	// DeleteProfile fails with ErrNotFound. The profile's token goes with it.
	DeleteProfile(context.Context, Key) error
	// ChangeProfileTags replaces the tags by change's answer unless change
	// fails, and nobody else changes them meanwhile. It fails with
	// ErrNotFound, and with whatever change fails with.
	ChangeProfileTags(ctx context.Context, k Key, change func(outcrop.Tags) (outcrop.Tags, error)) error
}

// What a Store fails with.
var (
	ErrNotFound    = errors.New("no such inference profile")
	ErrTokenReused = errors.New("token was used with other parameters")
	ErrNameTaken   = errors.New("name is taken")
	ErrIDTaken     = errors.New("id is taken")
	ErrQuota       = errors.New("quota is reached")
)

const (
	idLength   = 12
	idAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
)

// newID draws the 12 characters that name an application profile. Bytes that
// would favour some characters are drawn again.
func newID() string {
	const fair = 256 - 256%len(idAlphabet)
	id := make([]byte, 0, idLength)
	var draw [2 * idLength]byte
	for len(id) < idLength {
		rand.Read(draw[:])
		for _, b := range draw {
			if int(b) < fair && len(id) < idLength {
				id = append(id, idAlphabet[int(b)%len(idAlphabet)])
			}
		}
	}
	return string(id)
}
