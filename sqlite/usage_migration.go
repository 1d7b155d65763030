package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"outcrop"
)

// moveUsage is the migration after 0011: it moves the records of the table of
// one column for each field, which stores of the first version have, into
// usage_records and drops it.
var moveUsage = goose.NewGoMigration(12, &goose.GoFunc{RunTx: moveUsageRows}, nil)

// oldUsageColumns are those of 0004_usage.sql.
const oldUsageColumns = `seq, invocation, operation, account, principal, access_key, sdk_attempt, started, first_byte, ended,
	region, served_in, upstream, attempts, model_ref, metric_id, profile, model, geography,
	input, output, cache_read, cache_write_5m, cache_write_1h, estimated,
	price, rate_input, rate_output, rate_cache_read, rate_cache_5m, rate_cache_1h,
	tags, metadata, tier, status, error, stop_reason, hung_up, recovered`

func moveUsageRows(ctx context.Context, tx *sql.Tx) error {
	w, err := newUsageWriter(ctx, tx)
	if err != nil {
		return err
	}
	defer w.close()
	for after := outcrop.Seq(0); ; {
		records, err := oldUsage(ctx, tx, after, usageBatchRecords)
		if err != nil {
			return fmt.Errorf("read old usage: %w", err)
		}
		if len(records) == 0 {
			break
		}
		if err := w.insert(ctx, tx, records, true); err != nil {
			return err
		}
		after = records[len(records)-1].Seq
	}
	_, err = tx.ExecContext(ctx, `DROP TABLE usage`)
	return err
}

func oldUsage(ctx context.Context, tx *sql.Tx, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	rows, err := tx.QueryContext(ctx, `SELECT `+oldUsageColumns+` FROM usage WHERE seq > ? ORDER BY seq LIMIT ?`, int64(after), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []outcrop.UsageRecord
	for rows.Next() {
		var row oldUsageRow
		r, err := row.scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

// oldUsageKinds are the kinds of token that the table had columns for.
const oldUsageKinds = 5

// oldUsageRow is where one row is scanned to.
type oldUsageRow struct {
	texts                     [14]sql.NullString
	started, firstByte, ended sql.NullInt64
	tokens, rates             [oldUsageKinds]sql.NullInt64
	tags, metadata            sql.NullString
}

func (w *oldUsageRow) scan(scan func(...any) error) (r outcrop.UsageRecord, err error) {
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

func setKinds[N ~uint64](p *outcrop.PerKind[N], from *[oldUsageKinds]sql.NullInt64) {
	for k, n := range from {
		if n.Valid {
			p.Set(outcrop.TokenKind(k), N(n.Int64))
		}
	}
}

func fromJSON[M ~map[string]string](s sql.NullString, m *M) error {
	if !s.Valid {
		return nil
	}
	return json.Unmarshal([]byte(s.String), m)
}

func instant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.Unix(0, n.Int64).UTC()
}
