package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"strings"
)

// newID makes an IAM unique identifier: a prefix that tells the kind, and n
// characters of [A-Z2-7].
func newID(prefix string, n int) string {
	b := make([]byte, n) // more than enough: five bits make a character
	rand.Read(b)         // never fails (crypto/rand)
	return prefix + base32.StdEncoding.EncodeToString(b)[:n]
}

// newSecret makes n random bytes, n divisible by three, or any n with padding.
func newSecret(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

// lowerID makes an identifier of Organizations: a prefix and n characters of
// [a-z2-7].
func lowerID(prefix string, n int) string { return prefix + strings.ToLower(newID("", n)) }

// managedID is the identifier of an AWS-managed policy: the same in every
// installation, but not the one AWS has for it.
func managedID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
