package ledger

import (
	"fmt"
	"time"

	"outcrop"
	"outcrop/internal/record"
)

// Types of frame. They are written to disk: append, never reorder.
const (
	_            = iota
	frameSettled // a settled record; the frame's seq is its Seq
	frameIntent  // an open invocation; the frame's seq is the newest Seq before it
	frameLost    // a damaged stretch that was given up; its seq is the last that was lost
)

// A commit is what shares one write and one sync. Its frames keep their order
// through every retry, so a record keeps the Seq it was first written with.
type commit struct {
	buf   []byte // frames, sealed when it is known where they go
	items []item
	wait  *wait
}

type item struct {
	call *call
	kind uint8
}

func (l *Ledger) commitLimit() int {
	return int(min(maxCommitBytes, l.opts.SegmentBytes-headerBytes))
}

func (l *Ledger) recordLimit() int { return min(maxRecordBytes, l.commitLimit()/2) }

// enqueue adds a frame to the last commit that can take it. The caller holds
// l.mu.
func (l *Ledger) enqueue(c *call, kind uint8, payload []byte) *commit {
	last := len(l.queue) - 1
	underway := last == 0 && !l.since.IsZero()
	if last < 0 || underway || len(l.queue[last].buf)+record.Size(len(payload)) > l.commitLimit() {
		l.queue = append(l.queue, l.newCommit())
		last++
	}
	b := l.queue[last]
	b.buf = record.Append(b.buf, kind, payload)
	b.items = append(b.items, item{c, kind})
	return b
}

func (l *Ledger) newCommit() *commit {
	last := len(l.free) - 1
	if last < 0 {
		return &commit{wait: l.newWait()}
	}
	b := l.free[last]
	l.free = l.free[:last]
	b.wait = l.newWait()
	return b
}

func (l *Ledger) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// commitLoop writes what callers join. While one commit is on its way to disk
// the next one gathers, so that under load many callers share a sync.
func (l *Ledger) commitLoop() {
	for {
		wake, retry := l.wake, (<-chan time.Time)(nil)
		if err := l.takeTurn(); err != nil {
			wake, retry = nil, time.After(l.opts.RetryEvery)
		}
		select {
		case <-wake:
		case <-retry:
		case <-l.stop:
			l.turn <- struct{}{} // a caller may be writing still
			_ = l.writeQueue()   // its error stays in l.failed, which Close reports
			return
		}
	}
}

// takeTurn writes what there is, once no caller writes. When one has just
// failed, it is too early to try again.
func (l *Ledger) takeTurn() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if err := l.ledInto; err != nil {
		l.ledInto = nil
		return err
	}
	return l.writeQueue()
}

func (l *Ledger) writeQueue() error {
	for b := l.begin(); b != nil; b = l.begin() {
		if err := l.write(b); err != nil {
			l.fail(err)
			return err
		}
	}
	return l.heal()
}

// begin takes the first commit for writing.
func (l *Ledger) begin() *commit {
	l.gather()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return nil
	}
	l.note()
	return l.queue[0]
}

// note has the first commit be under way. The caller holds l.mu, and the turn
// to write.
func (l *Ledger) note() {
	l.since = time.Now()
	l.pace.note(l.since, len(l.queue[0].items))
}

func (l *Ledger) write(b *commit) error {
	seg, err := l.segmentFor(len(b.buf))
	if err != nil {
		return err
	}
	seq, began := l.seal(seg, b), time.Now()
	if _, err := seg.file.WriteAt(b.buf, seg.end); err != nil {
		seg.broken = true
		return fmt.Errorf("write ledger: %w", err)
	}
	if err := seg.file.Sync(); err != nil {
		seg.broken = true // what it holds past its end is unknown from now on
		return fmt.Errorf("sync ledger: %w", err)
	}
	if l.opts.Committed != nil {
		l.opts.Committed(time.Since(began))
	}
	l.landed(seg, b, seq)
	return nil
}

// seal gives the records of b their places and returns the last Seq.
func (l *Ledger) seal(seg *segment, b *commit) outcrop.Seq {
	seq, off := l.durable, 0
	for _, it := range b.items {
		if it.kind == frameSettled {
			seq++
		}
		off += record.Seal(b.buf[off:], seg.salt, seg.end+int64(off), uint32(seg.end), uint64(seq))
	}
	return seq
}

// landed wakes everyone who waited for b, which is on disk.
func (l *Ledger) landed(seg *segment, b *commit, seq outcrop.Seq) {
	w := b.wait
	l.mu.Lock()
	defer l.over(w) // once the lock is free: those who wake want it
	defer l.mu.Unlock()
	seg.end += int64(len(b.buf))
	seg.last, l.durable = seq, seq
	for _, it := range b.items {
		l.land(it, seg)
	}
	if l.failed != nil {
		l.log.Info("ledger writes again", "after", l.failed)
	}
	l.failed, l.since = nil, time.Time{}
	l.count.Commits++
	copy(l.queue, l.queue[1:])
	l.queue[len(l.queue)-1] = nil
	l.queue = l.queue[:len(l.queue)-1]
	l.recycle(b)
	l.hurry()
	if seg.end > seg.size/2 {
		l.spare.want()
	}
}

func (l *Ledger) land(it item, seg *segment) {
	c := it.call
	if c.intent != nil {
		c.intent.intents--
		c.intent = nil
	}
	if it.kind == frameIntent {
		c.intent, c.intending = seg, false
		l.reserved -= int64(c.intentBytes)
		seg.intents++
		return
	}
	delete(l.calls, c.begin.Invocation)
	l.reserved -= int64(c.bytes)
	l.settled.add(c.begin.Invocation)
	l.count.Settled++
	if c.recovered {
		l.count.Recovered++
	}
	if len(l.idle) < idleCalls {
		*c = call{} // what it held is not kept alive
		l.idle = append(l.idle, c)
	}
}

func (l *Ledger) recycle(b *commit) {
	clear(b.items)
	b.buf, b.items, b.wait = b.buf[:0], b.items[:0], nil
	if len(l.free) < freeCommits && cap(b.buf) <= freeCommitBytes {
		l.free = append(l.free, b)
	}
}

// fail tells all who wait that their record is not on disk. The commits stay
// in the queue, in order: what was used has to be billed once the disk allows.
func (l *Ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.log.Error("ledger cannot write; new invocations are refused until it can", "error", err)
	}
	l.failed, l.since = err, time.Time{}
	for _, b := range l.queue {
		w := b.wait
		b.wait = l.newWait()
		w.err = errUnavailable(l.opts.RetryEvery).Because(err)
		l.over(w)
	}
}

// heal opens the door again after a failure that left nothing to retry.
func (l *Ledger) heal() error {
	l.mu.Lock()
	failed := l.failed
	l.mu.Unlock()
	if failed == nil {
		return nil
	}
	if err := l.rotate(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log.Info("ledger writes again", "after", failed)
	l.failed = nil
	return nil
}

// cannotWrite says why an invocation opened now, whose record may have n
// bytes, could not be settled, or nil. The caller holds l.mu.
func (l *Ledger) cannotWrite(n int) error {
	if l.failed != nil {
		return l.failed
	}
	if !l.since.IsZero() && time.Since(l.since) > l.opts.StallAfter {
		return fmt.Errorf("write ledger: the disk has not answered for %s", time.Since(l.since).Round(time.Second))
	}
	if l.noSpare != nil && l.active().room() < l.reserved+int64(n) {
		return l.noSpare
	}
	return nil
}
