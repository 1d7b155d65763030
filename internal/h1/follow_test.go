package h1

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"outcrop/internal/tether"
)

// said is an answer in chunks of these texts, without its end.
func said(chunks ...string) string {
	b := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	for _, c := range chunks {
		b += string("0123456789abcdef"[len(c)]) + "\r\n" + c + "\r\n"
	}
	return b
}

// told writes each piece to a channel.
type told chan string

func (c told) Write(p []byte) (int, error) {
	c <- string(p)
	return len(p), nil
}

// A piece is passed on before the next one comes.
func TestPiecesAreFollowedAsTheyCome(t *testing.T) {
	next := make(chan string)
	s := serve(t, func(c net.Conn, _ *http.Request) {
		for text := range next {
			io.WriteString(c, text)
		}
	})
	rt := clientsOnce(t, s)
	go func() { next <- said("a") }()
	res, err := rt.RoundTrip(post(t, s.url(), "{}"))
	if err != nil {
		t.Fatal(err)
	}
	pieces, ended := make(told, 8), make(chan error)
	go func() {
		_, err := res.Body.(io.WriterTo).WriteTo(pieces)
		ended <- err
	}()
	for _, step := range []struct{ sent, pieces string }{
		{"", "a"}, {"1\r\nb\r\n", "b"}, {"2\r", ""}, {"\ncd", "cd"}, {"\r\n1\r\ne\r\n1\r\nf\r\n", "e f"}, {"4\r\ngh", "gh"}, {"ij\r\n", "ij"},
	} {
		if step.sent != "" {
			next <- step.sent
		}
		for _, want := range strings.Fields(step.pieces) {
			select {
			case got := <-pieces:
				if got != want {
					t.Errorf("after %q came %q, want %q", step.sent, got, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("after %q, %q did not come", step.sent, want)
			}
		}
		time.Sleep(recheck / 2) // now and then longer than the deadline
	}
	next <- "0\r\n\r\n"
	close(next)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if rt.idle.count != 1 {
		t.Error("the connection is not used again")
	}
}

// Who waits holds no buffer, unless something is in it.
func TestAnEmptyBufferIsLent(t *testing.T) {
	var c conn
	c.to = copy(c.room(), "ab")
	c.from++
	if c.lend(); c.buffer == nil {
		t.Error("a buffer was given away with something in it")
	}
	c.from++
	if c.lend(); c.buffer != nil {
		t.Error("an empty buffer is held")
	}
}

// A connection that ends together with its last bytes is seen to, although the
// socket says so only once.
func TestAnEndThatComesWithBytesIsSeen(t *testing.T) {
	for _, reset := range []bool{false, true} {
		s := serve(t, func(c net.Conn, _ *http.Request) {
			io.WriteString(c, said("a"))
			for range 12 { // until it has been waited for, with and without a deadline
				time.Sleep(recheck / 5)
				io.WriteString(c, "1\r\nb\r\n")
			}
			if reset {
				c.(*net.TCPConn).SetLinger(0)
			}
			c.Close()
		})
		began := time.Now()
		if _, _, err := get(clientsOnce(t, s), post(t, s.url(), "{}"), follow); err == nil || time.Since(began) > 22*recheck {
			t.Errorf("reset %t: %v after %s", reset, err, time.Since(began))
		}
	}
}

// cutter ends the context of the call from within.
type cutter struct{ line *tether.Tether }

func (c cutter) Write(p []byte) (int, error) {
	c.line.Cut(io.ErrClosedPipe)
	return len(p), nil
}

// Who hears a piece may end the call, and is not waited for.
func TestACallIsEndedByWhoHearsIt(t *testing.T) {
	s := serve(t, func(c net.Conn, _ *http.Request) {
		io.WriteString(c, said("a"))
		time.Sleep(20 * time.Millisecond)
		io.WriteString(c, "1\r\nb\r\n")
		io.Copy(io.Discard, c)
	})
	var line tether.Tether
	line.Tie(t.Context())
	defer line.Cut(nil)
	_, _, err := get(clientsOnce(t, s), post(t, s.url(), "{}").WithContext(&line), func(r io.Reader) ([]byte, error) {
		io.ReadFull(r, make([]byte, 1)) // so that the next piece is waited for
		_, err := r.(io.WriterTo).WriteTo(cutter{&line})
		return nil, err
	})
	if !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

// failing takes one piece.
type failing struct{ bytes.Buffer }

func (f *failing) Write(p []byte) (int, error) {
	f.Buffer.Write(p)
	return len(p), io.ErrShortBuffer
}

// Who has heard enough may read the rest.
func TestTheRestCanBeRead(t *testing.T) {
	s := serve(t, func(c net.Conn, _ *http.Request) {
		io.WriteString(c, said("first", "rest")+"0\r\n\r\n")
	})
	rt := clientsOnce(t, s)
	_, rest, err := get(rt, post(t, s.url(), "{}"), func(r io.Reader) ([]byte, error) {
		var f failing
		if n, err := r.(io.WriterTo).WriteTo(&f); n != 5 || !errors.Is(err, io.ErrShortBuffer) || f.String() != "first" {
			t.Errorf("%d %q %v", n, f.String(), err)
		}
		return io.ReadAll(r)
	})
	if rest != "rest" || err != nil || rt.idle.count != 1 {
		t.Errorf("%q %v, %d connections are idle", rest, err, rt.idle.count)
	}
}

// BenchmarkStream asks for a stream of pieces that come one by one.
func BenchmarkStream(b *testing.B) {
	for _, name := range []string{"h1, followed", "h1, read", "net/http"} {
		b.Run(name, func(b *testing.B) {
			const pieces = 1000
			piece := "64\r\n" + strings.Repeat("a", 100) + "\r\n"
			s := serve(b, func(c net.Conn, _ *http.Request) {
				io.WriteString(c, said())
				for range pieces {
					io.WriteString(c, piece)
					time.Sleep(50 * time.Microsecond)
				}
				io.WriteString(c, "0\r\n\r\n")
			})
			rt := clients(b)[strings.TrimSuffix(strings.TrimSuffix(name, ", followed"), ", read")]
			r, room := post(b, s.url(), "{}"), make([]byte, 4<<10)
			b.ReportAllocs()
			began := cpu()
			for b.Loop() {
				r.Body = NewBody([]byte("{}"))
				res, err := rt.RoundTrip(r)
				if err != nil {
					b.Fatal(err)
				}
				if name == "h1, followed" {
					_, err = res.Body.(io.WriterTo).WriteTo(io.Discard)
				}
				for name != "h1, followed" && err == nil {
					_, err = res.Body.Read(room)
				}
				if err != nil && err != io.EOF {
					b.Fatal(err)
				}
				res.Body.Close()
			}
			b.ReportMetric(float64(cpu()-began)/float64(b.N)/pieces/1e3, "CPU-µs/piece")
		})
	}
}
