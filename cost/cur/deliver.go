package cur

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"time"

	"outcrop"
	"outcrop/cost"
)

// deliver brings the months of one export up to date. The running month is
// made anew each time and once more when it is over, then once a day, since a
// backfill or a new price may still change it. What did not change is not delivered again.
func (x *Exports) deliver(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, err := x.Get(ctx, account, arn)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	if err := x.refreshColumns(ctx, e); err != nil {
		return err
	}
	now := x.o.Now().UTC()
	for month := monthOf(now.AddDate(0, -reachMonths+1, -now.Day()+1)); !month.Start.After(now); month = monthOf(month.End) {
		if !e.due(month, now) {
			continue
		}
		if err := x.deliverMonth(ctx, e, month); err != nil {
			return err
		}
	}
	return nil
}

// refreshColumns gives a report of the first form a column for each tag that is
// active now.
func (x *Exports) refreshColumns(ctx context.Context, e *Export) error {
	if e.Report == nil {
		return nil
	}
	var keys []string
	for page := ""; ; {
		list, err := x.bills.ListTags(ctx, e.Account, cost.TagQuery{Status: cost.Active, Max: 1000, Page: page})
		if err != nil {
			return err
		}
		for _, tag := range list.Tags {
			keys = append(keys, tag.Key)
		}
		if page = list.Next; page == "" {
			break
		}
	}
	e.Statement = e.Report.statement(e.To.Format == Parquet, keys)
	return nil
}

func (e *Export) due(month cost.Period, now time.Time) bool {
	last, ok := e.Delivered[monthName(month.Start)]
	return !ok || last.Checked.Before(month.End) || e.Updated.After(last.Checked) || now.Sub(last.Checked) >= closedEvery
}

// deliverMonth makes the files of a month and delivers them if they differ
// from what lies there.
func (x *Exports) deliverMonth(ctx context.Context, e *Export, month cost.Period) error {
	name, before := monthName(month.Start), e.Delivered[monthName(month.Start)]
	run := Execution{ID: newID(), Month: name, Status: Querying, Created: x.o.Now().UTC()}
	files, err := x.make(ctx, e, month)
	defer files.remove()
	if err != nil {
		return x.failed(ctx, e, run, QueryFailed, err)
	}
	done := before
	done.Checked = run.Created
	if files.digest() != before.Digest && (files.rows > 0 || before.Digest != "") {
		run.Status = Delivering
		layout := e.layout(month, run)
		if done, err = x.put(ctx, e, files, layout, month, run); err != nil {
			return x.failed(ctx, e, run, DeliveryFailed, err)
		}
		if e.To.Overwrite == Overwrite {
			x.removeStale(ctx, e, before.Keys, done.Keys)
		}
		run.Status, run.Completed = DeliverySucceed, x.o.Now().UTC()
		if err := x.note(ctx, e, run); err != nil {
			return err
		}
		e.Refreshed = run.Completed
	}
	if e.Delivered == nil {
		e.Delivered = map[string]Delivery{}
	}
	e.Delivered[name], e.Failure = done, ""
	return x.store.Put(ctx, *e)
}

// failed notes why a delivery did not succeed: in the execution, and as the
// health of the export.
func (x *Exports) failed(ctx context.Context, e *Export, run Execution, status string, cause error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx) // the server ends: nothing is wrong with the export
	}
	run.Status, run.Reason, run.Completed = status, Internal, x.o.Now().UTC()
	switch outcrop.KindOf(cause) {
	case outcrop.Denied, outcrop.NotFound:
		run.Reason = NoPermission
	}
	e.Failure = run.Reason
	return errors.Join(cause, x.note(ctx, e, run), x.store.Put(ctx, *e))
}

func (x *Exports) note(ctx context.Context, e *Export, run Execution) error {
	run.Export, run.Updated = *e, x.o.Now().UTC()
	run.Export.Delivered = nil // its own affair
	return x.store.PutExecution(ctx, run)
}

// files are what was made for one month, on disk.
type files struct {
	parts []*os.File
	rows  uint64
	bytes int64
	sum   hash.Hash
}

func (f *files) digest() string { return hex.EncodeToString(f.sum.Sum(nil)) }

func (f *files) remove() {
	if f == nil {
		return
	}
	for _, part := range f.parts {
		part.Close()
		os.Remove(part.Name())
	}
}

// A rowWriter is a file in the making.
type rowWriter interface {
	Write(*Row) error
	Close() error
}

// make writes the month's rows into files of at most PartRows.
func (x *Exports) make(ctx context.Context, e *Export, month cost.Period) (*files, error) {
	f := &files{sum: sha256.New()}
	q, err := e.query()
	if err != nil {
		return f, err
	}
	var w rowWriter
	for row, err := range Rows(ctx, x.bills, x.o.Settings, &x.o.Words, e.scope(q, month)) {
		if err != nil {
			return f, err
		}
		if !q.Takes(row) {
			continue
		}
		if w == nil {
			if w, err = x.begin(e, f, q.Fields); err != nil {
				return f, err
			}
		}
		if err := w.Write(row); err != nil {
			return f, err
		}
		if f.rows++; f.rows%x.o.PartRows == 0 {
			if err := w.Close(); err != nil {
				return f, err
			}
			w = nil
		}
	}
	if w == nil && len(f.parts) == 0 {
		if w, err = x.begin(e, f, q.Fields); err != nil { // a file of no rows, should there have been some
			return f, err
		}
	}
	if w != nil {
		err = w.Close()
	}
	return f, errors.Join(err, f.finish())
}

func (x *Exports) begin(e *Export, f *files, fields []Field) (rowWriter, error) {
	file, err := os.CreateTemp(x.o.Scratch, "export-*")
	if err != nil {
		return nil, fmt.Errorf("make export file: %w", err)
	}
	f.parts = append(f.parts, file)
	out := io.MultiWriter(file, f.sum)
	if e.To.Format == Parquet {
		return newParquet(out, fields), nil
	}
	return newCSV(out, fields, e.To.Compression == Zip)
}

func (f *files) finish() error {
	for _, part := range f.parts {
		size, err := part.Seek(0, io.SeekEnd)
		if err != nil {
			return err
		}
		f.bytes += size
		if _, err := part.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	return nil
}

// put delivers the data first and the manifest last: who reads by the manifest
// never finds a file missing.
func (x *Exports) put(ctx context.Context, e *Export, f *files, at layout, month cost.Period, run Execution) (Delivery, error) {
	d := Delivery{Digest: f.digest(), Rows: f.rows, Bytes: f.bytes, At: run.Created, Checked: run.Created}
	for i, part := range f.parts {
		key := at.part(i + 1)
		if err := x.objects.Put(ctx, e.To.Bucket, key, at.contentType, part); err != nil {
			return d, fmt.Errorf("deliver %s: %w", key, err)
		}
		d.Keys = append(d.Keys, key)
	}
	manifests, err := e.manifests(at, d, month, run)
	if err != nil {
		return d, err
	}
	for _, m := range manifests {
		if err := x.objects.Put(ctx, e.To.Bucket, m.key, "application/json", bytes.NewReader(m.body)); err != nil {
			return d, fmt.Errorf("deliver %s: %w", m.key, err)
		}
	}
	return d, nil
}

// removeStale takes away parts of the delivery before that the new one does
// not have. A part that stays is a nuisance and no error.
func (x *Exports) removeStale(ctx context.Context, e *Export, before, now []string) {
	for _, key := range before {
		if slices.Contains(now, key) {
			continue
		}
		if err := x.objects.Delete(ctx, e.To.Bucket, key); err != nil {
			x.o.Log.Warn("a part of an older delivery was not removed", "export", e.Name, "key", key, "err", err)
		}
	}
}
