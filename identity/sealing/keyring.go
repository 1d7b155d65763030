package sealing

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"outcrop/internal/privatefile"
)

// envelopeFile holds the envelope keys in the data folder, for its owner only.
const (
	envelopeFile     = "envelope-keys.json"
	maxEnvelopeBytes = 1 << 20
)

// A keyring is the content of the envelope file. Current seals; all open.
type keyring struct {
	Current string        `json:"current"`
	Keys    []envelopeKey `json:"keys"`
}

type envelopeKey struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Key     []byte    `json:"key"` // 32 random bytes, base64 in the file
}

func newEnvelopeKey(now time.Time) envelopeKey {
	key := make([]byte, envelopeKeyBytes)
	rand.Read(key) // never fails (crypto/rand)
	return envelopeKey{ID: "ek-" + rand.Text()[:10], Created: now.UTC().Truncate(time.Second), Key: key}
}

// NewSealer reads the envelope keys in dir, and makes the first one when there
// is no file yet. It fails when the file is damaged or cannot be read or made.
// Losing the file loses every secret: back it up apart from the store.
func NewSealer(dir string) (*Sealer, error) {
	ring, err := loadKeyring(dir)
	if errors.Is(err, fs.ErrNotExist) {
		k := newEnvelopeKey(time.Now())
		err = (&keyring{Current: k.ID, Keys: []envelopeKey{k}}).create(dir)
		if err == nil || errors.Is(err, fs.ErrExist) {
			ring, err = loadKeyring(dir) // ours, or that of whoever was first
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open envelope keys: %w", err)
	}
	return &Sealer{dir: dir, ring: ring}, nil
}

func loadKeyring(dir string) (*keyring, error) {
	b, err := privatefile.Read(filepath.Join(dir, envelopeFile), maxEnvelopeBytes)
	if err != nil {
		return nil, err
	}
	r := new(keyring)
	if json.Unmarshal(b, r) != nil || r.find(r.Current) == nil { // its error could quote the file
		return nil, fmt.Errorf("%s is damaged: restore it from a backup", envelopeFile)
	}
	for _, k := range r.Keys {
		if len(k.Key) != envelopeKeyBytes {
			return nil, fmt.Errorf("%s is damaged: key %q has %d bytes, want %d", envelopeFile, k.ID, len(k.Key), envelopeKeyBytes)
		}
	}
	return r, nil
}

func (r *keyring) find(id string) *envelopeKey {
	for i := range r.Keys {
		if r.Keys[i].ID == id {
			return &r.Keys[i]
		}
	}
	return nil
}

func (r *keyring) clone() *keyring { return &keyring{r.Current, slices.Clone(r.Keys)} }

func (r *keyring) encode() ([]byte, error) { return json.MarshalIndent(r, "", "  ") }

// save replaces the file.
func (r *keyring) save(dir string) error {
	b, err := r.encode()
	if err != nil {
		return err
	}
	return privatefile.Write(filepath.Join(dir, envelopeFile), b, os.Rename)
}

// create makes the file, or fails with fs.ErrExist.
func (r *keyring) create(dir string) error {
	b, err := r.encode()
	if err != nil {
		return err
	}
	return privatefile.Write(filepath.Join(dir, envelopeFile), b, os.Link)
}
