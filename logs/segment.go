package logs

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// A segment is a file of events in the order in which they came, in blocks
// whose times are known, so that a question about an hour reads that hour
// (docs/formats/logs.md).
type segment struct {
	name   string
	size   int64
	blocks []block
	stats  map[uint32]stats
}

// A block is a stretch of a segment.
type block struct {
	offset, size int64
	first, last  int64    // least and greatest timestamp
	streams      []uint32 // at most maxBlockStreams, else nil: any
	many         bool
}

const (
	blockBytes      = 256 << 10
	maxBlockStreams = 32
	frameHeader     = 4 + 4 + 8 + 8 + 4 + 8 // length, checksum, timestamp, ingested, stream, seq
	maxFrameBytes   = 2 << 20
	segmentSuffix   = ".seg"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A frame is an event as it lies in a segment.
type frame struct {
	timestamp, ingested int64
	stream              uint32
	seq                 uint64
	body                []byte // the message, sealed when the store seals
	size                int64
}

var errTorn = errors.New("the frame is not whole")

func appendFrame(b []byte, f *frame) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.body)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(f.timestamp))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.ingested))
	b = binary.LittleEndian.AppendUint32(b, f.stream)
	b = binary.LittleEndian.AppendUint64(b, f.seq)
	b = append(b, f.body...)
	f.size = int64(len(b) - start)
	binary.LittleEndian.PutUint32(b[start+4:], checksum(b[start:]))
	return b
}

// checksum covers a whole frame but the checksum itself.
func checksum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:4], castagnoli), castagnoli, b[8:])
}

// readFrame reads the frame at the start of b.
func readFrame(b []byte, check bool) (f frame, err error) {
	if len(b) < frameHeader {
		return f, errTorn
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n > maxFrameBytes || len(b) < frameHeader+n {
		return f, errTorn
	}
	b = b[:frameHeader+n]
	if check && checksum(b) != binary.LittleEndian.Uint32(b[4:]) {
		return f, errTorn
	}
	return frame{
		timestamp: int64(binary.LittleEndian.Uint64(b[8:])), ingested: int64(binary.LittleEndian.Uint64(b[16:])),
		stream: binary.LittleEndian.Uint32(b[24:]), seq: binary.LittleEndian.Uint64(b[28:]), body: b[frameHeader:], size: int64(len(b)),
	}, nil
}

// add counts a frame that stands at the segment's end.
func (s *segment) add(f *frame) {
	if n := len(s.blocks); n == 0 || s.blocks[n-1].size >= blockBytes {
		s.blocks = append(s.blocks, block{offset: s.size, first: math.MaxInt64, last: math.MinInt64})
	}
	b := &s.blocks[len(s.blocks)-1]
	b.size += f.size
	b.first, b.last = min(b.first, f.timestamp), max(b.last, f.timestamp)
	if !b.many && !slices.Contains(b.streams, f.stream) {
		if b.streams = append(b.streams, f.stream); len(b.streams) > maxBlockStreams {
			b.streams, b.many = nil, true
		}
	}
	s.size += f.size
	st := s.stats[f.stream]
	st.add(f.timestamp, f.ingested)
	s.stats[f.stream] = st
}

func (b *block) holds(wanted map[uint32]bool) bool {
	return wanted == nil || b.many || slices.ContainsFunc(b.streams, func(n uint32) bool { return wanted[n] })
}

// span is the times of all events.
func (s *segment) last() int64 {
	last := int64(math.MinInt64)
	for i := range s.blocks {
		last = max(last, s.blocks[i].last)
	}
	return last
}

// openSegments reads every segment once, in the order of their events.
func (g *group) openSegments() error {
	names, err := filepath.Glob(filepath.Join(g.dir, "*"+segmentSuffix))
	if err != nil {
		return err
	}
	slices.Sort(names)
	for i, name := range names {
		s, last, err := scanSegment(name, i == len(names)-1)
		if err != nil {
			return err
		}
		g.segments = append(g.segments, s)
		g.seq = max(g.seq, last)
		for number, st := range s.stats {
			if at := g.byNumber[number]; at != nil {
				at.stats.merge(st)
			}
		}
	}
	return nil
}

// scanSegment makes a segment's index. What is torn at the end of the last one
// was never acknowledged and is cut off.
func scanSegment(name string, newest bool) (s *segment, seq uint64, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	s = &segment{name: name, stats: map[uint32]stats{}}
	in := bufio.NewReaderSize(file, 1<<20)
	for {
		f, err := nextFrame(in)
		switch {
		case err == io.EOF:
			return s, seq, nil
		case errors.Is(err, errTorn) && newest:
			return s, seq, os.Truncate(name, s.size)
		case err != nil:
			return nil, 0, fmt.Errorf("%s at %d: %w", filepath.Base(name), s.size, err)
		}
		s.add(&f)
		seq = f.seq
	}
}

func nextFrame(in *bufio.Reader) (f frame, err error) {
	head, err := in.Peek(frameHeader)
	if err == io.EOF && len(head) == 0 {
		return f, io.EOF
	}
	if err != nil {
		return f, errors.Join(errTorn, err)
	}
	n := binary.LittleEndian.Uint32(head)
	if n > maxFrameBytes {
		return f, errTorn
	}
	whole := make([]byte, frameHeader+int(n))
	if _, err := io.ReadFull(in, whole); err != nil {
		return f, errTorn
	}
	return readFrame(whole, true)
}

// append writes frames to the last segment and returns once they are on disk.
// The group is locked.
func (g *group) append(frames []frame) error {
	if err := g.roll(); err != nil {
		return err
	}
	s := g.segments[len(g.segments)-1]
	var b []byte
	for i := range frames {
		b = appendFrame(b, &frames[i])
	}
	_, err := g.active.WriteAt(b, s.size)
	if err = errors.Join(err, g.sync()); err != nil {
		return fmt.Errorf("write log events: %w", errors.Join(err, g.active.Truncate(s.size)))
	}
	for i := range frames {
		s.add(&frames[i])
	}
	return nil
}

func (g *group) sync() error {
	if g.opts.hasty {
		return nil
	}
	return g.active.Sync()
}

// roll begins a new segment where there is none or the last one is full.
func (g *group) roll() error {
	n := len(g.segments)
	if n > 0 && g.segments[n-1].size < g.opts.SegmentBytes {
		if g.active == nil {
			file, err := os.OpenFile(g.segments[n-1].name, os.O_WRONLY, 0o600)
			if err != nil {
				return fmt.Errorf("open log segment: %w", err)
			}
			g.active = file
		}
		return nil
	}
	if err := g.closeFiles(); err != nil {
		return err
	}
	name := filepath.Join(g.dir, fmt.Sprintf("%016x%s", g.seq+1, segmentSuffix))
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make log segment: %w", err)
	}
	g.active = file
	g.segments = append(g.segments, &segment{name: name, stats: map[uint32]stats{}})
	return nil
}
