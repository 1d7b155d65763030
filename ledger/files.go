package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Files is the folder that a ledger lives in. Tests put their own in its
// place, to have writes fail, stall and be lost.
type Files interface {
	// List names every file in the folder.
	List() ([]string, error)
	// Create makes a file of size zero bytes and has it on disk before it
	// returns, so that writing into it later allocates nothing. It replaces
	// a file of that name and leaves none when it fails. Unless rest is nil it
	// does so bit by bit, and has the disk do other things for a moment between
	// two of them when rest says so, which is told how much is done.
	Create(name string, size int64, rest func(done int64) bool) (File, error)
	// Open opens a file to read and write.
	Open(name string) (File, error)
	// Rename and Remove are on disk when they return nil.
	Rename(from, to string) error
	Remove(name string) error
	// Close lets another process have the folder.
	Close() error
}

// A File is one file of the folder, safe for concurrent use.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns when what was written is on disk. After an error the
	// state of what was written is unknown, whatever a later Sync says.
	Sync() error
	Size() (int64, error)
}

// OpenFolder is the folder that Start opens by itself, for a layer over it.
func OpenFolder(dir string) (Files, error) { return openFolder(dir) }

// folder is Files on the operating system.
type folder struct {
	dir  string
	lock *os.File
}

// openFolder makes dir if need be and locks it: two processes that append to
// one ledger would destroy it.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make ledger folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock ledger: %w", err)
	}
	if err := tryLock(lock); err != nil {
		return nil, errors.Join(fmt.Errorf("lock ledger: another process has %s open: %w", dir, err), lock.Close())
	}
	return &folder{dir, lock}, nil
}

func (d *folder) List() ([]string, error) {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (d *folder) Create(name string, size int64, rest func(done int64) bool) (File, error) {
	path := filepath.Join(d.dir, name)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(zeroFill(f, size, rest), syncDir(d.dir)); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return osFile{f}, nil
}

// zeroFill writes real zeros: blocks that are only reserved would have to be
// converted, through the file system's journal, by the first sync after them.
// A commit's sync would wait behind that of a whole segment.
func zeroFill(f *os.File, size int64, rest func(done int64) bool) error {
	const bit, pause = 256 << 10, 5 * time.Millisecond
	zeros := make([]byte, bit)
	for off := int64(0); off < size; off += bit {
		if _, err := f.WriteAt(zeros[:min(bit, size-off)], off); err != nil {
			return err
		}
		if rest == nil {
			continue
		}
		if err := f.Sync(); err != nil {
			return err
		}
		if rest(off + bit) {
			time.Sleep(pause)
		}
	}
	return f.Sync()
}

func (d *folder) Open(name string) (File, error) {
	f, err := os.OpenFile(filepath.Join(d.dir, name), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d *folder) Rename(from, to string) error {
	if err := os.Rename(filepath.Join(d.dir, from), filepath.Join(d.dir, to)); err != nil {
		return err
	}
	return syncDir(d.dir)
}

func (d *folder) Remove(name string) error {
	if err := os.Remove(filepath.Join(d.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return syncDir(d.dir)
}

func (d *folder) Close() error { return d.lock.Close() }

type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
