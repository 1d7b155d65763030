package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// A silent stream is open, and has said something.
type silent interface {
	// end reads it to its end, which must hold what is given.
	end(ending string) error
	Close() error
}

func (c *wire) end(ending string) error {
	if err := c.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	_, err := c.answer(ending)
	return err
}

// open opens a stream on a connection of its own.
func open(t *target, request []byte) (silent, error) {
	c, err := dial(t)
	if err != nil {
		return nil, err
	}
	if err = c.send(request); err == nil {
		_, err = c.r.Peek(1)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// http2 is a client that speaks HTTP/2 at once, many requests on a connection,
// as some of AWS's SDKs do.
func http2() *http.Client {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return &http.Client{Transport: &http.Transport{Protocols: p}}
}

// A shared stream has a connection in common with others.
type shared struct {
	answer *http.Response
	r      *bufio.Reader
	cancel context.CancelFunc
}

// share opens a stream by client.
func share(ctx context.Context, t *target, client *http.Client) (silent, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &shared{cancel: cancel}
	r, err := t.request(ctx)
	if err == nil {
		s.answer, err = client.Do(r.WithContext(ctx))
	}
	if err != nil {
		cancel()
		return nil, err
	}
	s.r = bufio.NewReader(s.answer.Body)
	if _, err := s.r.Peek(1); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *shared) end(ending string) error {
	defer time.AfterFunc(answerTimeout, s.cancel).Stop()
	body, err := io.ReadAll(s.r)
	if err == nil && (s.answer.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(ending))) {
		err = fmt.Errorf("answered %s: %s", s.answer.Status, body)
	}
	return err
}

// Close lets go of the stream.
func (s *shared) Close() error {
	s.cancel()
	return s.answer.Body.Close()
}
