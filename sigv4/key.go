package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"sync"

	"outcrop"
	"outcrop/internal/bodyhash"
)

// PayloadHash is the hex SHA-256 of a body, as Sign and Presign want it.
func PayloadHash(body []byte) string {
	hash := hashOf(body)
	return string(hash[:])
}

func hashOf(body []byte) (text [2 * sha256.Size]byte) {
	sum := bodyhash.Sum(body)
	hex.Encode(text[:], sum[:])
	return text
}

// deriveKey makes the key that signs for one date and Scope.
func deriveKey(secret, date string, scope Scope) []byte {
	key := []byte("AWS4" + secret)
	for _, step := range []string{date, string(scope.Region), scope.Service, terminator} {
		key = mac(key, step)
	}
	return key
}

// ownKeys are those that this process signs with. See keyCache.
var ownKeys keyCache

// signingKey is deriveKey, remembered.
func signingKey(by *Credentials, date string, scope Scope) []byte {
	name := keyName{by.AccessKey, date, scope.Service, scope.Region}
	key, ok := ownKeys.find(name, by.Secret)
	if !ok {
		key = deriveKey(by.Secret, date, scope)
		ownKeys.keep(name, by.Secret, key)
	}
	return key
}

func mac(key []byte, text string) []byte {
	w := borrow()
	defer w.giveBack()
	sum := w.hmacOf(key, []byte(text))
	return sum[:]
}

// hmacOf is HMAC-SHA256 (RFC 2104) of a short text. A signature is checked and
// another one made for every call, so it stays off the heap, which crypto/hmac
// cannot.
func (w *workspace) hmacOf(key, text []byte) [sha256.Size]byte {
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	inner := sha256.Sum256(append(appendPadded(w.keyed[:0], key, &innerPad), text...))
	return sha256.Sum256(append(appendPadded(w.keyed[:0], key, &outerPad), inner[:]...))
}

// The pads of RFC 2104: one byte, repeated.
var innerPad, outerPad = pad(0x36), pad(0x5c)

func pad(with byte) (p [sha256.BlockSize]byte) {
	for i := range p {
		p[i] = with
	}
	return p
}

func appendPadded(b, key []byte, pad *[sha256.BlockSize]byte) []byte {
	b = append(b, pad[:]...)
	subtle.XORBytes(b[len(b)-len(pad):], key, pad[:])
	return b
}

// appendSignature signs a canonical request, in hex.
func (w *workspace) appendSignature(dst, key []byte, stamp, date string, scope Scope, c *canonical) []byte {
	digest := sha256.Sum256(c.appendTo(w.form[:0]))
	sum := w.hmacOf(key, appendStringToSign(w.text[:0], stamp, date, scope, digest[:]))
	return hex.AppendEncode(dst, sum[:])
}

func appendStringToSign(b []byte, stamp, date string, scope Scope, digest []byte) []byte {
	b = append(b, algorithm+"\n"...)
	b = append(b, stamp...)
	b = append(b, '\n')
	b = appendScope(b, date, scope)
	b = append(b, '\n')
	return hex.AppendEncode(b, digest)
}

func appendScope(b []byte, date string, scope Scope) []byte {
	b = append(b, date...)
	b = append(b, '/')
	b = append(b, scope.Region...)
	b = append(b, '/')
	b = append(b, scope.Service...)
	return append(b, "/"+terminator...)
}

// A keyCache remembers derived keys, which cost four HMACs each. An entry
// knows the secret it came from and is used for no other, so that a rotated
// secret never meets an old key. Only proven signatures enter, so that a
// stranger who knows an access key id cannot fill it.
type keyCache struct {
	mu   sync.RWMutex
	keys map[keyName]hiddenKey
}

type keyName struct {
	accessKey, date, service string
	region                   outcrop.Region
}

// A hiddenKey tells the secret and the key derived from it. It is a func
// because that is what no verb of fmt looks into.
type hiddenKey func() (secret string, key []byte)

func (c *keyCache) find(name keyName, secret string) ([]byte, bool) {
	c.mu.RLock()
	hidden := c.keys[name]
	c.mu.RUnlock()
	if hidden == nil {
		return nil, false
	}
	from, key := hidden()
	return key, from == secret
}

// keep starts over when full: a day's keys are few, and yesterday's are waste.
func (c *keyCache) keep(name keyName, secret string, key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys == nil || len(c.keys) >= maxCachedKeys {
		c.keys = make(map[keyName]hiddenKey)
	}
	c.keys[name] = func() (string, []byte) { return secret, key }
}
