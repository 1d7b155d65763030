// Package identitytest holds stores to the promises of identity.Store.
package identitytest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"outcrop"
	"outcrop/identity"
	"outcrop/identity/sealing"
)

// Run holds a store to every promise of identity.Store.
func Run(t *testing.T, open func(testing.TB) identity.Store) {
	for name, promise := range map[string]func(*testing.T, identity.Store){
		"what was added is found as it was":          foundAsAdded,
		"what is absent is not found":                absent,
		"a name is taken whatever its case":          nameTaken,
		"the same name in another account is free":   otherAccount,
		"an alias or an id is taken once":            keyTaken,
		"a key needs its user":                       orphan,
		"a batch is added whole or not at all":       wholeOrNothing,
		"one of many equal batches wins":             race,
		"a deactivated key stays and is not active":  deactivate,
		"a removed key is gone and its alias free":   remove,
		"access keys are listed by id":               list,
		"a secret is resealed unless it has changed": reseal,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
	runEntries(t, open)
	runKeys(t, open)
}

const (
	account = outcrop.AccountID("123456789012")
	other   = outcrop.AccountID("210987654321")
)

var born = time.Date(2026, 11, 21, 10, 20, 30, 0, time.UTC)

func user(n int) identity.User {
	return identity.User{ID: fmt.Sprintf("AIDA%017d", n), Account: account, Name: fmt.Sprintf("user%d", n), Created: born}
}

func accessKey(n int, u identity.User) identity.AccessKey {
	return identity.AccessKey{ID: fmt.Sprintf("AKIA%016d", n), UserID: u.ID, Sealed: sealing.Sealed(fmt.Sprintf("v1.k.%d", n)), Active: true, Created: born}
}

func apiKey(n int, u identity.User) identity.APIKey {
	return identity.APIKey{ID: fmt.Sprintf("ACCA%017d", n), UserID: u.ID, Alias: fmt.Sprintf("alias%d", n), Digest: [32]byte{0, 1, byte(n), 255}, Active: true, Created: born}
}

// full has one user with one key of each kind.
func full(n int) identity.Batch {
	u := user(n)
	return identity.Batch{Users: []identity.User{u}, AccessKeys: []identity.AccessKey{accessKey(n, u)}, APIKeys: []identity.APIKey{apiKey(n, u)}}
}

func add(t *testing.T, s identity.Store, b identity.Batch) {
	t.Helper()
	if err := s.Add(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, err error, want outcrop.Kind) {
	t.Helper()
	if err == nil || outcrop.KindOf(err) != want {
		t.Errorf("error %v of kind %v, want kind %v", err, outcrop.KindOf(err), want)
	}
}

func wantSame(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func foundAsAdded(t *testing.T, s identity.Store) {
	b := full(1)
	b.APIKeys[0].Expires = born.Add(36600 * 24 * time.Hour)
	add(t, s, b)
	u, err := s.User(t.Context(), account, "user1")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, u, b.Users[0])
	k, u, err := s.AccessKey(t.Context(), b.AccessKeys[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, k, b.AccessKeys[0])
	wantSame(t, u, b.Users[0])
	a, u, err := s.APIKey(t.Context(), b.APIKeys[0].Alias)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, b.APIKeys[0])
	wantSame(t, u, b.Users[0])
}

func absent(t *testing.T, s identity.Store) {
	add(t, s, full(1))
	_, err := s.User(t.Context(), other, "user1")
	wantKind(t, err, outcrop.NotFound)
	_, _, err = s.AccessKey(t.Context(), "AKIA")
	wantKind(t, err, outcrop.NotFound)
	_, _, err = s.APIKey(t.Context(), "")
	wantKind(t, err, outcrop.NotFound)
	wantKind(t, s.Deactivate(t.Context(), "AKIA"), outcrop.NotFound)
	wantKind(t, s.Remove(t.Context(), "ACCA"), outcrop.NotFound)
	wantKind(t, s.Reseal(t.Context(), "AKIA", "a", "b"), outcrop.NotFound)
}

func nameTaken(t *testing.T, s identity.Store) {
	add(t, s, full(1))
	u := user(2)
	u.Name = "USER1"
	wantKind(t, s.Add(t.Context(), identity.Batch{Users: []identity.User{u}}), outcrop.Conflict)
	if found, err := s.User(t.Context(), account, "uSeR1"); err != nil || found.Name != "user1" {
		t.Errorf("found %v, %v", found, err)
	}
}

func otherAccount(t *testing.T, s identity.Store) {
	add(t, s, full(1))
	u := user(2)
	u.Name, u.Account = "user1", other
	add(t, s, identity.Batch{Users: []identity.User{u}})
	found, err := s.User(t.Context(), other, "user1")
	if err != nil || found.ID != u.ID {
		t.Errorf("found %v, %v", found, err)
	}
}

func keyTaken(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	alias := apiKey(2, b.Users[0])
	alias.Alias = b.APIKeys[0].Alias
	id := apiKey(1, b.Users[0])
	id.Alias = "free"
	wantKind(t, s.Add(t.Context(), identity.Batch{APIKeys: []identity.APIKey{alias}}), outcrop.Conflict)
	wantKind(t, s.Add(t.Context(), identity.Batch{APIKeys: []identity.APIKey{id}}), outcrop.Conflict)
	wantKind(t, s.Add(t.Context(), identity.Batch{AccessKeys: b.AccessKeys}), outcrop.Conflict)
}

func orphan(t *testing.T, s identity.Store) {
	wantKind(t, s.Add(t.Context(), identity.Batch{AccessKeys: []identity.AccessKey{accessKey(1, user(1))}}), outcrop.NotFound)
	wantKind(t, s.Add(t.Context(), identity.Batch{APIKeys: []identity.APIKey{apiKey(1, user(1))}}), outcrop.NotFound)
}

func wholeOrNothing(t *testing.T, s identity.Store) {
	add(t, s, full(1))
	b := full(2)
	b.APIKeys[0].Alias = "alias1"
	wantKind(t, s.Add(t.Context(), b), outcrop.Conflict)
	_, err := s.User(t.Context(), account, "user2")
	wantKind(t, err, outcrop.NotFound)
	_, _, err = s.AccessKey(t.Context(), b.AccessKeys[0].ID)
	wantKind(t, err, outcrop.NotFound)
}

func race(t *testing.T, s identity.Store) {
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			b := full(n)
			b.Users[0].Name = "admin"
			switch err := s.Add(t.Context(), b); {
			case err == nil:
				won.Add(1)
			case outcrop.KindOf(err) != outcrop.Conflict:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d batches won, want 1", won.Load())
	}
}

func deactivate(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	for range 2 { // twice is once
		for _, id := range []string{b.AccessKeys[0].ID, b.APIKeys[0].ID} {
			if err := s.Deactivate(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
	}
	k, _, err := s.AccessKey(t.Context(), b.AccessKeys[0].ID)
	if err != nil || k.Active {
		t.Errorf("access key active = %v, %v", k.Active, err)
	}
	a, _, err := s.APIKey(t.Context(), b.APIKeys[0].Alias)
	if err != nil || a.Active {
		t.Errorf("API key active = %v, %v", a.Active, err)
	}
}

func remove(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	add(t, s, full(2))
	for _, id := range []string{b.AccessKeys[0].ID, b.APIKeys[0].ID} {
		if err := s.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		wantKind(t, s.Remove(t.Context(), id), outcrop.NotFound)
	}
	_, _, err := s.AccessKey(t.Context(), b.AccessKeys[0].ID)
	wantKind(t, err, outcrop.NotFound)
	again := apiKey(3, b.Users[0])
	again.Alias = b.APIKeys[0].Alias
	add(t, s, identity.Batch{APIKeys: []identity.APIKey{again}})
	if _, _, err := s.AccessKey(t.Context(), accessKey(2, user(2)).ID); err != nil {
		t.Errorf("a neighbour was removed too: %v", err)
	}
}

func list(t *testing.T, s identity.Store) {
	if keys, err := s.AccessKeys(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("an empty store lists %v, %v", keys, err)
	}
	var want []identity.AccessKey
	for _, n := range []int{3, 1, 2} {
		add(t, s, full(n))
	}
	for n := 1; n <= 3; n++ {
		want = append(want, accessKey(n, user(n)))
	}
	got, err := s.AccessKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, got, want)
}

func reseal(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	id, old := b.AccessKeys[0].ID, b.AccessKeys[0].Sealed
	for _, step := range []struct{ from, to, want sealing.Sealed }{
		{old, "v1.k.new", "v1.k.new"},
		{old, "v1.k.late", "v1.k.new"},
	} {
		if err := s.Reseal(t.Context(), id, step.from, step.to); err != nil {
			t.Fatal(err)
		}
		if k, _, err := s.AccessKey(t.Context(), id); err != nil || k.Sealed != step.want {
			t.Errorf("sealed = %v, %v, want %v", k.Sealed, err, step.want)
		}
	}
}
