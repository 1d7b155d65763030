package catalog

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"outcrop/internal/overlay/overlaytest"
)

func TestABadEditKeepsTheCatalogue(t *testing.T) {
	dir := t.TempDir()
	l, err := NewLive(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	overlaytest.Write(t, dir, "berlin.yaml", berlin)
	if err := l.Reload(); err != nil {
		t.Fatal(err)
	}
	before := l.Current()
	if _, ok := before.Region("dc-berlin-1"); !ok {
		t.Error("the overlay did not arrive")
	}
	for edit, says := range map[string]string{
		"regoins: {}": "did you mean",
		strings.ReplaceAll(berlin, "[dc-berlin-1, eu-central-1]", "[dc-berlin-1, eu-west-1]"): "never change",
	} {
		overlaytest.Write(t, dir, "berlin.yaml", edit)
		if err := l.Reload(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("err = %v, want one that says %q", err, says)
		}
		if l.Current() != before {
			t.Error("a bad edit replaced the catalogue")
		}
	}
}

// Taking a profile away and bringing it back elsewhere is a move, too.
func TestARemovedProfileStaysPinned(t *testing.T) {
	dir := overlaytest.Folder(t, "berlin.yaml", berlin)
	l, err := NewLive(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	overlaytest.Write(t, dir, "berlin.yaml", "")
	if err := l.Reload(); err != nil {
		t.Fatal(err)
	}
	overlaytest.Write(t, dir, "berlin.yaml", strings.ReplaceAll(berlin, "[dc-berlin-1, eu-central-1]", "[dc-berlin-1, eu-west-1]"))
	if err := l.Reload(); err == nil {
		t.Error("the profile came back with other destinations")
	}
	overlaytest.Write(t, dir, "berlin.yaml", berlin)
	if err := l.Reload(); err != nil {
		t.Errorf("the profile as it was: %v", err)
	}
}

func TestGlobalMayNotShrinkWhileRunning(t *testing.T) {
	dir := overlaytest.Folder(t, "o.yaml", "regions: {dc-berlin-1: {global: true}}")
	l, err := NewLive(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	overlaytest.Write(t, dir, "o.yaml", "regions: {dc-berlin-1: {global: false}}")
	if err := l.Reload(); err == nil || !strings.Contains(err.Error(), "never shrink") {
		t.Errorf("err = %v", err)
	}
	overlaytest.Write(t, dir, "o.yaml", "regions: {dc-berlin-1: {global: true}, dc-berlin-2: {global: true}}")
	if err := l.Reload(); err != nil {
		t.Errorf("global may grow: %v", err)
	}
}

func TestAnAbsentFolderIsRefused(t *testing.T) {
	if _, err := NewLive(filepath.Join(t.TempDir(), "absent"), slog.New(slog.DiscardHandler)); err == nil {
		t.Error("accepted")
	}
}
