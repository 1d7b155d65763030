package trail

import (
	"bytes"
	"io"
	"time"
)

// Limits of reading.
const (
	chunkBytes   = 64 << 10
	maxLineBytes = 512 << 10 // twice what Record can write; anything longer is no line of ours
)

// A backwardReader yields the whole lines of a file, last first.
type backwardReader struct {
	line   []byte // valid until next
	offset int64  // where line begins
	err    error

	from io.ReaderAt
	at   int64  // offset of buf
	buf  []byte // ends with a line's end, unless drop
	drop bool   // what comes before the next line's end is no whole line
}

// backwards reads what ends before offset end. Bytes after the last end of a
// line are left out: they are being written, or a crash has torn them off.
func backwards(from io.ReaderAt, end int64) *backwardReader {
	return &backwardReader{from: from, at: end, drop: true}
}

// next moves to the line before. It is false at the beginning of the file or
// on an error.
func (r *backwardReader) next() bool {
	for {
		if r.drop {
			i := bytes.LastIndexByte(r.buf, '\n')
			r.drop, r.buf = i < 0, r.buf[:i+1]
		}
		if n := len(r.buf); n > 0 {
			i := bytes.LastIndexByte(r.buf[:n-1], '\n')
			if i >= 0 || r.at == 0 {
				r.line, r.offset, r.buf = r.buf[i+1:n-1], r.at+int64(i)+1, r.buf[:i+1]
				return true
			}
			if n > maxLineBytes {
				r.drop, r.buf = true, nil
			}
		}
		if r.at == 0 || !r.fill() {
			return false
		}
	}
}

// fill reads the chunk before buf.
func (r *backwardReader) fill() bool {
	n := int(min(r.at, chunkBytes))
	b := make([]byte, n+len(r.buf))
	if _, r.err = r.from.ReadAt(b[:n], r.at-int64(n)); r.err != nil {
		return false
	}
	copy(b[n:], r.buf)
	r.at, r.buf = r.at-int64(n), b
	return true
}

// endOf finds where the lines end that were written up to a time, in a file of
// the given size whose lines are nearly in order. It may be too far on by a
// chunk, never too near.
func endOf(from io.ReaderAt, size int64, latest time.Time) (int64, error) {
	lo, hi := int64(0), size
	for hi-lo > chunkBytes {
		mid := lo + (hi-lo)/2
		offset, at, err := lineAfter(from, mid, hi)
		if err != nil {
			return 0, err
		}
		switch {
		case offset < 0:
			return hi, nil
		case at.After(latest):
			hi = offset
		default:
			lo = mid
		}
	}
	return hi, nil
}

// lineAfter finds the first readable line that begins between from and to, and
// its time. The offset is negative when there is none.
func lineAfter(r io.ReaderAt, from, to int64) (offset int64, at time.Time, err error) {
	b := make([]byte, min(to-from, maxLineBytes))
	if _, err := r.ReadAt(b, from); err != nil {
		return 0, at, err
	}
	for rest := b; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return -1, at, nil
		}
		rest = rest[i+1:]
		line, _, whole := bytes.Cut(rest, []byte{'\n'})
		if at, ok := timeOf(line); ok && whole {
			return from + int64(len(b)-len(rest)), at, nil
		}
	}
}
