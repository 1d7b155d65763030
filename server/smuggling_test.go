package server

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop/sigv4"
)

// smuggle puts a request of its own behind or inside another's. It is signed,
// so that only where its bytes stand can keep it from acting.
func (s *Server) smuggle(t *testing.T) string {
	return s.message(t, s.admin(), "bedrock", "GET", "/inference-profiles", "", time.Now()).String()
}

// Requests over HTTP/1.1 that two readers could understand differently are
// refused, or understood once: nothing in a body is ever run as a request.
func TestSmugglingOverHTTP1(t *testing.T) {
	s := start(t, Config{})
	m := s.invoke(t, s.admin(), time.Now())
	length := fmt.Sprintf("Content-Length: %d", len(hello))
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hello), hello)
	host := m.head[0]
	for name, raw := range map[string]string{
		"two hosts":                      m.with("Host: elsewhere.example").String(),
		"two hosts, the other first":     message{m.method, m.target, append([]string{"Host: elsewhere.example"}, m.head...), m.body}.String(),
		"no host":                        message{m.method, m.target, m.head[1:], m.body}.String(),
		"another host":                   m.replace(host, "Host: elsewhere.example").String(),
		"two lengths":                    m.with("Content-Length: 5").String(),
		"a length with a sign":           m.replace(length, strings.Replace(length, ": ", ": +", 1)).String(),
		"a length in hex":                m.replace(length, "Content-Length: 0x39").String(),
		"a negative length":              m.replace(length, "Content-Length: -1").String(),
		"a list of lengths":              m.replace(length, fmt.Sprintf("%s, %d", length, len(hello)+1)).String(),
		"space before the colon":         m.replace("Host:", "Host :").String(),
		"space before another colon":     m.with("X-Amz-Target : x").String(),
		"a folded line first":            message{m.method, m.target, append([]string{" folded: x"}, m.head...), m.body}.String(),
		"a folded signed header":         m.replace("Content-Type: application/json", "Content-Type: text/plain\r\n application/json").String(),
		"a folded length":                m.replace(length, "Content-Length:\r\n 5").String(),
		"a lone carriage return":         m.with("X-A: b\rX-Amz-Target: x").String(),
		"a zero byte":                    m.with("X-A: b\x00").String(),
		"a name that is none":            m.with("X A: b").String(),
		"chunked, then something":        m.with("Transfer-Encoding: chunked, identity").String(),
		"chunked twice":                  m.with("Transfer-Encoding: chunked", "Transfer-Encoding: chunked").String(),
		"almost chunked":                 m.with("Transfer-Encoding: xchunked").String(),
		"chunked with a tab":             m.with("Transfer-Encoding: \x0bchunked").String(),
		"chunks of another body":         message{m.method, m.target, m.replace(length, "Transfer-Encoding: chunked").head, "5\r\nhello\r\n0\r\n\r\n"}.String(),
		"a chunk longer than it is":      message{m.method, m.target, m.replace(length, "Transfer-Encoding: chunked").head, "fffffffffffffffff\r\n" + hello}.String(),
		"an unknown version":             strings.Replace(m.String(), "HTTP/1.1", "HTTP/1.9", 1) + "",
		"HTTP/2's preface in the middle": m.String()[:20] + "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		all := s.talk(t, raw)
		if name == "an unknown version" || name == "a folded signed header" {
			continue // may be understood, and then means what was signed
		}
		if ok(all) {
			t.Errorf("%s: %v", name, all)
		}
	}
	for name, raw := range map[string]string{
		"both lengths, chunked wins": message{m.method, m.target, m.with("Transfer-Encoding: chunked").head, chunked}.String(),
		"inside the body":            s.message(t, s.admin(), "bedrock", "POST", m.target, s.smuggle(t), time.Now()).String(),
		"behind a short length":      m.replace(length, "Content-Length: 0").String()[:len(m.String())-len(hello)-1] + "\r\n" + s.smuggle(t),
	} {
		for i, a := range s.talk(t, raw) {
			if strings.Contains(a.body, "inferenceProfileSummaries") && name == "inside the body" || i > 0 && a.status == http.StatusOK && name == "both lengths, chunked wins" {
				t.Errorf("%s: answer %d is %d %.200s", name, i+1, a.status, a.body)
			}
		}
	}
}

// An h2 is a connection that speaks just enough HTTP/2 to send what no client
// library would: header fields go out literally, whatever they are.
type h2 struct {
	net.Conn
	stream uint32
}

// Types and flags of frames (RFC 9113 §6).
const (
	frameData, frameHeaders, frameReset, frameSettings, frameGoAway = 0, 1, 3, 4, 7
	flagEndStream, flagEndHeaders, flagAck                          = 1, 4, 1
)

func (s *Server) h2(t *testing.T) *h2 {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	c := &h2{Conn: conn, stream: 1}
	io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	c.frame(frameSettings, 0, 0, nil)
	return c
}

func (c *h2) frame(kind, flags byte, stream uint32, payload []byte) {
	head := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	c.Write(append(binary.BigEndian.AppendUint32(head, stream), payload...)) // a server that has hung up is seen when reading
}

// A field is one header field, pseudo or not.
type field struct{ name, value string }

// appendField writes a literal without indexing (RFC 7541 §6.2.2).
func appendField(b []byte, f field) []byte {
	b = append(b, 0)
	for _, s := range []string{f.name, f.value} {
		b = append(appendLength(b, len(s)), s...)
	}
	return b
}

// appendLength is an integer with a prefix of seven bits (RFC 7541 §5.1).
func appendLength(b []byte, n int) []byte {
	if n < 127 {
		return append(b, byte(n))
	}
	b = append(b, 127)
	for n -= 127; n >= 128; n /= 128 {
		b = append(b, byte(n%128)|128)
	}
	return append(b, byte(n))
}

// statusOK is :status 200 in the static table (RFC 7541 Appendix A).
const statusOK = 0x88

// send sends one request and says whether its answer is 200. Everything else,
// a reset or the end of the connection, is no.
func (c *h2) send(fields []field, body string) (ok bool, told string) {
	var block []byte
	for _, f := range fields {
		block = appendField(block, f)
	}
	flags := byte(flagEndHeaders)
	if body == "" {
		flags |= flagEndStream
	}
	c.frame(frameHeaders, flags, c.stream, block)
	if body != "" {
		c.frame(frameData, flagEndStream, c.stream, []byte(body))
	}
	return c.read()
}

func (c *h2) read() (ok bool, told string) {
	for head := make([]byte, 9); ; {
		if _, err := io.ReadFull(c, head); err != nil {
			return false, err.Error()
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			return false, err.Error()
		}
		switch kind, flags := head[3], head[4]; {
		case kind == frameSettings && flags&flagAck == 0:
			c.frame(frameSettings, flagAck, 0, nil)
		case kind == frameReset, kind == frameGoAway:
			return false, fmt.Sprintf("frame %d, code %x", kind, payload)
		case kind == frameHeaders:
			ok = len(payload) > 0 && payload[0] == statusOK
			if flags&flagEndStream != 0 {
				return ok, ""
			}
		case kind == frameData:
			told += string(payload)
			if flags&flagEndStream != 0 {
				return ok, told
			}
		}
	}
}

// fields are a signed Converse call as HTTP/2 has it.
func (s *Server) fields(t *testing.T, by sigv4.Credentials) []field {
	t.Helper()
	m := s.invoke(t, by, time.Now())
	list := []field{{":method", m.method}, {":scheme", "http"}, {":path", m.target}, {":authority", s.addr.String()}}
	for _, line := range m.head {
		if name, value, _ := strings.Cut(line, ": "); name != "Host" {
			list = append(list, field{strings.ToLower(name), value})
		}
	}
	return list
}

// Over HTTP/2 the signed host is the :authority, and nothing of HTTP/1's
// framing, nor a field that could become two lines of it, gets in.
func TestSmugglingOverHTTP2(t *testing.T) {
	s := start(t, Config{})
	whole := s.fields(t, s.admin())
	if ok, told := s.h2(t).send(whole, hello); !ok {
		t.Fatalf("an honest request: %s", told)
	}
	with := func(more ...field) []field { return append(slices.Clone(whole), more...) }
	change := func(name, value string) []field {
		list := slices.Clone(whole)
		for i := range list {
			if list[i].name == name {
				list[i].value = value
			}
		}
		return list
	}
	without := func(name string) []field {
		return slices.DeleteFunc(slices.Clone(whole), func(f field) bool { return f.name == name })
	}
	for name, list := range map[string][]field{
		"another authority":              change(":authority", "elsewhere.example"),
		"another authority, signed host": append(change(":authority", "elsewhere.example"), field{"host", s.addr.String()}),
		"no authority, another host":     append(without(":authority"), field{"host", "elsewhere.example"}),
		"connection":                     with(field{"connection", "close"}),
		"transfer-encoding":              with(field{"transfer-encoding", "chunked"}),
		"upgrade":                        with(field{"upgrade", "h2c"}),
		"te":                             with(field{"te", "gzip"}),
		"an upper-case name":             with(field{"X-Amz-Target", "x"}),
		"a name with a colon":            with(field{"x:y", "x"}),
		"a name with a space":            with(field{"x y", "x"}),
		"a name with a line end":         with(field{"x\r\ny", "x"}),
		"a value with a line end":        with(field{"x-a", "b\r\nx-amz-target: x"}),
		"a value with a newline":         with(field{"x-a", "b\nc"}),
		"a value with a zero byte":       with(field{"x-a", "b\x00"}),
		"two paths":                      with(field{":path", "/inference-profiles"}),
		"two methods":                    append([]field{{":method", "DELETE"}}, whole...),
		"a pseudo field behind the rest": append(without(":method"), field{":method", "POST"}),
		"an unknown pseudo field":        append([]field{{":protocol", "websocket"}}, whole...),
		"no method":                      without(":method"),
		"no path":                        without(":path"),
		"no scheme":                      without(":scheme"),
		"an empty path":                  change(":path", ""),
		"a path without a slash":         change(":path", strings.TrimPrefix(whole[2].value, "/")),
		"a path with a line end":         change(":path", whole[2].value+" HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"),
		"a method with a space":          change(":method", "POST /inference-profiles"),
		"a shorter length":               change("content-length", "5"),
		"a longer length":                change("content-length", "500"),
		"a target that nobody signed":    with(field{"x-amz-target", "AWSOrganizationsV20161128.CreateOrganization"}),
	} {
		c := s.h2(t)
		if ok, told := c.send(list, hello); ok {
			t.Errorf("%s: %s", name, told)
		}
	}
	// What has but one meaning, the signed one, may be answered.
	for name, list := range map[string][]field{
		"another host beside the authority": with(field{"host", "elsewhere.example"}),
		"a second length, of no frame":      with(field{"content-length", "5"}),
		"an absolute path":                  change(":path", "http://elsewhere.example"+whole[2].value),
	} {
		if ok, told := s.h2(t).send(list, hello); ok && !strings.Contains(told, "You wrote: “hi”.") {
			t.Errorf("%s: %s", name, told)
		}
	}
}

// A connection that asks for more than its share ends, and the next is served.
func TestHeadersWithoutEnd(t *testing.T) {
	s := start(t, Config{})
	big := strings.Repeat("x", 1<<20)
	for _, raw := range []string{
		"GET /healthz HTTP/1.1\r\nHost: h\r\nX-A: " + big + "\r\n\r\n",
		"GET /" + big + " HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: h\r\n" + strings.Repeat("X-A: b\r\n", 1<<17) + "\r\n",
	} {
		if all := s.cutOff(t, raw); ok(all) {
			t.Errorf("%d bytes of headers: %v", len(raw), all)
		}
	}
	c := s.h2(t)
	c.frame(frameHeaders, 0, 1, appendField(nil, field{":method", "GET"}))
	for range 200 { // CONTINUATION without end
		c.frame(9, 0, 1, appendField(nil, field{"x-a", string(bytes.Repeat([]byte("y"), 15_000))}))
	}
	if _, told := c.read(); strings.Contains(told, "timeout") {
		t.Errorf("headers without end: %s", told)
	}
	if status, body := send(t, s.request(t, "GET", "/healthz", nil, "")); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, body)
	}
}
