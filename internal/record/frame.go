// Package record frames byte strings in a file so that a torn or damaged one
// is noticed, and packs fields as tag, length and value.
package record

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Every frame begins on a multiple of Align bytes with a header of
// HeaderBytes. The layout is drawn in docs/formats/ledger.md.
const (
	HeaderBytes = 24
	Align       = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// What Read finds where no whole frame is.
var (
	ErrEmpty = errors.New("no frame: the space is still zero")
	ErrBad   = errors.New("bad frame: length or checksum does not fit")
	ErrShort = errors.New("frame goes on after the bytes at hand")
)

// A Header is what a frame says about its payload.
type Header struct {
	Seq    uint64 // a number of the caller's
	Commit uint32 // file offset of the first frame written in the same commit
	Type   uint8  // never 0
}

// A Frame is one payload as it was found. The payload is part of the buffer
// that was read.
type Frame struct {
	Header
	Payload []byte
	Bytes   int // from the start of this frame to the start of the next
}

// Size is the room that a payload of n bytes takes in a file.
func Size(n int) int { return (HeaderBytes + n + Align - 1) &^ (Align - 1) }

// Append adds a frame that is not yet sealed to dst, whose length is a
// multiple of Align.
func Append(dst []byte, kind uint8, payload []byte) []byte {
	var head [HeaderBytes]byte
	binary.LittleEndian.PutUint32(head[4:], uint32(len(payload)))
	head[20] = kind
	dst = append(dst, head[:]...)
	dst = append(dst, payload...)
	for len(dst)%Align != 0 {
		dst = append(dst, 0)
	}
	return dst
}

// Seal completes the frame at the start of buf, which will be written at file
// offset off: it notes seq and commit and adds the checksum. A frame may be
// sealed again for another place. Seal returns the frame's size.
//
// The checksum starts from the file's salt and the offset: bytes that a client
// chose cannot pass for a frame, nor can a frame of another file or place.
func Seal(buf []byte, salt uint64, off int64, commit uint32, seq uint64) int {
	n := int(binary.LittleEndian.Uint32(buf[4:]))
	binary.LittleEndian.PutUint64(buf[8:], seq)
	binary.LittleEndian.PutUint32(buf[16:], commit)
	binary.LittleEndian.PutUint32(buf, crc32.Update(seed(salt, off), castagnoli, buf[4:HeaderBytes+n]))
	return Size(n)
}

func seed(salt uint64, off int64) uint32 {
	mixed := (salt ^ uint64(off)) * 0x9e3779b97f4a7c15 // an odd number keeps every bit of both
	return uint32(mixed >> 32)
}

// Read reads the frame at the start of buf, which came from file offset off.
func Read(buf []byte, salt uint64, off int64) (Frame, error) {
	if len(buf) < HeaderBytes {
		return Frame{}, ErrShort
	}
	n, kind := binary.LittleEndian.Uint32(buf[4:]), buf[20]
	if kind == 0 {
		if zero(buf[:HeaderBytes]) {
			return Frame{}, ErrEmpty
		}
		return Frame{}, ErrBad
	}
	if uint64(n)+HeaderBytes > uint64(len(buf)) {
		return Frame{}, ErrShort
	}
	body := buf[4 : HeaderBytes+int(n)]
	if crc32.Update(seed(salt, off), castagnoli, body) != binary.LittleEndian.Uint32(buf) {
		return Frame{}, ErrBad
	}
	return Frame{
		Header:  Header{binary.LittleEndian.Uint64(buf[8:]), binary.LittleEndian.Uint32(buf[16:]), kind},
		Payload: buf[HeaderBytes : HeaderBytes+int(n) : HeaderBytes+int(n)],
		Bytes:   Size(int(n)),
	}, nil
}

// Find looks in buf, which came from file offset off, for the first whole
// frame that begins at any multiple of Align. at is its place in buf.
func Find(buf []byte, salt uint64, off int64) (f Frame, at int, ok bool) {
	for at = 0; at+HeaderBytes <= len(buf); at += Align {
		if buf[at+20] == 0 {
			continue
		}
		if f, err := Read(buf[at:], salt, off+int64(at)); err == nil {
			return f, at, true
		}
	}
	return Frame{}, 0, false
}

// Checksum is the CRC32C of b, for headers of files.
func Checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
