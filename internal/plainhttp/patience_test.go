package plainhttp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// patient has a server wait for so long, whatever is to pass.
func patient(wait time.Duration) func(*Server) {
	return func(s *Server) { s.Patience = func(int64) time.Duration { return wait } }
}

// A request whose body does not come ends, whether the handler wants it or not,
// and one that takes its time does not.
func TestABodyHasItsTime(t *testing.T) {
	_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/read" {
			b, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %t", b, errors.Is(err, os.ErrDeadlineExceeded))
		}
	}, patient(200*time.Millisecond))
	head := "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\na"
	for path, want := range map[string]string{"/read": "a true", "/leave": ""} {
		c := dial(t, addr)
		fmt.Fprintf(c, head, path)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(path, err)
		}
		if body, err := io.ReadAll(res.Body); string(body) != want || err != nil || !res.Close {
			t.Errorf("%s was answered %q %v, and goes on: %t", path, body, err, !res.Close)
		}
	}
	c := dial(t, addr)
	fmt.Fprintf(c, head, "/read")
	for _, piece := range []string{"b", "c", "d"} {
		time.Sleep(20 * time.Millisecond)
		io.WriteString(c, piece)
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(res.Body); string(body) != "abcd false" || res.Close {
		t.Errorf("a slow body was answered %q, and goes on: %t", body, !res.Close)
	}
	time.Sleep(300 * time.Millisecond) // the body's time is not the connection's
	io.WriteString(c, get("/"))
	if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Error("after a slow body:", err)
	}
}

// A client that does not take its answer is given up, whatever the pieces are,
// and one that is slow has all of it.
func TestAClientThatTakesNothingIsGivenUp(t *testing.T) {
	const total = 16 << 20
	for _, size := range []int{1 << 10, directly, 1 << 20} {
		ended := make(chan error, 2)
		_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
			var err error
			for n := 0; n < total && err == nil; n += size {
				_, err = w.Write(bytes.Repeat([]byte("x"), size))
			}
			if err == nil {
				err = w.(interface{ FlushError() error }).FlushError()
			}
			if err != nil && r.Context().Err() == nil {
				t.Error("the call goes on after", err)
			}
			ended <- err
		}, patient(400*time.Millisecond))
		c := dial(t, addr)
		c.(*net.TCPConn).SetReadBuffer(32 << 10)
		io.WriteString(c, get("/"))
		select {
		case err := <-ended:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("pieces of %d: %v", size, err)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("pieces of %d: a client that takes nothing is waited for", size)
		}
		c = dial(t, addr)
		io.WriteString(c, get("/"))
		time.Sleep(100 * time.Millisecond)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); n != total || err != nil || <-ended != nil {
			t.Errorf("pieces of %d: a slow client has %d bytes: %v", size, n, err)
		}
	}
}

// A handler's own write deadline stands, for longer or for less.
func TestAHandlersDeadlineIsItsOwn(t *testing.T) {
	took := make(chan time.Duration, 1)
	_, addr, _ := start(t, func(w http.ResponseWriter, _ *http.Request) {
		began := time.Now()
		http.NewResponseController(w).SetWriteDeadline(began.Add(300 * time.Millisecond))
		for err := error(nil); err == nil; {
			_, err = w.Write(make([]byte, 1<<10))
		}
		took <- time.Since(began)
	}, patient(10*time.Millisecond))
	io.WriteString(dial(t, addr), get("/"))
	if d := <-took; d < 290*time.Millisecond || d > 5*time.Second {
		t.Errorf("a write took %s", d)
	}
}

// What reads the body beside a handler that has returned reads nothing of the
// next request, and nobody waits for it.
func TestWhoReadsOnIsCutOff(t *testing.T) {
	ended := make(chan error, 1)
	_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/beside" {
			http.NewResponseController(w).EnableFullDuplex()
			go func() {
				_, err := io.ReadAll(r.Body)
				ended <- err
			}()
			time.Sleep(20 * time.Millisecond)
		}
	}, nil)
	c := dial(t, addr)
	io.WriteString(c, strings.Replace(post("/beside", "abc"), "abc", "", 1))
	from := bufio.NewReader(c)
	if _, err := http.ReadResponse(from, nil); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a body that did not come was read")
		}
	case <-time.After(2 * time.Second):
		io.WriteString(c, "abc")
		t.Error("who reads on is waited for")
	}
	if _, err := from.ReadByte(); err != io.EOF {
		t.Errorf("the connection goes on in the middle of a request: %v", err)
	}
}
