package dirwatch

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

func TestChangesAreReported(t *testing.T) {
	dir, calls := t.TempDir(), make(chan int, 64)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Run(ctx, dir, func() { calls <- 1 }) }()
	<-calls // at the start
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	<-calls
	if err := os.Remove(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	<-calls
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Run = %v after the context ended", err)
	}
}

func TestAMissingFolderIsAnError(t *testing.T) {
	if err := Run(t.Context(), filepath.Join(t.TempDir(), "absent"), func() {}); err == nil {
		t.Error("no error for a missing folder")
	}
}
