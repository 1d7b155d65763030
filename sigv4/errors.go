package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"outcrop"
)

// ErrExpired is the cause of a refusal that is only about time: the request
// came after the signature's life.
var ErrExpired = errors.New("signature expired")

// Words of AWS's front layer for a signature that does not hold.
const textMismatch = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// incomplete refuses what cannot be read as a signature: 400.
func incomplete(format string, args ...any) *outcrop.Error {
	e := outcrop.Errorf(outcrop.Invalid, format, args...)
	e.Code, e.Auth = "IncompleteSignatureException", true
	return e
}

// invalid refuses what can be read and is not right: 403.
func invalid(format string, args ...any) *outcrop.Error {
	e := outcrop.Errorf(outcrop.Denied, format, args...)
	e.Code, e.Auth = "InvalidSignatureException", true
	return e
}

func malformedQuery() *outcrop.Error {
	e := outcrop.Errorf(outcrop.Invalid, "The query string contains a syntax error.")
	e.Code, e.Auth = "MalformedQueryString", true
	return e
}

func expired(end, now time.Time, tolerance time.Duration) *outcrop.Error {
	end, now = end.UTC(), now.UTC()
	if tolerance == 0 {
		return invalid("Signature expired: %s is now earlier than %s",
			end.Format(stampFormat), now.Format(stampFormat)).Because(ErrExpired)
	}
	return invalid("Signature expired: %s is now earlier than %s (%s - %d min.)", end.Format(stampFormat),
		now.Add(-tolerance).Format(stampFormat), now.Format(stampFormat), tolerance/time.Minute).Because(ErrExpired)
}

func notYetCurrent(at, now time.Time) *outcrop.Error {
	at, now = at.UTC(), now.UTC()
	return invalid("Signature not yet current: %s is still later than %s (%s + %d min.)", at.Format(stampFormat),
		now.Add(ClockSkew).Format(stampFormat), now.Format(stampFormat), ClockSkew/time.Minute)
}

// fingerprint stands for text that may hold somebody's secret by mistake. AWS
// does the same in these messages ("hashed with SHA-256 and encoded with Base64").
func fingerprint(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "(hashed with SHA-256 and encoded with Base64): '" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
