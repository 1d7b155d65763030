package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"time"

	"outcrop/metrics"
)

// A metricWriter writes rows within one transaction.
type metricWriter struct {
	known, found *metricIDs
	origin       int

	find, make, read, write, drop, active, note *sql.Stmt
}

func newMetricWriter(ctx context.Context, tx *sql.Tx, known, found *metricIDs, origin int) (w *metricWriter, err error) {
	w = &metricWriter{known: known, found: found, origin: origin}
	for stmt, text := range map[**sql.Stmt]string{
		&w.find:   "SELECT id FROM metric_lanes WHERE account = ? AND region = ? AND namespace = ? AND dimensions = ?",
		&w.make:   "INSERT INTO metric_lanes (account, region, namespace, dimensions) VALUES (?, ?, ?, ?)",
		&w.read:   "SELECT pack FROM metric_packs WHERE lane = ? AND form = ? AND start = ? AND origin = ?",
		&w.write:  "INSERT OR REPLACE INTO metric_packs (lane, form, start, origin, pack) VALUES (?, ?, ?, ?, ?)",
		&w.drop:   "DELETE FROM metric_packs WHERE lane = ? AND form = ? AND start = ? AND origin = ?",
		&w.active: "SELECT names FROM metric_activity WHERE lane = ? AND origin = ?",
		&w.note:   "INSERT OR REPLACE INTO metric_activity (lane, origin, names) VALUES (?, ?, ?)",
	} {
		if *stmt, err = tx.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(err, w.close())
		}
	}
	return w, nil
}

func (w *metricWriter) close() error {
	var errs []error
	for _, s := range []*sql.Stmt{w.find, w.make, w.read, w.write, w.drop, w.active, w.note} {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// rows merges rows, each pack once.
func (w *metricWriter) rows(ctx context.Context, rows []metrics.Row) error {
	ids := make([]int64, len(rows))
	names := map[int64]map[string]int64{} // by lane
	for i := range rows {
		id, err := w.lane(ctx, rows[i].Lane)
		if err != nil {
			return fmt.Errorf("find metric lane: %w", err)
		}
		ids[i] = id
		w.lately(names, id, &rows[i])
	}
	if err := w.packs(ctx, w.sort(ids, rows)); err != nil {
		return err
	}
	for lane, last := range names {
		if err := w.activity(ctx, lane, last); err != nil {
			return fmt.Errorf("note metrics: %w", err)
		}
	}
	return nil
}

// sort puts rows into packs.
func (w *metricWriter) sort(ids []int64, rows []metrics.Row) map[packKey][]packed {
	hours := map[[2]int64]uint32{} // by lane and day, a bit for each hour
	for i := range rows {
		day := floorTo(rows[i].Start, metrics.Day)
		hours[[2]int64{ids[i], day}] |= 1 << ((rows[i].Start - day) / hourSeconds)
	}
	packs := map[packKey][]packed{}
	for i := range rows {
		r := &rows[i]
		form := dayForm(r.Step)
		day := floorTo(r.Start, metrics.Day)
		if r.Step == metrics.Minute && bits.OnesCount32(hours[[2]int64{ids[i], day}]) < scatteredHours {
			form = minutesOfHour
		}
		into(packs, packKey{lane: ids[i], form: form, origin: w.origin}, r.Start, r.Block)
	}
	return packs
}

// into puts a block into the pack of its form in which start lies.
func into(packs map[packKey][]packed, key packKey, start int64, block []byte) {
	key.start = floorTo(start, key.form.span())
	packs[key] = append(packs[key], packed{uint64(start-key.start) / uint64(key.form.step().Seconds()), block})
}

// packs merges blocks into packs, in the order in which the table has them.
func (w *metricWriter) packs(ctx context.Context, packs map[packKey][]packed) error {
	still := context.WithoutCancel(ctx) // the driver watches a context that can end with a goroutine for each statement
	for _, key := range slices.SortedFunc(maps.Keys(packs), packKey.compare) {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		have, err := w.pack(still, key)
		if err != nil {
			return err
		}
		pack, err := mergePack(have, packs[key])
		if err != nil {
			return fmt.Errorf("lane %d, form %d, %d: %w", key.lane, key.form, key.start, err)
		}
		if _, err := w.write.ExecContext(still, key.lane, key.form, key.start, key.origin, pack); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	return nil
}

// pack reads one, empty when there is none.
func (w *metricWriter) pack(ctx context.Context, key packKey) (pack []byte, err error) {
	err = w.read.QueryRowContext(ctx, key.lane, key.form, key.start, key.origin).Scan(&pack)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	return pack, nil
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

// lately collects when each metric was last recorded, where that is news: not
// oftener than the grain.
func (w *metricWriter) lately(names map[int64]map[string]int64, lane int64, r *metrics.Row) {
	last := floorTo(r.Start, int64(metrics.ActivityGrain/time.Second))
	for _, name := range r.Names {
		key := metricName{lane, name, w.origin}
		if at, ok := w.known.last[key]; ok && at >= last {
			continue
		}
		if at, ok := w.found.last[key]; ok && at >= last {
			continue
		}
		w.found.last[key] = last
		if names[lane] == nil {
			names[lane] = map[string]int64{}
		}
		names[lane][name] = last
	}
}

// activity notes when metrics of a lane were last recorded.
func (w *metricWriter) activity(ctx context.Context, lane int64, last map[string]int64) error {
	var have []byte
	err := w.active.QueryRowContext(ctx, lane, w.origin).Scan(&have)
	switch {
	case err == nil:
		noted := map[string]int64{}
		if err := json.Unmarshal(have, &noted); err != nil {
			return err
		}
		for name, at := range noted {
			last[name] = max(last[name], at)
		}
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	_, err = w.note.ExecContext(ctx, lane, w.origin, string(text))
	return err
}
