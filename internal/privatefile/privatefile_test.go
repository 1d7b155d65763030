package privatefile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"outcrop/internal/privatefile"
)

func TestAFileIsItsOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	file := filepath.Join(dir, "secret")
	if err := privatefile.Write(file, []byte("one"), os.Rename); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{dir: 0o700, file: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want mode %o", filepath.Base(name), info.Mode(), err, want)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := privatefile.Read(file, 3); err != nil || string(b) != "one" {
		t.Errorf("%q, %v", b, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a file that others could read has mode %v after it was read, %v", info.Mode(), err)
	}
}

func TestAnEarlierFileIsReplacedOrKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := privatefile.Write(file, []byte("one"), os.Link); err != nil {
		t.Fatal(err)
	}
	if err := privatefile.Write(file, []byte("two"), os.Link); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second file in the same place: %v", err)
	}
	if b, err := privatefile.Read(file, 10); err != nil || string(b) != "one" {
		t.Errorf("%q, %v, want the first", b, err)
	}
	if err := privatefile.Write(file, []byte("three"), os.Rename); err != nil {
		t.Fatal(err)
	}
	if b, err := privatefile.Read(file, 10); err != nil || string(b) != "three" {
		t.Errorf("%q, %v, want the last", b, err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

func TestReadingIsBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if _, err := privatefile.Read(file, 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := privatefile.Write(file, []byte("four"), os.Rename); err != nil {
		t.Fatal(err)
	}
	if b, err := privatefile.Read(file, 3); err == nil {
		t.Errorf("a file that is too long is read: %q", b)
	}
}
