package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"time"
)

// StreamingEvents is the payload word of a body that is an event stream whose
// frames are signed one by one.
const StreamingEvents = "STREAMING-AWS4-HMAC-SHA256-EVENTS"

// Events verify the frames of one event stream, in their order. They are not
// safe for concurrent use.
type Events struct {
	secret string // derives the key of each day that the stream lives through
	scope  Scope
	date   string
	key    []byte
	before string // signature of the frame before; of the first, the request's
}

// VerifyEvents is Verify for a request whose body is an event stream, which is
// read later: its head is verified now, and each frame through Events.
func (v *Verifier) VerifyEvents(s *Signature, r *http.Request, secret string, now time.Time) (*Events, error) {
	if err := s.checkClock(now); err != nil {
		return nil, err
	}
	if err := s.checkHeaders(r.Header); err != nil {
		return nil, err
	}
	if s.Presigned || s.payload != StreamingEvents {
		return nil, invalid("The frames of this event stream must be signed: x-amz-content-sha256 must be %s.", StreamingEvents)
	}
	if err := v.verifyHead(s, r, s.payload, secret); err != nil {
		return nil, err
	}
	return &Events{secret: secret, scope: Scope{s.Region, s.Service}, before: s.claimed}, nil
}

// Verify says whether claimed is the signature of the next frame: signed at a
// time near now, over its headers but the signature itself, and its payload.
func (e *Events) Verify(at time.Time, headers, payload, claimed []byte, now time.Time) error {
	switch {
	case at.After(now.Add(ClockSkew)):
		return notYetCurrent(at, now)
	case at.Before(now.Add(-ClockSkew)):
		return expired(at, now, ClockSkew)
	}
	want := e.sign(at, headers, payload)
	if subtle.ConstantTimeCompare(want, claimed) != 1 {
		return invalid(textMismatch)
	}
	e.before = hex.EncodeToString(want)
	return nil
}

// sign is the signature of a frame that follows the one before.
func (e *Events) sign(at time.Time, headers, payload []byte) []byte {
	stamp := at.UTC().Format(stampFormat)
	if date := stamp[:len(dateFormat)]; date != e.date {
		e.date, e.key = date, deriveKey(e.secret, date, e.scope)
	}
	h := hmac.New(sha256.New, e.key)
	h.Write([]byte(algorithm + "-PAYLOAD\n" + stamp + "\n"))
	h.Write(appendScope(nil, e.date, e.scope))
	h.Write([]byte("\n" + e.before + "\n" + PayloadHash(headers) + "\n" + PayloadHash(payload)))
	return h.Sum(nil)
}
