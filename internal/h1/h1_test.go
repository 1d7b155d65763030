package h1

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// base is the transport that both clients are made of.
func base() *http.Transport {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Transport{Protocols: &protocols, DisableCompression: true, MaxIdleConns: 8, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10}
}

// clients are this package's and net/http's own.
func clients(t testing.TB) map[string]http.RoundTripper {
	own, theirs := Over(base()), base()
	t.Cleanup(own.CloseIdleConnections)
	t.Cleanup(theirs.CloseIdleConnections)
	return map[string]http.RoundTripper{"h1": own, "net/http": theirs}
}

// A raw server answers requests with bytes.
type raw struct {
	net.Listener
	conns    atomic.Int64
	requests atomic.Int64
	all      sync.WaitGroup
}

// serve answers each request of each connection with what answer says, which
// may close the connection.
func serve(t testing.TB, answer func(c net.Conn, r *http.Request)) *raw {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &raw{Listener: l}
	s.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.conns.Add(1)
			s.all.Go(func() { s.run(c, answer) })
		}
	})
	t.Cleanup(func() { l.Close(); s.all.Wait() })
	return s
}

func (s *raw) run(c net.Conn, answer func(net.Conn, *http.Request)) {
	defer c.Close()
	for r := bufio.NewReader(c); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		s.requests.Add(1)
		request.Body = io.NopCloser(bytes.NewReader(body))
		answer(c, request)
	}
}

func (s *raw) url() string { return "http://" + s.Addr().String() + "/model/a%3Ab?x=y" }

func post(t testing.TB, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, NewBody([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len(body))
	r.GetBody = func() (io.ReadCloser, error) { return NewBody([]byte(body)), nil }
	r.Header.Set("Content-Type", "application/json")
	return r
}

// ask makes a request and reads the answer.
func ask(rt http.RoundTripper, r *http.Request) (*http.Response, string, error) {
	return get(rt, r, io.ReadAll)
}

func get(rt http.RoundTripper, r *http.Request, read func(io.Reader) ([]byte, error)) (*http.Response, string, error) {
	res, err := rt.RoundTrip(r)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := read(res.Body)
	return res, string(body), err
}

// What a server says that nobody asked is nobody's answer, however soon another
// request follows on a connection that has served well.
func TestWhatNobodyAskedForIsNobodysAnswer(t *testing.T) {
	const calls = 6
	for bad := 1; bad < calls; bad++ {
		said, n := make(chan bool, calls), 0
		s := serve(t, func(c net.Conn, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			if n++; n == bad {
				time.Sleep(time.Millisecond / 2)
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nanother")
			}
			said <- true
		})
		rt := clients(t)["h1"]
		for i := range calls {
			want := fmt.Sprint("call ", i)
			if _, got, err := ask(rt, post(t, s.url(), want)); err != nil || got != want {
				t.Errorf("%q was answered %q, %v", want, got, err)
			}
			<-said
		}
		if got := s.conns.Load(); got != 2 {
			t.Errorf("%d connections; want another after what nobody asked for", got)
		}
	}
}

// ways are how a body can be read.
var ways = map[string]func(io.Reader) ([]byte, error){"read": io.ReadAll, "followed": follow}

func follow(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	_, err := r.(io.WriterTo).WriteTo(&b)
	return b.Bytes(), err
}

func TestARequestArrivesAsItWasMade(t *testing.T) {
	var got [2]string
	for i, name := range []string{"h1", "net/http"} {
		s := serve(t, func(c net.Conn, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Host = "here"
			got[i] = fmt.Sprint(r.Method, r.RequestURI, r.Host, r.Header, r.ContentLength, string(body))
			io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		})
		for _, length := range []int{0, 10, maxInlineBytes, 1 << 20} {
			r := post(t, s.url(), strings.Repeat("a", length))
			r.Header["X-Many"] = []string{"one", "two"}
			if _, _, err := ask(clients(t)[name], r); err != nil {
				t.Fatal(name, err)
			}
		}
	}
	if got[0] != got[1] {
		t.Errorf("h1 sent %.200s, net/http %.200s", got[0], got[1])
	}
}

// What servers may do, as both clients take it. Where strict is set, this
// package refuses what net/http lets pass.
func TestServersAreUnderstoodAsNetHTTPDoes(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		answer string
		strict bool
	}{
		"sized":                           {ok + "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello", false},
		"empty":                           {ok + "Content-Length: 0\r\n\r\n", false},
		"chunked":                         {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;ext=\"1\"\r\n, and more.\r\n0\r\n\r\n", false},
		"chunked in capitals":             {ok + "transfer-encoding: Chunked\r\n\r\n0005  \r\nhello\r\n0\r\n\r\n", false},
		"trailer":                         {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-End: yes\r\n\r\n", false},
		"to the end":                      {ok + "\r\nhello", false},
		"close":                           {ok + "Content-Length: 5\r\nConnection: keep-alive, Close\r\n\r\nhello", false},
		"HTTP/1.0":                        {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", false},
		"no words":                        {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false},
		"no words, a space":               {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", false},
		"no content":                      {"HTTP/1.1 204 No Content\r\n\r\n", false},
		"not modified with a length":      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false},
		"an error":                        {"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nRetry-After: 3\r\n\r\n{}", false},
		"interim first":                   {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", false},
		"the same length twice":           {ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", false},
		"a name twice":                    {ok + "X-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n\r\n", false},
		"spaces around a value":           {ok + "X-A: \t one two \t\r\nContent-Length: 0\r\n\r\n", false},
		"half a body":                     {ok + "Content-Length: 50\r\n\r\nhello", false},
		"half a chunk":                    {ok + "Transfer-Encoding: chunked\r\n\r\n50\r\nhello", false},
		"no last chunk":                   {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", false},
		"half a head":                     {ok + "Content-Length: 5\r\n", false},
		"nothing":                         {"", false},
		"no HTTP":                         {"220 smtp ready\r\n\r\n", false},
		"HTTP/2":                          {"HTTP/2.0 200 OK\r\n\r\n", true},
		"no code":                         {"HTTP/1.1 OK\r\n\r\n", false},
		"a code too long":                 {"HTTP/1.1 2000 OK\r\n\r\n", false},
		"two lengths":                     {ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", false},
		"a list of lengths":               {ok + "Content-Length: 5, 5\r\n\r\nhello", false},
		"a negative length":               {ok + "Content-Length: -5\r\n\r\nhello", false},
		"a signed length":                 {ok + "Content-Length: +5\r\n\r\nhello", false},
		"an empty length":                 {ok + "Content-Length: \r\n\r\n", true},
		"a length without end":            {ok + "Content-Length: 99999999999999999999\r\n\r\nhello", false},
		"length and chunks":               {ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", true},
		"an unknown coding":               {ok + "Transfer-Encoding: gzip\r\n\r\nhello", false},
		"two codings":                     {ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", false},
		"chunked twice":                   {ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false},
		"chunks in HTTP/1.0":              {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", true},
		"a line that goes on":             {ok + "X-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n", true},
		"a space before the colon":        {ok + "Content-Length : 5\r\n\r\nhello", true},
		"a line without a colon":          {ok + "Content-Length 5\r\n\r\nhello", false},
		"a name that is none":             {ok + "X A: 5\r\n\r\nhello", true},
		"an empty name":                   {ok + ": 5\r\n\r\nhello", false},
		"a NUL in a value":                {ok + "X-A: a\x00b\r\nContent-Length: 0\r\n\r\n", true},
		"a bare CR in a value":            {ok + "X-A: a\rb\r\nContent-Length: 0\r\n\r\n", true},
		"bare LF":                         {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", true},
		"a bare LF in a value":            {ok + "X-A: a\nX-B: c\r\nContent-Length: 0\r\n\r\n", true},
		"a chunk without a size":          {ok + "Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n", false},
		"a chunk of a negative size":      {ok + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", false},
		"a chunk of 0x5":                  {ok + "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", false},
		"a chunk longer than told":        {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n", false},
		"a chunk beyond counting":         {ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello", false},
		"a bare LF behind a chunk's size": {ok + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n", false},
		"a head without end":              {ok + strings.Repeat("X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", 1000), false},
		"interim without end":             {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100) + ok + "Content-Length: 0\r\n\r\n", true},
		"a switch that nobody asked for":  {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello", true},
		"more than was asked for":         {ok + "Content-Length: 5\r\n\r\nhello, and HTTP/1.1 200 OK\r\n\r\n", false},
		"long":                            {ok + "Content-Length: 100000\r\n\r\n" + strings.Repeat("a", 100000), false},
		"long chunks":                     {ok + "Transfer-Encoding: chunked\r\n\r\n186a0\r\n" + strings.Repeat("a", 100000) + "\r\n3\r\nabc\r\n0\r\n\r\n", false},
		"a long head":                     {ok + "X-A: " + strings.Repeat("a", 9000) + "\r\nContent-Length: 2\r\n\r\nhi", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(conn net.Conn, _ *http.Request) {
				io.WriteString(conn, c.answer)
				conn.(*net.TCPConn).CloseWrite()
				io.Copy(io.Discard, conn)
				conn.Close()
			})
			both := clients(t)
			own, said, err := ask(both["h1"], post(t, s.url(), "{}"))
			theirs, meant, theirErr := ask(both["net/http"], post(t, s.url(), "{}"))
			if c.strict {
				if err == nil {
					t.Errorf("taken as %d %q", own.StatusCode, said)
				}
				return
			}
			if (err == nil) != (theirErr == nil) {
				t.Fatalf("error %v, net/http has %v", err, theirErr)
			}
			if (own == nil) != (theirs == nil) || said != meant {
				t.Fatalf("%v %.100q, net/http has %v %.100q", own, said, theirs, meant)
			}
			if own == nil {
				return
			}
			compare(t, own, theirs)
			if _, again, followErr := get(clients(t)["h1"], post(t, s.url(), "{}"), follow); again != said || (followErr == nil) != (err == nil) {
				t.Errorf("followed: %.100q %v, read: %.100q %v", again, followErr, said, err)
			}
		})
	}
}

func compare(t *testing.T, own, theirs *http.Response) {
	t.Helper()
	told := func(r *http.Response) string {
		r.Header.Del("Connection") // net/http takes a "close" out
		return fmt.Sprint(r.Status, r.StatusCode, r.Proto, r.ProtoMinor, r.Header, r.ContentLength, r.TransferEncoding)
	}
	if told(own) != told(theirs) {
		t.Errorf("%s\nnet/http has %s", told(own), told(theirs))
	}
}

// Wherever the server breaks off, the client hears of it: no half answer
// passes for a whole one.
func TestAServerThatResetsAtEveryByte(t *testing.T) {
	for name, answer := range map[string]string{
		"sized":   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
	} {
		for _, reset := range []bool{false, true} {
			var at atomic.Int64
			s := serve(t, func(conn net.Conn, _ *http.Request) {
				io.WriteString(conn, answer[:at.Load()])
				if reset {
					conn.(*net.TCPConn).SetLinger(0)
				}
				conn.Close()
			})
			rt := clients(t)["h1"]
			for i := range len(answer) {
				at.Store(int64(i))
				for way, read := range ways {
					if _, body, err := get(rt, post(t, s.url(), "{}"), read); err == nil {
						t.Errorf("%s, cut at %d (reset %t), %s: %q", name, i, reset, way, body)
					}
				}
			}
			if got, made := s.requests.Load(), int64(len(ways)*len(answer)); got != made {
				t.Errorf("%d requests came, %d were made", got, made)
			}
		}
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		conns  int64
	}{
		"sized":      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 1},
		"chunked":    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 1},
		"empty":      {"HTTP/1.1 204 No Content\r\n\r\n", 1},
		"close":      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", 5},
		"HTTP/1.0":   {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", 5},
		"said more":  {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello!", 5},
		"large body": {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 1},
	} {
		s := serve(t, func(conn net.Conn, _ *http.Request) { io.WriteString(conn, c.answer) })
		body := "{}"
		if name == "large body" {
			body = strings.Repeat("a", 1<<20)
		}
		for range 5 {
			if _, _, err := ask(clientsOnce(t, s), post(t, s.url(), body)); err != nil {
				t.Fatal(name, err)
			}
		}
		if got := s.conns.Load(); got != c.conns {
			t.Errorf("%s: %d connections, want %d", name, got, c.conns)
		}
	}
}

var onces sync.Map // of *raw to *Transport

func clientsOnce(t testing.TB, s *raw) *Transport {
	made, there := onces.LoadOrStore(s, Over(base()))
	if !there {
		t.Cleanup(made.(*Transport).CloseIdleConnections)
	}
	return made.(*Transport)
}

// A connection that is given up in the middle is not used again, and no bytes
// of its answer reach the next call.
func TestAnAnswerThatIsNotReadToItsEndIsForgotten(t *testing.T) {
	s := serve(t, func(conn net.Conn, r *http.Request) {
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n%s", r.Header.Get("X-Say"))
	})
	rt := clientsOnce(t, s)
	for i := range 20 {
		r := post(t, s.url(), "{}")
		said := fmt.Sprintf("%08d", i)
		r.Header.Set("X-Say", said)
		res, err := rt.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		part := make([]byte, 1+i%8)
		if _, err := io.ReadFull(res.Body, part); err != nil || !strings.HasPrefix(said, string(part)) {
			t.Fatalf("call %d read %q, %v", i, part, err)
		}
		res.Body.Close()
		if n, err := res.Body.Read(part); n > 0 || err == nil {
			t.Errorf("a closed body gave %d bytes, %v", n, err)
		}
	}
}

// A server that closes idle connections costs nobody a call.
func TestAClosedIdleConnectionIsNoticed(t *testing.T) {
	closed := make(chan bool, 1)
	s := serve(t, func(conn net.Conn, _ *http.Request) {
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
		conn.Close()
		closed <- true
	})
	rt := clientsOnce(t, s)
	for i := range 20 {
		if _, _, err := ask(rt, post(t, s.url(), "{}")); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
		<-closed
		time.Sleep(5 * time.Millisecond) // for the close to arrive
	}
	if s.requests.Load() != 20 || s.conns.Load() != 20 {
		t.Errorf("%d requests on %d connections", s.requests.Load(), s.conns.Load())
	}
}

// A request that a server has taken and not answered is not sent again, unless
// it does no harm.
func TestOnlyHarmlessRequestsAreRepeated(t *testing.T) {
	for method, want := range map[string]int64{http.MethodPost: 2, http.MethodGet: 3} {
		var n atomic.Int64
		s := serve(t, func(conn net.Conn, _ *http.Request) {
			if n.Add(1) == 2 {
				conn.Close()
				return
			}
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
		})
		rt := clientsOnce(t, s)
		var last error
		for range 2 {
			r := post(t, s.url(), "")
			r.Method = method
			_, _, last = ask(rt, r)
		}
		if got := s.requests.Load(); got != want || (last == nil) != (method == http.MethodGet) {
			t.Errorf("%s: %d requests came, want %d; %v", method, got, want, last)
		}
	}
}

// Who waits for whatever comes never waits longer than its context.
func TestAContextEndsEverything(t *testing.T) {
	for name, answer := range map[string]string{
		"no head": "", "half a head": "HTTP/1.1 200 OK\r\n", "no body": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"half a body": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "half a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
	} {
		t.Run(name, func(t *testing.T) {
			came := make(chan struct{}, 1)
			s := serve(t, func(conn net.Conn, _ *http.Request) {
				io.WriteString(conn, answer)
				came <- struct{}{}
				io.Copy(io.Discard, conn) // to the end
				conn.Close()
			})
			for way, read := range ways {
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() {
					<-came
					cancel(io.ErrClosedPipe)
				}()
				if _, _, err := get(clientsOnce(t, s), post(t, s.url(), "{}").WithContext(ctx), read); !errors.Is(err, io.ErrClosedPipe) {
					t.Errorf("%s: got %v", way, err)
				}
			}
		})
	}
}

// A server that answers before it has read a large body is heard, and one that
// never reads is given up with the context.
func TestALargeBodyIsWrittenBeside(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open []net.Conn // and never read
	var all sync.WaitGroup
	defer func() {
		l.Close()
		all.Wait()
		for _, c := range open {
			c.Close()
		}
	}()
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if open = append(open, c); len(open) == 1 {
				io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
			}
		}
	})
	rt := Over(base())
	defer rt.CloseIdleConnections()
	body := strings.Repeat("a", 32<<20)
	url := "http://" + l.Addr().String()
	if res, said, err := ask(rt, post(t, url, body)); err != nil || res.StatusCode != 413 || said != "no" {
		t.Errorf("%v %q %v", res, said, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := ask(rt, post(t, url, body).WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsNotForIt(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.TransferEncoding, r.Header.Get("Upgrade"), string(body))
	}))
	defer s.Close()
	rt := Over(base())
	defer rt.CloseIdleConnections()
	for name, change := range map[string]func(*http.Request){
		"another body": func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hi")), -1 },
		"an upgrade":   func(r *http.Request) { r.Header.Set("Upgrade", "x") },
		"a close":      func(r *http.Request) { r.Close = true },
		"expect":       func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
	} {
		r := post(t, s.URL, "hi")
		change(r)
		if _, body, err := ask(rt, r); err != nil || !strings.HasSuffix(body, "hi") {
			t.Errorf("%s: %q, %v", name, body, err)
		}
		if rt.idle.count != 0 {
			t.Errorf("%s: was taken by this package", name)
		}
	}
	for name, change := range map[string]func(*http.Request){
		"a line end in a value":  func(r *http.Request) { r.Header.Set("X-A", "a\r\nX-B: c") },
		"a line end in a name":   func(r *http.Request) { r.Header["X-A\r\nX-B"] = []string{"c"} },
		"a line end in a method": func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\n\r\n" },
		"a line end in the path": func(r *http.Request) { r.URL.Opaque = "/ HTTP/1.1\r\n\r\n" },
		"a line end in a query":  func(r *http.Request) { r.URL.RawQuery = "a\r\nX-B: c" },
	} {
		r := post(t, s.URL, "hi")
		change(r)
		if res, _, err := ask(rt, r); err == nil && res.StatusCode == http.StatusOK {
			t.Errorf("%s was sent", name)
		}
	}
}

func TestAProxyTakesNetHTTP(t *testing.T) {
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Store(r.RequestURI) }))
	defer proxy.Close()
	b := base()
	b.Proxy = func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }
	rt := Over(b)
	defer rt.CloseIdleConnections()
	if _, _, err := ask(rt, post(t, "http://model.example/x", "{}")); err != nil || asked.Load() != "http://model.example/x" {
		t.Errorf("the proxy was asked for %v, %v", asked.Load(), err)
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	for _, c := range []struct {
		http2 bool
		roots *x509.CertPool
		want  string
	}{{false, roots, "HTTP/1.1"}, {true, roots, "HTTP/2.0"}, {false, nil, ""}} {
		b := base()
		b.Protocols.SetHTTP2(c.http2)
		b.TLSClientConfig = &tls.Config{RootCAs: c.roots}
		rt := Over(b)
		defer rt.CloseIdleConnections()
		for range 2 {
			if _, body, err := ask(rt, post(t, s.URL, "{}")); body != c.want || (err == nil) != (c.want != "") {
				t.Errorf("%q, want %q; %v", body, c.want, err)
			}
		}
		if used := rt.idle.count == 1; used != (c.want == "HTTP/1.1") {
			t.Errorf("%q: used %t", c.want, used)
		}
	}
}

func TestIdleConnectionsAreBounded(t *testing.T) {
	var gate sync.WaitGroup
	s := serve(t, func(conn net.Conn, _ *http.Request) {
		gate.Done()
		gate.Wait()
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
	})
	b := base()
	b.IdleConnTimeout = 50 * time.Millisecond
	rt := Over(b)
	const many = 20
	gate.Add(many)
	var calls sync.WaitGroup
	for range many {
		calls.Go(func() {
			if _, _, err := ask(rt, post(t, s.url(), "{}")); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
	kept := func() int { rt.idle.mu.Lock(); defer rt.idle.mu.Unlock(); return rt.idle.count }
	if n := kept(); n > b.MaxIdleConns {
		t.Errorf("%d are kept, at most %d may be", n, b.MaxIdleConns)
	}
	for range 100 {
		if kept() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d are kept for ever", kept())
}
