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
	"outcrop/identity/sealing"
)

// NewStore is a Store in memory, for tests.
func NewStore() identity.Store {
	return &memory{
		entries: map[string]identity.Entry{}, ids: map[place]string{}, access: map[string]identity.AccessKey{}, api: map[string]identity.APIKey{}, uses: map[string]identity.Use{},
	}
}

type memory struct {
	mu      sync.Mutex
	entries map[string]identity.Entry // by id
	ids     map[place]string          // of entries
	access  map[string]identity.AccessKey
	api     map[string]identity.APIKey // by id
	uses    map[string]identity.Use
}

// A place is where one entry is and no other.
type place struct {
	kind       identity.EntryKind
	scope, key string
}

func placeOf(e identity.Entry) place { return place{e.Kind, e.Scope, e.Key} }

func (m *memory) Add(_ context.Context, b identity.Batch) error {
	entries, err := b.All()
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &memory{entries: maps.Clone(m.entries), ids: maps.Clone(m.ids), access: maps.Clone(m.access), api: maps.Clone(m.api)}
	if err := next.add(entries, b); err != nil {
		return err
	}
	m.entries, m.ids, m.access, m.api = next.entries, next.ids, next.access, next.api
	return nil
}

func (m *memory) add(entries []identity.Entry, b identity.Batch) error {
	for _, e := range entries {
		if _, err := m.find(e.Kind, e.Scope, e.Key); err == nil || has(m.entries, e.ID) {
			return taken(e.Key)
		}
		e.Version = 1
		m.entries[e.ID], m.ids[placeOf(e)] = e, e.ID
	}
	for _, k := range b.AccessKeys {
		if has(m.access, k.ID) {
			return taken(k.ID)
		}
		if !has(m.entries, k.UserID) {
			return missing(k.UserID)
		}
		m.access[k.ID] = k
	}
	for _, k := range b.APIKeys {
		if _, err := m.apiKey(k.Alias); err == nil || has(m.api, k.ID) {
			return taken(k.Alias)
		}
		if !has(m.entries, k.UserID) {
			return missing(k.UserID)
		}
		m.api[k.ID] = k
	}
	return nil
}

func (m *memory) find(kind identity.EntryKind, scope, key string) (identity.Entry, error) {
	if id, ok := m.ids[place{kind, scope, key}]; ok {
		return m.entries[id], nil
	}
	return identity.Entry{}, missing(key)
}

func (m *memory) Entry(_ context.Context, kind identity.EntryKind, scope, key string) (identity.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(kind, scope, key)
}

func (m *memory) EntryByID(_ context.Context, id string) (identity.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[id]; ok {
		return e, nil
	}
	return identity.Entry{}, missing(id)
}

func (m *memory) Replace(_ context.Context, e identity.Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	have, ok := m.entries[e.ID]
	if !ok {
		return missing(e.ID)
	}
	if other, err := m.find(e.Kind, e.Scope, e.Key); have.Version != e.Version || err == nil && other.ID != e.ID {
		return taken(e.Key)
	}
	e.Version++
	delete(m.ids, placeOf(have))
	m.entries[e.ID], m.ids[placeOf(e)] = e, e.ID
	return nil
}

func (m *memory) Delete(_ context.Context, id string, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[id]
	if !ok {
		return missing(id)
	}
	for _, k := range m.access {
		ok = ok && k.UserID != id
	}
	for _, k := range m.api {
		ok = ok && k.UserID != id
	}
	if e.Version != version || !ok {
		return taken(id)
	}
	delete(m.entries, id)
	delete(m.ids, placeOf(e))
	delete(m.uses, id)
	return nil
}

func (m *memory) Page(_ context.Context, kind identity.EntryKind, scope, after string, n int) ([]identity.Entry, error) {
	return m.some(n, func(e identity.Entry) bool { return e.Kind == kind && e.Scope == scope && e.Key > after },
		func(a, b identity.Entry) int { return cmp.Compare(a.Key, b.Key) })
}

func (m *memory) Linked(_ context.Context, link, after string, n int) ([]identity.Entry, error) {
	return m.some(n, func(e identity.Entry) bool { return e.ID > after && slices.Contains(e.Links, link) },
		func(a, b identity.Entry) int { return cmp.Compare(a.ID, b.ID) })
}

func (m *memory) some(n int, keep func(identity.Entry) bool, order func(a, b identity.Entry) int) ([]identity.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []identity.Entry
	for _, e := range m.entries {
		if keep(e) {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, order)
	return all[:min(n, len(all))], nil
}

func (m *memory) Count(_ context.Context, kind identity.EntryKind, scope string) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.Kind == kind && e.Scope == scope {
			n++
		}
	}
	return n, nil
}

func (m *memory) CountLinked(_ context.Context, link, scope string) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.Scope == scope && slices.Contains(e.Links, link) {
			n++
		}
	}
	return n, nil
}

func (m *memory) User(_ context.Context, account outcrop.AccountID, name string) (identity.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, err := m.find("user", string(account), strings.ToLower(name))
	if err != nil {
		return identity.User{}, err
	}
	return identity.UserOf(e)
}

func (m *memory) AccessKey(_ context.Context, id string) (identity.AccessKey, identity.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.access[id]
	if !ok {
		return k, identity.User{}, missing(id)
	}
	u, err := identity.UserOf(m.entries[k.UserID])
	return k, u, err
}

func (m *memory) APIKey(_ context.Context, alias string) (identity.APIKey, identity.User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, err := m.apiKey(alias)
	if err != nil {
		return k, identity.User{}, err
	}
	u, err := identity.UserOf(m.entries[k.UserID])
	return k, u, err
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
	return slices.SortedFunc(maps.Values(m.access), func(a, b identity.AccessKey) int { return cmp.Compare(a.ID, b.ID) }), nil
}

func (m *memory) AccessKeysOf(_ context.Context, user string) ([]identity.AccessKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []identity.AccessKey
	for _, k := range m.access {
		if k.UserID == user {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b identity.AccessKey) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

func (m *memory) APIKeysOf(_ context.Context, user string) ([]identity.APIKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []identity.APIKey
	for _, k := range m.api {
		if k.UserID == user {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b identity.APIKey) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return all, nil
}

func (m *memory) Reseal(_ context.Context, id string, from, to sealing.Sealed) error {
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

func (m *memory) Deactivate(_ context.Context, id string) error { return m.set(id, false) }
func (m *memory) Activate(_ context.Context, id string) error   { return m.set(id, true) }

func (m *memory) set(id string, active bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k, ok := m.access[id]; ok {
		k.Active = active
		m.access[id] = k
		return nil
	}
	k, ok := m.api[id]
	if !ok {
		return missing(id)
	}
	k.Active = active
	m.api[id] = k
	return nil
}

func (m *memory) Renew(_ context.Context, id string, digest [32]byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.api[id]
	if !ok {
		return missing(id)
	}
	k.Digest = digest
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
	delete(m.uses, id)
	return nil
}

func (m *memory) Used(_ context.Context, last map[string]identity.Use) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, u := range last {
		if (has(m.access, id) || has(m.entries, id)) && u.At.After(m.uses[id].At) {
			m.uses[id] = u
		}
	}
	return nil
}

func (m *memory) LastUse(_ context.Context, id string) (identity.Use, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.uses[id], nil
}

func has[V any](m map[string]V, id string) bool {
	_, ok := m[id]
	return ok
}

func taken(what string) error   { return outcrop.Errorf(outcrop.Conflict, "%s is taken", what) }
func missing(what string) error { return outcrop.Errorf(outcrop.NotFound, "%s is unknown", what) }
