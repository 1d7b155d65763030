package metrics

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"outcrop/metrics/sketch"
)

// A Block holds the Points of one Lane in one period, by the name of their
// metric. Metrics of a Lane are recorded together and asked for together.
type Block struct{ entries []entry }

type entry struct {
	name  string
	point Point
}

// At is the Point of a metric, made when there is none.
func (b *Block) At(name string) *Point {
	for i := range b.entries {
		if b.entries[i].name == name {
			return &b.entries[i].point
		}
	}
	b.entries = append(b.entries, entry{name: name})
	return &b.entries[len(b.entries)-1].point
}

// Of is the Point of a metric, nil when there is none.
func (b *Block) Of(name string) *Point {
	for i := range b.entries {
		if b.entries[i].name == name {
			return &b.entries[i].point
		}
	}
	return nil
}

// Names of the metrics in b.
func (b *Block) Names() []string {
	names := make([]string, len(b.entries))
	for i := range b.entries {
		names[i] = b.entries[i].name
	}
	return names
}

// Merge adds the samples of o.
func (b *Block) Merge(o *Block) {
	for i := range o.entries {
		b.At(o.entries[i].name).Merge(&o.entries[i].point)
	}
}

// The form of a Block on disk (docs/formats/metrics.md): a version, then for
// each metric its name, how many bytes follow, and its Point.
const blockVersion = 1

// Point flags.
const (
	flagSame   = 1 << iota // one value only: Min stands for Max and Sum, and for the sketch
	flagSketch             // a sketch follows
)

// Append writes b.
func (b *Block) Append(to []byte) []byte {
	to = append(to, blockVersion)
	for i := range b.entries {
		e := &b.entries[i]
		if e.point.Count == 0 {
			continue
		}
		to = appendName(to, e.name)
		body := e.point.append(make([]byte, 0, 64))
		to = binary.AppendUvarint(to, uint64(len(body)))
		to = append(to, body...)
	}
	return to
}

// appendName writes a well-known metric as its number, another as 0 and text.
func appendName(to []byte, name string) []byte {
	if n, ok := nameNumbers[name]; ok {
		return binary.AppendUvarint(to, n)
	}
	to = binary.AppendUvarint(to, 0)
	to = binary.AppendUvarint(to, uint64(len(name)))
	return append(to, name...)
}

func (p *Point) append(to []byte) []byte {
	only := p.Min == p.Max && p.Sum == p.Min*float64(p.Count) && p.whole()
	switch {
	case only:
		to = append(to, flagSame)
	case len(p.Sketch.Buckets()) > 0:
		to = append(to, flagSketch)
	default:
		to = append(to, 0)
	}
	to = binary.AppendUvarint(to, p.Count)
	to = appendNumber(to, p.Min)
	if only {
		return to
	}
	to = appendNumber(appendNumber(to, p.Max), p.Sum)
	if len(p.Sketch.Buckets()) > 0 {
		to = p.Sketch.Append(to)
	}
	return to
}

// appendNumber writes whole numbers short, doubled; all else as an odd mark
// and eight bytes.
func appendNumber(to []byte, v float64) []byte {
	if v >= 0 && v < 1<<53 && v == math.Trunc(v) && !math.Signbit(v) {
		return binary.AppendUvarint(to, uint64(v)<<1)
	}
	return binary.LittleEndian.AppendUint64(append(to, 1), math.Float64bits(v))
}

var errDamaged = errors.New("metric block is damaged")

// A part is what ReadBlock is asked for.
type part struct {
	only     map[string]bool // metrics wanted; nil for all
	sketches bool
}

// ReadBlock reads what Append wrote.
func ReadBlock(b []byte) (*Block, error) { return readPart(b, part{sketches: true}) }

// readPart reads only what is wanted, passing over the rest.
func readPart(b []byte, want part) (*Block, error) {
	if len(b) == 0 || b[0] != blockVersion {
		return nil, errDamaged
	}
	block := new(Block)
	for b = b[1:]; len(b) > 0; {
		name, rest, err := readName(b)
		if err != nil {
			return nil, err
		}
		size, n := binary.Uvarint(rest)
		if n <= 0 || size > uint64(len(rest)-n) {
			return nil, errDamaged
		}
		body := rest[n : n+int(size)]
		b = rest[n+int(size):]
		if want.only != nil && !want.only[name] {
			continue
		}
		if err := block.At(name).read(body, want.sketches); err != nil {
			return nil, fmt.Errorf("metric %s: %w", name, err)
		}
	}
	return block, nil
}

func readName(b []byte) (string, []byte, error) {
	number, n := binary.Uvarint(b)
	if n <= 0 || number >= uint64(len(numberedNames)) {
		return "", nil, errDamaged
	}
	b = b[n:]
	if number > 0 {
		return numberedNames[number], b, nil
	}
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return "", nil, errDamaged
	}
	return string(b[n : n+int(size)]), b[n+int(size):], nil
}

func (p *Point) read(b []byte, sketches bool) (err error) {
	if len(b) == 0 {
		return errDamaged
	}
	flags, b := b[0], b[1:]
	count, n := binary.Uvarint(b)
	if n <= 0 {
		return errDamaged
	}
	p.Count, b = count, b[n:]
	if p.Min, b, err = readNumber(b); err != nil {
		return err
	}
	if flags&flagSame != 0 {
		p.Max, p.Sum = p.Min, p.Min*float64(p.Count)
		if sketches {
			p.Sketch.Add(p.Min, p.Count)
		}
		return nil
	}
	if p.Max, b, err = readNumber(b); err != nil {
		return err
	}
	if p.Sum, b, err = readNumber(b); err != nil || !sketches || flags&flagSketch == 0 {
		return err
	}
	p.Sketch, _, err = sketch.Read(b)
	return err
}

func readNumber(b []byte) (float64, []byte, error) {
	v, n := binary.Uvarint(b)
	switch {
	case n <= 0:
		return 0, nil, errDamaged
	case v&1 == 0:
		return float64(v >> 1), b[n:], nil
	case len(b) < n+8:
		return 0, nil, errDamaged
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b[n:])), b[n+8:], nil
}

// MergeBlocks adds two written Blocks, either of which may be empty.
func MergeBlocks(a, b []byte) ([]byte, error) {
	switch {
	case len(a) == 0:
		return b, nil
	case len(b) == 0:
		return a, nil
	}
	sum, err := ReadBlock(a)
	if err != nil {
		return nil, err
	}
	more, err := ReadBlock(b)
	if err != nil {
		return nil, err
	}
	sum.Merge(more)
	return sum.Append(make([]byte, 0, len(a)+16)), nil
}
