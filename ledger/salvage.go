package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"outcrop"
	"outcrop/internal/record"
)

// A salvage goes on with a damaged log, if the operator asked for that. What it
// changes it copies before.

// salvage gives up the damaged stretch at s.end: it lays a frame over the
// stretch that says which records are lost.
func (l *Ledger) salvage(s *segment, later []*segment, buf []byte, cause error) error {
	from := s.end
	to, lost := s.lost(later, buf)
	if !l.opts.Salvage || to-from < record.HeaderBytes || lost < s.last {
		return damaged(s, from, cause)
	}
	if err := l.keepCopy(s); err != nil {
		return err
	}
	patch := record.Append(nil, frameLost, make([]byte, to-from-record.HeaderBytes))
	record.Seal(patch, s.salt, from, uint32(from), uint64(lost))
	if _, err := s.file.WriteAt(patch, from); err != nil {
		return fmt.Errorf("mark damage in ledger segment %s: %w", s.name, err)
	}
	copy(buf[from:], patch)
	l.log.Error("ledger was damaged; records are lost", "segment", s.name, "byte", from, "records", lost-s.last, "after", s.last)
	return nil
}

// lost is where the stretch at s.end that cannot be read ends, and the last
// record in it.
func (s *segment) lost(later []*segment, buf []byte) (to int64, last outcrop.Seq) {
	to, last = int64(len(buf)), s.last
	if f, at, ok := record.Find(buf[s.end:], s.salt, s.end); ok {
		to, last = s.end+int64(at), outcrop.Seq(f.Seq)
		if f.Type == frameSettled {
			last--
		}
	} else if len(later) > 0 {
		last = later[0].first - 1
	}
	return to, last
}

// readable is later, or nothing when the first of it cannot say where the
// segment before it ends.
func readable(later []*segment) []*segment {
	if len(later) > 0 && later[0].ruin != nil {
		return nil
	}
	return later
}

// rebuild gives the segment at i a new header if its own cannot be read. When
// its frames cannot be read either, as the old header had their salt, it is
// empty from then on. mark is the last record that the store has.
func (l *Ledger) rebuild(i int, mark outcrop.Seq) error {
	s := l.segs[i]
	if s.ruin == nil {
		return nil
	}
	buf, err := s.bytes()
	if err != nil {
		return err
	}
	if err := l.keepCopy(s); err != nil {
		return err
	}
	cause, later := s.ruin, readable(l.segs[i+1:])
	kept := s.learn(buf, l.segs[:i], later, mark)
	if kept {
		_, err = s.file.WriteAt(s.encode(), 0)
		err = errors.Join(err, s.file.Sync())
	} else {
		err = l.replace(s, later)
	}
	if err != nil {
		return fmt.Errorf("mend ledger segment %s: %w", s.name, err)
	}
	l.log.Error("the header of a ledger segment was damaged and is made anew", "segment", s.name, "recordsKept", kept, "cause", cause)
	return nil
}

// anyMark stands for the last record that the store has, where there is no
// store to ask.
const anyMark = outcrop.Seq(math.MaxInt64 - 1)

// learn makes up the header of s from the segments around it and its own
// frames, and says whether these can be read.
func (s *segment) learn(buf []byte, before, later []*segment, mark outcrop.Seq) (kept bool) {
	s.ruin, s.first = nil, mark+1
	if len(before) > 0 {
		prev := before[len(before)-1]
		s.first, s.prevEnd, s.created = prev.last+1, prev.end, prev.created
	}
	if len(later) > 0 {
		s.first = min(s.first, later[0].first)
	}
	if len(buf) <= headerBytes {
		s.salt = newSalt()
		return false
	}
	s.salt = binary.LittleEndian.Uint64(buf[saltAt:])
	f, at, kept := record.Find(buf[headerBytes:], s.salt, headerBytes)
	if !kept {
		s.salt = newSalt()
		return false
	}
	first := outcrop.Seq(f.Seq)
	if f.Type != frameSettled {
		first++
	}
	if s.first = min(s.first, first); at == 0 && f.Type != frameLost { // which says where it ends, not where it begins
		s.first = first
	}
	return true
}

// replace puts an empty file in the place of s. Until that is on disk, whole,
// the damaged one stays.
func (l *Ledger) replace(s *segment, later []*segment) error {
	s.size = max(s.size, l.opts.SegmentBytes)
	if len(later) > 0 {
		s.size = max(s.size, later[0].prevEnd)
	}
	file, err := l.files.Create(spareName, s.size, nil)
	if err != nil {
		return err
	}
	old := s.file
	s.file = file
	if err := l.name(s); err != nil {
		s.file = old
		return errors.Join(err, file.Close())
	}
	return old.Close()
}

// bytes are all of the file.
func (s *segment) bytes() ([]byte, error) {
	buf := make([]byte, s.size)
	if _, err := s.file.ReadAt(buf, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read ledger segment %s: %w", s.name, err)
	}
	return buf, nil
}

// keepCopy keeps s as it was, once, and beside what earlier salvages kept.
func (l *Ledger) keepCopy(s *segment) error {
	if s.copied {
		return nil
	}
	buf, err := s.bytes()
	if err != nil {
		return err
	}
	names, err := l.files.List()
	if err != nil {
		return fmt.Errorf("list ledger: %w", err)
	}
	name := s.name + ".damaged"
	for n := 2; slices.Contains(names, name); n++ {
		name = fmt.Sprintf("%s.damaged.%d", s.name, n)
	}
	f, err := l.files.Create(name, int64(len(buf)), nil)
	if err == nil {
		_, err = f.WriteAt(buf, 0)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("copy damaged ledger segment %s: %w", s.name, err)
	}
	s.copied = true
	return nil
}
