package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"

	"outcrop/metrics"
)

// moveMetrics is the migration after 0033: it moves the rows of metric_rows,
// where every sample stood in three steps, into packs, where it stands in one.
var moveMetrics = goose.NewGoMigration(34, &goose.GoFunc{RunTx: moveMetricRows}, &goose.GoFunc{RunTx: oldMetricTables})

func moveMetricRows(ctx context.Context, tx *sql.Tx) error {
	known, found := noMetricIDs(), noMetricIDs()
	w, err := newMetricWriter(ctx, tx, &known, &found, 0)
	if err != nil {
		return err
	}
	defer w.close()
	lanes, err := oldLanes(ctx, tx)
	if err != nil {
		return fmt.Errorf("read old metrics: %w", err)
	}
	for _, lane := range lanes {
		packs, err := oldPacks(ctx, tx, lane)
		if err != nil {
			return fmt.Errorf("read old metrics: %w", err)
		}
		if err := w.packs(ctx, packs); err != nil {
			return err
		}
		if err := w.moveNames(ctx, tx, lane); err != nil {
			return fmt.Errorf("move names of metrics: %w", err)
		}
	}
	for _, table := range []string{"metric_names", "metric_rows"} {
		if _, err := tx.ExecContext(ctx, "DROP TABLE "+table); err != nil {
			return err
		}
	}
	return nil
}

// oldMetricTables makes the tables of before, empty: metrics begin anew.
func oldMetricTables(ctx context.Context, tx *sql.Tx) error {
	for _, text := range []string{
		`CREATE TABLE metric_rows (lane INTEGER NOT NULL REFERENCES metric_lanes (id), step INTEGER NOT NULL, start INTEGER NOT NULL,
			origin INTEGER NOT NULL, block BLOB NOT NULL, PRIMARY KEY (lane, step, start, origin)) WITHOUT ROWID, STRICT`,
		`CREATE TABLE metric_names (lane INTEGER NOT NULL REFERENCES metric_lanes (id), name TEXT NOT NULL, origin INTEGER NOT NULL,
			last INTEGER NOT NULL, PRIMARY KEY (lane, name, origin)) WITHOUT ROWID, STRICT`,
		`DELETE FROM meta WHERE name = '` + metricsWatermark + `'`,
	} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// oldLanes are lanes by origin: keys without a form.
func oldLanes(ctx context.Context, tx *sql.Tx) ([]packKey, error) {
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT lane, origin FROM metric_rows`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lanes []packKey
	for rows.Next() {
		var key packKey
		if err := rows.Scan(&key.lane, &key.origin); err != nil {
			return nil, err
		}
		lanes = append(lanes, key)
	}
	return lanes, rows.Err()
}

// oldPacks reads a lane. A longer step is needed only before the first row of
// the shorter ones.
func oldPacks(ctx context.Context, tx *sql.Tx, lane packKey) (map[packKey][]packed, error) {
	rows, err := tx.QueryContext(ctx, `SELECT step, start, block FROM metric_rows WHERE lane = ? AND origin = ? ORDER BY step, start`, lane.lane, lane.origin)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	packs := map[packKey][]packed{}
	first := int64(1<<63 - 1) // of the steps before
	starts := first           // of all so far
	step := metrics.Minute
	for rows.Next() {
		var s metrics.Step
		var start int64
		var block []byte
		if err := rows.Scan(&s, &start, &block); err != nil {
			return nil, err
		}
		if s != step {
			step, first = s, starts
		}
		if start+s.Seconds() > first {
			continue
		}
		starts, lane.form = min(starts, start), dayForm(s)
		into(packs, lane, start, block)
	}
	return packs, rows.Err()
}

func (w *metricWriter) moveNames(ctx context.Context, tx *sql.Tx, lane packKey) error {
	rows, err := tx.QueryContext(ctx, `SELECT name, last FROM metric_names WHERE lane = ? AND origin = ?`, lane.lane, lane.origin)
	if err != nil {
		return err
	}
	defer rows.Close()
	last := map[string]int64{}
	for rows.Next() {
		var name string
		var at int64
		if err := rows.Scan(&name, &at); err != nil {
			return err
		}
		last[name] = at
	}
	if err := rows.Err(); err != nil {
		return err
	}
	w.origin = lane.origin
	return w.activity(ctx, lane.lane, last)
}
