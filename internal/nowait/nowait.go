// Package nowait reads from and writes to sockets that make nobody wait,
// without telling Go's scheduler of it.
//
// A system call that may take long is announced: the scheduler then gives the
// processor to another goroutine, and a thread of the runtime (sysmon) looks
// every 20 µs whether it has to. On a server that is neither idle nor busy, as
// one is whose streams say something now and then, each announcement wakes that
// thread from its sleep: with what it costs in itself this is a tenth of what a
// frame of a stream costs. The sockets of package net never block, so that
// reading what has come and writing what there is room for are a few
// microseconds, however long the other side takes. These are not announced.
package nowait

import (
	"net"
	"os"
	"syscall"
)

// mostBytes is how much is moved at once: copying more takes longer than the
// scheduler should not know of.
const mostBytes = 48 << 10

// Read is syscall.Read for a descriptor that does not block, begun again when a
// signal interrupts it. It may read less than there is.
func Read(fd uintptr, p []byte) (int, error) { return whole(read, fd, p) }

// Write is syscall.Write for a descriptor that does not block, begun again when
// a signal interrupts it. It may write less than there is room for.
func Write(fd uintptr, p []byte) (int, error) { return whole(write, fd, p) }

// Peek is Read that leaves what it has read: whether anything has come, or the
// end.
func Peek(fd uintptr, p []byte) (int, error) { return whole(peek, fd, p) }

func whole(do func(uintptr, []byte) (int, error), fd uintptr, p []byte) (n int, err error) {
	p = p[:min(len(p), mostBytes)]
	for n, err = do(fd, p); err == syscall.EINTR; {
		n, err = do(fd, p)
	}
	return n, err
}

// A Writer writes to a connection. It allocates once. The zero value must be
// told the connection.
type Writer struct {
	Stuck func(n int) // told that n bytes find no room, before that is waited for; may be nil

	conn net.Conn
	raw  syscall.RawConn // nil where there is no socket
	step func(fd uintptr) bool
	rest []byte
	err  error // of the socket
}

// To begins to write to a connection, which is best a socket.
func (w *Writer) To(conn net.Conn) {
	w.conn = conn
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := socket.SyscallConn(); err == nil {
		w.raw, w.step = raw, w.some
	}
}

// Write implements io.Writer: it waits where there is no room, as the
// connection does, until the write deadline.
func (w *Writer) Write(p []byte) (n int, err error) {
	if w.raw == nil || len(p) > mostBytes || len(p) == 0 {
		w.stuck(len(p)) // it may be
		return w.conn.Write(p)
	}
	w.rest, w.err = p, nil
	err = w.raw.Write(w.step)
	if err == nil {
		err = w.err
	}
	n, w.rest = len(p)-len(w.rest), nil
	return n, err
}

// some writes what there is room for, and says whether that was all.
func (w *Writer) some(fd uintptr) (over bool) {
	for len(w.rest) > 0 {
		n, err := Write(fd, w.rest)
		switch {
		case err == syscall.EAGAIN:
			w.stuck(len(w.rest))
			return false
		case err != nil:
			w.err = os.NewSyscallError("write", err)
			return true
		}
		w.rest = w.rest[n:]
	}
	return true
}

func (w *Writer) stuck(n int) {
	if w.Stuck != nil {
		w.Stuck(n)
	}
}
