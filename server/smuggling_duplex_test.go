package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A body that may be answered before it is read to its end is never run as a
// request, whoever sent it and however late the rest comes.
func TestTheRestOfASpokenBodyIsNoRequest(t *testing.T) {
	s := start(t, Config{})
	m := s.message(t, s.admin(), "bedrock", "POST", "/model/"+sonic+"/invoke-with-bidirectional-stream", "", time.Now())
	signed := m.String()
	unsigned := "POST " + m.target + " HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, head := range map[string]string{"of a stranger": unsigned, "with another signature": signed} {
		conn := dialRaw(t, s)
		head = strings.Replace(strings.Replace(head, "Content-Length: 0\r\n", "", 1), "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
		io.WriteString(conn, head+"1000\r\nfirst")
		r := bufio.NewReader(conn)
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusForbidden || !answer.Close {
			t.Errorf("%s: %s %.200q %v, and goes on: %t", name, answer.Status, text, err, !answer.Close)
		}
		io.WriteString(conn, s.smuggle(t))
		if second, err := http.ReadResponse(r, nil); err == nil {
			t.Errorf("%s: the body was answered %s", name, second.Status)
		}
	}
}

// dialRaw connects to s for at most ten seconds.
func dialRaw(t *testing.T, s *Server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}
