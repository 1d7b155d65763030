// Package dirwatch calls a function after files in a folder have changed.
package dirwatch

import (
	"context"
	"fmt"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Settle is how long a folder must be quiet before its change is reported:
// editors write a file in several steps.
const Settle = 100 * time.Millisecond

// Run watches dir, not the files in it, since editors and Kubernetes replace
// files instead of writing them. It calls changed once at the start, so that no
// edit between the caller's own reading and the watch is lost, and once after
// every burst of changes. It returns nil when ctx ends.
func Run(ctx context.Context, dir string, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch folder %s: %w", dir, err)
	}
	defer w.Close()
	if err := w.Add(dir); err != nil {
		return fmt.Errorf("watch folder %s: %w", dir, err)
	}
	changed()
	return follow(ctx, w, changed)
}

func follow(ctx context.Context, w *fsnotify.Watcher, changed func()) error {
	quiet := time.NewTimer(Settle)
	quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.Events:
			quiet.Reset(Settle)
		case <-w.Errors: // events were lost: read the folder again
			quiet.Reset(Settle)
		case <-quiet.C:
			changed()
		}
	}
}
