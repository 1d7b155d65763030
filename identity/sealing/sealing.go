// Package sealing keeps secrets encrypted at rest, with a key from a file of
// its own.
package sealing

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// A Sealed is a secret at rest: "v1.KEYID.BASE64", where the bytes are a
// 12-byte nonce and AES-256-GCM of the secret, bound to its purpose and owner.
type Sealed string

// A Purpose keeps secrets of different kinds under different derived keys.
type Purpose string

const (
	sealedVersion    = "v1"
	envelopeKeyBytes = 32
)

// A Sealer encrypts secrets at rest with an envelope key from a file of its
// own, so that a copy of the store alone tells nothing. It is safe for
// concurrent use.
type Sealer struct {
	dir string

	mu   sync.RWMutex
	ring *keyring
}

// Seal encrypts secret for purpose and owner, such as an access key id. It
// fails only when no key can be derived.
func (s *Sealer) Seal(purpose Purpose, owner, secret string) (Sealed, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id := s.ring.Current
	aead, err := s.ring.aead(id, purpose)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(secret)+aead.Overhead())
	rand.Read(nonce) // never fails (crypto/rand)
	box := aead.Seal(nonce, nonce, []byte(secret), []byte(owner))
	return Sealed(sealedVersion + "." + id + "." + base64.RawURLEncoding.EncodeToString(box)), nil
}

// Open decrypts what Seal made for the same purpose and owner. It fails when
// sealed was altered or belongs to another, and when its envelope key is not in
// the file.
func (s *Sealer) Open(purpose Purpose, owner string, sealed Sealed) (string, error) {
	part := strings.Split(string(sealed), ".")
	if len(part) != 3 || part[0] != sealedVersion {
		return "", errors.New("open secret: not a sealed secret")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	aead, err := s.ring.aead(part[1], purpose)
	if err != nil {
		return "", err
	}
	box, err := base64.RawURLEncoding.DecodeString(part[2])
	if err != nil || len(box) < aead.NonceSize() {
		return "", errors.New("open secret: not a sealed secret")
	}
	n := aead.NonceSize()
	secret, err := aead.Open(nil, box[:n], box[n:], []byte(owner))
	if err != nil {
		return "", fmt.Errorf("open secret of %s: it was altered or belongs to another", owner)
	}
	return string(secret), nil
}

// Rotate makes a new envelope key current. Earlier keys still open. When the
// file cannot be written, nothing changes.
func (s *Sealer) Rotate() error {
	return s.alter(func(r *keyring) {
		k := newEnvelopeKey(time.Now())
		r.Keys, r.Current = append(r.Keys, k), k.ID
	})
}

// Retire forgets all but the current envelope key, once nothing is sealed
// with the others, which the caller sees to. When the file cannot be written,
// nothing changes.
func (s *Sealer) Retire() error {
	return s.alter(func(r *keyring) {
		r.Keys = []envelopeKey{*r.find(r.Current)}
	})
}

// alter writes the changed ring before using it: a key that is not on disk
// must not seal anything.
func (s *Sealer) alter(change func(*keyring)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.ring.clone()
	change(next)
	if err := next.save(s.dir); err != nil {
		return err
	}
	s.ring = next
	return nil
}

// aead derives the key for purpose from the envelope key with id.
func (r *keyring) aead(id string, purpose Purpose) (cipher.AEAD, error) {
	k := r.find(id)
	if k == nil {
		return nil, fmt.Errorf("envelope key %q is not in %s: restore that file from the backup that belongs to this store", id, envelopeFile)
	}
	key, err := hkdf.Key(sha256.New, k.Key, nil, string(purpose), envelopeKeyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return cipher.NewGCM(block)
}

// A Sealer prints nothing of its keys, whatever the verb.

func (s *Sealer) public() string { return "sealer" }

// Format implements fmt.Formatter.
func (s *Sealer) Format(f fmt.State, _ rune) { io.WriteString(f, s.public()) }

// LogValue implements slog.LogValuer.
func (s *Sealer) LogValue() slog.Value { return slog.StringValue(s.public()) }
