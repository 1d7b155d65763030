package h1

import (
	"bytes"
	"io"

	"golang.org/x/net/http/httpguts"
)

// An edge is what stands next in a chunked body, other than data.
type edge uint8

const (
	beforeSize edge = iota // the line with a chunk's size
	afterData              // the line's end behind a chunk, then beforeSize
	inTrailer              // lines behind the last chunk, to the empty one
)

// maxLineBytes bounds a chunk's line and the trailer.
const maxLineBytes = 4 << 10

// readChunks fills p with what has come. It waits for the first byte only, so
// that what a server says reaches who asked at once.
func (x *exchange) readChunks(p []byte) (n int, err error) {
	for n < len(p) {
		if x.left == 0 {
			switch last, err := x.nextChunk(n == 0); {
			case err != nil:
				return n, err
			case last:
				return n, io.EOF
			case x.left == 0: // the next line has not come yet
				return n, nil
			}
		}
		if n > 0 && x.c.unread() == 0 {
			return n, nil
		}
		m, err := x.c.read(p[n:min(int64(len(p)), int64(n)+x.left)])
		if n, x.left = n+m, x.left-int64(m); err != nil {
			return n, unexpected(err)
		}
		if x.left == 0 {
			x.edge = afterData
		}
	}
	return n, nil
}

// nextChunk moves to the data of the next chunk, or to the end of the body. It
// waits for it only when told to.
func (x *exchange) nextChunk(wait bool) (last bool, err error) {
	for {
		line, err := x.c.line(wait)
		if line == nil || err != nil {
			return false, unexpected(err)
		}
		switch x.edge {
		case afterData:
			if len(line) != 0 {
				return false, errChunk
			}
			x.edge = beforeSize
		case beforeSize:
			size, ok := chunkSize(line)
			if !ok {
				return false, errChunk
			}
			if x.left = size; size > 0 {
				return false, nil
			}
			x.edge = inTrailer
		case inTrailer:
			if len(line) == 0 {
				return true, nil
			}
			name, _, ok := bytes.Cut(line, []byte{':'})
			if x.trailer += len(line); !ok || !httpguts.ValidHeaderFieldName(string(name)) || x.trailer > maxLineBytes {
				return false, errChunk
			}
		}
	}
}

// chunkSize reads a chunk's line. What a semicolon begins is an extension,
// which nobody uses.
func chunkSize(line []byte) (n int64, ok bool) {
	const mostDigits = 15 // below 2⁶⁰
	digits := 0
	for digits < len(line) && hexDigit[line[digits]] != 0 {
		n = n<<4 | int64(hexDigit[line[digits]]-1)
		if digits++; digits > mostDigits {
			return 0, false
		}
	}
	rest := bytes.TrimRight(line[digits:], " \t")
	if digits == 0 || len(rest) > 0 && rest[0] != ';' {
		return 0, false
	}
	return n, httpguts.ValidHeaderFieldValue(string(rest))
}

// hexDigit is one more than a digit's value, and 0 for what is none.
var hexDigit = func() (t [256]byte) {
	for i := range byte(16) {
		t["0123456789abcdef"[i]], t["0123456789ABCDEF"[i]] = i+1, i+1
	}
	return t
}()

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
