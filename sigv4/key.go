package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"sync"

	"outcrop"
)

// PayloadHash is the hex SHA-256 of a body, as Sign and Presign want it.
func PayloadHash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// deriveKey makes the key that signs for one date and Scope.
func deriveKey(secret, date string, scope Scope) []byte {
	key := []byte("AWS4" + secret)
	for _, step := range []string{date, string(scope.Region), scope.Service, terminator} {
		key = mac(key, step)
	}
	return key
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// signature signs a canonical request, in hex.
func signature(key []byte, stamp, date string, scope Scope, c *canonical) []byte {
	var room [2048]byte // stays on the stack: the canonical form of most requests
	digest := sha256.Sum256(c.appendTo(room[:0]))
	h := hmac.New(sha256.New, key)
	h.Write(appendStringToSign(make([]byte, 0, 256), stamp, date, scope, digest[:]))
	return hex.AppendEncode(nil, h.Sum(digest[:0]))
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
