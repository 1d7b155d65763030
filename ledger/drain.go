package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"outcrop"
	"outcrop/internal/record"
)

// A cursor is a place in the log.
type cursor struct {
	number uint64
	off    int64
}

// drainLoop copies settled records into the store in the background.
func (l *Ledger) drainLoop(ctx context.Context) {
	tick := time.NewTicker(l.opts.DrainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.full:
		}
		_ = l.Sync(ctx) // its error stays in l.stuck, which Health reports
	}
}

// hurry has the drain begin before its time when a whole batch waits. A store
// that does not answer is asked in its own time. The caller holds l.mu.
func (l *Ledger) hurry() {
	if int(l.durable-l.drained) < l.opts.DrainAfter || l.stuck != nil {
		return
	}
	select {
	case l.full <- struct{}{}:
	default:
	}
}

// Sync returns when every record settled before the call is in the store.
func (l *Ledger) Sync(ctx context.Context) error {
	l.mu.Lock()
	goal := l.durable
	done := l.drained >= goal
	l.mu.Unlock()
	if done && !l.reclaimable() {
		return nil
	}
	select {
	case l.draining <- struct{}{}:
		defer func() { <-l.draining }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	err := l.drainTo(ctx, goal)
	l.noteDrain(ctx, errors.Join(err, l.reclaim(ctx)))
	return err
}

func (l *Ledger) drainTo(ctx context.Context, goal outcrop.Seq) error {
	for {
		l.mu.Lock()
		done := l.drained >= goal
		l.mu.Unlock()
		if done {
			return nil
		}
		if err := l.drain(ctx); err != nil {
			return fmt.Errorf("drain ledger: %w", err)
		}
	}
}

// noteDrain remembers why the store falls behind. A caller that gave up says
// nothing about the store.
func (l *Ledger) noteDrain(ctx context.Context, err error) {
	if err != nil && ctx.Err() != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil && l.stuck == nil:
		l.log.Error("store does not take usage records; they stay in the ledger", "error", err)
	case err == nil && l.stuck != nil:
		l.log.Info("store takes usage records again")
	}
	l.stuck = err
}

// A batch is what one transaction of the store takes. The next one is read into
// the same memory.
type batch struct {
	records []outcrop.UsageRecord
	shapes  []*outcrop.UsageRecord // of records
}

// empty is b with room for n records. What it held is not kept alive.
func (b *batch) empty(n int) batch {
	clear(b.records[:cap(b.records)])
	clear(b.shapes[:cap(b.shapes)])
	return batch{slices.Grow(b.records[:0], n), slices.Grow(b.shapes[:0], n)}
}

// read adds what is encoded in payload.
func (b *batch) read(known *shapes, payload []byte, seq outcrop.Seq) error {
	b.records = append(b.records, outcrop.UsageRecord{})
	r := &b.records[len(b.records)-1]
	shape, err := known.decode(r, payload)
	r.Seq = seq
	b.shapes = append(b.shapes, shape)
	return err
}

// drain moves one transaction's worth of records.
func (l *Ledger) drain(ctx context.Context) error {
	from := l.cursor
	mark, err := l.read(drainRecords)
	if err == nil && mark > l.drained {
		err = l.store.Append(ctx, l.batch.records, mark)
	}
	if err != nil {
		l.cursor = from
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent.add(l.drained, l.batch, mark)
	l.drained = max(l.drained, mark)
	return nil
}

// read collects up to limit records that the store does not have, and the Seq
// that it will then have everything up to. It moves the cursor past them.
func (l *Ledger) read(limit int) (mark outcrop.Seq, err error) {
	l.mu.Lock()
	waiting := int(l.durable - l.drained)
	l.mu.Unlock()
	l.batch = l.batch.empty(min(waiting, limit))
	for len(l.batch.records) < limit {
		s, end, last := l.under(l.cursor)
		if l.cursor.off < end {
			if mark, err = l.readBlock(s, end, mark, limit); err != nil {
				return 0, err
			}
			continue
		}
		if last {
			break
		}
		l.cursor = cursor{l.cursor.number + 1, headerBytes}
	}
	return mark, nil
}

// under finds the segment that c is in, how far it may be read, and whether
// it is the last.
func (l *Ledger) under(c cursor) (s *segment, end int64, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s = l.segs[c.number-l.segs[0].number]
	return s, s.end, s == l.active()
}

// What is read from the log at a time. It is kept for good, and few records are
// larger than the usual block.
const (
	usualBlock   = 64 << 10
	largestBlock = 2 * maxRecordBytes
)

// readBlock reads the frames that lie whole in the next stretch of s.
func (l *Ledger) readBlock(s *segment, end int64, mark outcrop.Seq, limit int) (outcrop.Seq, error) {
	if l.buf == nil {
		l.buf = make([]byte, usualBlock)
	}
	start := l.cursor.off
	block := l.buf[:min(int64(len(l.buf)), end-start)]
	if _, err := s.file.ReadAt(block, start); err != nil {
		return 0, fmt.Errorf("read ledger segment %s: %w", s.name, err)
	}
	for len(block) > 0 && len(l.batch.records) < limit {
		f, err := record.Read(block, s.salt, l.cursor.off)
		if errors.Is(err, record.ErrShort) && l.cursor.off > start {
			break // the next block begins with it
		}
		if errors.Is(err, record.ErrShort) && len(l.buf) < largestBlock {
			l.buf = make([]byte, largestBlock)
			break // the next block begins with it and is large enough
		}
		if err != nil {
			return 0, damaged(s, l.cursor.off, err)
		}
		seq := outcrop.Seq(f.Seq)
		if f.Type == frameSettled && seq > l.drained {
			if err := l.batch.read(&l.shapes, f.Payload, seq); err != nil {
				return 0, damaged(s, l.cursor.off, err)
			}
		}
		mark = max(mark, seq)
		block = block[f.Bytes:]
		l.cursor.off += int64(f.Bytes)
	}
	return mark, nil
}

// reclaimable says whether the oldest segment has served: all its records are
// in the store, and no open invocation has its intent there.
func (l *Ledger) reclaimable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.segs) > 1 && l.segs[0].last <= l.drained && l.segs[0].intents == 0
}

// reclaim deletes segments that have served, strictly oldest first: an intent
// must never outlive the record that settles it, and a gap between segments
// means damage.
func (l *Ledger) reclaim(ctx context.Context) error {
	for l.reclaimable() {
		l.mu.Lock()
		s := l.segs[0]
		l.mu.Unlock()
		if err := l.flush(ctx, s.last); err != nil {
			return err
		}
		if err := l.files.Remove(s.name); err != nil {
			l.log.Warn("cannot delete ledger segment", "segment", s.name, "error", err)
			return nil
		}
		l.mu.Lock()
		l.segs = append([]*segment(nil), l.segs[1:]...)
		if l.cursor.number <= s.number {
			l.cursor = cursor{l.segs[0].number, headerBytes}
		}
		l.mu.Unlock()
		_ = s.file.Close() // there is nothing left to lose in it
	}
	return nil
}

// flush has the store keep the records up to seq even if the power fails.
func (l *Ledger) flush(ctx context.Context, seq outcrop.Seq) error {
	if seq <= l.flushed {
		return nil
	}
	l.mu.Lock()
	drained := l.drained
	l.mu.Unlock()
	if err := l.store.Flush(ctx); err != nil {
		return fmt.Errorf("flush store: %w", err)
	}
	l.flushed = drained
	return nil
}
