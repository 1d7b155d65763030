package identity

import (
	"maps"
	"slices"
	"sync"
	"time"

	"outcrop"
)

// A memo remembers the Grants of callers until something that they lean on
// changes.
type memo struct {
	now func() time.Time

	mu      sync.RWMutex
	entries map[string]*entry[*Grants]
	leaning map[string]map[string]bool // keys of entries, by what they lean on
	changes int                        // how often anything was dropped
}

func newMemo(now func() time.Time) *memo {
	return &memo{now: now, entries: map[string]*entry[*Grants]{}, leaning: map[string]map[string]bool{}}
}

// get answers from memory or gathers. What was being gathered while anything
// changed may be old: it is answered, as it would have been a moment earlier,
// and not remembered.
func (m *memo) get(key string, who outcrop.Caller, gather func() (*Grants, error)) (*Grants, error) {
	now := m.now()
	m.mu.RLock()
	e, changes := m.entries[key], m.changes
	m.mu.RUnlock()
	if e != nil && now.Before(e.until) && e.value.UserID == who.UserID && sameSession(e.value.session, who.Session) {
		return e.value, nil
	}
	g, err := gather()
	if err == nil {
		m.put(key, &entry[*Grants]{g, now.Add(maxCacheAge)}, changes)
	}
	return g, err
}

func (m *memo) put(key string, e *entry[*Grants], changes int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changes != changes {
		return
	}
	m.forget(key)
	if len(m.entries) >= maxCacheEntries {
		for other := range m.entries { // any one: all can be gathered again
			m.forget(other)
			break
		}
	}
	m.entries[key] = e
	for _, lean := range e.value.leans {
		if m.leaning[lean] == nil {
			m.leaning[lean] = map[string]bool{}
		}
		m.leaning[lean][key] = true
	}
}

// forget needs m.mu.
func (m *memo) forget(key string) {
	e := m.entries[key]
	if e == nil {
		return
	}
	delete(m.entries, key)
	for _, lean := range e.value.leans {
		if delete(m.leaning[lean], key); len(m.leaning[lean]) == 0 {
			delete(m.leaning, lean)
		}
	}
}

// drop forgets all that leans on id.
func (m *memo) drop(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	for _, key := range slices.Collect(maps.Keys(m.leaning[id])) {
		m.forget(key)
	}
}

func (m *memo) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changes++
	clear(m.entries)
	clear(m.leaning)
}

// sameSession says whether two sessions grant alike. They are usually one and
// the same; a token that was read again makes an equal one.
func sameSession(a, b *outcrop.Session) bool {
	if a == b {
		return true
	}
	return a != nil && b != nil && a.Role == b.Role && a.Issued.Equal(b.Issued) && a.Expires.Equal(b.Expires) &&
		slices.Equal(a.Policies, b.Policies) && maps.Equal(a.Tags, b.Tags)
}
