package usage

import (
	"context"
	"time"

	"outcrop"
)

// Records are what a Reader reads: the ledger's store.
type Records interface {
	// Scan returns up to limit records that began in a period, in order of
	// Seq, and where to go on.
	Scan(ctx context.Context, after outcrop.Seq, from, to time.Time, limit int) (records []outcrop.UsageRecord, next outcrop.Seq, err error)
	// Watermark is the Seq of the newest record.
	Watermark(context.Context) (outcrop.Seq, error)
}

// A Reader finds records, a page at a time.
type Reader struct {
	Sync    func(context.Context) error // makes what was settled visible
	Records Records
}

// Bounds of a page.
const (
	MaxPageRows = 1000
	maxScanned  = 20_000 // records looked at for one page
	scanRecords = 1000   // of them at a time
)

// A Page is a part of an answer.
type Page struct {
	Records []outcrop.UsageRecord
	Next    outcrop.Seq // where the next page begins
	Last    outcrop.Seq // the newest record there is; there is no more when Next has reached it
}

// Page finds up to limit records after a place. It may find none and not be at
// the end, because it looks at a bounded number.
func (d *Reader) Page(ctx context.Context, after outcrop.Seq, f *Filter, limit int) (Page, error) {
	if err := f.Check(); err != nil {
		return Page{}, err
	}
	if err := d.Sync(ctx); err != nil {
		return Page{}, err
	}
	p := Page{Next: after}
	var err error
	if p.Last, err = d.Records.Watermark(ctx); err != nil {
		return p, err
	}
	for looked := 0; looked < maxScanned && len(p.Records) < limit && p.Next < p.Last; looked += scanRecords {
		records, next, err := d.Records.Scan(ctx, p.Next, f.From, f.To, scanRecords)
		if err != nil {
			return p, err
		}
		p.Next = next
		for i := range records {
			if !f.Match(&records[i]) {
				continue
			}
			if len(p.Records) == limit {
				p.Next = records[i].Seq - 1
				return p, nil
			}
			p.Records = append(p.Records, records[i])
		}
	}
	return p, nil
}

// Tail finds the newest n records that match, among the newest that one page
// looks at.
func (d *Reader) Tail(ctx context.Context, f *Filter, n int) (Page, error) {
	if err := f.Check(); err != nil {
		return Page{}, err
	}
	if err := d.Sync(ctx); err != nil {
		return Page{}, err
	}
	last, err := d.Records.Watermark(ctx)
	p := Page{Next: last, Last: last}
	if err != nil || n == 0 {
		return p, err
	}
	for end := last; end > 0 && len(p.Records) < n && last-end < maxScanned; {
		start := outcrop.Seq(0)
		if end > scanRecords {
			start = end - scanRecords
		}
		found, err := d.stretch(ctx, start, end, f)
		if err != nil {
			return p, err
		}
		p.Records, end = append(found, p.Records...), start
	}
	p.Records = p.Records[max(len(p.Records)-n, 0):]
	return p, nil
}

// stretch finds the records with after < Seq ≤ end.
func (d *Reader) stretch(ctx context.Context, after, end outcrop.Seq, f *Filter) (found []outcrop.UsageRecord, err error) {
	for after < end {
		records, next, err := d.Records.Scan(ctx, after, f.From, f.To, scanRecords)
		if err != nil {
			return nil, err
		}
		for i := range records {
			if records[i].Seq <= end && f.Match(&records[i]) {
				found = append(found, records[i])
			}
		}
		after = next
	}
	return found, nil
}
