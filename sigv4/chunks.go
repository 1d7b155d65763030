package sigv4

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"outcrop"
)

// Limits of what stands between chunks.
const (
	chunkLineBytes = 4 << 10 // the buffer that a line has to fit into
	maxTrailers    = 16
)

// trailerSignature is the name of the line that signs the trailers.
const trailerSignature = "x-amz-trailer-signature"

// emptyHash is the SHA-256 of nothing, which a chunk's string to sign holds.
var emptyHash = PayloadHash(nil)

// chunks reads a body in S3's aws-chunked form:
//
//	hex-size[;chunk-signature=hex]CRLF data CRLF ... 0[;...]CRLF trailers CRLF
//
// A chunk's data is handed on before its signature is known to hold; the error
// comes at the chunk's end, and who stores the body waits for its end.
type chunks struct {
	p       *Payload
	in      *bufio.Reader
	trailer http.Header
	left    int64 // of the present chunk
	total   int64
	open    bool // within a chunk, which ends with CRLF
	claimed string
	before  string // signature of the chunk before
	sum     hash.Hash
	err     error
}

func newChunks(p *Payload, r io.Reader, trailer http.Header) *chunks {
	return &chunks{p: p, in: bufio.NewReaderSize(r, chunkLineBytes), trailer: trailer, before: p.seed, sum: sha256.New()}
}

func (c *chunks) Read(b []byte) (int, error) {
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	c.total += int64(n)
	if c.p.signedChunks() {
		c.sum.Write(b[:n])
	}
	if err != nil {
		c.err = cutShort(err)
	}
	return n, c.err
}

// next ends the present chunk and begins another, or ends the body.
func (c *chunks) next() error {
	if c.open {
		if err := c.end(); err != nil {
			return err
		}
	}
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseUint(size, 16, 63)
	if err != nil {
		return badChunk("a chunk's size is no hexadecimal number")
	}
	c.left, c.open = int64(n), true
	if c.total+c.left < 0 || c.total+c.left > c.p.decoded {
		return badChunk("the chunks hold more than x-amz-decoded-content-length says")
	}
	if c.p.signedChunks() {
		c.claimed, _ = strings.CutPrefix(extension, "chunk-signature=")
		c.sum.Reset()
	}
	if n == 0 {
		return c.finish()
	}
	return nil
}

// end reads the CRLF behind a chunk's data and verifies the data.
func (c *chunks) end() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	if line != "" {
		return badChunk("a chunk is longer than its size")
	}
	return c.verify()
}

// verify compares the chunk's signature with the one its data has.
func (c *chunks) verify() error {
	if !c.p.signedChunks() {
		return nil
	}
	text := algorithm + "-PAYLOAD\n" + c.p.stamp + "\n" + c.p.scope + "\n" + c.before + "\n" + emptyHash + "\n" + hex.EncodeToString(c.sum.Sum(nil))
	return c.compare(text, c.claimed)
}

func (c *chunks) compare(text, claimed string) error {
	h := hmac.New(sha256.New, c.p.key)
	h.Write([]byte(text))
	want := hex.EncodeToString(h.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(want), []byte(claimed)) != 1 {
		return invalid(textMismatch)
	}
	c.before = want
	return nil
}

// finish verifies the last chunk, which is empty, and reads the trailers.
func (c *chunks) finish() error {
	if err := c.verify(); err != nil {
		return err
	}
	if c.total != c.p.decoded {
		e := badChunk("the chunks hold less than x-amz-decoded-content-length says")
		e.Code = "IncompleteBody"
		return e
	}
	var lines []string
	signed := ""
	for {
		line, err := c.line()
		if err == io.ErrUnexpectedEOF && c.p.claimed == StreamingSigned && len(lines) == 0 {
			break // some clients leave the last CRLF out
		}
		if err != nil {
			return err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "" || len(lines) == maxTrailers:
			return badChunk("a trailer is no header")
		case name == trailerSignature:
			signed = value
		default:
			c.trailer.Set(name, value)
			lines = append(lines, name+":"+value+"\n")
		}
	}
	return c.verifyTrailers(lines, signed)
}

func (c *chunks) verifyTrailers(lines []string, signed string) error {
	if c.p.claimed == StreamingSignedTrailer {
		slices.Sort(lines)
		text := algorithm + "-TRAILER\n" + c.p.stamp + "\n" + c.p.scope + "\n" + c.before + "\n" + PayloadHash([]byte(strings.Join(lines, "")))
		if err := c.compare(text, signed); err != nil {
			return err
		}
	}
	return io.EOF
}

// line reads up to CRLF, which some clients write as LF.
func (c *chunks) line() (string, error) {
	line, err := c.in.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return "", badChunk("a line between chunks is too long")
	}
	if err != nil {
		return "", cutShort(err)
	}
	return string(bytes.TrimRight(line, "\r\n")), nil
}

func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func badChunk(why string) *outcrop.Error {
	e := outcrop.Errorf(outcrop.Invalid, "The aws-chunked body cannot be read: %s.", why)
	e.Code = "InvalidRequest"
	return e
}
