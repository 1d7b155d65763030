package ledger

import (
	"errors"
	"fmt"
	"io"

	"outcrop"
	"outcrop/internal/record"
)

// A Finding is what Check found in one segment.
type Finding struct {
	Segment     string
	Records     int         // settled and whole
	First, Last outcrop.Seq // of them; zero when there are none
	Torn        int64       // bytes of a last commit that never ended, which nobody was told of
	Damage      []Damage
}

// Damage is a stretch of a segment that cannot be read.
type Damage struct {
	From, To int64
	Lost     int  // records in it
	GivenUp  bool // a salvage laid a mark over it
}

// Check reads the log in dir and changes nothing. Nobody else may have it open.
func Check(dir string) ([]Finding, error) {
	files, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	return check(files)
}

func check(files Files) (found []Finding, err error) {
	l := &Ledger{files: files}
	defer func() { err = errors.Join(err, l.closeFiles()) }()
	if err := l.openSegments(); err != nil {
		return nil, err
	}
	for i, s := range l.segs {
		f, err := s.examine(l.segs[i+1:])
		if err != nil {
			return nil, err
		}
		found = append(found, *f)
	}
	return found, nil
}

// examine walks one segment as replay does; what replay would stop at is noted
// and passed over.
func (s *segment) examine(later []*segment) (*Finding, error) {
	limit := s.size
	if len(later) > 0 {
		limit = min(limit, later[0].prevEnd)
	}
	buf := make([]byte, limit)
	if _, err := s.file.ReadAt(buf, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read ledger segment %s: %w", s.name, err)
	}
	found := &Finding{Segment: s.name}
	s.last = s.first - 1
	for s.end < limit {
		f, err := record.Read(buf[s.end:], s.salt, s.end)
		switch {
		case err == nil:
			found.note(s, f)
		case len(later) == 0 && !writtenAfter(buf, s):
			found.Torn = written(buf[s.end:])
			return found, nil
		default:
			found.skip(s, later, buf)
		}
	}
	return found, nil
}

// note counts a whole frame.
func (n *Finding) note(s *segment, f record.Frame) {
	seq := outcrop.Seq(f.Seq)
	switch f.Type {
	case frameSettled:
		if n.Records++; n.First == 0 {
			n.First = seq
		}
		n.Last = seq
	case frameLost:
		n.Damage = append(n.Damage, Damage{From: s.end, To: s.end + int64(f.Bytes), Lost: int(seq - s.last), GivenUp: true})
	}
	s.last = seq
	s.end += int64(f.Bytes)
}

// skip goes to the next frame that can be read, or to the end.
func (n *Finding) skip(s *segment, later []*segment, buf []byte) {
	to, last := s.lost(later, buf)
	n.Damage = append(n.Damage, Damage{From: s.end, To: to, Lost: int(last - s.last)})
	s.end, s.last = to, last
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
	return to, max(last, s.last)
}

// written is how many bytes there are up to the last that is not zero.
func written(b []byte) int64 {
	for i := len(b); i > 0; i-- {
		if b[i-1] != 0 {
			return int64(i)
		}
	}
	return 0
}
