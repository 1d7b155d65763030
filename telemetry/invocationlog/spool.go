package invocationlog

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A destination of records.
type destination int

const (
	toLogs destination = iota
	toS3
)

func (d destination) String() string { return [...]string{"logs", "s3"}[d] }

var errSpoolFull = errors.New("the spool is full")

// A spool keeps what is not delivered yet: a folder for each destination, a
// file for each batch, which is there whole or not at all.
type spool struct {
	dir  string
	seal cipher.AEAD
	max  int64

	mu      sync.Mutex
	bytes   int64
	entries int64
	next    uint64
	wake    [2]chan struct{}
}

const batchSuffix = ".batch"

func openSpool(dir string, seal cipher.AEAD, max int64) (*spool, error) {
	s := &spool{dir: dir, seal: seal, max: max, wake: [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}}
	for _, d := range []destination{toLogs, toS3} {
		if err := os.MkdirAll(s.folder(d), 0o700); err != nil {
			return nil, err
		}
		names, err := s.batches(d)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				return nil, err
			}
			var number, n uint64
			fmt.Sscanf(filepath.Base(name), "%016x-%d", &number, &n)
			s.next, s.bytes, s.entries = max64(s.next, number+1), s.bytes+info.Size(), s.entries+int64(n)
		}
		if len(names) > 0 {
			s.wake[d] <- struct{}{}
		}
	}
	return s, nil
}

func max64(a, b uint64) uint64 { return max(a, b) }

func (s *spool) folder(d destination) string { return filepath.Join(s.dir, d.String()) }

// batches are the files of a destination, oldest first.
func (s *spool) batches(d destination) ([]string, error) {
	entries, err := os.ReadDir(s.folder(d))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), batchSuffix) {
			names = append(names, filepath.Join(s.folder(d), e.Name()))
		}
	}
	slices.Sort(names)
	return names, nil
}

// add puts a batch on disk.
func (s *spool) add(d destination, entries []entry) error {
	text, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	if s.seal != nil {
		nonce := make([]byte, s.seal.NonceSize(), s.seal.NonceSize()+len(text)+s.seal.Overhead())
		rand.Read(nonce) // never fails: crypto/rand aborts the program instead
		text = s.seal.Seal(nonce, nonce, text, nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+int64(len(text)) > s.max {
		return errSpoolFull
	}
	name := filepath.Join(s.folder(d), fmt.Sprintf("%016x-%d%s", s.next, len(entries), batchSuffix))
	if err := writeDurably(name, text); err != nil {
		return err
	}
	s.next++
	s.bytes += int64(len(text))
	s.entries += int64(len(entries))
	select {
	case s.wake[d] <- struct{}{}:
	default:
	}
	return nil
}

func writeDurably(name string, text []byte) error {
	tmp := name + ".tmp"
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = os.Rename(tmp, name)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}

func (s *spool) read(name string) (entries []entry, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if s.seal != nil && len(text) > s.seal.NonceSize() && text[0] != '[' {
		n := s.seal.NonceSize()
		if text, err = s.seal.Open(nil, text[:n], text[n:], nil); err != nil {
			return nil, errUnreadable
		}
	}
	if json.Unmarshal(text, &entries) != nil {
		return nil, errUnreadable
	}
	return entries, nil
}

// errUnreadable is a batch of another key, or one that the disk spoiled.
var errUnreadable = errors.New("the batch cannot be read")

// done takes a delivered batch away.
func (s *spool) done(name string, entries int) error {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.Remove(name)
	}
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= info.Size()
	s.entries -= int64(entries)
	return nil
}

func (s *spool) waiting() (entries, size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries, s.bytes
}
