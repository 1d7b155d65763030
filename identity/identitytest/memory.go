package identitytest

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"outcrop"
	"outcrop/identity"
)

// NewStore is a Store in memory, for tests.
func NewStore() identity.Store {
	return &memory{
		users: map[string]identity.User{}, access: map[string]identity.AccessKey{}, api: map[string]identity.APIKey{},
	}
}

type memory struct {
	mu     sync.Mutex
	users  map[string]identity.User
	access map[string]identity.AccessKey
	api    map[string]identity.APIKey // by id
}

func (m *memory) Add(_ context.Context, b identity.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &memory{users: maps.Clone(m.users), access: maps.Clone(m.access), api: maps.Clone(m.api)}
	if err := next.add(b); err != nil {
		return err
	}
	m.users, m.access, m.api = next.users, next.access, next.api
	return nil
}

func (m *memory) add(b identity.Batch) error {
	for _, u := range b.Users {
		if _, err := m.user(u.Account, u.Name); err == nil || has(m.users, u.ID) {
			return taken(u.Name)
		}
		m.users[u.ID] = u
	}
	for _, k := range b.AccessKeys {
		if has(m.access, k.ID) {
			return taken(k.ID)
		}
		if !has(m.users, k.UserID) {
			return missing(k.UserID)
		}
		m.access[k.ID] = k
	}
	for _, k := range b.APIKeys {
		if _, err := m.apiKey(k.Alias); err == nil || has(m.api, k.ID) {
			return taken(k.Alias)
		}
		if !has(m.users, k.UserID) {
			return missing(k.UserID)
		}
		m.api[k.ID] = k
	}
	return nil
}

func (m *memory) User(_ context.Context, account outcrop.AccountID, name string) (identity.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.user(account, name)
}

func (m *memory) user(account outcrop.AccountID, name string) (identity.User, error) {
	for _, u := range m.users {
		if u.Account == account && strings.EqualFold(u.Name, name) {
			return u, nil
		}
	}
	return identity.User{}, missing(name)
}

func (m *memory) AccessKey(_ context.Context, id string) (identity.AccessKey, identity.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.access[id]
	if !ok {
		return k, identity.User{}, missing(id)
	}
	return k, m.users[k.UserID], nil
}

func (m *memory) APIKey(_ context.Context, alias string) (identity.APIKey, identity.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, err := m.apiKey(alias)
	return k, m.users[k.UserID], err
}

func (m *memory) apiKey(alias string) (identity.APIKey, error) {
	for _, k := range m.api {
		if k.Alias == alias {
			return k, nil
		}
	}
	return identity.APIKey{}, missing(alias)
}

func (m *memory) AccessKeys(context.Context) ([]identity.AccessKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []identity.AccessKey
	for _, k := range m.access {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b identity.AccessKey) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func (m *memory) Reseal(_ context.Context, id string, from, to identity.Sealed) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.access[id]
	if !ok {
		return missing(id)
	}
	if k.Sealed == from {
		k.Sealed = to
		m.access[id] = k
	}
	return nil
}

func (m *memory) Deactivate(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.access[id]; ok {
		k.Active = false
		m.access[id] = k
		return nil
	}
	k, ok := m.api[id]
	if !ok {
		return missing(id)
	}
	k.Active = false
	m.api[id] = k
	return nil
}

func (m *memory) Remove(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !has(m.access, id) && !has(m.api, id) {
		return missing(id)
	}
	delete(m.access, id)
	delete(m.api, id)
	return nil
}

func has[V any](m map[string]V, id string) bool {
	_, ok := m[id]
	return ok
}

func taken(what string) error   { return outcrop.Errorf(outcrop.Conflict, "%s is taken", what) }
func missing(what string) error { return outcrop.Errorf(outcrop.NotFound, "%s is unknown", what) }
