package catalog

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A notebook is a log that a test can read while it is written.
type notebook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(p)
}

func (n *notebook) holds(s string) func() bool {
	return func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return strings.Contains(n.text.String(), s)
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

func TestWatchFollowsTheFolder(t *testing.T) {
	dir, log := t.TempDir(), new(notebook)
	l, err := NewLive(dir, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.Watch(ctx) }()
	await(t, "the watch begins", log.holds("catalogue loaded"))

	has := func() bool { _, ok := l.Current().Region("dc-berlin-1"); return ok }
	write(t, dir, "berlin.yaml", berlin)
	await(t, "the overlay arrives", has)

	before := l.Current()
	write(t, dir, "berlin.yaml", "regoins: {}")
	await(t, "the bad edit is logged", log.holds("did you mean"))
	if l.Current() != before {
		t.Error("a bad edit replaced the catalogue")
	}
	write(t, dir, "berlin.yaml", strings.ReplaceAll(berlin, "[dc-berlin-1, eu-central-1]", "[dc-berlin-1, eu-west-1]"))
	await(t, "moved destinations are refused", log.holds("never change"))
	if l.Current() != before {
		t.Error("a running profile was moved")
	}
	if err := os.Remove(filepath.Join(dir, "berlin.yaml")); err != nil {
		t.Fatal(err)
	}
	await(t, "the overlay is gone", func() bool { return !has() })
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Watch = %v", err)
	}
}

// Taking a profile away and bringing it back elsewhere is a move, too.
func TestARemovedProfileStaysPinned(t *testing.T) {
	dir := folder(t, "berlin.yaml", berlin)
	l, err := NewLive(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "berlin.yaml", "")
	if err := l.Reload(); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "berlin.yaml", strings.ReplaceAll(berlin, "[dc-berlin-1, eu-central-1]", "[dc-berlin-1, eu-west-1]"))
	if err := l.Reload(); err == nil {
		t.Error("the profile came back with other destinations")
	}
	write(t, dir, "berlin.yaml", berlin)
	if err := l.Reload(); err != nil {
		t.Errorf("the profile as it was: %v", err)
	}
}

func TestGlobalMayNotShrinkWhileRunning(t *testing.T) {
	dir := folder(t, "o.yaml", "regions: {dc-berlin-1: {global: true}}")
	l, err := NewLive(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "o.yaml", "regions: {dc-berlin-1: {global: false}}")
	if err := l.Reload(); err == nil || !strings.Contains(err.Error(), "never shrink") {
		t.Errorf("err = %v", err)
	}
	write(t, dir, "o.yaml", "regions: {dc-berlin-1: {global: true}, dc-berlin-2: {global: true}}")
	if err := l.Reload(); err != nil {
		t.Errorf("global may grow: %v", err)
	}
}

func TestWatchWithoutAFolderWaits(t *testing.T) {
	l, err := NewLive("", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := l.Watch(ctx); err != nil {
		t.Errorf("Watch = %v", err)
	}
	if _, err := NewLive(filepath.Join(t.TempDir(), "absent"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("an absent folder is accepted")
	}
}
