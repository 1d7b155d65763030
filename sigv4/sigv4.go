// Package sigv4 signs and verifies AWS Signature Version 4, in headers and
// pre-signed URLs.
package sigv4

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"outcrop"
)

// Words of the protocol.
const (
	algorithm      = "AWS4-HMAC-SHA256"
	algorithms     = "AWS4-" // what every version-4 algorithm begins with
	terminator     = "aws4_request"
	stampFormat    = "20060102T150405Z" // ISO-8601 basic, always UTC
	dateFormat     = "20060102"
	serviceS3      = "s3"
	headerDate     = "X-Amz-Date"
	headerToken    = "X-Amz-Security-Token"
	headerSHA256   = "X-Amz-Content-Sha256"
	paramSignature = "X-Amz-Signature"
)

// Payload hashes that are words instead of digests. They say that the body is
// not covered by the signature; only a Verifier that allows it accepts them.
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	StreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// Limits of what a request may claim.
const (
	ClockSkew         = 5 * time.Minute    // reference/runtime-metering-billing.md §4.1
	MaxExpires        = 7 * 24 * time.Hour // of a pre-signed URL
	maxSignedHeaders  = 128
	maxScopeBytes     = 64  // of a Region or service name
	maxAccessKeyBytes = 128 // as IAM's model says
	maxAuthBytes      = 16 << 10
	maxCachedKeys     = 4096
)

// A Scope is what a signing key is good for, beside its date.
type Scope struct {
	Region  outcrop.Region
	Service string
}

// A Signature is what a request says about its own signature. Parse reads it,
// Verify tells whether it is true.
type Signature struct {
	AccessKey     string // the id, not the secret
	Date          string // of the scope, as YYYYMMDD
	Region        outcrop.Region
	Service       string
	Presigned     bool          // in the query instead of the headers
	Time          time.Time     // when it was signed
	Expires       time.Duration // life of a pre-signed URL; 0 for headers
	SignedHeaders []string      // lower case, as the client ordered them
	SecurityToken string        `json:"-"` // of a session; empty for long-lived keys

	room    [8]string // what SignedHeaders takes first
	stamp   string    // Time as it stands in the string to sign
	claimed string    // the signature in hex
	payload string    // X-Amz-Content-Sha256 of header or query; may be empty
	digest  string    // of the body that Verify found signed
}

// Digest is the PayloadHash of the body that the signature was verified for;
// empty before that, and for a body that it does not cover.
func (s *Signature) Digest() string {
	if s == nil {
		return ""
	}
	return s.digest
}

// Format prints who signed, for what and when, whatever the verb: the
// signature and the session token stay out of logs.
func (s Signature) Format(f fmt.State, _ rune) { io.WriteString(f, s.describe()) }

// LogValue is what slog writes.
func (s Signature) LogValue() slog.Value { return slog.StringValue(s.describe()) }

func (s *Signature) describe() string {
	return fmt.Sprintf("signature of %s for %s/%s at %s", s.AccessKey, s.Region, s.Service, s.stamp)
}

// Credentials sign requests.
type Credentials struct {
	AccessKey    string
	Secret       string `json:"-"`
	SessionToken string `json:"-"` // empty for long-lived keys
}

// Format prints the access key id only, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { io.WriteString(f, "access key "+c.AccessKey) }

// LogValue is what slog writes.
func (c Credentials) LogValue() slog.Value { return slog.StringValue("access key " + c.AccessKey) }
