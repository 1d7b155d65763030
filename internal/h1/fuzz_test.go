package h1

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// A tape is a connection whose server has said all it will ever say, in pieces.
type tape struct {
	net.Conn
	said  []byte
	piece int
}

func (c *tape) Read(p []byte) (int, error) {
	if len(c.said) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.said[:min(len(c.said), c.piece)])
	c.said = c.said[n:]
	return n, nil
}

func (c *tape) Write(p []byte) (int, error)      { return len(p), nil }
func (c *tape) Close() error                     { return nil }
func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// heard is what this package makes of an answer.
func heard(said []byte, piece int, read func(io.Reader) ([]byte, error)) (*http.Response, []byte, error) {
	b := base()
	b.DialContext = func(context.Context, string, string) (net.Conn, error) { return &tape{said: said, piece: piece}, nil }
	r, err := http.NewRequest(http.MethodPost, "http://model.example/", NewBody([]byte("{}")))
	if err != nil {
		return nil, nil, err
	}
	r.ContentLength = 2
	rt := Over(b)
	defer rt.CloseIdleConnections()
	res, err := rt.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := read(res.Body)
	return res, body, err
}

// Property: what this package takes for a whole answer, net/http takes for the
// same one; and how the bytes are cut into pieces makes no difference, nor how
// they are read.
func FuzzResponse(f *testing.F) {
	for _, said := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 ;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nhello",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n",
	} {
		f.Add([]byte(said), 7)
	}
	f.Fuzz(func(t *testing.T, said []byte, piece int) {
		if len(said) > 1<<16 {
			return
		}
		res, body, err := heard(said, 1<<20, io.ReadAll)
		for way, read := range ways {
			again, bodyAgain, errAgain := heard(said, max(1, piece%100), read)
			if (err == nil) != (errAgain == nil) || !bytes.Equal(body, bodyAgain) || res != nil && again != nil && res.Status != again.Status {
				t.Fatalf("in one piece %v %q %v, in pieces (%s) %v %q %v", res, body, err, way, again, bodyAgain, errAgain)
			}
		}
		if err != nil {
			return
		}
		theirs, meant, err := readByNetHTTP(said)
		if err != nil || theirs.StatusCode != res.StatusCode || !bytes.Equal(body, meant) {
			t.Fatalf("%v %q; net/http has %v %q %v", res, body, theirs, meant, err)
		}
	})
}

func readByNetHTTP(said []byte) (*http.Response, []byte, error) {
	for r := bufio.NewReader(bytes.NewReader(said)); ; {
		res, err := http.ReadResponse(r, &http.Request{Method: http.MethodPost})
		if err != nil {
			return nil, nil, err
		}
		if res.StatusCode < 200 {
			continue
		}
		body, err := io.ReadAll(res.Body)
		return res, body, err
	}
}
