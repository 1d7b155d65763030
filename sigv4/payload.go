package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"
	"net/http"
	"strconv"
	"time"

	"outcrop"
)

// Payload words of bodies that come in signed chunks (S3's "aws-chunked").
const (
	StreamingSigned        = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingSignedTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
)

// A Payload is how a request whose head is verified vouches for a body that is
// still to come.
type Payload struct {
	claimed      string // hex digest, or a word
	key          []byte // signs chunks
	stamp, scope string
	seed         string // the request's signature: each chunk's builds on the one before
	decoded      int64  // length of the body without chunk lines; -1 when untold
}

// VerifyHead is Verify for a request whose body is read later: whoever reads it
// through the Payload learns at its end whether it is what was signed.
func (v *Verifier) VerifyHead(s *Signature, r *http.Request, secret string, now time.Time) (*Payload, error) {
	p := &Payload{claimed: s.payload, stamp: s.stamp, seed: s.claimed, decoded: r.ContentLength}
	if p.claimed == "" && s.Presigned {
		p.claimed = UnsignedPayload
	}
	if err := s.checkClock(now); err != nil {
		return nil, err
	}
	if err := s.checkHeaders(r.Header); err != nil {
		return nil, err
	}
	if err := p.check(r.Header); err != nil {
		return nil, err
	}
	if err := v.verifyHead(s, r, p.claimed, secret); err != nil {
		return nil, err
	}
	if p.signedChunks() {
		scope := Scope{s.Region, s.Service}
		p.key, p.scope = deriveKey(secret, s.Date, scope), string(appendScope(nil, s.Date, scope))
	}
	return p, nil
}

// check refuses a payload word that is none, before anything is read.
func (p *Payload) check(h http.Header) error {
	switch p.claimed {
	case "":
		return invalid("Missing required header for this request: x-amz-content-sha256")
	case UnsignedPayload:
		return nil
	case StreamingUnsignedTrailer, StreamingSigned, StreamingSignedTrailer:
		n, err := strconv.ParseInt(h.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || n < 0 {
			e := outcrop.Errorf(outcrop.Invalid, "x-amz-decoded-content-length must tell the length of the body.")
			e.Code = "MissingContentLength"
			return e
		}
		p.decoded = n
		return nil
	}
	if digest, err := hex.DecodeString(p.claimed); err != nil || len(digest) != sha256.Size {
		e := outcrop.Errorf(outcrop.Invalid, "x-amz-content-sha256 must be %s, %s, %s, %s, or a valid sha256 value.",
			UnsignedPayload, StreamingUnsignedTrailer, StreamingSigned, StreamingSignedTrailer)
		e.Code = "InvalidArgument"
		return e
	}
	return nil
}

// Chunked says whether the body comes in chunks that Body takes apart.
func (p *Payload) Chunked() bool {
	return p.claimed == StreamingUnsignedTrailer || p.signedChunks()
}

func (p *Payload) signedChunks() bool {
	return p.claimed == StreamingSigned || p.claimed == StreamingSignedTrailer
}

// Length of what Body reads; -1 when the request does not say.
func (p *Payload) Length() int64 { return p.decoded }

// Body reads the body that r has, without chunk lines, and fails at its end
// when it is not what was signed. Trailers that follow the last chunk are put
// into trailer before that end.
func (p *Payload) Body(r io.Reader, trailer http.Header) io.Reader {
	switch {
	case p.Chunked():
		return newChunks(p, r, trailer)
	case p.claimed == UnsignedPayload:
		return r
	}
	return &digested{Reader: r, sum: sha256.New(), want: p.claimed}
}

// A digested reader compares what it has read with a digest.
type digested struct {
	io.Reader
	sum  hash.Hash
	want string
}

func (d *digested) Read(p []byte) (int, error) {
	n, err := d.Reader.Read(p)
	d.sum.Write(p[:n])
	if err == io.EOF {
		if got := hex.EncodeToString(d.sum.Sum(nil)); subtle.ConstantTimeCompare([]byte(got), []byte(d.want)) != 1 {
			return n, mismatch()
		}
	}
	return n, err
}

func mismatch() error {
	e := outcrop.Errorf(outcrop.Invalid, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	e.Code = "XAmzContentSHA256Mismatch"
	return e
}
