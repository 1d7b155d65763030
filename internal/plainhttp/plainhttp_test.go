package plainhttp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A listener that others feed, for connections that were handed over.
type fed struct {
	net.Listener
	conns chan net.Conn
	once  sync.Once
}

func (f *fed) Accept() (net.Conn, error) {
	c, ok := <-f.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (f *fed) Close() error { f.once.Do(func() { close(f.conns) }); return nil }

// start serves h, with net/http behind for what is not plain, and returns the
// address and the number of connections that were handed over.
func start(t testing.TB, h http.HandlerFunc, change func(*Server)) (s *Server, addr string, handed func() int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rest := &fed{Listener: l, conns: make(chan net.Conn)}
	behind, n := &http.Server{Handler: h}, 0
	s = &Server{Handler: h, HeaderTimeout: 5 * time.Second, IdleTimeout: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
		Rest: func(c net.Conn) { n++; rest.conns <- c }}
	if change != nil {
		change(s)
	}
	done := make(chan error, 2)
	go func() { done <- behind.Serve(rest) }()
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error("shutdown:", err)
		}
		behind.Close()
		rest.Close()
		<-done
		<-done
	})
	return s, l.Addr().String(), func() int { return n }
}

// plain starts net/http's own server, to compare with.
func plain(t testing.TB, h http.HandlerFunc) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return l.Addr().String()
}

// dial connects for at most ten seconds.
func dial(t testing.TB, addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

// tell sends raw and returns every answer until the connection ends, with the
// fields that are about the moment left out.
func tell(t testing.TB, addr, raw string) string {
	c := dial(t, addr)
	go func() {
		io.WriteString(c, raw)
		time.Sleep(30 * time.Millisecond)
		c.(*net.TCPConn).CloseWrite()
	}()
	var all strings.Builder
	for r := bufio.NewReader(c); ; {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			fmt.Fprintf(&all, "end\n")
			return all.String()
		}
		body, err := io.ReadAll(res.Body)
		res.Header.Del("Date")
		fmt.Fprintf(&all, "%s length %d %v close %v %v %q %v\n", res.Status, res.ContentLength, res.TransferEncoding, res.Close, res.Header, body, err != nil)
	}
}

// handlers do what handlers do.
func handler(w http.ResponseWriter, r *http.Request) {
	body := func() []byte { b, _ := io.ReadAll(r.Body); return b }
	control := http.NewResponseController(w)
	switch r.URL.Path {
	case "/echo":
		w.Header().Set("Content-Type", "text/x")
		fmt.Fprintf(w, "%s %s %s %d %s", r.Method, r.RequestURI, r.Host, r.ContentLength, body())
	case "/nothing":
	case "/204":
		w.Header().Set("X-A", "b\r\nc: d")
		w.WriteHeader(204)
		_, err := io.WriteString(w, "x")
		if err != http.ErrBodyNotAllowed {
			panic(err)
		}
	case "/304":
		w.WriteHeader(304)
	case "/error":
		http.Error(w, "no", http.StatusTeapot)
	case "/unknown":
		w.WriteHeader(799)
		w.WriteHeader(200)
	case "/declared":
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "he")
		io.WriteString(w, "llo")
		if _, err := io.WriteString(w, "!"); err != http.ErrContentLength {
			panic(err)
		}
	case "/short":
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "he")
	case "/long":
		w.Write(bytes.Repeat([]byte("abcdefg"), 100_000))
	case "/declared-long":
		w.Header().Set("Content-Length", "700000")
		for range 10 {
			w.Write(bytes.Repeat([]byte("abcdefg"), 10_000))
		}
	case "/pieces":
		w.Header().Set("Content-Type", "text/x")
		for i := range 5 {
			fmt.Fprint(w, "piece ", i)
			control.Flush()
		}
	case "/flushed":
		control.Flush()
		body()
		io.WriteString(w, "late")
	case "/close":
		w.Header().Set("Connection", "close")
		io.WriteString(w, "bye")
	case "/abort":
		io.WriteString(w, "lost")
		panic(http.ErrAbortHandler)
	case "/abort-late":
		control.Flush()
		panic("late")
	case "/early":
		io.WriteString(w, "enough")
	case "/hints":
		w.Header().Set("Link", "a")
		w.WriteHeader(103)
		w.WriteHeader(200)
	}
}

func post(path, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n" }

// Promise: whatever a connection says, its answers are net/http's.
func TestAnswersAreThoseOfNetHTTP(t *testing.T) {
	_, ours, handed := start(t, handler, nil)
	theirs := plain(t, handler)
	chunked := "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
	for name, c := range map[string]struct {
		raw    string
		handed bool
	}{
		"one":                   {post("/echo", "hello"), false},
		"three at once":         {post("/echo", "a") + get("/echo?x=y") + post("/nothing", "zz"), false},
		"no body":               {post("/echo", "") + get("/204") + get("/304") + get("/nothing"), false},
		"an error":              {get("/error") + get("/unknown"), false},
		"a declared length":     {get("/declared") + get("/nothing"), false},
		"shorter than declared": {get("/short") + get("/nothing"), false},
		"long answers":          {get("/long") + get("/declared-long"), false},
		"pieces":                {get("/pieces") + post("/flushed", "body") + get("/nothing"), false},
		"the handler closes":    {get("/close") + get("/nothing"), false},
		"the handler aborts":    {get("/nothing") + get("/abort") + get("/nothing"), false},
		"the handler panics":    {get("/abort-late") + get("/nothing"), false},
		"an unread body":        {post("/early", strings.Repeat("x", 100_000)) + get("/nothing"), false},
		"a large unread body":   {post("/early", strings.Repeat("x", 2_000_000)) + get("/nothing"), false},
		"a large body":          {post("/echo", strings.Repeat("x", 1_000_000)), false},
		"chunks":                {chunked + get("/echo"), true},
		"chunks behind":         {post("/echo", "a") + chunked + post("/echo", "b"), true},
		"a long head":           {"GET /echo HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("y", 20_000) + "\r\n\r\n" + get("/nothing"), true},
		"an expectation":        {"POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab", true},
		"HTTP/1.0":              {"GET /echo HTTP/1.0\r\n\r\n", true},
		"HEAD":                  {"HEAD /echo HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo"), true},
		"nonsense":              {"nonsense\r\n\r\n", true},
		"nonsense behind":       {get("/nothing") + "\x16\x03\x01\x00\r\n\r\n", true},
		"two hosts":             {"GET /echo HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", true},
		"a head without end":    {"GET /echo HTTP/1.1\r\nHost: h\r\n", true},
	} {
		before := handed()
		got, want := tell(t, ours, c.raw), tell(t, theirs, c.raw)
		if got != want {
			t.Errorf("%s:\n%.600s\nwant\n%.600s", name, got, want)
		}
		if (handed() > before) != c.handed {
			t.Errorf("%s: handed over %v", name, !c.handed)
		}
	}
}

// Promise: a request may come in any pieces.
func TestRequestsInPieces(t *testing.T) {
	_, addr, _ := start(t, handler, nil)
	raw := post("/echo", "hello") + post("/echo", "you")
	for cut := 1; cut < len(raw); cut += 3 {
		c := dial(t, addr)
		r := bufio.NewReader(c)
		io.WriteString(c, raw[:cut])
		time.Sleep(time.Millisecond)
		io.WriteString(c, raw[cut:])
		for _, want := range []string{"POST /echo h 5 hello", "POST /echo h 3 you"} {
			res, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			if body, _ := io.ReadAll(res.Body); string(body) != want {
				t.Errorf("cut at %d: %q", cut, body)
			}
		}
		c.Close()
	}
}

// Promise: a client that hangs up ends its call's context, whether the answer
// has begun or not.
func TestAHangUpIsSeen(t *testing.T) {
	ended := make(chan error)
	_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		if r.URL.Path == "/stream" {
			io.WriteString(w, "first")
			http.NewResponseController(w).Flush()
		}
		select {
		case <-r.Context().Done():
			ended <- r.Context().Err()
		case <-time.After(5 * time.Second):
			ended <- errors.New("the call goes on")
		}
	}, nil)
	for _, raw := range []string{get("/wait"), post("/wait", "x"), post("/stream", "x")} {
		for _, pause := range []time.Duration{0, 3 * watchDelay} {
			c := dial(t, addr)
			io.WriteString(c, raw)
			time.Sleep(pause)
			c.Close()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%q after %v: %v", raw, pause, err)
			}
		}
	}
}

// Promise: a request that comes while a long call is watched is the next one,
// and whole, also when the timer of an earlier call fires late.
func TestTheNextRequestComesEarly(t *testing.T) {
	var s *Server
	var addr string
	s, addr, _ = start(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		time.Sleep(5 * watchDelay)
		for _, c := range s.open() {
			c.watch()
		}
		handler(w, r)
	}, nil)
	c := dial(t, addr)
	r := bufio.NewReader(c)
	for i := range 4 {
		if i == 0 {
			io.WriteString(c, post("/echo", "0"))
		}
		time.Sleep(2 * watchDelay)
		io.WriteString(c, post("/echo", fmt.Sprint(i+1)))
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); string(body) != fmt.Sprintf("POST /echo h 1 %d", i) {
			t.Errorf("%d: %q", i, body)
		}
	}
}

// open is every connection there is.
func (s *Server) open() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.conns))
}

// Promise: who says nothing, or never ends its head, is cut off; a body takes
// as long as it takes, and so does an answer.
func TestSilenceIsBounded(t *testing.T) {
	const bound = 150 * time.Millisecond
	_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(4 * bound):
			}
		}
		handler(w, r)
	}, func(s *Server) { s.HeaderTimeout, s.IdleTimeout = bound, bound })
	for name, raw := range map[string]string{"nothing": "", "half a head": "GET /echo HT", "an answered request": get("/nothing"), "half a head behind": get("/nothing") + "GET"} {
		c, began := dial(t, addr), time.Now()
		io.WriteString(c, raw)
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > 20*bound {
			t.Errorf("%s: %v after %v", name, err, time.Since(began))
		}
	}
	c := dial(t, addr)
	io.WriteString(c, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\na")
	time.Sleep(3 * bound)
	io.WriteString(c, "b"+get("/slow"))
	r := bufio.NewReader(c)
	for i := range 2 {
		res, err := http.ReadResponse(r, nil)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("answer %d: %v", i, err)
		}
		io.ReadAll(res.Body)
	}
}

// Promise: a head that comes byte by byte has no more time than another.
func TestADribbledHeadIsCutOff(t *testing.T) {
	const bound = 100 * time.Millisecond
	_, addr, _ := start(t, handler, func(s *Server) { s.HeaderTimeout = bound })
	c := dial(t, addr)
	io.WriteString(c, get("/nothing"))
	r := bufio.NewReader(c)
	if _, err := http.ReadResponse(r, nil); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for time.Since(began) < 5*time.Second {
		if _, err := io.WriteString(c, "G"); err != nil {
			return
		}
		time.Sleep(bound / 10)
	}
	t.Error("a head may dribble for ever")
}

// Promise: Shutdown closes what is idle, waits for what is open, and tells when
// it waited too long; Close cuts off.
func TestShutdown(t *testing.T) {
	release, begun := make(chan struct{}), make(chan struct{}, 1)
	s, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			begun <- struct{}{}
			<-release
		}
		io.WriteString(w, "done")
	}, nil)
	idle, open := dial(t, addr), dial(t, addr)
	io.WriteString(idle, get("/"))
	if _, err := http.ReadResponse(bufio.NewReader(idle), nil); err != nil {
		t.Fatal(err)
	}
	io.WriteString(open, get("/wait"))
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an open call: %v", err)
	}
	if n, err := idle.Read(make([]byte, 1)); err != nil || n == 0 {
		if rest, _ := io.ReadAll(idle); len(rest) > 10 {
			t.Errorf("an idle connection: %v %q", err, rest)
		}
	}
	close(release)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if res, err := http.ReadResponse(bufio.NewReader(open), nil); err != nil || res.StatusCode != 200 {
		t.Errorf("the open call: %v", err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the port is open")
	}
}

// Promise: a handler may not write, and its goroutines not read, once it has
// returned.
func TestTheCallHasEnded(t *testing.T) {
	kept := make(chan func() error, 1)
	_, addr, _ := start(t, func(w http.ResponseWriter, r *http.Request) {
		kept <- func() error {
			_, readErr := r.Body.Read(make([]byte, 1))
			_, writeErr := w.Write([]byte("x"))
			http.NewResponseController(w).Flush()
			if readErr == nil || writeErr == nil {
				return fmt.Errorf("read %v, write %v", readErr, writeErr)
			}
			return nil
		}
	}, nil)
	tell(t, addr, post("/", "abc"))
	if err := (<-kept)(); err != nil {
		t.Error(err)
	}
}

// BenchmarkServer: a small request over one connection, by net/http's server
// and by this one; the client is the same for both.
func BenchmarkServer(b *testing.B) {
	answer := bytes.Repeat([]byte("a"), 700)
	h := func(w http.ResponseWriter, r *http.Request) {
		var scratch [2048]byte
		for {
			if _, err := r.Body.Read(scratch[:]); err != nil {
				break
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
		if ours, ok := w.(interface{ Free() }); ok {
			ours.Free()
		}
	}
	raw := []byte(strings.Replace(signed, "Length: 5", "Length: 1000", 1) + strings.Repeat("b", 1000))
	for name, addr := range map[string]string{"net/http": plain(b, h), "plainhttp": func() string { _, a, _ := start(b, h, nil); return a }()} {
		b.Run(name, func(b *testing.B) {
			c := dial(b, addr)
			c.SetDeadline(time.Time{})
			r := bufio.NewReader(c)
			b.ReportAllocs()
			for b.Loop() {
				c.Write(raw)
				length := 0
				for {
					line, err := r.ReadSlice('\n')
					if err != nil {
						b.Fatal(err)
					}
					if bytes.HasPrefix(line, []byte("Content-Length: ")) {
						length = 700
					}
					if len(line) == 2 {
						break
					}
				}
				r.Discard(length)
			}
		})
	}
}
