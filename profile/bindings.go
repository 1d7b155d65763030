package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"outcrop"
)

// A Binding makes a plain model id stand for an application profile, so that
// calls of clients that cannot pass an ARN are attributed all the same.
type Binding struct {
	BindingKey
	Profile outcrop.ARN // the application profile that answers
	Created time.Time
	Origin  string // file it was read from; empty when it was made by hand
}

// A BindingKey is what a call must have for a Binding to hold. A binding of a
// principal goes before one of the whole account.
type BindingKey struct {
	Account   outcrop.AccountID
	Region    outcrop.Region // the profile's own: calls signed for another are not touched
	ModelID   string         // as the client writes it
	Principal outcrop.ARN    // user, role or session; empty for everybody in the account
}

// A BindingStore keeps bindings. Package profiletest holds it to these
// promises.
type BindingStore interface {
	// PutBinding keeps a binding, in place of an earlier one with its key.
	PutBinding(context.Context, Binding) error
	// DeleteBinding fails with ErrNotFound.
	DeleteBinding(context.Context, BindingKey) error
	// Bindings lists those of all accounts, in any order.
	Bindings(context.Context) ([]Binding, error)
}

// MaxBindings bounds the bindings of one account: they are kept in memory.
const MaxBindings = 10_000

// Bindings are those of all accounts and Regions. Looking one up costs no
// query: a snapshot is kept, and replaced with each change. It is safe for
// concurrent use.
type Bindings struct {
	store    BindingStore
	profiles *Profiles
	now      func() time.Time
	changing sync.Mutex // held over a change and the snapshot that follows it
	fixed    []Binding  // read from files; those in the store go before them
	snapshot atomic.Pointer[map[BindingKey]bound]
}

type bound struct {
	Binding
	ref outcrop.ModelRef // of the profile, parsed
}

// OpenBindings reads what the store keeps. Those in fixed hold as long as the
// process does, wherever the store has nothing of the same key.
func OpenBindings(ctx context.Context, store BindingStore, profiles *Profiles, now func() time.Time, fixed ...Binding) (*Bindings, error) {
	b := &Bindings{store: store, profiles: profiles, now: now, fixed: fixed}
	return b, b.load(ctx)
}

// load makes the snapshot anew.
func (b *Bindings) load(ctx context.Context) error {
	kept, err := b.store.Bindings(ctx)
	if err != nil {
		return fmt.Errorf("read bindings: %w", err)
	}
	all := make(map[BindingKey]bound, len(kept)+len(b.fixed))
	for _, list := range [][]Binding{b.fixed, kept} {
		for _, one := range list {
			all[one.BindingKey] = bound{one, outcrop.ParseModelRef(string(one.Profile))}
		}
	}
	b.snapshot.Store(&all)
	return nil
}

// Bound is the profile that a call of who to ref is bound to. ok is false for
// a call that no binding touches.
func (b *Bindings) Bound(who *outcrop.Caller, ref outcrop.ModelRef) (to outcrop.ModelRef, ok bool) {
	all := *b.snapshot.Load()
	if len(all) == 0 || ref.Kind == outcrop.RefApplicationProfile {
		return to, false
	}
	k := BindingKey{Account: who.Account, Region: who.Region, ModelID: ref.Text, Principal: who.Principal}
	found, ok := all[k]
	if !ok && who.Session != nil && who.Session.Role != "" {
		k.Principal = who.Session.Role
		found, ok = all[k]
	}
	if !ok {
		k.Principal = ""
		found, ok = all[k]
	}
	return found.ref, ok
}

// Bind keeps a binding once its profile was found.
func (b *Bindings) Bind(ctx context.Context, k BindingKey, profile string) (Binding, error) {
	if ref := outcrop.ParseModelRef(k.ModelID); ref.Kind == outcrop.RefApplicationProfile {
		return Binding{}, outcrop.Errorf(outcrop.Invalid, "%s is itself an application profile: bind the model id that the client sends.", k.ModelID)
	}
	if p := k.Principal.Parts(); k.Principal != "" && p.Account != k.Account {
		return Binding{}, outcrop.Errorf(outcrop.Invalid, "%s is of another account: bind in that account, with its own keys.", k.Principal)
	}
	found, err := b.profiles.Get(ctx, k.Account, k.Region, profile)
	if err != nil {
		return Binding{}, err
	}
	if found.Kind != outcrop.Application {
		return Binding{}, outcrop.Errorf(outcrop.Invalid, "The inference profile %s is system-defined and carries no tags to bill by. Create an application inference profile from it, and bind to that.", profile)
	}
	made := Binding{BindingKey: k, Profile: found.ARN, Created: b.now().UTC().Truncate(time.Microsecond)}
	b.changing.Lock()
	defer b.changing.Unlock()
	if len(b.of(k.Account)) >= MaxBindings {
		return Binding{}, outcrop.Errorf(outcrop.QuotaExceeded, "The account already has %d model bindings. Delete some first.", MaxBindings)
	}
	if err := b.store.PutBinding(ctx, made); err != nil {
		return Binding{}, errors.Join(fmt.Errorf("bind %s: %w", k.ModelID, err), b.load(context.WithoutCancel(ctx)))
	}
	return made, b.load(context.WithoutCancel(ctx))
}

// Unbind forgets a binding.
func (b *Bindings) Unbind(ctx context.Context, k BindingKey) error {
	b.changing.Lock()
	defer b.changing.Unlock()
	if held, ok := (*b.snapshot.Load())[k]; ok && held.Origin != "" {
		return outcrop.Errorf(outcrop.Invalid, "The binding of %s was read from %s: remove it there and restart the server.", k.ModelID, held.Origin)
	}
	err := b.store.DeleteBinding(ctx, k)
	if errors.Is(err, ErrNotFound) {
		return outcrop.Errorf(outcrop.NotFound, "The model id %s is not bound for %s in %s.", k.ModelID, cmp.Or(string(k.Principal), "the account"), k.Region)
	}
	return errors.Join(err, b.load(context.WithoutCancel(ctx)))
}

// List gives the bindings of an account in a Region, in order.
func (b *Bindings) List(account outcrop.AccountID, region outcrop.Region) []Binding {
	list := slices.DeleteFunc(b.of(account), func(one Binding) bool { return one.Region != region })
	slices.SortFunc(list, func(x, y Binding) int {
		return cmp.Or(cmp.Compare(x.ModelID, y.ModelID), cmp.Compare(x.Principal, y.Principal))
	})
	return list
}

func (b *Bindings) of(account outcrop.AccountID) (list []Binding) {
	for one := range maps.Values(*b.snapshot.Load()) {
		if one.Account == account {
			list = append(list, one.Binding)
		}
	}
	return list
}
