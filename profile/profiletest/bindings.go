package profiletest

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/profile"
)

// RunBindings holds the stores that open makes to every promise of
// profile.BindingStore.
func RunBindings(t *testing.T, open func(testing.TB) profile.BindingStore) {
	for name, check := range map[string]func(*testing.T, profile.BindingStore){
		"what is put is listed, whole":                      putAndListed,
		"a second binding of a key takes the first's place": rebound,
		"what is deleted is gone, and once only":            unbound,
		"keys differ in each of their parts":                keysApart,
	} {
		t.Run(name, func(t *testing.T) { check(t, open(t)) })
	}
}

func binding(change func(*profile.Binding)) profile.Binding {
	b := profile.Binding{
		BindingKey: profile.BindingKey{Account: account, Region: region, ModelID: "my-sonnet", Principal: "arn:aws:iam::111122223333:user/ann"},
		Profile:    outcrop.ApplicationProfileARN(region, account, "abcdefghijkl"),
		Created:    noon.Truncate(time.Microsecond),
	}
	if change != nil {
		change(&b)
	}
	return b
}

func put(t *testing.T, s profile.BindingStore, list ...profile.Binding) {
	t.Helper()
	for _, b := range list {
		if err := s.PutBinding(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func listed(t *testing.T, s profile.BindingStore, want ...profile.Binding) {
	t.Helper()
	got, err := s.Bindings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	order := func(a, b profile.Binding) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.ModelID, b.ModelID), cmp.Compare(a.Principal, b.Principal))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("listed %+v\nwant %+v", got, want)
	}
}

func putAndListed(t *testing.T, s profile.BindingStore) {
	listed(t, s)
	everybody := binding(func(b *profile.Binding) { b.Principal = "" })
	put(t, s, binding(nil), everybody)
	listed(t, s, binding(nil), everybody)
}

func rebound(t *testing.T, s profile.BindingStore) {
	other := binding(func(b *profile.Binding) {
		b.Profile, b.Created = outcrop.ApplicationProfileARN(region, account, "mnopqrstuvwx"), b.Created.Add(time.Hour)
	})
	put(t, s, binding(nil), other)
	listed(t, s, other)
}

func unbound(t *testing.T, s profile.BindingStore) {
	put(t, s, binding(nil))
	if err := s.DeleteBinding(t.Context(), binding(nil).BindingKey); err != nil {
		t.Fatal(err)
	}
	listed(t, s)
	wantErr(t, s.DeleteBinding(t.Context(), binding(nil).BindingKey), profile.ErrNotFound)
}

func keysApart(t *testing.T, s profile.BindingStore) {
	all := []profile.Binding{
		binding(nil),
		binding(func(b *profile.Binding) { b.Account = "444455556666" }),
		binding(func(b *profile.Binding) { b.Region = "eu-west-1" }),
		binding(func(b *profile.Binding) { b.ModelID = "My-Sonnet" }),
		binding(func(b *profile.Binding) { b.Principal = "" }),
	}
	put(t, s, all...)
	listed(t, s, all...)
	if err := s.DeleteBinding(t.Context(), all[4].BindingKey); err != nil {
		t.Fatal(err)
	}
	listed(t, s, all[:4]...)
}

// MemoryBindings is a BindingStore that forgets at exit, for tests.
type MemoryBindings struct {
	mu  sync.Mutex
	all map[profile.BindingKey]profile.Binding
}

// NewMemoryBindings makes an empty one.
func NewMemoryBindings() *MemoryBindings {
	return &MemoryBindings{all: map[profile.BindingKey]profile.Binding{}}
}

// PutBinding is profile.BindingStore's.
func (m *MemoryBindings) PutBinding(_ context.Context, b profile.Binding) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[b.BindingKey] = b
	return nil
}

// DeleteBinding is profile.BindingStore's.
func (m *MemoryBindings) DeleteBinding(_ context.Context, k profile.BindingKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.all[k]; !ok {
		return profile.ErrNotFound
	}
	delete(m.all, k)
	return nil
}

// Bindings is profile.BindingStore's.
func (m *MemoryBindings) Bindings(context.Context) (list []profile.Binding, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.all {
		list = append(list, b)
	}
	return list, nil
}
