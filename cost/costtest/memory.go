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
}

// NewMemory makes an empty store that lives and dies with the process.
func NewMemory() cost.Store {
	return &memory{rollups: map[cost.RollupKey]cost.Amount{}, tags: map[cost.TagUse]cost.TagState{}}
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

func (m *memory) Sums(_ context.Context, account outcrop.AccountID, periods []cost.Period) iter.Seq2[cost.Sum, error] {
	return func(yield func(cost.Sum, error) bool) {
		lines := map[cost.Line]*cost.Line{}
		for i, sums := range m.sums(account, periods) {
			for line, amount := range sums {
				if lines[line] == nil {
					lines[line] = &line
				}
				if !yield(cost.Sum{Period: i, Line: lines[line], Amount: amount}, nil) {
					return
				}
			}
		}
	}
}

func (m *memory) sums(account outcrop.AccountID, periods []cost.Period) []map[cost.Line]cost.Amount {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]map[cost.Line]cost.Amount, len(periods))
	for key, add := range m.rollups {
		for i, p := range periods {
			if key.Line.Account != account || key.Hour < cost.HourOf(p.Start) || key.Hour >= cost.HourOf(p.End) {
				continue
			}
			if out[i] == nil {
				out[i] = map[cost.Line]cost.Amount{}
			}
			sum := out[i][key.Line]
			out[i][key.Line] = cost.Amount{Tokens: sum.Tokens + add.Tokens, Invocations: sum.Invocations + add.Invocations}
		}
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
