package main

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"
)

// Idle is what many open streams cost that say nothing for a while.
type idle struct {
	Wanted, Open  int
	Shared        int   // of those, over HTTP/2 with connections in common
	Before, Held  int64 // bytes resident without and with them
	Answers       int64 // streams that were read to their end after all
	Failed        int
	FirstFailure  error
	TimeToOpenAll time.Duration
}

func (i *idle) perStream() float64 { return float64(i.Held-i.Before) / float64(max(i.Open, 1)) }

// openStreams opens n streams through g, holds them and lets them end. It calls
// held while they are held, if that is not nil.
func (w *world) openStreams(ctx context.Context, g *gateway, n int, held func() error) (*idle, error) {
	t := streamOf("idle streams", idleMark).through(g)
	i := &idle{}
	i.Wanted, i.Shared = fitting(n, descriptors())
	request, err := t.bytes(ctx)
	if err != nil {
		return nil, err
	}
	if err := waitIdle(ctx, g.PID()); err != nil {
		return nil, err
	}
	if i.Before, err = residentOf(g.PID()); err != nil {
		return nil, err
	}
	streams := openMany(ctx, t, request, i)
	if err := w.settled(ctx, i); err != nil {
		return nil, err
	}
	if i.Held, err = residentOf(g.PID()); err != nil {
		return nil, err
	}
	if held != nil {
		if err := held(); err != nil {
			return nil, err
		}
	}
	if err := getJSON(ctx, w.mock.url()+"/release", nil); err != nil {
		return nil, err
	}
	endMany(streams, t, i)
	return i, waitIdle(ctx, g.PID())
}

// openers is how many streams are opened at once.
const openers = 64

// fitting is how many of n streams may be open with so many files, and how many
// of them, at most a tenth, have to share connections for that. Outcrop has two
// files for a stream, one when connections are shared, and some of its own.
func fitting(n, files int) (open, shared int) {
	const own = 200
	room := max(files-own, 0)
	n = min(n, room*10/19)
	return n, max(0, 2*n-room)
}

// openMany opens streams and waits until each has said something.
func openMany(ctx context.Context, t *target, request []byte, i *idle) (streams []silent) {
	began := time.Now()
	defer func() { i.TimeToOpenAll = time.Since(began) }()
	client := http2()
	var mu sync.Mutex
	each(i.Wanted, func(n int) {
		var s silent
		var err error
		if n < i.Shared {
			s, err = share(ctx, t, client)
		} else {
			s, err = open(t, request)
		}
		mu.Lock()
		defer mu.Unlock()
		if i.fail(err) {
			return
		}
		i.Open++
		streams = append(streams, s)
	})
	return streams
}

func endMany(streams []silent, t *target, i *idle) {
	var mu sync.Mutex
	each(len(streams), func(n int) {
		defer streams[n].Close()
		err := streams[n].end(t.ending)
		mu.Lock()
		defer mu.Unlock()
		if !i.fail(err) {
			i.Answers++
		}
	})
}

func (i *idle) fail(err error) bool {
	if err == nil {
		return false
	}
	i.Failed++
	if i.FirstFailure == nil {
		i.FirstFailure = err
	}
	return true
}

// each does n things, openers at a time.
func each(n int, do func(int)) {
	var all sync.WaitGroup
	next := make(chan int)
	for range openers {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// settled waits until the upstream holds all streams, and then until the
// memory of their beginning has had a chance to be given back.
func (w *world) settled(ctx context.Context, i *idle) error {
	for range 100 {
		var c counts
		if err := getJSON(ctx, w.mock.url()+"/counts", &c); err != nil {
			return err
		}
		if int(c.Open) == i.Open {
			return pause(ctx, 2*time.Second)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the upstream does not hold as many streams as are open")
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// descriptors is how many files a process may have open here.
func descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 1024
	}
	return int(min(limit.Max, 1<<20))
}
