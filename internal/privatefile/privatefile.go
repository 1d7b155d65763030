// Package privatefile writes and reads files that only their owner may read.
package privatefile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Modes of what holds secrets.
const (
	privateFile   os.FileMode = 0o600
	privateFolder os.FileMode = 0o700
)

// Write writes a file that only its owner reads, whole or not at all, and makes
// its folder. place puts the finished file in its place: os.Rename replaces an
// earlier one, os.Link refuses to with fs.ErrExist.
func Write(file string, content []byte, place func(from, to string) error) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, privateFolder); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(file)+"-*") // mode 0600 (os.CreateTemp)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	defer os.Remove(f.Name()) // gone already after a rename
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = place(f.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	return syncFolder(dir)
}

// syncFolder makes a new name in dir survive a power cut.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer d.Close()
	return d.Sync()
}

// Read reads at most limit bytes and takes away from group and others what a
// careless copy may have given them. It fails with fs.ErrNotExist when there is
// no file, and when it is longer than limit.
func Read(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&^privateFile != 0 {
		if err := f.Chmod(privateFile); err != nil {
			return nil, fmt.Errorf("%s can be read by others: %w", filepath.Base(file), err)
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is longer than %d bytes", filepath.Base(file), limit)
	}
	return b, err
}
