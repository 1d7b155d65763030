package prom

import (
	"sync"
	"sync/atomic"

	"outcrop"

	"github.com/prometheus/client_golang/prometheus"
)

// maxKept bounds the kinds of record whose series are at hand.
const maxKept = 4096

// A like is what records have in common that are counted in the same series.
type like struct {
	account   outcrop.AccountID
	region    outcrop.Region
	model     string
	operation outcrop.Operation
	upstream  string
	servedIn  outcrop.Region
	status    int
}

// series are where records like one another are counted. Finding them by their
// labels takes longer than counting, so they are found once. A series that
// nothing was counted in does not exist yet.
type series struct {
	account, model, status string // labels

	invocations, attempts once[prometheus.Counter]
	tokens, unpriced      [outcrop.TokenKinds]once[prometheus.Counter]
	duration, firstToken  once[prometheus.Observer]
}

// A once holds what was found.
type once[T any] struct{ found atomic.Pointer[T] }

func (o *once[T]) or(find func() T) T {
	if have := o.found.Load(); have != nil {
		return *have
	}
	found := find()
	o.found.Store(&found)
	return found
}

// kept are the series of the records that came last. What a label's value
// becomes stays so, and with it the series.
type kept struct {
	mu  sync.RWMutex
	all map[like]*series
}

func (m *Metrics) seriesOf(r *outcrop.UsageRecord) *series {
	k := like{r.Account, r.Region, r.MetricID, r.Operation, r.Upstream, r.ServedIn, r.Outcome.Status}
	m.kept.mu.RLock()
	s := m.kept.all[k]
	m.kept.mu.RUnlock()
	if s != nil {
		return s
	}
	s = &series{account: m.accounts.of(string(r.Account)), model: m.models.of(r.MetricID), status: statuses(r.Outcome.Status)}
	m.kept.mu.Lock()
	defer m.kept.mu.Unlock()
	if m.kept.all == nil || len(m.kept.all) >= maxKept {
		m.kept.all = map[like]*series{}
	}
	m.kept.all[k] = s
	return s
}
