package sqlite

import (
	"path/filepath"
	"testing"

	"outcrop/cost/cur"
	"outcrop/cost/curtest"
)

func TestExportsKeepThePromisesOfAStore(t *testing.T) {
	curtest.Run(t, func(t testing.TB) cur.Store {
		db, err := Open(t.Context(), filepath.Join(t.TempDir(), "outcrop.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db.Exports()
	})
}
