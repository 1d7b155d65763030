package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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

// metricIDs are what a fold has found before: the ids of lanes, and when each
// metric was last noted as recorded.
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
	found, commit := noMetricIDs(), s.db.update
	if origin == fromLedger {
		commit = s.db.derive
	}
	err := commit(ctx, func(tx *sql.Tx) error {
		if err := first(tx); err != nil {
			return err
		}
		w, err := newMetricWriter(ctx, tx, &s.known, &found, origin)
		if err != nil {
			return err
		}
		defer w.close()
		return w.rows(ctx, rows)
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

// Lanes is metrics.Store's.
func (s *Metrics) Lanes(ctx context.Context, account outcrop.AccountID, region outcrop.Region, namespace string) ([]metrics.LaneInfo, error) {
	where, args := []string{"true"}, []any{}
	for _, c := range []struct{ column, value string }{{"account", string(account)}, {"region", string(region)}, {"namespace", namespace}} {
		if c.value != "" {
			where, args = append(where, "l."+c.column+" = ?"), append(args, c.value)
		}
	}
	rows, err := s.db.read.QueryContext(ctx, `SELECT l.account, l.region, l.namespace, l.dimensions, a.names
		FROM metric_lanes l JOIN metric_activity a ON a.lane = l.id WHERE `+strings.Join(where, " AND ")+`
		ORDER BY l.account, l.region, l.namespace, l.dimensions`, args...)
	if err != nil {
		return nil, fmt.Errorf("list metrics: %w", err)
	}
	defer rows.Close()
	var list []metrics.LaneInfo
	for rows.Next() {
		var lane metrics.Lane
		var names []byte
		if err := rows.Scan(&lane.Account, &lane.Region, &lane.Namespace, &lane.Dimensions, &names); err != nil {
			return nil, fmt.Errorf("list metrics: %w", err)
		}
		if n := len(list); n == 0 || list[n-1].Lane != lane {
			list = append(list, metrics.LaneInfo{Lane: lane, Last: map[string]time.Time{}})
		}
		if err := addActivity(list[len(list)-1].Last, names); err != nil {
			return nil, err
		}
	}
	return list, rows.Err()
}

// Reset is metrics.Store's.
func (s *Metrics) Reset(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.db.update(ctx, func(tx *sql.Tx) error {
		for _, table := range []string{"metric_packs", "metric_activity"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE origin = ?", fromLedger); err != nil {
				return err
			}
		}
		return setMetricsMark(ctx, tx, 0)
	})
	s.known = noMetricIDs()
	return err
}

// addActivity adds when the metrics of a lane were last recorded: a lane has a
// row for each origin.
func addActivity(last map[string]time.Time, names []byte) error {
	var noted map[string]int64
	if err := json.Unmarshal(names, &noted); err != nil {
		return fmt.Errorf("list metrics: %w", err)
	}
	for name, at := range noted {
		if t := time.Unix(at, 0).UTC(); t.After(last[name]) {
			last[name] = t
		}
	}
	return nil
}
