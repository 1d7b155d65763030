package ledger_test

import (
	"testing"
	"time"

	"outcrop/ledger"
	"outcrop/ledger/ledgertest"
)

// The store is forgotten with its process, so all records must come from the
// log.
func TestKilledProcessLosesNoAcknowledgedRecord(t *testing.T) {
	opts := ledger.Options{DrainEvery: time.Hour, DrainAfter: 1 << 30, SegmentBytes: 2 << 20, MaxSegments: 4096}
	ledgertest.Kill(t, 5, opts, func(testing.TB, string) (ledger.Store, func() error) {
		return ledgertest.NewMemory(), func() error { return nil }
	})
}

func TestMemoryKeepsTheStorePromises(t *testing.T) {
	ledgertest.Run(t, func(testing.TB) ledger.Store { return ledgertest.NewMemory() })
}
