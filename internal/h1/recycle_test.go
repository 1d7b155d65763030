package h1

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"outcrop/internal/tether"
)

// Property: whoever hangs up meanwhile, an answer in memory that was used
// before holds nothing of the one before.
func TestAnAnswerInUsedMemoryIsItsOwn(t *testing.T) {
	s := serve(t, func(c net.Conn, r *http.Request) {
		said := r.Header.Get("X-Say")
		extra := ""
		if len(said)%2 == 0 {
			extra = "X-Even: " + said + "\r\n"
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Said: %s\r\n%sContent-Length: %d\r\n\r\n%s", said, extra, len(said), said)
	})
	rt := clientsOnce(t, s)
	var recycled, alone int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				call := new(tether.Tether)
				call.Tie(t.Context())
				if rand.IntN(4) == 0 {
					time.AfterFunc(time.Duration(rand.IntN(300))*time.Microsecond, func() { call.Cut(context.Canceled) })
				}
				said := fmt.Sprint(i, "-", n*n)
				r := post(t, s.url(), "{}").WithContext(call)
				r.Header.Set("X-Say", said)
				res, err := rt.RoundTrip(r)
				if err != nil {
					call.Cut(nil)
					continue
				}
				body, err := io.ReadAll(res.Body)
				even := ""
				if len(said)%2 == 0 {
					even = said
				}
				if err == nil && (string(body) != said || res.Header.Get("X-Said") != said || res.Header.Get("X-Even") != even) {
					t.Errorf("%s was answered by %q with %v", said, body, res.Header)
				}
				res.Body.Close()
				free := Recycle(res)
				call.Cut(nil)
				mu.Lock()
				if recycled++; free {
					alone++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if alone == 0 || alone == recycled {
		t.Errorf("of %d calls, %d were alone; want most and not those that dialled", recycled, alone)
	}
}

func TestAConnectionThatAServerClosesIsNotTrusted(t *testing.T) {
	closed := make(chan bool, 1)
	s := serve(t, func(c net.Conn, _ *http.Request) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		c.Close() // although it did not say so
		closed <- true
	})
	rt := clientsOnce(t, s)
	for range 5 {
		if _, _, err := ask(rt, post(t, s.url(), "{}")); err != nil {
			t.Fatal(err)
		}
		<-closed
		time.Sleep(time.Millisecond) // for the close to arrive
	}
	if n := s.conns.Load(); n != 5 {
		t.Errorf("%d connections for 5 calls", n)
	}
}

// A server that goes between two calls is noticed at once.
func TestAServerThatLeavesIsNotWaitedFor(t *testing.T) {
	var conns sync.Map
	s := serve(t, func(c net.Conn, _ *http.Request) {
		conns.Store(c, true)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	})
	rt := clientsOnce(t, s)
	for range 20 {
		for range 3 {
			if _, _, err := ask(rt, post(t, s.url(), "{}")); err != nil {
				t.Fatal(err)
			}
		}
		conns.Range(func(c, _ any) bool { c.(net.Conn).Close(); conns.Delete(c); return true })
		began := time.Now()
		_, _, err := ask(rt, post(t, s.url(), "{}")) // may fail: the server can have seen it
		if took := time.Since(began); took > time.Second {
			t.Fatalf("%v after %v", err, took)
		}
	}
}
