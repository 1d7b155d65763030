package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outcrop/telemetry/prom"
)

// diskMetrics are how long the disk keeps callers and the store waiting: what
// tells a slow disk from a slow server.
type diskMetrics struct {
	commit, store prometheus.Histogram
}

// diskSeconds are the buckets, from a good disk's sync to a stalled one's.
var diskSeconds = prometheus.ExponentialBuckets(.0001, 2, 14)

func newDiskMetrics() diskMetrics {
	return diskMetrics{
		commit: prom.Histogram("ledger_commit_seconds", "To have records on disk: a write and a sync of the ledger.", diskSeconds),
		store:  prom.Histogram("store_write_seconds", "To commit to the store, from the last statement on.", diskSeconds),
	}
}

func (m *diskMetrics) committed(took time.Duration) { m.commit.Observe(took.Seconds()) }

func (m *diskMetrics) stored(took time.Duration) { m.store.Observe(took.Seconds()) }

func (m *diskMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.commit, m.store}
}
