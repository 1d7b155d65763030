package logs

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Limits of PutLogEvents.
const (
	maxFuture = 2 * time.Hour
	maxPast   = 14 * 24 * time.Hour
)

// A Put is one event to keep.
type Put struct {
	Timestamp int64
	Message   string
}

// Rejected says which events of a Put were not kept, by index: those up to and
// including Old and Expired were too old, those from New on too new. -1 is none.
type Rejected struct{ New, Old, Expired int }

// None says that all were kept.
func (r Rejected) None() bool { return r == Rejected{-1, -1, -1} }

// Put keeps events of a stream, which are in the order of their times. It
// returns once they are on disk.
func (s *Store) Put(name GroupName, stream string, events []Put) (Rejected, error) {
	g, err := s.group(name)
	if err != nil {
		return Rejected{}, err
	}
	kept, rejected, err := g.put(stream, events)
	if err == nil {
		s.tails.tell(name, stream, kept)
	}
	return rejected, err
}

// PutNew is Put for a stream that is made when it is not there.
func (s *Store) PutNew(name GroupName, stream string, events []Put) error {
	g, err := s.group(name)
	if err != nil {
		return err
	}
	g.mu.Lock()
	if g.streams[stream] == nil {
		if err := g.createStream(stream); err != nil {
			g.mu.Unlock()
			return err
		}
	}
	g.mu.Unlock()
	_, err = s.Put(name, stream, events)
	return err
}

func (g *group) put(name string, events []Put) ([]Event, Rejected, error) {
	now := g.opts.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	rejected := g.judge(now, events)
	if g.gone {
		return nil, rejected, noGroup()
	}
	st := g.streams[name]
	if st == nil {
		return nil, rejected, noStream()
	}
	from := max(rejected.Old, rejected.Expired) + 1
	to := len(events)
	if rejected.New >= 0 {
		to = rejected.New
	}
	if from >= to {
		return nil, rejected, nil
	}
	frames, kept := make([]frame, 0, to-from), make([]Event, 0, to-from)
	for _, e := range events[from:to] {
		g.seq++
		f := frame{timestamp: e.Timestamp, ingested: now.UnixMilli(), stream: st.Number, seq: g.seq}
		f.body = g.seal(&f, e.Message)
		frames = append(frames, f)
		kept = append(kept, Event{Stream: name, Timestamp: e.Timestamp, Ingested: f.ingested, Seq: f.seq, Message: []byte(e.Message)})
	}
	if err := g.append(frames); err != nil {
		return nil, rejected, err
	}
	for _, f := range frames {
		st.add(f.timestamp, f.ingested)
	}
	return kept, rejected, nil
}

// judge says which events are too old or too new to be kept.
func (g *group) judge(now time.Time, events []Put) Rejected {
	r := Rejected{-1, -1, -1}
	expired := g.cutoff(now)
	for i, e := range events {
		switch {
		case e.Timestamp > now.Add(maxFuture).UnixMilli():
			if r.New < 0 {
				r.New = i
			}
		case e.Timestamp < expired:
			r.Expired = i
		case e.Timestamp < now.Add(-maxPast).UnixMilli():
			r.Old = i
		}
	}
	return r
}

// seal encrypts a message, bound to where it stands.
func (g *group) seal(f *frame, message string) []byte {
	if g.opts.Seal == nil {
		return append([]byte{plainMark}, message...)
	}
	nonce := make([]byte, 1+g.opts.Seal.NonceSize(), 1+g.opts.Seal.NonceSize()+len(message)+g.opts.Seal.Overhead())
	nonce[0] = sealedMark
	randomBytes(nonce[1:])
	return g.opts.Seal.Seal(nonce, nonce[1:], []byte(message), bound(f))
}

// The first byte of a frame's body.
const (
	plainMark  = 0
	sealedMark = 1
)

func bound(f *frame) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(nil, f.stream), f.seq)
}

// open is the message of a frame.
func (g *group) open(f *frame) ([]byte, error) {
	if len(f.body) == 0 {
		return nil, errTorn
	}
	if f.body[0] == plainMark {
		return f.body[1:], nil
	}
	if g.opts.Seal == nil {
		return nil, fmt.Errorf("the log events of %s are encrypted: set the key again that they were written with", g.meta.Name)
	}
	n := 1 + g.opts.Seal.NonceSize()
	if len(f.body) < n {
		return nil, errTorn
	}
	message, err := g.opts.Seal.Open(nil, f.body[1:n], f.body[n:], bound(f))
	if err != nil {
		return nil, fmt.Errorf("the log events of %s cannot be decrypted with this key", g.meta.Name)
	}
	return message, nil
}
