package cost

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"

	"outcrop"
)

// A cube keeps days of rollups in memory, so that a question about whole days
// touches no disk. It is exact: it holds the fold up to mark, each further fold
// is added to it, and it forgets everything when the store has moved without
// it. Whoever holds the folding token may change it; pages that were handed out
// never change.
type cube struct {
	mark    outcrop.Seq
	entries map[Line]*entry
	pages   map[pageKey]*page
	room    int // of the pages, in cells
}

// maxCubeCells bounds a cube's memory, at 24 bytes each; days beyond it are read
// again when asked for. A day takes room for pageCells beside its own, so that
// empty ones do, too. maxEntries bounds the lines it remembers.
const (
	maxCubeCells = 4_000_000
	pageCells    = 10
	maxEntries   = 500_000
)

// A pageKey names one day of an account in one version of its history.
type pageKey struct {
	account outcrop.AccountID
	version string // name of the last Version that is laid over it; empty for the original
	day     int64
}

// A page is one day by line. Its number is no other page's.
type page struct {
	number uint64
	cells  []cell
	at     map[*entry]int // of who folds
}

func (p *page) room() int { return pageCells + len(p.cells) }

type cell struct {
	*entry
	Amount
}

// An entry is a Line with its tags read once. Equal lines share one entry, and
// number tells it from the others of its source: of the cube, or of a walk.
type entry struct {
	number int
	Line
	tags, session outcrop.Tags
	once          sync.Once
}

// read takes the tag sets apart, when somebody first asks.
func (e *entry) read() {
	e.once.Do(func() { e.tags, e.session = e.Line.Tags.Tags(), e.Line.Session.Tags() })
}

func (c *cube) forget(mark outcrop.Seq) {
	*c = cube{mark: mark, entries: map[Line]*entry{}, pages: map[pageKey]*page{}}
}

func (c *cube) entry(l *Line) *entry {
	e, ok := c.entries[*l]
	if !ok {
		e = &entry{number: len(c.entries), Line: *l}
		c.entries[*l] = e
	}
	return e
}

// fold adds a batch to the days that are held. Days of later versions are made
// again from them when asked for.
func (c *cube) fold(b Batch) {
	c.mark = b.To
	if len(c.entries) > maxEntries {
		c.forget(b.To)
		return
	}
	fresh := map[pageKey]*page{}
	for key, add := range b.Rollups {
		at := pageKey{key.Line.Account, "", DayOf(key.Hour)}
		old, held := c.pages[at]
		if !held {
			continue
		}
		if fresh[at] == nil {
			fresh[at] = &page{pageNumbers.Add(1), append([]cell(nil), old.cells...), old.at}
		}
		fresh[at].add(c.entry(&key.Line), add)
	}
	for at, p := range fresh {
		c.room += p.room() - c.pages[at].room()
		c.pages[at] = p
	}
	c.forgetVersions(b)
}

func (c *cube) forgetVersions(b Batch) {
	type day struct {
		account outcrop.AccountID
		day     int64
	}
	touched := map[day]bool{}
	for key := range b.Rollups {
		touched[day{key.Line.Account, DayOf(key.Hour)}] = true
	}
	maps.DeleteFunc(c.pages, func(k pageKey, p *page) bool {
		drop := k.version != "" && touched[day{k.account, k.day}]
		if drop {
			c.room -= p.room()
		}
		return drop
	})
}

// pageNumbers is the number of the last page made.
var pageNumbers atomic.Uint64

func newPage() *page { return &page{number: pageNumbers.Add(1), at: map[*entry]int{}} }

func (p *page) add(e *entry, a Amount) {
	i, ok := p.at[e]
	if !ok {
		i = len(p.cells)
		p.at[e] = i
		p.cells = append(p.cells, cell{entry: e})
	}
	p.cells[i].Amount = p.cells[i].Amount.plus(a)
}

// keep holds a page for later questions.
func (c *cube) keep(k pageKey, p *page) {
	c.pages[k] = p
	c.room += p.room()
}

// makeRoom forgets days until the cube is within its bounds again. Pages in use
// live on with whoever uses them.
func (c *cube) makeRoom() {
	for k, p := range c.pages {
		if c.room <= maxCubeCells {
			return
		}
		delete(c.pages, k)
		c.room -= p.room()
	}
}

// days finds the pages of days [from, to) as version v shows them. The caller
// holds the folding token and has caught up.
func (c *Costs) days(ctx context.Context, account outcrop.AccountID, v history, from, to int64) ([]*page, error) {
	if err := c.load(ctx, account, from, to); err != nil {
		return nil, err
	}
	out := make([]*page, 0, to-from)
	for day := from; day < to; day++ {
		p, err := c.day(ctx, account, v, day)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	c.cube.makeRoom()
	return out, nil
}

func (c *Costs) day(ctx context.Context, account outcrop.AccountID, v history, day int64) (*page, error) {
	original := c.cube.pages[pageKey{account, "", day}]
	if !v.touches(day) {
		return original, nil
	}
	key := pageKey{account, v.name(), day}
	if p, ok := c.cube.pages[key]; ok {
		return p, nil
	}
	p, err := c.told(ctx, account, v, day, original)
	if err == nil {
		c.cube.keep(key, p)
	}
	return p, err
}

// told lays a history over a day: by hours where it begins or ends within it.
func (c *Costs) told(ctx context.Context, account outcrop.AccountID, v history, day int64, original *page) (*page, error) {
	p := newPage()
	if !v.cuts(day) {
		for _, cell := range original.cells {
			p.add(c.cube.entry(v.tell(c.Settings, cell.entry, day*24)), cell.Amount)
		}
		return p, nil
	}
	for r, err := range c.store.Hours(ctx, account, day*24, day*24+24) {
		if err != nil {
			return nil, fmt.Errorf("read rollups: %w", err)
		}
		p.add(c.cube.entry(v.tell(c.Settings, c.cube.entry(r.Line), r.At)), r.Amount)
	}
	return p, nil
}

// load reads those days that the cube lacks, each run of them at once.
func (c *Costs) load(ctx context.Context, account outcrop.AccountID, from, to int64) error {
	for day := from; day < to; day++ {
		if c.cube.pages[pageKey{account, "", day}] != nil {
			continue
		}
		end := day + 1
		for end < to && c.cube.pages[pageKey{account, "", end}] == nil {
			end++
		}
		if err := c.loadRun(ctx, account, day, end); err != nil {
			return err
		}
		day = end
	}
	return nil
}

func (c *Costs) loadRun(ctx context.Context, account outcrop.AccountID, from, to int64) error {
	read := make([]*page, to-from)
	for i := range read {
		read[i] = newPage()
	}
	for r, err := range c.store.Days(ctx, account, from, to) {
		if err != nil {
			return fmt.Errorf("read rollups: %w", err)
		}
		read[r.At-from].add(c.cube.entry(r.Line), r.Amount)
	}
	for i, p := range read {
		c.cube.keep(pageKey{account, "", from + int64(i)}, p)
	}
	return nil
}
