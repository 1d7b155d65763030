package s3api

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strings"
)

const checksumPrefix = "X-Amz-Checksum-"

// checksums are those that clients may send with a body.
var checksums = map[string]func() hash.Hash{
	"crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
	"sha1":      sha1.New,
	"sha256":    sha256.New,
}

// A body reads what a client sends and says at its end whether all of it came
// as the client meant it: length, signature and checksums, of which some come
// behind the body.
type body struct {
	in       io.Reader
	length   int64 // told beforehand; -1 when untold
	left     int64 // of the limit
	read     int64
	header   http.Header
	trailer  http.Header
	sums     map[string]hash.Hash // by the name of the checksum
	finished error
}

func newBody(in io.Reader, length, limit int64, header, trailer http.Header) *body {
	b := &body{in: in, length: length, left: limit, header: header, trailer: trailer, sums: map[string]hash.Hash{}}
	for name := range header {
		b.expect(strings.TrimPrefix(name, checksumPrefix), strings.HasPrefix(name, checksumPrefix))
	}
	for name := range strings.SplitSeq(header.Get("X-Amz-Trailer"), ",") {
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		b.expect(strings.TrimPrefix(name, checksumPrefix), strings.HasPrefix(name, checksumPrefix))
	}
	return b
}

func (b *body) expect(name string, is bool) {
	if sum, ok := checksums[strings.ToLower(name)]; ok && is {
		b.sums[strings.ToLower(name)] = sum()
	}
}

func (b *body) Read(p []byte) (int, error) {
	if b.finished != nil {
		return 0, b.finished
	}
	n, err := b.in.Read(p)
	for _, sum := range b.sums {
		sum.Write(p[:n])
	}
	b.read += int64(n)
	if b.left -= int64(n); b.left < 0 {
		err = refusal("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
	}
	if err == io.EOF {
		err = b.verify()
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = incomplete()
	}
	if err != nil {
		b.finished = err
	}
	return n, err
}

// verify is asked at the end: io.EOF when all is well.
func (b *body) verify() error {
	if b.length >= 0 && b.read != b.length {
		return incomplete()
	}
	for name, sum := range b.sums {
		claimed := b.claimed(name)
		got := base64.StdEncoding.EncodeToString(sum.Sum(nil))
		if claimed != got {
			return refusal("BadDigest", "The %s you specified did not match the calculated checksum.", strings.ToUpper(name))
		}
	}
	return io.EOF
}

func (b *body) claimed(name string) string {
	if v := b.header.Get(checksumPrefix + name); v != "" {
		return v
	}
	return b.trailer.Get(checksumPrefix + name)
}

// finish reads on to the end, where gofakes3 stops short of it, and says
// whether the body is to be believed.
func (b *body) finish() error {
	if b == nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, b); err != nil {
		return err
	}
	return nil
}

func incomplete() error {
	return refusal("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

// A confirmed reader ends where gofakes3's does, once the body behind it is
// seen to be whole.
type confirmed struct {
	io.Reader
	body *body
}

func (c confirmed) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if err == io.EOF {
		if err := c.body.finish(); err != nil {
			return n, err
		}
	}
	return n, err
}
