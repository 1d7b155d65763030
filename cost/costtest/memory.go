package costtest

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"outcrop"
	"outcrop/cost"
)

// memory is a cost.Store that lives and dies with the process.
type memory struct {
	mu      sync.Mutex
	mark    outcrop.Seq
	rollups map[cost.RollupKey]cost.Amount
	tags    map[cost.TagUse]cost.TagState
	docs    map[outcrop.AccountID][]cost.Document
	made    int64
}

// NewMemory makes an empty store that lives and dies with the process.
func NewMemory() cost.Store {
	return &memory{rollups: map[cost.RollupKey]cost.Amount{}, tags: map[cost.TagUse]cost.TagState{}, docs: map[outcrop.AccountID][]cost.Document{}}
}

func (m *memory) Watermark(context.Context) (outcrop.Seq, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark, nil
}

func (m *memory) Fold(_ context.Context, b cost.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mark != b.From {
		return cost.ErrMoved
	}
	for key, add := range b.Rollups {
		sum := m.rollups[key]
		m.rollups[key] = cost.Amount{Tokens: sum.Tokens + add.Tokens, Invocations: sum.Invocations + add.Invocations}
	}
	for use, hour := range b.TagsUsed {
		state := m.state(use)
		if hour.After(state.Used) {
			state.Used = hour
		}
		m.tags[use] = state
	}
	m.mark = b.To
	return nil
}

func (m *memory) Hours(_ context.Context, account outcrop.AccountID, from, to int64) iter.Seq2[cost.Rollup, error] {
	return m.walk(account, from, to, func(hour int64) int64 { return hour })
}

func (m *memory) Days(_ context.Context, account outcrop.AccountID, from, to int64) iter.Seq2[cost.Rollup, error] {
	return m.walk(account, from, to, cost.DayOf)
}

// walk adds up rollups by what at makes of their hours.
func (m *memory) walk(account outcrop.AccountID, from, to int64, at func(int64) int64) iter.Seq2[cost.Rollup, error] {
	return func(yield func(cost.Rollup, error) bool) {
		lines := map[cost.Line]*cost.Line{}
		sums := m.sums(account, from, to, at)
		for _, when := range slices.Sorted(maps.Keys(sums)) {
			for line, amount := range sums[when] {
				if lines[line] == nil {
					lines[line] = &line
				}
				if !yield(cost.Rollup{At: when, Line: lines[line], Amount: amount}, nil) {
					return
				}
			}
		}
	}
}

func (m *memory) sums(account outcrop.AccountID, from, to int64, at func(int64) int64) map[int64]map[cost.Line]cost.Amount {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[int64]map[cost.Line]cost.Amount{}
	for key, add := range m.rollups {
		when := at(key.Hour)
		if key.Line.Account != account || when < from || when >= to {
			continue
		}
		if out[when] == nil {
			out[when] = map[cost.Line]cost.Amount{}
		}
		sum := out[when][key.Line]
		out[when][key.Line] = cost.Amount{Tokens: sum.Tokens + add.Tokens, Invocations: sum.Invocations + add.Invocations}
	}
	return out
}

func (m *memory) Totals(context.Context) (cost.Totals, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := cost.Totals{Watermark: m.mark}
	for _, sum := range m.rollups {
		t.Records += sum.Invocations
		t.Tokens += sum.Tokens
	}
	return t, nil
}

func (m *memory) Reset(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.rollups)
	m.mark = 0
	for use, state := range m.tags {
		m.tags[use] = cost.TagState{Key: state.Key, Status: state.Status, Updated: state.Updated}
	}
	return nil
}

func (m *memory) Tags(_ context.Context, account outcrop.AccountID) ([]cost.TagState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []cost.TagState
	for use := range maps.Keys(m.tags) {
		if use.Account == account {
			out = append(out, m.tags[use])
		}
	}
	slices.SortFunc(out, func(a, b cost.TagState) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

func (m *memory) SetTags(_ context.Context, account outcrop.AccountID, states []cost.TagState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, set := range states {
		use := cost.TagUse{Account: account, Key: set.Key}
		state := m.state(use)
		state.Status, state.Updated = set.Status, set.Updated
		m.tags[use] = state
	}
	return nil
}

func (m *memory) state(use cost.TagUse) cost.TagState {
	if state, ok := m.tags[use]; ok {
		return state
	}
	return cost.TagState{Key: use.Key, Status: cost.Inactive}
}

func (m *memory) Documents(_ context.Context, account outcrop.AccountID, kind string) ([]cost.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []cost.Document
	for _, d := range m.docs[account] {
		if d.Kind == kind {
			out = append(out, d)
		}
	}
	return out, nil
}

func (m *memory) PutDocument(_ context.Context, account outcrop.AccountID, d cost.Document) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d.Body = slices.Clone(d.Body)
	for i, have := range m.docs[account] {
		if have.Kind == d.Kind && have.ID == d.ID {
			d.Number = have.Number
			m.docs[account][i] = d
			return nil
		}
	}
	m.made++
	d.Number = m.made
	m.docs[account] = append(m.docs[account], d)
	return nil
}

func (m *memory) DeleteDocument(_ context.Context, account outcrop.AccountID, kind, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.docs[account])
	m.docs[account] = slices.DeleteFunc(m.docs[account], func(d cost.Document) bool { return d.Kind == kind && d.ID == id })
	return len(m.docs[account]) < before, nil
}
