package cost

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"outcrop"
)

// Memory is a Store that lives and dies with the process.
type Memory struct {
	mu      sync.Mutex
	mark    outcrop.Seq
	rollups map[RollupKey]Amount
	tags    map[TagUse]TagState
}

// NewMemory makes an empty store.
func NewMemory() *Memory {
	return &Memory{rollups: map[RollupKey]Amount{}, tags: map[TagUse]TagState{}}
}

// Watermark implements Rollups.
func (m *Memory) Watermark(context.Context) (outcrop.Seq, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark, nil
}

// Fold implements Rollups.
func (m *Memory) Fold(_ context.Context, b Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mark != b.From {
		return ErrMoved
	}
	for key, add := range b.Rollups {
		sum := m.rollups[key]
		m.rollups[key] = Amount{sum.Tokens + add.Tokens, sum.Invocations + add.Invocations}
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

// Sums implements Rollups.
func (m *Memory) Sums(_ context.Context, account outcrop.AccountID, periods []Period) iter.Seq2[Sum, error] {
	return func(yield func(Sum, error) bool) {
		lines := map[Line]*Line{}
		for i, sums := range m.sums(account, periods) {
			for line, amount := range sums {
				if lines[line] == nil {
					lines[line] = &line
				}
				if !yield(Sum{i, lines[line], amount}, nil) {
					return
				}
			}
		}
	}
}

func (m *Memory) sums(account outcrop.AccountID, periods []Period) []map[Line]Amount {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]map[Line]Amount, len(periods))
	for key, add := range m.rollups {
		for i, p := range periods {
			if key.Line.Account != account || key.Hour < HourOf(p.Start) || key.Hour >= HourOf(p.End) {
				continue
			}
			if out[i] == nil {
				out[i] = map[Line]Amount{}
			}
			sum := out[i][key.Line]
			out[i][key.Line] = Amount{sum.Tokens + add.Tokens, sum.Invocations + add.Invocations}
		}
	}
	return out
}

// Totals implements Rollups.
func (m *Memory) Totals(context.Context) (Totals, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := Totals{Watermark: m.mark}
	for _, sum := range m.rollups {
		t.Records += sum.Invocations
		t.Tokens += sum.Tokens
	}
	return t, nil
}

// Reset implements Rollups.
func (m *Memory) Reset(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.rollups)
	m.mark = 0
	for use, state := range m.tags {
		m.tags[use] = TagState{Key: state.Key, Status: state.Status, Updated: state.Updated}
	}
	return nil
}

// Tags implements TagStates.
func (m *Memory) Tags(_ context.Context, account outcrop.AccountID) ([]TagState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []TagState
	for use := range maps.Keys(m.tags) {
		if use.Account == account {
			out = append(out, m.tags[use])
		}
	}
	slices.SortFunc(out, func(a, b TagState) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// SetTags implements TagStates.
func (m *Memory) SetTags(_ context.Context, account outcrop.AccountID, states []TagState) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, set := range states {
		use := TagUse{account, set.Key}
		state := m.state(use)
		state.Status, state.Updated = set.Status, set.Updated
		m.tags[use] = state
	}
	return nil
}

func (m *Memory) state(use TagUse) TagState {
	if state, ok := m.tags[use]; ok {
		return state
	}
	return TagState{Key: use.Key, Status: Inactive}
}
