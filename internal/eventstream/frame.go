// Package eventstream writes and reads the binary frames of AWS event streams
// (application/vnd.amazon.eventstream): a prelude, typed headers and a payload,
// guarded by two checksums.
//
//	total length u32 | headers length u32 | CRC-32 of these 8 bytes
//	headers | payload | CRC-32 of everything before it
//
// All numbers are big-endian; the CRC is IEEE's
// (reference/runtime-metering-billing.md §1.8).
package eventstream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Limits of a frame that is read.
const (
	MaxFrameBytes   = 16 << 20
	MaxHeadersBytes = 128 << 10
	MaxHeaders      = 128
)

const (
	preludeBytes  = 12
	overheadBytes = preludeBytes + 4
)

// AppendFrame appends one frame. It allocates nothing when dst has room, which
// for n bytes of headers and payload is n + 16.
func AppendFrame(dst []byte, headers Headers, payload []byte) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(overheadBytes+len(headers)+len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(headers)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
	dst = append(append(dst, headers...), payload...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

// A Message is a frame that was read. Both parts share memory with what it was
// read from.
type Message struct {
	Headers Headers
	Payload []byte
	Again   bool // a Splitter says so of headers that are those of the frame before
}

// Errors of frames that cannot be read.
var (
	ErrChecksum = errors.New("event stream: checksum does not match")
	ErrLength   = errors.New("event stream: impossible length")
	ErrHeaders  = errors.New("event stream: malformed headers")
)

// Decode reads the frame that b begins with, and returns what follows it. A
// frame that is not complete is io.ErrUnexpectedEOF.
func Decode(b []byte) (m Message, rest []byte, err error) {
	if len(b) < preludeBytes {
		return m, b, io.ErrUnexpectedEOF
	}
	total, headers, err := prelude(b[:preludeBytes])
	if err != nil {
		return m, b, err
	}
	if len(b) < total {
		return m, b, io.ErrUnexpectedEOF
	}
	if m, err = body(b[:total:total], headers); err != nil {
		return Message{}, b, err
	}
	return m, b[total:], nil
}

// prelude checks the lengths before anyone believes them.
func prelude(b []byte) (total, headers int, err error) {
	if crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) {
		return 0, 0, fmt.Errorf("prelude: %w", ErrChecksum)
	}
	t, h := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if t < overheadBytes || t > MaxFrameBytes || h > MaxHeadersBytes || h > t-overheadBytes {
		return 0, 0, fmt.Errorf("%w: frame of %d bytes with %d of headers", ErrLength, t, h)
	}
	return int(t), int(h), nil
}

func body(frame []byte, headers int) (Message, error) {
	m, err := guarded(frame, headers)
	if err == nil {
		err = m.Headers.check()
	}
	return m, err
}

// guarded is a frame whose checksum holds; its headers are still to be checked.
func guarded(frame []byte, headers int) (Message, error) {
	end := len(frame) - 4
	if crc32.ChecksumIEEE(frame[:end]) != binary.BigEndian.Uint32(frame[end:]) {
		return Message{}, fmt.Errorf("message: %w", ErrChecksum)
	}
	return Message{
		Headers: frame[preludeBytes : preludeBytes+headers : preludeBytes+headers],
		Payload: frame[preludeBytes+headers : end : end],
	}, nil
}

// A Splitter finds the frames in what is written to it, for a stream that
// arrives in pieces. It copies only frames that come in more than one.
type Splitter struct {
	// Each is given every frame, as it came and as it was read; both hold until
	// it returns. Its error is Write's.
	Each func(frame []byte, m Message) error

	held  []byte  // the beginning of a frame
	sound Headers // checked last: nearly all frames of a stream have the same
}

// Write implements io.Writer.
func (s *Splitter) Write(p []byte) (n int, err error) {
	for whole := len(p); ; {
		frame, headers, rest, err := s.cut(p)
		if frame == nil || err != nil {
			return whole, err
		}
		m, err := guarded(frame, headers)
		if err == nil {
			m.Again, err = s.again(m.Headers)
		}
		if err == nil {
			err = s.Each(frame, m)
		}
		if err != nil {
			return whole - len(rest), err
		}
		p = rest
	}
}

// again says whether headers are those of the frame before. Other ones are
// checked.
func (s *Splitter) again(h Headers) (bool, error) {
	if len(h) > 0 && bytes.Equal(h, s.sound) {
		return true, nil
	}
	if s.sound = s.sound[:0]; len(h) <= maxSoundBytes {
		s.sound = append(s.sound, h...)
	}
	err := h.check()
	if err != nil {
		s.sound = s.sound[:0]
	}
	return false, err
}

// maxSoundBytes is how long headers may be to be remembered.
const maxSoundBytes = 256

// cut is the next frame, nil when it has not come as a whole.
func (s *Splitter) cut(p []byte) (frame []byte, headers int, rest []byte, err error) {
	if len(s.held) == 0 && len(p) >= preludeBytes {
		total, headers, err := prelude(p[:preludeBytes])
		if err != nil {
			return nil, 0, p, err
		}
		if len(p) >= total {
			return p[:total:total], headers, p[total:], nil
		}
	}
	if p = s.hold(p, preludeBytes); len(s.held) < preludeBytes {
		return nil, 0, nil, nil
	}
	total, headers, err := prelude(s.held[:preludeBytes])
	if err != nil {
		return nil, 0, p, err
	}
	if p = s.hold(p, total); len(s.held) < total {
		return nil, 0, nil, nil
	}
	frame, s.held = s.held, s.held[:0]
	return frame, headers, p, nil
}

// hold keeps what is missing of n bytes, or what has come of that.
func (s *Splitter) hold(p []byte, n int) (rest []byte) {
	missing := min(max(n-len(s.held), 0), len(p))
	s.held = append(s.held, p[:missing]...)
	return p[missing:]
}

// Reset readies the splitter for another stream, in the same memory.
func (s *Splitter) Reset() { s.held, s.sound = s.held[:0], s.sound[:0] }

// Room is how much memory the splitter has.
func (s *Splitter) Room() int { return cap(s.held) + cap(s.sound) }

// End is the error of a stream that ends now: io.EOF between frames,
// io.ErrUnexpectedEOF within one.
func (s *Splitter) End() error {
	if len(s.held) > 0 {
		return io.ErrUnexpectedEOF
	}
	return io.EOF
}

// A Decoder reads frames from a stream.
type Decoder struct {
	r   io.Reader
	buf []byte
}

// NewDecoder reads from r, in small pieces: give it a buffered reader.
func NewDecoder(r io.Reader) *Decoder { return &Decoder{r: r} }

// readStepBytes is how much memory a frame gets before more of it has arrived,
// so that a length alone does not cost 16 MiB.
const readStepBytes = 64 << 10

// Next reads one frame; it is valid until the next call. The end of the stream
// between frames is io.EOF, within a frame io.ErrUnexpectedEOF.
func (d *Decoder) Next() (Message, error) {
	d.buf = d.buf[:0]
	if err := d.fill(preludeBytes); err != nil {
		return Message{}, err
	}
	total, headers, err := prelude(d.buf)
	if err != nil {
		return Message{}, err
	}
	for len(d.buf) < total {
		if err := d.fill(min(total-len(d.buf), readStepBytes)); err != nil {
			return Message{}, notEOF(err)
		}
	}
	return body(d.buf, headers)
}

// Frame is the whole frame that Next read last, as it came. It is valid until
// the next call of Next.
func (d *Decoder) Frame() []byte { return d.buf }

// fill reads exactly n more bytes.
func (d *Decoder) fill(n int) error {
	have := len(d.buf)
	if cap(d.buf)-have < n {
		d.buf = append(make([]byte, 0, max(2*cap(d.buf), have+n, 4096)), d.buf...)
	}
	d.buf = d.buf[:have+n]
	read, err := io.ReadFull(d.r, d.buf[have:])
	d.buf = d.buf[:have+read]
	return err
}

func notEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
