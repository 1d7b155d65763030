package overlay_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"outcrop/internal/overlay"
	"outcrop/internal/overlay/overlaytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var notes = overlay.Kind{Name: "note", Mine: func(base string) bool { return base != "other" }, MaxFiles: 3, MaxBytes: 10}

func TestFilesOfAKind(t *testing.T) {
	dir := overlaytest.Folder(t, "b.yml", "", "a.yaml", "", "other.yaml", "", ".hidden.yaml", "", "readme.md", "", "yaml", "")
	if err := os.Mkdir(filepath.Join(dir, "folder.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	got, err := notes.Files(dir)
	if want := []string{filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yml")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, name := range []string{"c.yaml", "d.yaml"} {
		overlaytest.Write(t, dir, name, "")
	}
	if _, err := notes.Files(dir); err == nil || !strings.Contains(err.Error(), "at most 3") {
		t.Errorf("four files: %v", err)
	}
	if got, err := notes.Files(""); got != nil || err != nil {
		t.Errorf("no folder: %v, %v", got, err)
	}
	if _, err := notes.Files(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent folder: %v", err)
	}
}

func TestAFileIsLimited(t *testing.T) {
	dir := overlaytest.Folder(t, "full.yaml", "0123456789", "long.yaml", "0123456789a")
	if text, err := notes.Read(filepath.Join(dir, "full.yaml")); err != nil || string(text) != "0123456789" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := notes.Read(filepath.Join(dir, "long.yaml")); err == nil || !strings.Contains(err.Error(), "at most 10") {
		t.Errorf("eleven bytes: %v", err)
	}
	if _, err := notes.Read(filepath.Join(dir, "absent.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
}

// A diary is a log that a test can read while it is written.
type diary struct {
	mu   sync.Mutex
	text strings.Builder
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

func (d *diary) holds(s string) func() bool {
	return func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return strings.Contains(d.text.String(), s)
	}
}

// await waits for the watcher, which follows the file system in real time.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// motto loads the file motto.yaml and refuses an empty one.
func motto(dir string) func() (*string, error) {
	return func() (*string, error) {
		text, err := os.ReadFile(filepath.Join(dir, "motto.yaml"))
		if err == nil && len(text) == 0 {
			err = errors.New("nothing there")
		}
		s := string(text)
		return &s, err
	}
}

func TestWatchFollowsTheFolder(t *testing.T) {
	dir, log := overlaytest.Folder(t, "motto.yaml", "one"), new(diary)
	l, err := overlay.NewLive(dir, "motto", slog.New(slog.NewTextHandler(log, nil)), motto(dir))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Watch(ctx) }()
	await(t, "the watch begins", log.holds("motto loaded"))

	overlaytest.Write(t, dir, "motto.yaml", "two")
	await(t, "the edit arrives", func() bool { return *l.Current() == "two" })
	before := l.Current()
	overlaytest.Write(t, dir, "motto.yaml", "")
	await(t, "the bad edit is logged", log.holds("motto refused; the old one stays in force"))
	if l.Current() != before || !log.holds("nothing there")() {
		t.Errorf("after a bad edit: %q", *l.Current())
	}
	overlaytest.Write(t, dir, "motto.yaml", "three")
	await(t, "the mended edit arrives", func() bool { return *l.Current() == "three" })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Watch = %v", err)
	}
}

func TestAFirstLoadMustSucceed(t *testing.T) {
	if _, err := overlay.NewLive("", "motto", slog.New(slog.DiscardHandler), motto(t.TempDir())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("err = %v", err)
	}
}

func TestWatchWithoutAFolderWaits(t *testing.T) {
	l, err := overlay.NewLive("", "motto", slog.New(slog.DiscardHandler), motto(overlaytest.Folder(t, "motto.yaml", "x")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := l.Watch(ctx); err != nil {
		t.Errorf("Watch = %v", err)
	}
	if err := l.Reload(); err != nil || *l.Current() != "x" {
		t.Errorf("Reload = %v", err)
	}
}
