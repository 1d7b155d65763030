package trail

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A file is named by the second in which it was begun, so that a list of names
// is an index by time.
const (
	filePrefix = "trail-"
	fileSuffix = ".jsonl"
	fileTime   = "20060102T150405Z"
)

func fileName(start time.Time) string { return filePrefix + start.UTC().Format(fileTime) + fileSuffix }

func fileStart(name string) (start time.Time, ok bool) {
	text, isTrail := strings.CutPrefix(name, filePrefix)
	text, isLines := strings.CutSuffix(text, fileSuffix)
	start, err := time.Parse(fileTime, text)
	return start, isTrail && isLines && err == nil
}

// listFiles finds the starts of the files in dir, oldest first.
func listFiles(dir string) ([]time.Time, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list audit files: %w", err)
	}
	var starts []time.Time
	for _, e := range entries {
		if start, ok := fileStart(e.Name()); ok {
			starts = append(starts, start)
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	return starts, nil
}

// A file is what is written to.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// files are the trail's files on disk, as their one writer sees them.
type files struct {
	dir   string
	opts  *Options
	open  file // the one written to, or nil
	start time.Time
	size  int64

	torn   bool // the write before this one ended within a line, and this one goes on with it
	broken bool // a crash has torn the last line: end it before the next
}

// resume goes on with the newest file.
func (f *files) resume() error {
	starts, err := listFiles(f.dir)
	if err != nil || len(starts) == 0 {
		return err
	}
	if err = f.use(starts[len(starts)-1], os.O_WRONLY); err != nil || f.size == 0 {
		return err
	}
	last, err := lastByte(filepath.Join(f.dir, fileName(f.start)), f.size)
	if err != nil {
		return errors.Join(err, f.open.Close())
	}
	f.broken = last != '\n'
	return nil
}

func lastByte(name string, size int64) (byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	b := make([]byte, 1)
	_, err = file.ReadAt(b, size-1)
	return b[0], err
}

func (f *files) use(start time.Time, flag int) error {
	file, err := os.OpenFile(filepath.Join(f.dir, fileName(start)), flag|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.open, f.start, f.size = file, start, info.Size()
	return nil
}

// write appends b, which goes on where the write before it ended, and returns
// how much of it is written.
func (f *files) write(b []byte) (n int, err error) {
	if !f.torn {
		if err := f.begin(); err != nil {
			return 0, err
		}
	}
	n, err = f.open.Write(b)
	if n > 0 {
		f.size += int64(n)
		f.torn = b[n-1] != '\n'
	}
	return n, err
}

// begin readies the file for a new line.
func (f *files) begin() error {
	if err := f.rotate(); err != nil || !f.broken {
		return err
	}
	_, err := f.open.Write([]byte{'\n'})
	f.broken = err != nil
	return err
}

// rotate begins a new file when there is none, or the present one is full or
// old. Names only go up, even when the clock does not.
func (f *files) rotate() error {
	now := f.opts.Now().UTC().Truncate(time.Second)
	if f.open != nil && f.size < f.opts.MaxFileBytes && now.Sub(f.start) < f.opts.MaxFileAge {
		return nil
	}
	if !now.After(f.start) {
		now = f.start.Add(time.Second)
	}
	old := f.open
	if err := f.use(now, os.O_CREATE|os.O_WRONLY); err != nil {
		return err
	}
	f.broken = false
	f.expire()
	if old != nil {
		return errors.Join(old.Sync(), old.Close())
	}
	return nil
}

// expire removes the oldest files beyond those to keep.
func (f *files) expire() {
	starts, err := listFiles(f.dir)
	for i := 0; err == nil && i < len(starts)-f.opts.KeepFiles; i++ {
		err = os.Remove(filepath.Join(f.dir, fileName(starts[i])))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		f.opts.Log.Warn("old audit files could not be removed", "err", err)
	}
}

func (f *files) close() error {
	if f.open == nil {
		return nil
	}
	return errors.Join(f.open.Sync(), f.open.Close())
}
