package sqlite

import (
	"path/filepath"
	"testing"

	"outcrop/metrics"
	"outcrop/metrics/metricstest"
)

func TestMetricsKeepTheirPromises(t *testing.T) {
	metricstest.Run(t, func(t testing.TB) metrics.Store {
		db, err := Open(t.Context(), filepath.Join(t.TempDir(), "metrics.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db.Metrics()
	})
}
