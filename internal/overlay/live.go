package overlay

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"outcrop/internal/dirwatch"
)

// A Live holds the T that was last read from a folder, and exchanges it when
// the folder changes.
type Live[T any] struct {
	dir     string
	noun    string // what T is, for the log
	load    func() (*T, error)
	log     *slog.Logger
	current atomic.Pointer[T]
	mu      sync.Mutex // one load at a time
}

// NewLive loads a T for the first time. Later calls of load come one after the
// other. dir is the folder to watch, empty for none.
func NewLive[T any](dir, noun string, log *slog.Logger, load func() (*T, error)) (*Live[T], error) {
	l := &Live[T]{dir: dir, noun: noun, log: log, load: load}
	if err := l.Reload(); err != nil {
		return nil, err
	}
	return l, nil
}

// Current is the T as of now. Take it once per request, so that one request
// sees one state.
func (l *Live[T]) Current() *T { return l.current.Load() }

// Reload reads the folder again. On an error what was there stays.
func (l *Live[T]) Reload() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, err := l.load()
	if err != nil {
		return err
	}
	l.current.Store(t)
	return nil
}

// Watch reloads after every change of the folder until ctx ends. A bad edit
// keeps what was there and is logged.
func (l *Live[T]) Watch(ctx context.Context) error {
	if l.dir == "" {
		<-ctx.Done()
		return nil
	}
	return dirwatch.Run(ctx, l.dir, func() {
		if err := l.Reload(); err != nil {
			l.log.Error(l.noun+" refused; the old one stays in force", "err", err)
			return
		}
		l.log.Info(l.noun+" loaded", "overlay", l.dir)
	})
}
