package metricstest

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// Memory is a metrics.Store that forgets when its process ends.
type Memory struct {
	mu     sync.Mutex
	mark   outcrop.Seq
	ledger map[place][]byte
	added  map[place][]byte
	names  map[nameKey]int64
}

type place struct {
	lane  metrics.Lane
	step  metrics.Step
	start int64
}

type nameKey struct {
	lane   metrics.Lane
	name   string
	ledger bool
}

// NewMemory makes an empty Memory.
func NewMemory() *Memory {
	return &Memory{ledger: map[place][]byte{}, added: map[place][]byte{}, names: map[nameKey]int64{}}
}

// Watermark is metrics.Store's.
func (m *Memory) Watermark(context.Context) (outcrop.Seq, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mark, nil
}

// Fold is metrics.Store's.
func (m *Memory) Fold(_ context.Context, from, to outcrop.Seq, rows []metrics.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mark != from {
		return metrics.ErrMoved
	}
	if err := m.merge(m.ledger, rows, true); err != nil {
		return err
	}
	m.mark = to
	return nil
}

// Add is metrics.Store's.
func (m *Memory) Add(_ context.Context, rows []metrics.Row) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.merge(m.added, rows, false)
}

func (m *Memory) merge(into map[place][]byte, rows []metrics.Row, ledger bool) error {
	for _, r := range rows { // all or none
		if _, err := metrics.ReadBlock(r.Block); err != nil {
			return err
		}
	}
	for _, r := range rows {
		at := place{r.Lane, r.Step, r.Start}
		sum, err := metrics.MergeBlocks(into[at], r.Block)
		if err != nil {
			return err
		}
		into[at] = slices.Clone(sum)
		for _, name := range r.Names {
			key := nameKey{r.Lane, name, ledger}
			m.names[key] = max(m.names[key], r.Start-r.Start%int64(metrics.ActivityGrain/time.Second))
		}
	}
	return nil
}

// Rows is metrics.Store's.
func (m *Memory) Rows(_ context.Context, q metrics.Reading) iter.Seq2[metrics.Row, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rows []metrics.Row
	for _, from := range []map[place][]byte{m.ledger, m.added} {
		for at, block := range from {
			if at.lane == q.Lane && at.step <= q.Step && at.start >= q.From && at.start < q.To {
				rows = append(rows, metrics.Row{Lane: at.lane, Step: at.step, Start: at.start, Block: block})
			}
		}
	}
	slices.SortStableFunc(rows, func(a, b metrics.Row) int { return cmp.Compare(a.Start, b.Start) })
	return func(yield func(metrics.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Lanes is metrics.Store's.
func (m *Memory) Lanes(_ context.Context, account outcrop.AccountID, region outcrop.Region, namespace string) ([]metrics.LaneInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[metrics.Lane]map[string]time.Time{}
	for key, last := range m.names {
		l := key.lane
		if account != "" && l.Account != account || region != "" && l.Region != region || namespace != "" && l.Namespace != namespace {
			continue
		}
		if found[l] == nil {
			found[l] = map[string]time.Time{}
		}
		if at := time.Unix(last, 0).UTC(); at.After(found[l][key.name]) {
			found[l][key.name] = at
		}
	}
	var list []metrics.LaneInfo
	for lane, last := range found {
		list = append(list, metrics.LaneInfo{Lane: lane, Last: last})
	}
	slices.SortFunc(list, func(a, b metrics.LaneInfo) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Dimensions, b.Dimensions))
	})
	return list, nil
}

// Compact is metrics.Store's.
func (m *Memory) Compact(_ context.Context, now int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	left := map[metrics.Lane]bool{}
	for _, from := range []map[place][]byte{m.ledger, m.added} {
		for at, block := range maps.Clone(from) {
			step, start, ok := at.step.Home(at.start, now)
			if ok && step == at.step {
				continue
			}
			if delete(from, at); !ok {
				continue
			}
			to := place{at.lane, step, start}
			sum, err := metrics.MergeBlocks(from[to], block)
			if err != nil {
				return err
			}
			from[to] = sum
		}
		for at := range from {
			left[at.lane] = true
		}
	}
	maps.DeleteFunc(m.names, func(key nameKey, _ int64) bool { return !left[key.lane] })
	return nil
}

// Reset is metrics.Store's.
func (m *Memory) Reset(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mark = 0
	clear(m.ledger)
	maps.DeleteFunc(m.names, func(key nameKey, _ int64) bool { return key.ledger })
	return nil
}
