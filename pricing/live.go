package pricing

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"outcrop"
	"outcrop/internal/dirwatch"
)

// A Live holds the current Book and exchanges it when the overlay folder
// changes. Records that were quoted keep the price they were quoted.
type Live struct {
	dir     string
	log     *slog.Logger
	current atomic.Pointer[Book]
	mu      sync.Mutex // one Reload at a time
}

// NewLive loads the price lists with the overlay folder dir; empty for none.
func NewLive(dir string, log *slog.Logger) (*Live, error) {
	l := &Live{dir: dir, log: log}
	if err := l.Reload(); err != nil {
		return nil, err
	}
	return l, nil
}

// Current is the book as of now.
func (l *Live) Current() *Book { return l.current.Load() }

// Quote is Current().Quote.
func (l *Live) Quote(q Query) outcrop.Quote { return l.Current().Quote(q) }

// Reload reads the price lists again. On an error the old book stays.
func (l *Live) Reload() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, err := Load(l.dir)
	if err != nil {
		return err
	}
	l.current.Store(b)
	return nil
}

// Watch reloads after every change of the overlay folder until ctx ends. A bad
// edit keeps the old book and is logged.
func (l *Live) Watch(ctx context.Context) error {
	if l.dir == "" {
		<-ctx.Done()
		return nil
	}
	return dirwatch.Run(ctx, l.dir, func() {
		if err := l.Reload(); err != nil {
			l.log.Error("price list refused; the old prices stay in force", "err", err)
			return
		}
		l.log.Info("price lists loaded", "overlay", l.dir)
	})
}
