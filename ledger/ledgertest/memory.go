// Package ledgertest holds stores and disks to the promises that a ledger
// relies on, and lends it ones that fail on purpose.
package ledgertest

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"outcrop"
)

// A Memory is a ledger.Store that lives as long as the process, for tests.
type Memory struct {
	mu      sync.Mutex
	records []outcrop.UsageRecord // by Seq
	byID    map[outcrop.InvocationID]outcrop.UsageRecord
	mark    outcrop.Seq
	fault   func() (before, after error)
	before  []tail // what each Append since the last Flush added to
}

// A tail is where the records of a Memory ended.
type tail struct {
	records int
	mark    outcrop.Seq
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{byID: map[outcrop.InvocationID]outcrop.UsageRecord{}}
}

// Fault has every Append ask f: an error before leaves the store as it was; an
// error after hides that the transaction was committed. nil ends the faults.
func (m *Memory) Fault(f func() (before, after error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

// Append implements ledger.Store.
func (m *Memory) Append(ctx context.Context, records []outcrop.UsageRecord, watermark outcrop.Seq) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var before, after error
	if m.fault != nil {
		before, after = m.fault()
	}
	if before != nil {
		return before
	}
	m.before = append(m.before, tail{len(m.records), m.mark})
	for _, r := range records {
		if _, twice := m.byID[r.Invocation]; !twice {
			r.Tags, r.RequestMetadata = clone(r.Tags), clone(r.RequestMetadata)
			m.byID[r.Invocation] = r
			m.records = append(m.records, r)
		}
	}
	m.mark = max(m.mark, watermark)
	return after
}

// clone drops the difference between empty and nil, as a file would.
func clone[M ~map[string]string](from M) M {
	if len(from) == 0 {
		return nil
	}
	to := make(M, len(from))
	for k, v := range from {
		to[k] = v
	}
	return to
}

// Flush implements ledger.Store.
func (m *Memory) Flush(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if m.fault != nil {
		if before, after := m.fault(); before != nil || after != nil {
			return cmp.Or(before, after)
		}
	}
	m.before = nil
	return nil
}

// Crash is a power cut: of what was appended since the last Flush, the newest
// is gone, and rng says how much.
func (m *Memory) Crash(rng *rand.Rand) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := rng.IntN(len(m.before) + 1)
	if kept == len(m.before) {
		m.before = nil // it is on disk now
		return
	}
	end := m.before[kept]
	for _, r := range m.records[end.records:] {
		delete(m.byID, r.Invocation)
	}
	m.records, m.mark, m.before = m.records[:end.records], end.mark, nil
}

// Watermark implements ledger.Store.
func (m *Memory) Watermark(context.Context) (outcrop.Seq, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark, nil
}

// After implements ledger.Store.
func (m *Memory) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, _ := slices.BinarySearchFunc(m.records, after+1, func(r outcrop.UsageRecord, seq outcrop.Seq) int {
		return int(int64(r.Seq) - int64(seq))
	})
	return slices.Clone(m.records[from:min(from+max(limit, 0), len(m.records))]), nil
}

// ByInvocation implements ledger.Store.
func (m *Memory) ByInvocation(_ context.Context, id outcrop.InvocationID) (outcrop.UsageRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.byID[id]
	if !ok {
		return outcrop.UsageRecord{}, outcrop.Errorf(outcrop.NotFound, "no usage record of invocation %s", id)
	}
	return r, nil
}
