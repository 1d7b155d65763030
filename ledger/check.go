package ledger

import (
	"errors"

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
	Unknown  bool // nothing tells how many records were in it; the store may have them all
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
	l := &Ledger{files: files, opts: Options{Salvage: true}} // to look at what cannot be read, too
	defer func() { err = errors.Join(err, l.closeFiles()) }()
	if err := l.openSegments(); err != nil {
		return nil, err
	}
	for i, s := range l.segs {
		f, err := s.examine(l.segs[:i], readable(l.segs[i+1:]))
		if err != nil {
			return nil, err
		}
		found = append(found, *f)
	}
	return found, nil
}

// examine walks one segment as replay does; what replay would stop at is noted
// and passed over.
func (s *segment) examine(before, later []*segment) (*Finding, error) {
	buf, err := s.bytes()
	if err != nil {
		return nil, err
	}
	limit := s.size
	if len(later) > 0 {
		limit = min(limit, later[0].prevEnd)
	}
	buf = buf[:limit]
	found := &Finding{Segment: s.name}
	if s.ruin != nil && !found.ruined(s, before, later, buf) {
		return found, nil
	}
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

// ruined notes that the header of s cannot be read, and says whether its frames
// can.
func (n *Finding) ruined(s *segment, before, later []*segment, buf []byte) bool {
	kept := s.learn(buf, before, later, anyMark)
	d := Damage{To: min(headerBytes, int64(len(buf)))}
	if !kept {
		d.To = max(d.To, written(buf))
		if d.Unknown = len(before) == 0 || len(later) == 0; !d.Unknown {
			d.Lost = int(max(later[0].first, s.first) - s.first)
		}
		s.last = s.first - 1
	}
	n.Damage = append(n.Damage, d)
	return kept
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
	last = max(last, s.last)
	n.Damage = append(n.Damage, Damage{From: s.end, To: to, Lost: int(last - s.last)})
	s.end, s.last = to, last
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
