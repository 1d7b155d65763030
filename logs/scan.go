package logs

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"
)

// A Cursor is a place among a group's events, which are in the order of their
// timestamps and, within one, of their coming.
type Cursor struct {
	Timestamp int64
	Seq       uint64
}

// Compare says which comes first.
func (c Cursor) Compare(o Cursor) int {
	return cmp.Or(cmp.Compare(c.Timestamp, o.Timestamp), cmp.Compare(c.Seq, o.Seq))
}

// A Query asks a group for events.
type Query struct {
	Start, End int64             // milliseconds: from Start on, before End; End 0 is for ever
	Streams    func(string) bool // nil for all
	Match      func([]byte) bool // nil for all
	After      Cursor            // begins behind it; before it, when Backward
	HasAfter   bool
	Backward   bool
	MaxBytes   int64 // read from disk before it pauses; 0 is no limit
}

// Stats say what a scan has looked at.
type Stats struct {
	Scanned, Matched int64 // events
	Bytes            int64 // of messages
}

// Scan hands events to yield in order until it returns false. paused is set
// when MaxBytes were read before the end: ask again from there.
func (s *Store) Scan(ctx context.Context, name GroupName, q Query, yield func(*Event) bool) (stats Stats, paused *Cursor, err error) {
	g, err := s.group(name)
	if err != nil {
		return stats, nil, err
	}
	sc := scan{group: g, q: q, ctx: ctx}
	if err := sc.prepare(); err != nil {
		return stats, nil, err
	}
	defer sc.close()
	paused, err = sc.run(yield)
	return sc.stats, paused, err
}

// A scan merges blocks: of those whose times overlap, as many as necessary are
// held at once, and only events that match.
type scan struct {
	group  *group
	q      Query
	ctx    context.Context
	wanted map[uint32]bool // numbers of streams; nil for all
	names  map[uint32]string
	todo   []piece // blocks to come, in the order of their nearest event
	held   held
	files  map[string]*os.File
	stats  Stats
	read   int64
	spare  []byte // of a block of which nothing is held
}

// A piece is a block of a segment.
type piece struct {
	name string
	block
}

func (c *scan) prepare() error {
	g := c.group
	if c.q.End == 0 {
		c.q.End = math.MaxInt64
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.gone {
		return noGroup()
	}
	c.q.Start = max(c.q.Start, g.cutoff(g.opts.Now()))
	c.names = make(map[uint32]string, len(g.byNumber))
	if c.q.Streams != nil {
		c.wanted = map[uint32]bool{}
	}
	for number, st := range g.byNumber {
		c.names[number] = st.Name
		if c.q.Streams != nil && c.q.Streams(st.Name) {
			c.wanted[number] = true
		}
	}
	from, to := c.q.Start, c.q.End-1
	if c.q.HasAfter && c.q.Backward {
		to = min(to, c.q.After.Timestamp)
	} else if c.q.HasAfter {
		from = max(from, c.q.After.Timestamp)
	}
	for _, s := range g.segments {
		for _, b := range s.blocks {
			if b.last >= from && b.first <= to && b.holds(c.wanted) {
				c.todo = append(c.todo, piece{s.name, b})
			}
		}
	}
	slices.SortStableFunc(c.todo, func(a, b piece) int {
		if c.q.Backward {
			return cmp.Compare(b.last, a.last)
		}
		return cmp.Compare(a.first, b.first)
	})
	c.held.backward = c.q.Backward
	c.files = map[string]*os.File{}
	return nil
}

func (c *scan) close() {
	for _, f := range c.files {
		f.Close()
	}
}

// run yields what is next until nothing is left.
func (c *scan) run(yield func(*Event) bool) (*Cursor, error) {
	for {
		for len(c.todo) > 0 && (c.held.Len() == 0 || c.reaches(c.todo[0])) {
			if p := c.pause(); p != nil {
				return p, nil
			}
			if err := c.load(); err != nil {
				return nil, err
			}
		}
		if c.held.Len() == 0 {
			return nil, nil
		}
		if e := heap.Pop(&c.held).(*Event); !yield(e) {
			return nil, nil
		}
	}
}

// reaches says whether a block may hold something before the next held event.
func (c *scan) reaches(p piece) bool {
	if c.q.Backward {
		return p.last >= c.held.events[0].Timestamp
	}
	return p.first <= c.held.events[0].Timestamp
}

// pause is the place behind all that was looked at, once enough was read; nil
// when it is not farther than where the scan began: it would not end.
func (c *scan) pause() *Cursor {
	if c.q.MaxBytes == 0 || c.read < c.q.MaxBytes || c.held.Len() > 0 {
		return nil
	}
	p := c.todo[0]
	if c.q.Backward {
		to := Cursor{p.last, math.MaxUint64}
		if p.last >= c.q.End-1 || c.q.HasAfter && to.Compare(c.q.After) >= 0 {
			return nil
		}
		return &to
	}
	if p.first <= c.q.Start {
		return nil
	}
	to := Cursor{p.first - 1, math.MaxUint64}
	if c.q.HasAfter && to.Compare(c.q.After) <= 0 {
		return nil
	}
	return &to
}

// load reads the next block and holds what matches.
func (c *scan) load() error {
	p := c.todo[0]
	c.todo = c.todo[1:]
	if err := c.ctx.Err(); err != nil {
		return err
	}
	file, err := c.file(p.name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its time has come meanwhile
	}
	if err != nil {
		return err
	}
	b, matched := c.room(p.size), c.stats.Matched
	whole := b
	if _, err := io.ReadFull(io.NewSectionReader(file, p.offset, p.size), b); err != nil {
		return fmt.Errorf("read log segment: %w", err)
	}
	c.read += p.size
	for len(b) > 0 {
		f, err := readFrame(b, false)
		if err != nil {
			return fmt.Errorf("read log segment: %w", err)
		}
		b = b[f.size:]
		if err := c.consider(&f); err != nil {
			return err
		}
	}
	if c.stats.Matched == matched { // no event points into it
		c.spare = whole
	}
	return nil
}

// room is space for a block: most blocks of a search hold nothing that matches,
// and one space serves them all.
func (c *scan) room(size int64) []byte {
	b := c.spare
	if c.spare = nil; int64(cap(b)) < size {
		return make([]byte, size)
	}
	return b[:size]
}

func (c *scan) file(name string) (*os.File, error) {
	if f := c.files[name]; f != nil {
		return f, nil
	}
	f, err := os.Open(name)
	if err == nil {
		c.files[name] = f
	}
	return f, err
}

func (c *scan) consider(f *frame) error {
	if f.timestamp < c.q.Start || f.timestamp >= c.q.End || c.wanted != nil && !c.wanted[f.stream] {
		return nil
	}
	name, ok := c.names[f.stream]
	if !ok { // its stream was deleted
		return nil
	}
	at := Cursor{f.timestamp, f.seq}
	if c.q.HasAfter && (c.q.Backward && at.Compare(c.q.After) >= 0 || !c.q.Backward && at.Compare(c.q.After) <= 0) {
		return nil
	}
	message, err := c.group.open(f)
	if err != nil {
		return err
	}
	c.stats.Scanned++
	c.stats.Bytes += int64(len(message))
	if c.q.Match != nil && !c.q.Match(message) {
		return nil
	}
	c.stats.Matched++
	heap.Push(&c.held, &Event{Stream: name, Timestamp: f.timestamp, Ingested: f.ingested, Seq: f.seq, Message: message})
	return nil
}

// held is a heap of events whose turn has not come.
type held struct {
	events   []*Event
	backward bool
}

func (h *held) Len() int { return len(h.events) }
func (h *held) Less(i, j int) bool {
	a, b := h.events[i], h.events[j]
	c := Cursor{a.Timestamp, a.Seq}.Compare(Cursor{b.Timestamp, b.Seq})
	return c < 0 != h.backward
}
func (h *held) Swap(i, j int) { h.events[i], h.events[j] = h.events[j], h.events[i] }
func (h *held) Push(x any)    { h.events = append(h.events, x.(*Event)) }
func (h *held) Pop() any {
	n := len(h.events) - 1
	e := h.events[n]
	h.events[n] = nil
	h.events = h.events[:n]
	return e
}

// cutoff is the time before which events are not kept; the group is locked.
func (g *group) cutoff(now time.Time) int64 {
	if g.meta.Retention == 0 {
		return math.MinInt64
	}
	return now.AddDate(0, 0, -g.meta.Retention).UnixMilli()
}
