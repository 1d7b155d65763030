package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// Metrics is the DB as package metrics sees it.
type Metrics struct {
	db *DB

	mu    sync.Mutex
	known metricIDs // committed, so that a fold asks for new ones only
}

// metricIDs are what a fold has found before.
type metricIDs struct {
	lanes map[metrics.Lane]int64
	last  map[metricName]int64
}

type metricName struct {
	lane   int64
	name   string
	origin int
}

var _ metrics.Store = (*Metrics)(nil)

// Metrics opens the metrics.
func (db *DB) Metrics() *Metrics { return &Metrics{db: db, known: noMetricIDs()} }

func noMetricIDs() metricIDs {
	return metricIDs{map[metrics.Lane]int64{}, map[metricName]int64{}}
}

const (
	metricsWatermark = "metrics.watermark" // row of meta
	fromLedger       = 0                   // origin of rows
	fromElsewhere    = 1
	maxKnownMetrics  = 100_000 // ids remembered
)

// Watermark is metrics.Store's.
func (s *Metrics) Watermark(ctx context.Context) (outcrop.Seq, error) {
	return metricsMark(ctx, s.db.read)
}

func metricsMark(ctx context.Context, q rower) (mark outcrop.Seq, err error) {
	err = q.QueryRowContext(ctx, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?", metricsWatermark).Scan(&mark)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return mark, err
}

func setMetricsMark(ctx context.Context, tx *sql.Tx, mark outcrop.Seq) error {
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", metricsWatermark, fmt.Sprint(mark))
	return err
}

// Fold is metrics.Store's.
func (s *Metrics) Fold(ctx context.Context, from, to outcrop.Seq, rows []metrics.Row) error {
	return s.merge(ctx, fromLedger, rows, func(tx *sql.Tx) error {
		mark, err := metricsMark(ctx, tx)
		if err != nil {
			return err
		}
		if mark != from {
			return metrics.ErrMoved
		}
		return setMetricsMark(ctx, tx, to)
	})
}

// Add is metrics.Store's.
func (s *Metrics) Add(ctx context.Context, rows []metrics.Row) error {
	return s.merge(ctx, fromElsewhere, rows, func(*sql.Tx) error { return nil })
}

// merge adds rows in one transaction that begins with first. Ids that it finds
// are remembered only once they are committed.
func (s *Metrics) merge(ctx context.Context, origin int, rows []metrics.Row, first func(*sql.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := noMetricIDs()
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		w, err := newMetricWriter(ctx, tx, &s.known, &found, origin)
		if err != nil {
			return err
		}
		defer w.close()
		for i := range rows {
			if err := w.row(ctx, &rows[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.remember(&found)
	return nil
}

func (s *Metrics) remember(found *metricIDs) {
	if len(s.known.last)+len(found.last) > maxKnownMetrics {
		s.known = noMetricIDs()
	}
	for lane, id := range found.lanes {
		s.known.lanes[lane] = id
	}
	for name, last := range found.last {
		s.known.last[name] = last
	}
}

// A metricWriter writes rows within one transaction.
type metricWriter struct {
	known, found                  *metricIDs
	origin                        int
	find, make, read, write, note *sql.Stmt
}

func newMetricWriter(ctx context.Context, tx *sql.Tx, known, found *metricIDs, origin int) (w *metricWriter, err error) {
	w = &metricWriter{known: known, found: found, origin: origin}
	for stmt, text := range map[**sql.Stmt]string{
		&w.find:  "SELECT id FROM metric_lanes WHERE account = ? AND region = ? AND namespace = ? AND dimensions = ?",
		&w.make:  "INSERT INTO metric_lanes (account, region, namespace, dimensions) VALUES (?, ?, ?, ?)",
		&w.read:  "SELECT block FROM metric_rows WHERE lane = ? AND step = ? AND start = ? AND origin = ?",
		&w.write: "INSERT OR REPLACE INTO metric_rows (lane, step, start, origin, block) VALUES (?, ?, ?, ?, ?)",
		&w.note: `INSERT INTO metric_names (lane, name, origin, last) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET last = max(last, excluded.last)`,
	} {
		if *stmt, err = tx.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

func (w *metricWriter) close() error {
	var errs []error
	for _, s := range []*sql.Stmt{w.find, w.make, w.read, w.write, w.note} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

func (w *metricWriter) row(ctx context.Context, r *metrics.Row) error {
	lane, err := w.lane(ctx, r.Lane)
	if err != nil {
		return fmt.Errorf("find metric lane: %w", err)
	}
	var have []byte
	err = w.read.QueryRowContext(ctx, lane, r.Step, r.Start, w.origin).Scan(&have)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read metrics: %w", err)
	}
	block, err := metrics.MergeBlocks(have, r.Block)
	if err != nil {
		return fmt.Errorf("lane %d, step %d, %d: %w", lane, r.Step, r.Start, err)
	}
	if _, err := w.write.ExecContext(ctx, lane, r.Step, r.Start, w.origin, block); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return w.names(ctx, lane, r)
}

func (w *metricWriter) lane(ctx context.Context, l metrics.Lane) (int64, error) {
	if id, ok := w.known.lanes[l]; ok {
		return id, nil
	}
	if id, ok := w.found.lanes[l]; ok {
		return id, nil
	}
	values := []any{l.Account, l.Region, l.Namespace, l.Dimensions}
	var id int64
	err := w.find.QueryRowContext(ctx, values...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		var done sql.Result
		if done, err = w.make.ExecContext(ctx, values...); err == nil {
			id, err = done.LastInsertId()
		}
	}
	w.found.lanes[l] = id
	return id, err
}

// names notes when each metric was last recorded, not oftener than the grain.
func (w *metricWriter) names(ctx context.Context, lane int64, r *metrics.Row) error {
	const grain = int64(metrics.ActivityGrain / time.Second)
	last := r.Start - r.Start%grain
	for _, name := range r.Names {
		key := metricName{lane, name, w.origin}
		if at, ok := w.known.last[key]; ok && at >= last {
			continue
		}
		if at, ok := w.found.last[key]; ok && at >= last {
			continue
		}
		if _, err := w.note.ExecContext(ctx, lane, name, w.origin, last); err != nil {
			return fmt.Errorf("note metric: %w", err)
		}
		w.found.last[key] = last
	}
	return nil
}

// Rows is metrics.Store's.
func (s *Metrics) Rows(ctx context.Context, r metrics.Reading) iter.Seq2[metrics.Row, error] {
	return func(yield func(metrics.Row, error) bool) {
		l := r.Lane
		rows, err := s.db.read.QueryContext(ctx, `SELECT start, block FROM metric_rows WHERE lane =
			(SELECT id FROM metric_lanes WHERE account = ? AND region = ? AND namespace = ? AND dimensions = ?)
			AND step = ? AND start >= ? AND start < ? ORDER BY start`, l.Account, l.Region, l.Namespace, l.Dimensions, r.Step, r.From, r.To)
		if err != nil {
			yield(metrics.Row{}, fmt.Errorf("read metrics: %w", err))
			return
		}
		defer rows.Close()
		row := metrics.Row{Lane: l, Step: r.Step}
		var block sql.RawBytes
		for rows.Next() {
			if err := rows.Scan(&row.Start, &block); err != nil {
				yield(metrics.Row{}, fmt.Errorf("read metrics: %w", err))
				return
			}
			if row.Block = block; !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(metrics.Row{}, fmt.Errorf("read metrics: %w", err))
		}
	}
}

// Lanes is metrics.Store's.
func (s *Metrics) Lanes(ctx context.Context, account outcrop.AccountID, region outcrop.Region, namespace string) ([]metrics.LaneInfo, error) {
	where, args := []string{"true"}, []any{}
	for _, c := range []struct{ column, value string }{{"account", string(account)}, {"region", string(region)}, {"namespace", namespace}} {
		if c.value != "" {
			where, args = append(where, "l."+c.column+" = ?"), append(args, c.value)
		}
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT l.account, l.region, l.namespace, l.dimensions, n.name, max(n.last)
		FROM metric_lanes l JOIN metric_names n ON n.lane = l.id WHERE `+strings.Join(where, " AND ")+`
		GROUP BY l.account, l.region, l.namespace, l.dimensions, n.name ORDER BY l.account, l.region, l.namespace, l.dimensions, n.name`, args...)
	if err != nil {
		return nil, fmt.Errorf("list metrics: %w", err)
	}
	defer rows.Close()
	var list []metrics.LaneInfo
	for rows.Next() {
		var lane metrics.Lane
		var name string
		var last int64
		if err := rows.Scan(&lane.Account, &lane.Region, &lane.Namespace, &lane.Dimensions, &name, &last); err != nil {
			return nil, fmt.Errorf("list metrics: %w", err)
		}
		if n := len(list); n == 0 || list[n-1].Lane != lane {
			list = append(list, metrics.LaneInfo{Lane: lane, Last: map[string]time.Time{}})
		}
		list[len(list)-1].Last[name] = time.Unix(last, 0).UTC()
	}
	return list, rows.Err()
}

// Expire is metrics.Store's.
func (s *Metrics) Expire(ctx context.Context, before [metrics.Steps]int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		for step, start := range before {
			// By lane, so that the primary key serves.
			if _, err := tx.ExecContext(ctx, `DELETE FROM metric_rows WHERE (lane, step, start, origin) IN (SELECT r.lane, r.step, r.start, r.origin
				FROM metric_lanes l JOIN metric_rows r ON r.lane = l.id AND r.step = ? AND r.start < ?)`, step, start); err != nil {
				return err
			}
		}
		for _, text := range []string{
			"DELETE FROM metric_names WHERE NOT EXISTS (SELECT 1 FROM metric_rows r WHERE r.lane = metric_names.lane)",
			"DELETE FROM metric_lanes WHERE NOT EXISTS (SELECT 1 FROM metric_rows r WHERE r.lane = id)",
		} {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	s.known = noMetricIDs()
	return err
}

// Reset is metrics.Store's.
func (s *Metrics) Reset(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"metric_rows", "metric_names"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE origin = ?", fromLedger); err != nil {
				return err
			}
		}
		return setMetricsMark(ctx, tx, 0)
	})
	s.known = noMetricIDs()
	return err
}
