package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"outcrop"
	"outcrop/internal/record"
)

// A DamageError says that a part of the log that was once on disk cannot be
// read: the disk or somebody changed it. Records are lost with it, which is
// for the operator to decide about.
type DamageError struct {
	File   string
	Offset int64
	Cause  error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("ledger segment %s is damaged at byte %d (%v); put back a good copy of the file, or give up the records that are lost (outcrop ledger check, outcrop ledger salvage), which keeps a copy of it", e.File, e.Offset, e.Cause)
}

func (e *DamageError) Unwrap() error { return e.Cause }

func damaged(s *segment, off int64, cause error) error { return &DamageError{s.name, off, cause} }

// recover reads the log, so that writing goes on after its last whole commit,
// and queues a record for each invocation that was left open.
func (l *Ledger) recover(ctx context.Context) error {
	mark, err := l.store.Watermark(ctx)
	if err != nil {
		return fmt.Errorf("read watermark: %w", err)
	}
	if err := l.openSegments(); err != nil {
		return err
	}
	if len(l.segs) > 0 && l.segs[0].first > mark+1 {
		return fmt.Errorf("records %d to %d are neither in the store nor in the ledger: was the store put back from a copy?", mark+1, l.segs[0].first-1)
	}
	for i, s := range l.segs {
		if err := l.rebuild(i, mark); err != nil {
			return err
		}
		if err := l.replay(s, readable(l.segs[i+1:])); err != nil {
			return err
		}
		l.durable, s.broken = s.last, true
	}
	l.durable, l.drained = max(l.durable, mark), mark
	l.cursor = cursor{1, headerBytes}
	if len(l.segs) > 0 {
		l.cursor.number = l.segs[0].number
	}
	return l.settleOrphans(ctx)
}

// openSegments opens the files in order and reads their headers.
func (l *Ledger) openSegments() error {
	names, err := l.files.List()
	if err != nil {
		return fmt.Errorf("list ledger: %w", err)
	}
	slices.Sort(names)
	for _, name := range names {
		n, ok := segmentNumber(name)
		if !ok {
			continue
		}
		if prev := l.active(); prev != nil && n != prev.number+1 {
			return fmt.Errorf("ledger segments %d to %d are missing", prev.number+1, n-1)
		}
		s, err := l.openSegment(name, n)
		if err != nil {
			return err
		}
		l.segs = append(l.segs, s)
	}
	return nil
}

func (l *Ledger) openSegment(name string, number uint64) (*segment, error) {
	f, err := l.files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open ledger segment: %w", err)
	}
	s := &segment{name: name, file: f, end: headerBytes, commit: headerBytes}
	if s.size, err = f.Size(); err == nil {
		s.header, err = s.readHeader()
	}
	if err == nil && s.number != number {
		err = errHeader
	}
	if l.opts.Salvage && errors.Is(err, errHeader) {
		s.header, s.ruin, err = header{number: number}, err, nil
	}
	if err != nil {
		return nil, errors.Join(damaged(s, 0, err), f.Close())
	}
	return s, nil
}

func (s *segment) readHeader() (header, error) {
	b := make([]byte, headerBytes)
	if _, err := s.file.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return header{}, err
	}
	return decodeHeader(b)
}

// replay reads one segment. later are the segments after it: their first says
// where this one ends. Only the last segment may end in a torn commit, which
// nobody was told of.
func (l *Ledger) replay(s *segment, later []*segment) error {
	limit := s.size
	if len(later) > 0 {
		limit = later[0].prevEnd
	}
	if limit < headerBytes || limit > s.size {
		return damaged(s, s.size, errors.New("the file is too short"))
	}
	buf := make([]byte, limit)
	if _, err := s.file.ReadAt(buf, 0); err != nil {
		return fmt.Errorf("read ledger segment %s: %w", s.name, err)
	}
	s.last = s.first - 1
	for s.end < limit {
		f, err := record.Read(buf[s.end:], s.salt, s.end)
		if err != nil && len(later) == 0 && !writtenAfter(buf, s) {
			break
		}
		if err != nil {
			err = l.salvage(s, later, buf, err)
		} else {
			err = l.replayFrame(s, f)
		}
		if err != nil {
			return err
		}
	}
	if len(later) > 0 && later[0].first <= s.last {
		return damaged(later[0], 0, fmt.Errorf("begins with record %d again", later[0].first))
	}
	if len(later) > 0 {
		return nil
	}
	return s.secure(buf)
}

// secure has the last commit on disk before anybody is told of it: the process
// that wrote it may have died before its sync, or after a sync that failed.
// Linux then believes pages to be clean that never reached the disk, and only
// writing them again makes it try again.
func (s *segment) secure(buf []byte) error {
	if _, err := s.file.WriteAt(buf[s.commit:s.end], s.commit); err != nil {
		return fmt.Errorf("write ledger segment %s: %w", s.name, err)
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync ledger segment %s: %w", s.name, err)
	}
	return nil
}

// writtenAfter says whether a commit follows that was begun after the bytes at
// s.end were synced. If so these bytes are damaged and not merely torn.
func writtenAfter(buf []byte, s *segment) bool {
	for off := s.end; ; {
		f, at, ok := record.Find(buf[off:], s.salt, off)
		if !ok {
			return false
		}
		if int64(f.Commit) > s.end {
			return true
		}
		off += int64(at + f.Bytes)
		if off >= int64(len(buf)) {
			return false
		}
	}
}

func (l *Ledger) replayFrame(s *segment, f record.Frame) error {
	want := s.last
	if f.Type == frameSettled {
		want++
	}
	seq := outcrop.Seq(f.Seq)
	if f.Type != frameLost && seq != want {
		return damaged(s, s.end, fmt.Errorf("record %d where %d should be", seq, want))
	}
	if f.Type == frameSettled || f.Type == frameIntent {
		r, err := decodeRecord(f.Payload)
		if err != nil {
			return damaged(s, s.end, err)
		}
		l.replayRecord(s, f.Type, r)
	}
	s.last, s.commit = seq, int64(f.Commit)
	s.end += int64(f.Bytes)
	return nil
}

// replayRecord keeps track of which invocations are open.
func (l *Ledger) replayRecord(s *segment, kind uint8, r outcrop.UsageRecord) {
	if c := l.calls[r.Invocation]; c != nil {
		c.intent.intents--
		delete(l.calls, r.Invocation)
	}
	if kind == frameIntent {
		l.calls[r.Invocation] = &call{begin: r, intent: s, recovered: true}
		s.intents++
		return
	}
	l.settled.add(r.Invocation)
}

// settleOrphans queues a record for each invocation that the log leaves open,
// unless the store has one: a deleted segment may have held it.
func (l *Ledger) settleOrphans(ctx context.Context) error {
	orphans := make([]*call, 0, len(l.calls))
	for id, c := range l.calls {
		_, err := l.store.ByInvocation(ctx, id)
		switch {
		case err == nil:
			c.intent.intents--
			delete(l.calls, id)
		case outcrop.KindOf(err) == outcrop.NotFound:
			orphans = append(orphans, c)
		default:
			return fmt.Errorf("look for invocation %s: %w", id, err)
		}
	}
	slices.SortFunc(orphans, func(a, b *call) int {
		return cmp.Or(a.begin.Started.Compare(b.begin.Started), cmp.Compare(a.begin.Invocation, b.begin.Invocation))
	})
	for _, c := range orphans {
		r := recovered(c.begin)
		c.record = l.enqueue(c, frameSettled, appendRecord(nil, &r))
	}
	if len(orphans) > 0 {
		l.log.Warn("settled invocations that a process left open when it died; their usage is estimated", "count", len(orphans))
	}
	return nil
}
