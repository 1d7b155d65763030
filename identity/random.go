package identity

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
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
