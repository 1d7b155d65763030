package metrics

import (
	"context"
	"fmt"

	"outcrop"
)

// maxPending bounds the Rows that wait in memory for a store that is away.
const maxPending = 20_000

// Refused counts a call that was turned away before it had a record in the
// ledger: throttled at admission, denied, or invalid. target is nil when the
// model was not known, which counts for the Region alone. It only touches memory.
func (m *Metrics) Refused(who outcrop.Caller, target *outcrop.Target, status int) {
	lane := Lane{who.Account, who.Region, Namespace, ""}
	lanes := []Lane{lane}
	if target != nil {
		g := grain{account: who.Account, region: who.Region, model: target.MetricID(), asked: standardTier, served: standardTier}
		lanes = g.lanes()
	}
	var block Block
	countOutcome(&block, status, true)
	m.count(lanes, m.now().Unix(), &block)
}

// Count adds a sample to a metric that is not folded from the ledger, such as
// a delivery of logs, at the present time. It only touches memory.
func (m *Metrics) Count(lane Lane, metric string, v float64) {
	var block Block
	block.At(metric).Add(v)
	m.count([]Lane{lane}, m.now().Unix(), &block)
}

func (m *Metrics) count(lanes []Lane, at int64, block *Block) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, lane := range lanes {
		key := rowKey{lane, Minute, floor(at, Minute.Seconds())}
		if m.direct[key] == nil && len(m.direct) >= maxPending {
			m.stats.Dropped++
			continue
		}
		addTo(m.direct, key, block)
	}
}

// flush stores what was counted in memory. What cannot be stored is kept for
// the next time.
func (m *Metrics) flush(ctx context.Context) error {
	m.mu.Lock()
	direct := m.direct
	m.direct = map[rowKey]*Block{}
	m.mu.Unlock()
	if len(direct) == 0 {
		return nil
	}
	err := m.store.Add(ctx, writeRows(shared(direct), m.now().Unix()))
	if err == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, block := range direct {
		addTo(m.direct, key, block)
	}
	return fmt.Errorf("store counted samples: %w", err)
}
