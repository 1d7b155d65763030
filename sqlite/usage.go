package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// Usage is the store of settled usage records (ledger.Store).
type Usage struct{ db *DB }

// Usage returns the table of usage records.
func (db *DB) Usage() *Usage { return &Usage{db} }

const (
	usageColumns = `seq, invocation, operation, account, principal, access_key, sdk_attempt, started, first_byte, ended,
		region, served_in, upstream, attempts, model_ref, metric_id, profile, model, geography,
		input, output, cache_read, cache_write_5m, cache_write_1h, estimated,
		price, rate_input, rate_output, rate_cache_read, rate_cache_5m, rate_cache_1h,
		tags, metadata, tier, status, error, stop_reason, hung_up, recovered`
	usageColumnCount = 39
	usageWatermark   = "ledger.watermark" // row of table meta
)

var insertUsage = `INSERT INTO usage (` + usageColumns + `) VALUES (?` + strings.Repeat(`,?`, usageColumnCount-1) + `)
	ON CONFLICT (invocation) DO NOTHING`

// Append adds records and raises the watermark in one transaction. A record
// whose invocation is there already is left out.
func (u *Usage) Append(ctx context.Context, records []outcrop.UsageRecord, watermark outcrop.Seq) error {
	err := u.db.update(ctx, func(tx *sql.Tx) error {
		if err := insertAll(ctx, tx, records); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE
			SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`, usageWatermark, strconv.FormatUint(uint64(watermark), 10))
		return err
	})
	if err != nil {
		return fmt.Errorf("append usage: %w", err)
	}
	return nil
}

func insertAll(ctx context.Context, tx *sql.Tx, records []outcrop.UsageRecord) error {
	if len(records) == 0 {
		return nil
	}
	insert, err := tx.PrepareContext(ctx, insertUsage)
	if err != nil {
		return err
	}
	defer insert.Close()
	args := make([]any, 0, usageColumnCount)
	for i := range records {
		if args, err = usageArgs(args[:0], &records[i]); err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("record %d, invocation %s: %w", records[i].Seq, records[i].Invocation, err)
		}
	}
	return nil
}

// Watermark is the Seq up to which everything was appended.
func (u *Usage) Watermark(ctx context.Context) (outcrop.Seq, error) {
	var text string
	err := u.db.read.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, usageWatermark).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read usage watermark: %w", err)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return outcrop.Seq(n), err
}

// After returns up to limit records with a greater Seq, in order.
func (u *Usage) After(ctx context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	rows, err := u.db.read.QueryContext(ctx, `SELECT `+usageColumns+` FROM usage WHERE seq > ? ORDER BY seq LIMIT ?`, int64(after), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("read usage: %w", err)
	}
	defer rows.Close()
	var records []outcrop.UsageRecord
	var row usageRow
	for rows.Next() {
		r, err := row.scan(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read usage: %w", err)
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

// ByInvocation returns one record, or an error of kind NotFound.
func (u *Usage) ByInvocation(ctx context.Context, id outcrop.InvocationID) (outcrop.UsageRecord, error) {
	var row usageRow
	r, err := row.scan(u.db.read.QueryRowContext(ctx, `SELECT `+usageColumns+` FROM usage WHERE invocation = ?`, string(id)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return outcrop.UsageRecord{}, outcrop.Errorf(outcrop.NotFound, "no usage record of invocation %s", id)
	}
	if err != nil {
		return outcrop.UsageRecord{}, fmt.Errorf("read usage: %w", err)
	}
	return r, nil
}

// usageArgs are the values of r in the order of usageColumns.
func usageArgs(a []any, r *outcrop.UsageRecord) ([]any, error) {
	tags, err := jsonText(r.Tags)
	if err != nil {
		return nil, err
	}
	metadata, err := jsonText(r.RequestMetadata)
	if err != nil {
		return nil, err
	}
	a = append(a, int64(r.Seq), string(r.Invocation), string(r.Operation), string(r.Account), text(r.Principal), text(r.AccessKey), text(r.SDKAttempt),
		nanos(r.Started), nanos(r.FirstByte), nanos(r.Ended),
		string(r.Region), text(r.ServedIn), text(r.Upstream), r.Attempts, text(r.ModelRef), text(r.MetricID), text(r.Profile), text(r.Model), text(r.Geography))
	a = appendKinds(a, &r.Usage.PerKind)
	a = append(a, flag(r.Usage.Estimated), text(r.Quote.Price))
	a = appendKinds(a, &r.Quote.Rates)
	return append(a, tags, metadata, text(r.ServiceTier), r.Outcome.Status, text(r.Outcome.Error), text(r.Outcome.StopReason),
		flag(r.Outcome.HungUp), flag(r.Outcome.Recovered)), nil
}

func appendKinds[N ~uint64](a []any, p *outcrop.PerKind[N]) []any {
	for k := range outcrop.Kinds() {
		if n, known := p.Get(k); known {
			a = append(a, int64(n)) // the same 64 bits
		} else {
			a = append(a, nil)
		}
	}
	return a
}

// text leaves out what is empty: a NULL takes no room.
func text[S ~string](s S) any {
	if s == "" {
		return nil
	}
	return string(s)
}

func nanos(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixNano()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func jsonText[M ~map[string]string](m M) (any, error) {
	if len(m) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(m)
	return string(b), err
}

// usageRow is where one row is scanned to.
type usageRow struct {
	texts                     [14]sql.NullString
	started, firstByte, ended sql.NullInt64
	tokens, rates             [outcrop.TokenKinds]sql.NullInt64
	tags, metadata            sql.NullString
}

func (w *usageRow) scan(scan func(...any) error) (r outcrop.UsageRecord, err error) {
	t, n, p := &w.texts, &w.tokens, &w.rates
	err = scan(&r.Seq, &r.Invocation, &r.Operation, &r.Account, &t[0], &t[1], &t[2], &w.started, &w.firstByte, &w.ended,
		&r.Region, &t[3], &t[4], &r.Attempts, &t[5], &t[6], &t[7], &t[8], &t[9],
		&n[0], &n[1], &n[2], &n[3], &n[4], &r.Usage.Estimated,
		&t[10], &p[0], &p[1], &p[2], &p[3], &p[4],
		&w.tags, &w.metadata, &t[11], &r.Outcome.Status, &t[12], &t[13], &r.Outcome.HungUp, &r.Outcome.Recovered)
	if err != nil {
		return outcrop.UsageRecord{}, err
	}
	r.Principal, r.AccessKey, r.SDKAttempt = outcrop.ARN(t[0].String), t[1].String, t[2].String
	r.Started, r.FirstByte, r.Ended = instant(w.started), instant(w.firstByte), instant(w.ended)
	r.ServedIn, r.Upstream = outcrop.Region(t[3].String), t[4].String
	r.ModelRef, r.MetricID, r.Profile = t[5].String, t[6].String, outcrop.ARN(t[7].String)
	r.Model, r.Geography = outcrop.ModelID(t[8].String), outcrop.Geography(t[9].String)
	r.Quote.Price, r.ServiceTier = t[10].String, t[11].String
	r.Outcome.Error, r.Outcome.StopReason = t[12].String, t[13].String
	setKinds(&r.Usage.PerKind, n)
	setKinds(&r.Quote.Rates, p)
	if err := fromJSON(w.tags, &r.Tags); err != nil {
		return r, fmt.Errorf("tags of record %d: %w", r.Seq, err)
	}
	if err := fromJSON(w.metadata, &r.RequestMetadata); err != nil {
		return r, fmt.Errorf("metadata of record %d: %w", r.Seq, err)
	}
	return r, nil
}

func instant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}

func setKinds[N ~uint64](p *outcrop.PerKind[N], from *[outcrop.TokenKinds]sql.NullInt64) {
	for k := range outcrop.Kinds() {
		if from[k].Valid {
			p.Set(k, N(from[k].Int64))
		}
	}
}

func fromJSON[M ~map[string]string](s sql.NullString, m *M) error {
	if !s.Valid {
		return nil
	}
	return json.Unmarshal([]byte(s.String), m)
}
