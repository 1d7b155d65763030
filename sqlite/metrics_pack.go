package sqlite

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"outcrop/metrics"
)

// A packForm is what one row of metric_packs holds: blocks of one Step from an
// hour or a day (docs/formats/metrics.md). What comes in as it happens goes to
// hours, which are small to write again; what comes late, and days that are
// over, go to days, of which there are few.
type packForm int

const (
	minutesOfHour packForm = iota
	minutesOfDay
	fivesOfDay
	hoursOfDay
	packForms
)

const hourSeconds = 3600

// scatteredHours of one day in one batch make it a batch that comes late.
const scatteredHours = 6

func (f packForm) span() int64 {
	if f == minutesOfHour {
		return hourSeconds
	}
	return metrics.Day
}

func (f packForm) step() metrics.Step { return metrics.Step(max(f-1, 0)) }

// dayForm is the form for a day of a Step.
func dayForm(s metrics.Step) packForm { return packForm(s) + 1 }

// A packKey is the place of a pack.
type packKey struct {
	lane   int64
	form   packForm
	start  int64
	origin int
}

func (a packKey) compare(b packKey) int {
	return cmp.Or(cmp.Compare(a.lane, b.lane), cmp.Compare(a.form, b.form), cmp.Compare(a.start, b.start), cmp.Compare(a.origin, b.origin))
}

// A packed is one block in its period, which is counted from the pack's start.
type packed struct {
	slot  uint64
	block []byte
}

var errPack = errors.New("metric pack is damaged")

// nextPacked takes the first block off a pack. last is the slot before it plus
// one, 0 for the first.
func nextPacked(b []byte, last uint64) (p packed, rest []byte, err error) {
	gap, n := binary.Uvarint(b)
	if n <= 0 || gap > uint64(metrics.Day) {
		return p, nil, errPack
	}
	size, m := binary.Uvarint(b[n:])
	if b = b[n:]; m <= 0 || size > uint64(len(b)-m) {
		return p, nil, errPack
	}
	end := m + int(size)
	return packed{last + gap, b[m:end]}, b[end:], nil
}

func appendPacked(to []byte, last uint64, p packed) []byte {
	to = binary.AppendUvarint(to, p.slot-last)
	to = binary.AppendUvarint(to, uint64(len(p.block)))
	return append(to, p.block...)
}

// mergePack adds blocks, in any order, to a pack, which may be empty. Blocks
// that stay as they are are copied unread.
func mergePack(have []byte, more []packed) ([]byte, error) {
	more, err := sortPacked(more)
	if err != nil {
		return nil, err
	}
	size := len(have)
	for i := range more {
		size += len(more[i].block) + 8
	}
	out, read, written := make([]byte, 0, size), uint64(0), uint64(0)
	put := func(p packed) {
		out = appendPacked(out, written, p)
		written = p.slot + 1
	}
	for len(have) > 0 {
		var p packed
		if p, have, err = nextPacked(have, read); err != nil {
			return nil, err
		}
		read = p.slot + 1
		for len(more) > 0 && more[0].slot < p.slot {
			put(more[0])
			more = more[1:]
		}
		if len(more) > 0 && more[0].slot == p.slot {
			if p.block, err = metrics.MergeBlocks(p.block, more[0].block); err != nil {
				return nil, err
			}
			more = more[1:]
		}
		put(p)
	}
	for _, p := range more {
		put(p)
	}
	return out, nil
}

// sortPacked orders blocks by slot, with one block for each.
func sortPacked(list []packed) ([]packed, error) {
	slices.SortStableFunc(list, func(a, b packed) int { return cmp.Compare(a.slot, b.slot) })
	out := list[:0]
	for _, p := range list {
		n := len(out)
		if n == 0 || out[n-1].slot != p.slot {
			out = append(out, p)
			continue
		}
		both, err := metrics.MergeBlocks(out[n-1].block, p.block)
		if err != nil {
			return nil, err
		}
		out[n-1].block = both
	}
	return out, nil
}

// unpack calls each with the start and block of what a pack holds, until it
// says no.
func unpack(form packForm, start int64, pack []byte, each func(start int64, block []byte) bool) error {
	for last := uint64(0); len(pack) > 0; {
		p, rest, err := nextPacked(pack, last)
		if err != nil {
			return fmt.Errorf("metrics of %d: %w", start, err)
		}
		if last, pack = p.slot+1, rest; !each(start+int64(p.slot)*form.step().Seconds(), p.block) {
			return nil
		}
	}
	return nil
}

// floorTo is the largest multiple of unit that is not after at.
func floorTo(at, unit int64) int64 { return at - ((at%unit)+unit)%unit }
