package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

func TestPatienceGrowsWithWhatPasses(t *testing.T) {
	for n, want := range map[int64]time.Duration{
		0: leastPatience, 1 << 20: leastPatience + 16*time.Second, -1: patience(untoldBytes), math.MaxInt64: patience(longestAtOnce),
	} {
		if got := patience(n); got != want || got <= 0 {
			t.Errorf("%d bytes have %s, want %s", n, got, want)
		}
	}
}

// waitsFor serves h as the product does what plainhttp does not, with another
// patience.
func waitsFor(t *testing.T, wait time.Duration, h http.HandlerFunc) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newHTTPServer(nil, slog.New(slog.DiscardHandler))
	s.Handler = patiently(h, func(int64) time.Duration { return wait })
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return l.Addr().String()
}

// A chunked body that does not come ends the request, whoever wants it.
func TestABodyInChunksHasItsTime(t *testing.T) {
	addr := waitsFor(t, 100*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			_, err := io.ReadAll(r.Body)
			fmt.Fprint(w, errors.Is(err, os.ErrDeadlineExceeded))
		}
	})
	for path, want := range map[string]string{"/read": "true", "/leave": ""} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na", path)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(path, err)
		}
		if body, err := io.ReadAll(res.Body); string(body) != want || err != nil {
			t.Errorf("%s was answered %q %v", path, body, err)
		}
	}
}

// speaker speaks HTTP/1.1 or HTTP/2 without TLS.
func speaker(t *testing.T, http2 bool) *http.Transport {
	c := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	c.Protocols.SetHTTP1(!http2)
	c.Protocols.SetUnencryptedHTTP2(http2)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// Over either protocol a client that takes nothing is given up, and one that is
// slow, or listens to a model that thinks for a while, is not.
func TestAClientThatTakesNothingIsGivenUp(t *testing.T) {
	const total, wait = 16 << 20, 300 * time.Millisecond
	for _, http2 := range []bool{false, true} {
		ended := make(chan error, 1)
		addr := waitsFor(t, wait, func(w http.ResponseWriter, r *http.Request) {
			var err error
			for n := 0; n < total && err == nil; n += 64 << 10 {
				if n == 1<<20 && r.URL.Path == "/slow" {
					time.Sleep(2 * wait)
				}
				if _, err = w.Write(make([]byte, 64<<10)); err == nil {
					err = http.NewResponseController(w).Flush()
				}
			}
			ended <- err
		})
		for path, takes := range map[string]bool{"/": false, "/slow": true} {
			r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr+path, nil)
			res, err := speaker(t, http2).RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if !takes {
				select {
				case err = <-ended:
				case <-time.After(5 * time.Second):
					t.Fatalf("HTTP/2 %t: a client that takes nothing is waited for", http2)
				}
				if err == nil {
					t.Errorf("HTTP/2 %t: 16 MiB went to a client that took nothing", http2)
				}
				continue
			}
			time.Sleep(wait / 4)
			if n, err := io.Copy(io.Discard, res.Body); n != total || err != nil || <-ended != nil {
				t.Errorf("HTTP/2 %t: a slow client has %d bytes: %v", http2, n, err)
			}
		}
	}
}
