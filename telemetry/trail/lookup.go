package trail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"outcrop"
)

// Limits of a look-up. One that has read as much as this returns what it has,
// and where to go on.
const (
	maxScanBytes = 16 << 20
	maxAge       = 90 * 24 * time.Hour // CloudTrail's event history
	defaultPage  = 50
)

// disorder is how far the times of neighbouring lines may be out of order:
// records are stamped before they are queued, and clocks are corrected.
const disorder = time.Minute

// Lookup finds events, newest first. It reads the files backwards from where
// the time range ends, so that it costs what it finds and not what is kept.
// Lines that are appended meanwhile lie behind it: no page loses an event, and
// none repeats one.
func (t *Trail) Lookup(ctx context.Context, q outcrop.AuditQuery) (outcrop.AuditPage, error) {
	from, err := parsePosition(q)
	if err != nil {
		return outcrop.AuditPage{}, err
	}
	s := search{asked: q, budget: maxScanBytes}
	if oldest := t.opts.Now().Add(-maxAge); q.Start.Before(oldest) {
		q.Start = oldest
	}
	if q.Max <= 0 {
		q.Max = defaultPage
	}
	starts, err := listFiles(t.files.dir)
	if err != nil {
		return outcrop.AuditPage{}, err
	}
	s.query, s.match = q, matcher(q)
	for i := len(starts) - 1; i >= 0 && !s.done; i-- {
		if err := ctx.Err(); err != nil {
			return outcrop.AuditPage{}, context.Cause(ctx)
		}
		if skip := t.beside(starts, i, q, &s); skip || !from.start.IsZero() && starts[i].After(from.start) {
			continue
		}
		if err := s.file(filepath.Join(t.files.dir, fileName(starts[i])), starts[i], from); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return outcrop.AuditPage{}, fmt.Errorf("look up audit events: %w", err)
		}
	}
	return s.page(), nil
}

// beside says whether file i lies outside of the time range, by the names
// alone: it holds what was written from its start to that of the next.
func (t *Trail) beside(starts []time.Time, i int, q outcrop.AuditQuery, s *search) bool {
	if !q.End.IsZero() && starts[i].After(q.End.Add(disorder)) && !starts[i].After(t.opts.Now()) {
		return true // a name from the future is a clock's mistake and says nothing
	}
	if i+1 < len(starts) && starts[i+1].Add(disorder).Before(q.Start) {
		s.done = true
	}
	return s.done
}

// A search is one look-up under way.
type search struct {
	asked  outcrop.AuditQuery // what tokens belong to
	query  outcrop.AuditQuery // with its bounds filled in
	match  func(line []byte) (outcrop.AuditRecord, bool)
	budget int64 // bytes that may still be read
	found  []outcrop.AuditRecord
	last   position // of the last event found, or of the last line read
	done   bool
	more   bool
}

// file reads one file from the end of the time range, or from where the page
// before ended, to its beginning.
func (s *search) file(name string, start time.Time, from position) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	end := info.Size()
	if start.Equal(from.start) {
		end = min(end, from.offset)
	} else if !s.query.End.IsZero() {
		if end, err = endOf(f, end, s.query.End.Add(disorder)); err != nil {
			return err
		}
	}
	lines := backwards(f, end)
	for !s.done && lines.next() {
		s.line(lines.line, position{start, lines.offset})
	}
	return lines.err
}

// line looks at one line. The page is full when one more than it holds was
// found: only then there is a next page.
func (s *search) line(b []byte, at position) {
	if s.budget -= int64(len(b)); s.budget < 0 {
		s.done, s.more = true, true
		return
	}
	if r, ok := s.match(b); ok {
		if len(s.found) == s.query.Max {
			s.done, s.more = true, true
			return
		}
		s.found, s.last = append(s.found, r), at
		return
	}
	if at, ok := timeOf(b); ok && at.Before(s.query.Start.Add(-disorder)) {
		s.done = true
		return
	}
	if len(s.found) < s.query.Max {
		s.last = at
	}
}

func (s *search) page() outcrop.AuditPage {
	p := outcrop.AuditPage{Events: s.found}
	if s.more {
		p.Next = s.last.token(s.asked)
	}
	return p
}
