package sigv4

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Verifier verifies signatures and remembers derived keys. Its zero value
// is ready; it is safe for concurrent use and must not be copied.
type Verifier struct {
	// AllowUnsignedPayload accepts requests whose body the signature does not
	// cover, as S3 does over TLS. Set it for S3 only.
	AllowUnsignedPayload bool

	keys keyCache
}

// Verify says whether s is the signature of r with body by secret, at now. A
// service that verifies many requests keeps a Verifier instead.
func (s *Signature) Verify(r *http.Request, body []byte, secret string, now time.Time) error {
	return new(Verifier).Verify(s, r, body, secret, now)
}

// Verify says whether s, parsed from r, is the signature of r with body by
// secret, at now.
func (v *Verifier) Verify(s *Signature, r *http.Request, body []byte, secret string, now time.Time) error {
	if err := s.checkClock(now); err != nil {
		return err
	}
	if err := s.checkHeaders(r.Header); err != nil {
		return err
	}
	payload, err := v.payload(s, body)
	if err != nil {
		return err
	}
	if err := v.verifyHead(s, r, payload, secret); err != nil {
		return err
	}
	if payload != UnsignedPayload && payload != StreamingUnsignedTrailer {
		s.digest = payload
	}
	return nil
}

// verifyHead verifies the signature over a request whose body payload stands for.
func (v *Verifier) verifyHead(s *Signature, r *http.Request, payload, secret string) error {
	to := targetOf(r)
	query, err := canonicalQuery(to.query)
	if err != nil {
		return err
	}
	c := canonical{method: r.Method, query: query, names: s.SignedHeaders, payload: payload, request: r}
	var room [2]signedPath
	return v.compare(s, &c, signedPaths(room[:0], s.Service, to.path), secret)
}

// compare takes as long for a near miss as for a wild guess.
func (v *Verifier) compare(s *Signature, c *canonical, paths []signedPath, secret string) error {
	name := keyName{s.AccessKey, s.Date, s.Service, s.Region}
	scope := Scope{s.Region, s.Service}
	key, cached := v.keys.find(name, secret)
	if !cached {
		key = deriveKey(secret, s.Date, scope)
	}
	w := borrow()
	defer w.giveBack()
	for _, c.path = range paths {
		if subtle.ConstantTimeCompare(w.appendSignature(w.hex[:0], key, s.stamp, s.Date, scope, c), []byte(s.claimed)) == 1 {
			if !cached {
				v.keys.keep(name, secret, key)
			}
			return nil
		}
	}
	return invalid(textMismatch)
}

func (s *Signature) checkClock(now time.Time) error {
	switch {
	case s.Time.After(now.Add(ClockSkew)):
		return notYetCurrent(s.Time, now)
	case s.Presigned && now.After(s.Time.Add(s.Expires)):
		return expired(s.Time.Add(s.Expires), now, 0)
	case !s.Presigned && s.Time.Before(now.Add(-ClockSkew)):
		return expired(s.Time, now, ClockSkew)
	}
	return nil
}

// checkHeaders demands, as AWS does, that every x-amz-* header is signed:
// they change what a request means.
func (s *Signature) checkHeaders(h http.Header) error {
	const prefix = "X-Amz-"
	for name := range h {
		if len(name) < len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
			continue
		}
		if !slices.ContainsFunc(s.SignedHeaders, func(signed string) bool { return strings.EqualFold(signed, name) }) {
			return invalid("There were headers present in the request which were not signed: %s", strings.ToLower(name))
		}
	}
	return nil
}

// payload is the hash that the client signed, once the body is seen to match.
func (v *Verifier) payload(s *Signature, body []byte) (string, error) {
	claimed := s.payload
	if claimed == "" && s.Presigned && s.Service == serviceS3 {
		claimed = UnsignedPayload
	}
	switch claimed {
	case UnsignedPayload, StreamingUnsignedTrailer:
		if !v.AllowUnsignedPayload {
			return "", invalid("The request body must be signed: x-amz-content-sha256 may not be %s.", claimed)
		}
		return claimed, nil
	}
	if claimed == "" {
		return PayloadHash(body), nil
	}
	if actual := hashOf(body); claimed != string(actual[:]) {
		return "", invalid("The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return claimed, nil
}
