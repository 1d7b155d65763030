package ledger

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"outcrop"
	"outcrop/internal/record"
)

// A segment is one file of the log. Its file name is its number.
type segment struct {
	header
	name    string
	file    File
	size    int64
	end     int64       // everything before it is on disk
	commit  int64       // where the commit before end began, as recovery found it
	last    outcrop.Seq // newest record in it or before it
	broken  bool        // a write failed, or it is of an earlier process: the log goes on in the next one
	ruin    error       // why its header cannot be read; nil when it was, or is made anew
	copied  bool        // as it was before a salvage changed it
	intents int         // open invocations whose newest intent is here
}

func (s *segment) room() int64 {
	if s == nil || s.broken {
		return 0
	}
	return s.size - s.end
}

// A header is the start of a segment, as docs/formats/ledger.md draws it.
type header struct {
	number  uint64
	first   outcrop.Seq // Seq of its first record
	prevEnd int64       // where the segment before it ends; what follows there was never acknowledged
	salt    uint64      // where the checksums of its frames start
	created time.Time
}

const (
	headerBytes   = 64
	saltAt        = 40
	headerMagic   = "outcropL"
	formatVersion = 1
)

func (h *header) encode() []byte {
	b := make([]byte, 0, headerBytes)
	b = append(b, headerMagic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	b = binary.LittleEndian.AppendUint32(b, headerBytes)
	b = binary.LittleEndian.AppendUint64(b, h.number)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.first))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.prevEnd))
	b = binary.LittleEndian.AppendUint64(b, h.salt)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.created.UnixNano()))
	b = append(b, 0, 0, 0, 0)
	return binary.LittleEndian.AppendUint32(b, record.Checksum(b))
}

var errHeader = errors.New("not the header of a ledger segment")

// decodeHeader reads a header. Its error is errHeader when it is damaged, which
// one of another version is not.
func decodeHeader(b []byte) (header, error) {
	if len(b) < headerBytes || string(b[:8]) != headerMagic {
		return header{}, errHeader
	}
	if record.Checksum(b[:headerBytes-4]) != binary.LittleEndian.Uint32(b[headerBytes-4:]) {
		return header{}, fmt.Errorf("%w: checksum does not fit", errHeader)
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return header{}, fmt.Errorf("a ledger segment of format %d, where this version reads %d", v, formatVersion)
	}
	return header{
		number:  binary.LittleEndian.Uint64(b[16:]),
		first:   outcrop.Seq(binary.LittleEndian.Uint64(b[24:])),
		prevEnd: int64(binary.LittleEndian.Uint64(b[32:])),
		salt:    binary.LittleEndian.Uint64(b[saltAt:]),
		created: time.Unix(0, int64(binary.LittleEndian.Uint64(b[48:]))),
	}, nil
}

func segmentName(number uint64) string { return fmt.Sprintf("%016x.seg", number) }

func segmentNumber(name string) (n uint64, ok bool) {
	_, err := fmt.Sscanf(name, "%016x.seg", &n)
	return n, err == nil && name == segmentName(n)
}

// active is the segment that is written to, nil before the first. The caller
// holds l.mu.
func (l *Ledger) active() *segment {
	if len(l.segs) == 0 {
		return nil
	}
	return l.segs[len(l.segs)-1]
}

// segmentFor finds room for n bytes.
func (l *Ledger) segmentFor(n int) (*segment, error) {
	l.mu.Lock()
	s := l.active()
	l.mu.Unlock()
	if s.room() >= int64(n) {
		return s, nil
	}
	if err := l.rotate(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active(), nil
}

// rotate begins the next segment. Its header says where the one before it
// ends, which is the last place known to be on disk.
func (l *Ledger) rotate() error {
	l.spare.mu.Lock() // until the spare has its new name, nobody may make another
	defer l.spare.mu.Unlock()
	l.mu.Lock()
	h := header{number: 1, first: l.durable + 1, salt: newSalt(), created: time.Now()}
	if prev := l.active(); prev != nil {
		h.number, h.prevEnd = prev.number+1, prev.end
	}
	err := l.backlog()
	l.mu.Unlock()
	if err != nil {
		return err
	}
	file, err := l.spare.take(l.files, l.opts.SegmentBytes)
	if err != nil {
		return fmt.Errorf("make ledger segment: %w", err)
	}
	s := &segment{header: h, name: segmentName(h.number), file: file, size: l.opts.SegmentBytes, end: headerBytes, last: l.durable}
	if err := l.name(s); err != nil {
		return errors.Join(fmt.Errorf("make ledger segment: %w", err), file.Close())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segs, l.noSpare = append(l.segs, s), nil
	return nil
}

// name turns the spare into s. The header is on disk before the name is.
func (l *Ledger) name(s *segment) error {
	if _, err := s.file.WriteAt(s.encode(), 0); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	return l.files.Rename(spareName, s.name)
}

// backlog refuses another segment while the store has not taken the oldest.
// The caller holds l.mu.
func (l *Ledger) backlog() error {
	if len(l.segs) < l.opts.MaxSegments {
		return nil
	}
	return fmt.Errorf("ledger holds %d segments that the store has not taken: %w", len(l.segs), errors.Join(errBacklog, l.stuck))
}

var errBacklog = errors.New("too many segments")

func newSalt() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (package crypto/rand)
	return binary.LittleEndian.Uint64(b[:])
}

// A spare is the next segment, made ahead of need: filling a file with zeros
// takes far longer than a commit.
type spare struct {
	mu     sync.Mutex // held while one is made, and until it is a segment
	file   File
	wanted chan struct{}
}

const spareName = "spare"

func (s *spare) want() {
	select {
	case s.wanted <- struct{}{}:
	default:
	}
}

// take hands out the spare, made on the spot if need be. The caller holds s.mu.
func (s *spare) take(files Files, size int64) (File, error) {
	if f := s.file; f != nil {
		s.file = nil
		return f, nil
	}
	return files.Create(spareName, size, nil)
}

func (s *spare) make(files Files, size int64, rest func(done int64) bool) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		s.file, err = files.Create(spareName, size, rest)
	}
	return err
}

func (s *spare) discard(files Files) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), files.Remove(spareName))
}

// spareLoop makes the next segment when the active one is half full. Failing
// is an early warning: what is open still has room.
func (l *Ledger) spareLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.spare.wanted:
		}
		for l.makeSpare() != nil {
			select {
			case <-ctx.Done():
				return
			case <-time.After(l.opts.RetryEvery):
			}
		}
	}
}

// ahead says whether the spare, of which done bytes are made, will be there
// long before it is needed, even if the disk rests now and then. It was begun
// when half of the active segment was left.
func (l *Ledger) ahead(done int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.active()
	return s != nil && l.failed == nil && done > 4*(s.end-s.size/2)
}

func (l *Ledger) makeSpare() error {
	l.mu.Lock()
	err := l.backlog()
	l.mu.Unlock()
	if err == nil {
		err = l.spare.make(l.files, l.opts.SegmentBytes, l.ahead)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil && l.noSpare == nil {
		l.log.Warn("ledger cannot make its next segment", "error", err)
	}
	l.noSpare = err
	return err
}
