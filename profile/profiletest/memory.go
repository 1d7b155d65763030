package profiletest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"outcrop"
	"outcrop/profile"
)

// Memory is a Store that forgets at exit, for tests.
type Memory struct {
	mu       sync.Mutex
	profiles map[profile.Key]*outcrop.InferenceProfile
	tokens   map[tokenKey]use
}

type tokenKey struct {
	account outcrop.AccountID
	region  outcrop.Region
	token   string
}

type use struct {
	fingerprint string
	profile     profile.Key
	at          time.Time
}

// NewMemory makes an empty one.
func NewMemory() *Memory {
	return &Memory{profiles: map[profile.Key]*outcrop.InferenceProfile{}, tokens: map[tokenKey]use{}}
}

// CreateProfile is profile.Store's.
func (m *Memory) CreateProfile(_ context.Context, c profile.Creation) (*outcrop.InferenceProfile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	tk := tokenKey{c.Key.Account, c.Key.Region, c.Token}
	if used, ok := m.tokens[tk]; ok && c.Token != "" && !used.at.Before(c.TokensSince) {
		if used.fingerprint != c.Fingerprint {
			return nil, profile.ErrTokenReused
		}
		return clone(m.profiles[used.profile]), nil
	}
	if err := m.room(c); err != nil {
		return nil, err
	}
	m.profiles[c.Key] = clone(c.Profile)
	if c.Token != "" {
		m.tokens[tk] = use{c.Fingerprint, c.Key, c.Profile.CreatedAt}
	}
	return clone(c.Profile), nil
}

func (m *Memory) room(c profile.Creation) error {
	owned := m.owned(c.Key.Account, c.Key.Region)
	sameName := func(p *outcrop.InferenceProfile) bool { return p.Name == c.Profile.Name }
	switch _, taken := m.profiles[c.Key]; {
	case len(owned) >= c.Quota:
		return profile.ErrQuota
	case c.UniqueName && slices.ContainsFunc(owned, sameName):
		return profile.ErrNameTaken
	case taken:
		return profile.ErrIDTaken
	}
	return nil
}

func (m *Memory) owned(a outcrop.AccountID, r outcrop.Region) (list []*outcrop.InferenceProfile) {
	for k, p := range m.profiles {
		if k.Account == a && k.Region == r {
			list = append(list, p)
		}
	}
	return list
}

// Profile is profile.Store's.
func (m *Memory) Profile(_ context.Context, k profile.Key) (*outcrop.InferenceProfile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.profiles[k]
	if !ok {
		return nil, profile.ErrNotFound
	}
	return clone(p), nil
}

// ProfilePage is profile.Store's.
func (m *Memory) ProfilePage(_ context.Context, a outcrop.AccountID, r outcrop.Region, after profile.Position, limit int) ([]*outcrop.InferenceProfile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := slices.DeleteFunc(m.owned(a, r), func(p *outcrop.InferenceProfile) bool { return order(place(p), after) <= 0 })
	slices.SortFunc(list, func(p, q *outcrop.InferenceProfile) int { return order(place(p), place(q)) })
	list = list[:min(limit, len(list))]
	for i, p := range list {
		list[i] = clone(p)
	}
	return list, nil
}

func place(p *outcrop.InferenceProfile) profile.Position {
	return profile.Position{Created: p.CreatedAt, ID: p.ID}
}

func order(p, q profile.Position) int {
	return cmp.Or(p.Created.Compare(q.Created), cmp.Compare(p.ID, q.ID))
}

// DeleteProfile is profile.Store's.
func (m *Memory) DeleteProfile(_ context.Context, k profile.Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.profiles[k]; !ok {
		return profile.ErrNotFound
	}
	delete(m.profiles, k)
	for tk, used := range m.tokens {
		if used.profile == k {
			delete(m.tokens, tk)
		}
	}
	return nil
}

// ChangeProfileTags is profile.Store's.
func (m *Memory) ChangeProfileTags(_ context.Context, k profile.Key, change func(outcrop.Tags) (outcrop.Tags, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.profiles[k]
	if !ok {
		return profile.ErrNotFound
	}
	tags, err := change(p.Tags.Clone())
	if err == nil {
		p.Tags = tags.Clone()
	}
	return err
}

func clone(p *outcrop.InferenceProfile) *outcrop.InferenceProfile {
	c := *p
	c.Models, c.Destinations, c.Tags = slices.Clone(p.Models), slices.Clone(p.Destinations), p.Tags.Clone()
	return &c
}
