package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"outcrop"
	"outcrop/ledger"
)

// Bounds of a usageWriter.
const (
	insertRows   = 64     // rows in one statement, at most: each step of the driver costs
	shapesCached = 10_000 // shapes whose id is remembered
	blockRecords = 1024   // records after which a block is full
	usageColumns = "seq, invocation, shape, own"
)

// insertSizes are how many rows statements have. What is left over by the first
// is for the next: half a second's records are seldom a multiple of 64.
var insertSizes = [...]int{insertRows, 8, 1}

const (
	noteShape = `INSERT INTO usage_shapes (shape) VALUES (?) ON CONFLICT (shape) DO UPDATE SET shape = shape RETURNING id`
	markUsage = `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE
		SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))`
)

func insertUsage(rows int) string {
	return `INSERT INTO usage_records (` + usageColumns + `) VALUES (?,?,?,?)` + strings.Repeat(`,(?,?,?,?)`, rows-1) + ` ON CONFLICT (invocation) DO NOTHING`
}

// A usageWriter inserts records. It serves one transaction at a time, with
// statements that are compiled once.
type usageWriter struct {
	rows               [len(insertSizes)]*sql.Stmt
	note, mark         *sql.Stmt
	hour, widen, begin *sql.Stmt

	ids   map[string]int64 // by shape
	shape []byte
	own   []byte // of all rows of a statement
	args  []any
	count usageCount
}

// newUsageWriter compiles the statements on the connection that writes. Within
// a transaction it would be too late: that has the only one.
func newUsageWriter(ctx context.Context, db interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}) (w *usageWriter, err error) {
	w = &usageWriter{ids: map[string]int64{}}
	texts := map[**sql.Stmt]string{&w.note: noteShape, &w.mark: markUsage, &w.hour: countHour, &w.widen: widenBlock, &w.begin: beginBlock}
	for i, rows := range insertSizes {
		texts[&w.rows[i]] = insertUsage(rows)
	}
	for stmt, text := range texts {
		if *stmt, err = db.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare to write usage: %w", err), w.close())
		}
	}
	return w, nil
}

func (w *usageWriter) close() error {
	var errs []error
	for _, s := range append(w.rows[:], w.note, w.mark, w.hour, w.widen, w.begin) {
		if s != nil {
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(errs...)
}

// forget drops what it knows of the shapes in the store.
func (w *usageWriter) forget() { clear(w.ids) }

// errTwice says that some invocation of a statement was there already.
var errTwice = errors.New("an invocation is there already")

// insert adds records and notes how many there are. Invocations that are there
// already are left out when careful is set, and are errTwice when it is not:
// one statement for many rows does not tell which they were.
func (w *usageWriter) insert(ctx context.Context, tx *sql.Tx, records []outcrop.UsageRecord, careful bool) error {
	ctx = context.WithoutCancel(ctx) // the driver starts a goroutine for each statement that could be cancelled
	w.count.begin()
	for i, rows := range insertSizes {
		if careful && rows > 1 || len(records) < rows {
			continue
		}
		statement := tx.StmtContext(ctx, w.rows[i])
		for ; len(records) >= rows; records = records[rows:] {
			added, err := w.insertSome(ctx, tx, statement, records[:rows])
			if err != nil {
				return fmt.Errorf("records from %d on, invocation %s: %w", records[0].Seq, records[0].Invocation, err)
			}
			if added < rows && !careful {
				return errTwice
			}
			if added > 0 {
				w.count.add(records[:rows])
			}
		}
	}
	return w.count.write(ctx, tx, w)
}

// insertSome is one statement, of as many rows as there are records.
func (w *usageWriter) insertSome(ctx context.Context, tx *sql.Tx, statement *sql.Stmt, records []outcrop.UsageRecord) (added int, err error) {
	w.args, w.own = w.args[:0], w.own[:0]
	var ids, ends [insertRows]int // where each record's id and own part end
	for i := range records {
		w.own = appendID(w.own, records[i].Invocation)
		ids[i] = len(w.own)
		w.own = ledger.AppendOwn(w.own, &records[i])
		ends[i] = len(w.own)
	}
	start := 0
	for i := range records {
		r := &records[i]
		shape, err := w.shapeID(ctx, tx, r)
		if err != nil {
			return 0, err
		}
		var id any = w.own[start:ids[i]]
		if start == ids[i] {
			id = string(r.Invocation)
		}
		w.args = append(w.args, int64(r.Seq), id, shape, w.own[ids[i]:ends[i]])
		start = ends[i]
	}
	done, err := statement.ExecContext(ctx, w.args...)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// shapeID finds or makes the row of r's shape.
func (w *usageWriter) shapeID(ctx context.Context, tx *sql.Tx, r *outcrop.UsageRecord) (int64, error) {
	w.shape = ledger.AppendShape(w.shape[:0], r)
	if id, ok := w.ids[string(w.shape)]; ok {
		return id, nil
	}
	var id int64
	err := tx.StmtContext(ctx, w.note).QueryRowContext(ctx, w.shape).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("note shape: %w", err)
	}
	if len(w.ids) >= shapesCached {
		clear(w.ids)
	}
	w.ids[string(w.shape)] = id
	return id, nil
}

// nanos counts an unknown time as 1970.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

const uuidBytes = 16

// packID is how an invocation stands in the store: a UUID as its 16 bytes,
// anything else as text.
func packID(id outcrop.InvocationID) any {
	if b := appendID(nil, id); len(b) > 0 {
		return b
	}
	return string(id)
}

// appendID adds the bytes of a UUID to dst, and nothing of any other id.
func appendID(dst []byte, id outcrop.InvocationID) []byte {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return dst
	}
	var b [uuidBytes]byte
	var digits [32]byte
	copy(digits[:], id[:8])
	copy(digits[8:], id[9:13])
	copy(digits[12:], id[14:18])
	copy(digits[16:], id[19:23])
	copy(digits[20:], id[24:])
	for _, c := range digits {
		if 'A' <= c && c <= 'F' {
			return dst // one with capitals would not come back as it was
		}
	}
	if _, err := hex.Decode(b[:], digits[:]); err != nil {
		return dst
	}
	return append(dst, b[:]...)
}

func unpackID(v any) outcrop.InvocationID {
	b, ok := v.([]byte)
	if !ok {
		text, _ := v.(string)
		return outcrop.InvocationID(text)
	}
	if len(b) != uuidBytes {
		return outcrop.InvocationID(b)
	}
	var out [36]byte
	hex.Encode(out[:8], b[:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return outcrop.InvocationID(out[:])
}
