package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"outcrop"
)

// An EntryKind says what an Entry keeps.
type EntryKind string

// The kinds of entries.
const (
	userEntry     EntryKind = "user"
	groupEntry    EntryKind = "group"
	roleEntry     EntryKind = "role"
	policyEntry   EntryKind = "policy"
	providerEntry EntryKind = "provider"
	accountEntry  EntryKind = "account"
	orgEntry      EntryKind = "organization"
	unitEntry     EntryKind = "unit"
	scpEntry      EntryKind = "scp"
)

// An Entry is one thing as a store keeps it. What changes together is one
// entry: a user with its tags, memberships and policies, a managed policy with
// its versions. A store compares Scope, Key and Links byte by byte.
type Entry struct {
	ID      string // unique among all entries
	Kind    EntryKind
	Scope   string   // the account that Key is unique in; empty in the organisation
	Key     string   // unique in Kind and Scope; lists are in its order
	Body    []byte   // JSON of this package
	Links   []string // what the entry leans on, such as group:AGPA…; sorted, each once
	Version int64    // 1 when added; every replacement adds one

	arn outcrop.ARN // of a policy: what attachments call it
}

// What links lead to.
const (
	groupLink    = "group:"    // and the group's id
	policyLink   = "policy:"   // and the ARN of an attached policy
	boundaryLink = "boundary:" // and the ARN of a permissions boundary
	parentLink   = "parent:"   // and the id of a root or unit
	scpLink      = "scp:"      // and the id of a service control policy
)

// A kept thing knows how it is filed.
type kept interface {
	filed() Entry // without Body and Version
}

// entryOf files x as a replacement of version, or as new at 0.
func entryOf(x kept, version int64) (Entry, error) {
	e := x.filed()
	var err error
	if e.Body, err = json.Marshal(x); err != nil {
		return e, fmt.Errorf("file %s: %w", e.Kind, err)
	}
	slices.Sort(e.Links)
	e.Links, e.Version = slices.Compact(e.Links), version
	return e, nil
}

// read is the opposite of entryOf.
func read[T any](e Entry) (T, error) {
	var x T
	if err := json.Unmarshal(e.Body, &x); err != nil {
		return x, fmt.Errorf("read %s %s: %w", e.Kind, e.ID, err)
	}
	return x, nil
}

// UserEntry files a new user, for tests and stores.
func UserEntry(u User) (Entry, error) { return entryOf(u, 0) }

// UserOf reads a user's entry.
func UserOf(e Entry) (User, error) { return read[User](e) }

// folded is a name as keys have it: IAM's names differ by more than case.
func folded(name string) string { return strings.ToLower(name) }

// find reads the one of kind with key in scope. What is absent is
// outcrop.NotFound in the store's words.
func find[T any](ctx context.Context, d *Directory, kind EntryKind, scope, key string) (T, int64, error) {
	var none T
	e, err := d.store.Entry(ctx, kind, scope, key)
	if err != nil {
		return none, 0, wrap("find "+string(kind), err)
	}
	x, err := read[T](e)
	return x, e.Version, err
}

// add writes a new thing; taken is what to say when its name is.
func (d *Directory) add(ctx context.Context, x kept, taken error) error {
	e, err := entryOf(x, 0)
	if err != nil {
		return err
	}
	err = d.store.Add(ctx, Batch{Entries: []Entry{e}})
	if outcrop.KindOf(err) == outcrop.Conflict {
		return taken
	}
	d.drop(e)
	return wrap("add "+string(e.Kind), err)
}

// replace writes a thing that was read at version.
func (d *Directory) replace(ctx context.Context, x kept, version int64) error {
	e, err := entryOf(x, version)
	if err != nil {
		return err
	}
	err = d.store.Replace(ctx, e)
	d.drop(e) // even on failure: the store may have changed before it failed
	if outcrop.KindOf(err) == outcrop.Conflict {
		return concurrent()
	}
	return wrap("change "+string(e.Kind), err)
}

// remove deletes a thing; inUse is what to say when keys hang on it.
func (d *Directory) remove(ctx context.Context, x kept, version int64, inUse error) error {
	e := x.filed()
	err := d.store.Delete(ctx, e.ID, version)
	d.drop(e)
	if outcrop.KindOf(err) == outcrop.Conflict {
		return inUse
	}
	return wrap("delete "+string(e.Kind), err)
}

// linked says whether anything in the store leads to link.
func (d *Directory) linked(ctx context.Context, link string) (bool, error) {
	found, err := d.store.Linked(ctx, link, "", 1)
	return len(found) > 0, wrap("find links", err)
}
