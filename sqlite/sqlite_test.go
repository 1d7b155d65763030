package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

// openTest opens a fresh store that is closed with the test.
func openTest(t testing.TB) *DB {
	t.Helper()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "outcrop.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestStoreIsPrivateToItsOwnerAndReopens(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outcrop.db")
	for range 2 {
		db, err := Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode = %o, want 600", mode)
	}
}

// Pages that connections keep are never given back: together they are a part
// of what the process takes for good, so they have a bound.
func TestPageCachesAreSmall(t *testing.T) {
	db := openTest(t)
	total := 0
	for pool, conns := range map[*sql.DB]int{db.write: 1, db.read: readConnections} {
		if got := pool.Stats().MaxOpenConnections; got != conns {
			t.Errorf("%d connections, want %d", got, conns)
		}
		var kib int
		if err := pool.QueryRowContext(t.Context(), `PRAGMA cache_size`).Scan(&kib); err != nil {
			t.Fatal(err)
		}
		if kib >= 0 {
			t.Errorf("the cache is set to %d pages, want KiB", kib)
		}
		total += -kib * conns
	}
	if total > 8<<10 {
		t.Errorf("the caches of all connections may take %d KiB, want at most 8 MiB", total)
	}
}
