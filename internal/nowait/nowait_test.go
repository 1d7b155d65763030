package nowait

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// pair is both ends of a connection.
func pair(t testing.TB) (here, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	o, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); o.Close() })
	return c.(*net.TCPConn), o.(*net.TCPConn)
}

func TestWhatIsWrittenArrives(t *testing.T) {
	for _, size := range []int{0, 1, mostBytes, mostBytes + 1, 1 << 20} {
		here, there := pair(t)
		var w Writer
		w.To(here)
		want, sent := bytes.Repeat([]byte("abc"), size/3+1)[:size], make(chan error, 1)
		go func() {
			n, err := w.Write(want)
			if n != size {
				err = fmt.Errorf("wrote %d: %w", n, err)
			}
			sent <- errors.Join(err, here.Close())
		}()
		got, err := io.ReadAll(there)
		if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(got, want) {
			t.Errorf("of %d bytes came %d: %v", size, len(got), err)
		}
	}
}

// Who does not read is waited for, in pieces of any size.
func TestASlowReaderIsWaitedFor(t *testing.T) {
	here, there := pair(t)
	here.SetWriteBuffer(64 << 10)
	there.SetReadBuffer(64 << 10)
	var w Writer
	w.To(here)
	const pieces = 200
	piece := bytes.Repeat([]byte{7}, 10_000)
	sent := make(chan error, 1)
	go func() {
		for range pieces {
			if n, err := w.Write(piece); n != len(piece) || err != nil {
				sent <- fmt.Errorf("wrote %d: %w", n, err)
				return
			}
		}
		sent <- here.CloseWrite()
	}()
	time.Sleep(20 * time.Millisecond)
	select {
	case err := <-sent:
		t.Fatalf("nobody was waited for: %v", err)
	default:
	}
	n, err := io.Copy(io.Discard, there)
	if err := errors.Join(err, <-sent); n != pieces*int64(len(piece)) || err != nil {
		t.Errorf("%d bytes came: %v", n, err)
	}
}

func TestADeadlineEndsAWrite(t *testing.T) {
	here, _ := pair(t)
	var w Writer
	w.To(here)
	here.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	var err error
	for total := 0; err == nil && total < 1<<30; {
		var n int
		n, err = w.Write(make([]byte, mostBytes))
		total += n
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestAnEndIsAnError(t *testing.T) {
	here, there := pair(t)
	there.SetLinger(0)
	there.Close()
	var w Writer
	w.To(here)
	var err error
	for end := time.Now().Add(10 * time.Second); err == nil && time.Now().Before(end); {
		_, err = w.Write([]byte("a"))
	}
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Error(err)
	}
	here.Close()
	if _, err := w.Write([]byte("a")); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// What is no socket is written to as it is.
func TestAnyConnectionWillDo(t *testing.T) {
	here, there := net.Pipe()
	var w Writer
	w.To(here)
	go func() {
		w.Write([]byte("abc"))
		here.Close()
	}()
	if got, err := io.ReadAll(there); string(got) != "abc" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// Nothing that has not come is waited for.
func TestReadingDoesNotWait(t *testing.T) {
	here, there := pair(t)
	raw, err := here.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	room := make([]byte, 2*mostBytes)
	read := func() (n int, err error) {
		if failed := raw.Control(func(fd uintptr) { n, err = Read(fd, room) }); failed != nil {
			t.Fatal(failed)
		}
		return n, err
	}
	if n, err := read(); n != 0 || err != syscall.EAGAIN {
		t.Errorf("%d bytes and %v of nothing", n, err)
	}
	there.Write([]byte("abc"))
	there.CloseWrite()
	time.Sleep(20 * time.Millisecond)
	if n, err := read(); string(room[:n]) != "abc" || err != nil {
		t.Errorf("%q and %v", room[:n], err)
	}
	if n, err := read(); n != 0 || err != nil {
		t.Errorf("%d bytes and %v of the end", n, err)
	}
}

// What is peeked at can be read still.
func TestPeekingTakesNothing(t *testing.T) {
	here, there := pair(t)
	raw, err := here.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var room [4]byte
	look := func(at func(uintptr, []byte) (int, error)) (n int, err error) {
		if failed := raw.Control(func(fd uintptr) { n, err = at(fd, room[:]) }); failed != nil {
			t.Fatal(failed)
		}
		return n, err
	}
	if n, err := look(Peek); n != 0 || err != syscall.EAGAIN {
		t.Errorf("%d bytes and %v of nothing", n, err)
	}
	there.Write([]byte("abc"))
	for _, at := range []func(uintptr, []byte) (int, error){Peek, Peek, Read} {
		if n, err := look(at); string(room[:n]) != "abc" || err != nil {
			t.Errorf("%q and %v", room[:n], err)
		}
	}
	there.Close()
	time.Sleep(20 * time.Millisecond)
	if n, err := look(Peek); n != 0 || err != nil {
		t.Errorf("%d bytes and %v of the end", n, err)
	}
}

// BenchmarkWrite is the writer's half alone.
func BenchmarkWrite(b *testing.B) {
	for _, name := range []string{"nowait", "net"} {
		b.Run(name, func(b *testing.B) {
			here, there := pair(b)
			go io.Copy(io.Discard, there)
			var w Writer
			w.To(here)
			to := map[string]io.Writer{"nowait": &w, "net": here}[name]
			frame := make([]byte, 180)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := to.Write(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
