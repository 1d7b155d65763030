package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A load is what one slice of load came to.
type load struct {
	answers int64 // complete ones; there are no others
	elapsed time.Duration
	latency histogram // to the last byte
	first   histogram // to the first byte of the body
}

func (l *load) merge(o *load) {
	l.answers += o.answers
	l.latency.merge(&o.latency)
	l.first.merge(&o.first)
}

// closed keeps n connections busy for a while: each sends its next request
// when it has read the last byte of an answer.
func closed(ctx context.Context, t *target, n int, d time.Duration) (*load, error) {
	return drive(ctx, t, n, func() schedule {
		until := time.Now().Add(d)
		return func() (time.Time, bool) {
			now := time.Now()
			return now, now.Before(until)
		}
	})
}

// atRate sends a request when its time has come, whether or not those before
// are answered, as long as one of n connections is free. Its latency counts
// from the time it was due, so that a stall is not left out of the figures.
func atRate(ctx context.Context, t *target, n, perSecond int, d time.Duration) (*load, error) {
	return drive(ctx, t, n, func() schedule {
		due := make(chan time.Time, perSecond) // a second's worth may wait
		go announce(ctx, due, perSecond, d)
		return func() (time.Time, bool) {
			at, ok := <-due
			return at, ok
		}
	})
}

// announce says so often a second for a while that a request is due.
func announce(ctx context.Context, due chan<- time.Time, perSecond int, d time.Duration) {
	defer close(due)
	began := time.Now()
	for i := range int(d.Seconds() * float64(perSecond)) {
		at := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(at))
		select {
		case due <- at:
		case <-ctx.Done():
			return
		}
	}
}

// A schedule says from when on a request's latency counts, and whether there
// is another one.
type schedule func() (due time.Time, more bool)

// settleFor is how long the target has to take up its new connections.
const settleFor = 200 * time.Millisecond

// drive runs n connections, signed beforehand, that stay. The schedule begins
// when all of them are there: what it costs to make so many at once is no part
// of what an answer takes.
func drive(ctx context.Context, t *target, n int, begin func() schedule) (*load, error) {
	request, err := t.bytes(ctx)
	if err != nil {
		return nil, err
	}
	wires, err := dialAll(t, n)
	defer hangUp(wires)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, settleFor); err != nil {
		return nil, err
	}
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		sum     load
		errs    []error
		started = time.Now()
		next    = begin()
	)
	for _, c := range wires {
		all.Go(func() {
			one, err := c.drive(t, request, next)
			mu.Lock()
			defer mu.Unlock()
			sum.merge(one)
			errs = append(errs, err)
		})
	}
	all.Wait()
	sum.elapsed = time.Since(started)
	return &sum, errors.Join(errs...)
}

// bytes is the request as it goes over the wire.
func (t *target) bytes(ctx context.Context) ([]byte, error) {
	r, err := t.request(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = r.Write(&b)
	return b.Bytes(), err
}

// answerTimeout bounds one answer.
const answerTimeout = 30 * time.Second

// drive sends request after request, as next says.
func (c *wire) drive(t *target, request []byte, next schedule) (*load, error) {
	one := new(load)
	for {
		began, more := next()
		if !more {
			return one, nil
		}
		if err := c.send(request); err != nil {
			return one, err
		}
		first, err := c.answer(t.ending)
		if err != nil {
			return one, err
		}
		one.answers++
		one.latency.add(time.Since(began))
		one.first.add(first.Sub(began))
	}
}

// A wire is one connection of the load generator.
type wire struct {
	net.Conn
	r    *bufio.Reader
	body bytes.Buffer
}

func dial(t *target) (*wire, error) {
	conn, err := net.Dial("tcp", t.addr)
	if err != nil {
		return nil, err
	}
	return &wire{Conn: conn, r: bufio.NewReaderSize(conn, 4<<10)}, nil
}

func dialAll(t *target, n int) ([]*wire, error) {
	wires := make([]*wire, 0, n)
	for range n {
		c, err := dial(t)
		if err != nil {
			return wires, err
		}
		wires = append(wires, c)
	}
	return wires, nil
}

func hangUp(wires []*wire) {
	for _, c := range wires {
		c.Close()
	}
}

func (c *wire) send(request []byte) error {
	if err := c.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	_, err := c.Write(request)
	return err
}

// answer reads an answer to its end, and says when its body began.
func (c *wire) answer(ending string) (first time.Time, err error) {
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return first, err
	}
	c.body.Reset()
	var begin [1]byte
	if _, err := answer.Body.Read(begin[:]); err != nil {
		return first, err
	}
	first = time.Now()
	if _, err := c.body.ReadFrom(answer.Body); err != nil {
		return first, err
	}
	const tailBytes = 1 << 10
	tail := c.body.Bytes()[max(0, c.body.Len()-tailBytes):]
	if answer.StatusCode != http.StatusOK || !bytes.Contains(tail, []byte(ending)) {
		return first, fmt.Errorf("answered %s: %s", answer.Status, tail)
	}
	return first, nil
}
