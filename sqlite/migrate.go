package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"path"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

func migrate(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

func provider(db *sql.DB) (*goose.Provider, error) {
	steps, err := sqlSteps()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, nil, goose.WithGoMigrations(append(steps, moveUsage, moveMetrics)...))
}

// sqlSteps are the migrations that are files. SQLite cuts a text of several
// statements by itself. goose's own parser would take four megabytes for each
// file that it reads at once, and the heap would grow by three times as much
// before the first collection.
func sqlSteps() (steps []*goose.Migration, err error) {
	const folder = "migrations"
	entries, err := migrations.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		text, err := migrations.ReadFile(path.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		version, err := goose.NumericComponent(e.Name())
		if err != nil {
			return nil, err
		}
		up, down, ok := strings.Cut(string(text), "-- +goose Down\n")
		if !ok || !strings.HasPrefix(up, "-- +goose Up\n") {
			return nil, fmt.Errorf("migration %s: want the lines -- +goose Up and -- +goose Down", e.Name())
		}
		steps = append(steps, goose.NewGoMigration(version, runs(up), runs(down)))
	}
	return steps, nil
}

// runs is a step that is SQL.
func runs(text string) *goose.GoFunc {
	return &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, text)
		return err
	}}
}
