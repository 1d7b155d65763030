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

// A load is what one slice of closed-loop load came to.
type load struct {
	answers int64 // complete ones; there are no others
	elapsed time.Duration
	latency histogram
}

// drive keeps every connection busy for a while: one request after another,
// signed beforehand, on connections that stay.
func drive(ctx context.Context, t *target, d time.Duration) (*load, error) {
	request, err := t.bytes(ctx)
	if err != nil {
		return nil, err
	}
	var (
		all     sync.WaitGroup
		mu      sync.Mutex
		sum     load
		errs    []error
		started = time.Now()
	)
	for range connections {
		all.Go(func() {
			one, err := driveOne(t, request, started.Add(d))
			mu.Lock()
			defer mu.Unlock()
			sum.answers += one.answers
			sum.latency.merge(&one.latency)
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

func driveOne(t *target, request []byte, until time.Time) (*load, error) {
	one := new(load)
	conn, err := net.Dial("tcp", t.addr)
	if err != nil {
		return one, err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 32<<10)
	var body bytes.Buffer
	for {
		began := time.Now()
		if began.After(until) {
			return one, nil
		}
		if err := errors.Join(conn.SetDeadline(began.Add(answerTimeout)), exchange(conn, r, request, &body, t.ending)); err != nil {
			return one, err
		}
		one.answers++
		one.latency.add(time.Since(began))
	}
}

// exchange sends one request and reads its answer to the end.
func exchange(conn net.Conn, r *bufio.Reader, request []byte, body *bytes.Buffer, ending string) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	body.Reset()
	if _, err := body.ReadFrom(answer.Body); err != nil {
		return err
	}
	const tailBytes = 1 << 10
	tail := body.Bytes()[max(0, body.Len()-tailBytes):]
	if answer.StatusCode != http.StatusOK || !bytes.Contains(tail, []byte(ending)) {
		return fmt.Errorf("answered %s: %s", answer.Status, tail)
	}
	return nil
}
