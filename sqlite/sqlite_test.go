package sqlite

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"outcrop/ledger/ledgertest"
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

// What comes from the ledger does not wait for the disk; whatever else is
// written does, also right after it and when it fails.
func TestOnlyWhatIsDerivedDoesNotWaitForTheDisk(t *testing.T) {
	db := openTest(t)
	level := func(q rower) (n int) {
		t.Helper()
		if err := q.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	const normal, full = 1, 2
	failed := errors.New("failed")
	for _, want := range []error{nil, failed} {
		err := db.derive(t.Context(), func(tx *sql.Tx) error {
			if got := level(tx); got != normal {
				t.Errorf("what is derived is committed at level %d, want %d", got, normal)
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Fatal(err)
		}
		if err := db.update(t.Context(), func(tx *sql.Tx) error {
			if got := level(tx); got != full {
				t.Errorf("what is not derived is committed at level %d, want %d", got, full)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// A flush has something to commit, or it would sync nothing.
func TestAFlushWrites(t *testing.T) {
	db := openTest(t)
	u := db.Usage()
	if err := u.Append(t.Context(), ledgertest.Numbered(1, 3), 3); err != nil {
		t.Fatal(err)
	}
	before := walBytes(t, db)
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if walBytes(t, db) == before {
		t.Error("the write-ahead log did not grow")
	}
}

func walBytes(t *testing.T, db *DB) int64 {
	t.Helper()
	var n int
	var name, file string
	if err := db.write.QueryRowContext(t.Context(), "PRAGMA database_list").Scan(&n, &name, &file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
