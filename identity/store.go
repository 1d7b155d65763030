package identity

import (
	"context"
	"time"

	"outcrop"
	"outcrop/identity/sealing"
)

// A Batch is what comes into being together.
type Batch struct {
	Entries    []Entry
	Users      []User // filed by UserEntry
	AccessKeys []AccessKey
	APIKeys    []APIKey
}

// All entries of b, users among them.
func (b Batch) All() ([]Entry, error) {
	all := b.Entries[:len(b.Entries):len(b.Entries)]
	for _, u := range b.Users {
		e, err := UserEntry(u)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// A Store keeps entries and keys. What is absent is outcrop.NotFound.
// Implementations are safe for concurrent use.
type Store interface {
	Entries
	EntryLists
	Keys
	KeyLists
	// Add writes all of b or nothing. It is outcrop.Conflict when an id, an
	// alias, or a key in its kind and scope is taken, and outcrop.NotFound
	// when a key's user is unknown.
	Add(ctx context.Context, b Batch) error
}

// Entries keeps entries one by one.
type Entries interface {
	Entry(ctx context.Context, kind EntryKind, scope, key string) (Entry, error)
	EntryByID(ctx context.Context, id string) (Entry, error)
	// Replace writes e over the entry with its id, which must still have the
	// version e has; else it is outcrop.Conflict, as when e's new key is
	// taken. The entry then has the version after it.
	Replace(ctx context.Context, e Entry) error
	// Delete is outcrop.Conflict when the entry has another version or has
	// keys of either kind.
	Delete(ctx context.Context, id string, version int64) error
}

// EntryLists finds many entries.
type EntryLists interface {
	// Page lists at most n of kind in scope whose keys come after after, in
	// the order of their bytes.
	Page(ctx context.Context, kind EntryKind, scope, after string, n int) ([]Entry, error)
	// Linked lists at most n that link so and whose ids come after after, by id.
	Linked(ctx context.Context, link, after string, n int) ([]Entry, error)
	Count(ctx context.Context, kind EntryKind, scope string) (int, error)
	// CountLinked counts those in scope that link so.
	CountLinked(ctx context.Context, link, scope string) (int, error)
}

// Keys keeps access keys and API keys.
type Keys interface {
	User(ctx context.Context, account outcrop.AccountID, name string) (User, error)
	AccessKey(ctx context.Context, id string) (AccessKey, User, error)
	APIKey(ctx context.Context, alias string) (APIKey, User, error)
	// Reseal replaces a sealed secret unless it is no longer from.
	Reseal(ctx context.Context, id string, from, to sealing.Sealed) error
	// Deactivate keeps an access key or API key and stops it from working.
	Deactivate(ctx context.Context, id string) error
	// Activate lets a deactivated key of either kind work again.
	Activate(ctx context.Context, id string) error
	// Renew gives an API key another secret.
	Renew(ctx context.Context, id string, digest [32]byte) error
	// Remove forgets an access key or API key.
	Remove(ctx context.Context, id string) error
}

// KeyLists finds many keys.
type KeyLists interface {
	// AccessKeys lists every key of every account, by id.
	AccessKeys(ctx context.Context) ([]AccessKey, error)
	// AccessKeysOf lists a user's keys, oldest first and then by id.
	AccessKeysOf(ctx context.Context, userID string) ([]AccessKey, error)
	// APIKeysOf lists a user's API keys, oldest first and then by id.
	APIKeysOf(ctx context.Context, userID string) ([]APIKey, error)
	// Used keeps when keys were last used. Unknown ids are passed over, and
	// an earlier use never replaces a later one.
	Used(ctx context.Context, last map[string]Use) error
	// LastUse of an access key or role id; the zero Use when there was none.
	LastUse(ctx context.Context, id string) (Use, error)
}

// A Use is the last time that a key signed a request, or a role was assumed.
type Use struct {
	At      time.Time // whole seconds
	Service string    // such as "bedrock"
	Region  outcrop.Region
}
