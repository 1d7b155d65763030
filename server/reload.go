package server

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"sync"
	"syscall"

	"outcrop/internal/dirwatch"
)

// A reloader reads the configuration file again, after it has changed or at a
// SIGHUP, and puts its upstreams in use. Everything else in the file is read at
// the start only.
type reloader struct {
	engines *engines
	file    string
	log     *slog.Logger
	mu      sync.Mutex
	text    []byte // as last looked at
	began   *Config
}

// followConfig reloads until ctx ends. Text is what the server began with: an
// edit since then is used as well.
func (e *engines) followConfig(ctx context.Context, file string, text []byte) {
	hups := make(chan os.Signal, 1)
	signal.Notify(hups, syscall.SIGHUP)
	defer signal.Stop(hups)
	r := &reloader{engines: e, file: file, text: text, log: e.log}
	var watching sync.WaitGroup
	defer watching.Wait()
	if file != "" {
		r.began, _ = parseConfig(file, text) // it could be read at the start
		watching.Go(func() {
			err := dirwatch.Run(ctx, filepath.Dir(file), func() { r.reload(ctx, false) })
			if err != nil && ctx.Err() == nil {
				e.log.Error("the configuration file is no longer watched: send SIGHUP after changes", "err", err)
			}
		})
	}
	for {
		select {
		case <-hups:
			r.reload(ctx, true)
		case <-ctx.Done():
			return
		}
	}
}

// reload puts a changed file in use; asked says that somebody wants to know.
func (r *reloader) reload(ctx context.Context, asked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == "" {
		r.log.Warn("there is no configuration file to read again: the server was started without --config")
		return
	}
	text, err := os.ReadFile(r.file)
	if err == nil && bytes.Equal(text, r.text) && !asked {
		return
	}
	var config *Config
	if err == nil {
		config, err = parseConfig(r.file, text)
	}
	if err == nil {
		r.text = text
		rest := *config
		if err = config.complete(); err == nil {
			err = r.engines.useUpstreams(ctx, config.Upstreams)
		}
		if err == nil && r.differs(&rest) {
			r.log.Warn("the configuration has changed outside of upstreams: restart to use that")
		}
	}
	if err != nil {
		r.log.Error("the changed configuration cannot be used; the upstreams stay as they were", "err", err)
		return
	}
	r.log.Info("upstreams are as the configuration file says", "file", r.file, "upstreams", len(config.Upstreams))
}

// differs says whether anything beside the upstreams is not as at the start.
func (r *reloader) differs(now *Config) bool {
	if r.began == nil {
		return false
	}
	a, b := *r.began, *now
	a.Upstreams, b.Upstreams, a.text, b.text = nil, nil, nil, nil
	return !reflect.DeepEqual(a, b)
}
