package h1

import (
	"net/http"
	"strconv"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// An outgoing request: its head, with a small body behind it so that one write
// takes both.
type outgoing struct {
	text []byte
	body []byte // a large one, by itself
}

var outgoingPool = sync.Pool{New: func() any { return &outgoing{text: make([]byte, 0, 4<<10)} }}

// maxInlineBytes is a body that a connection takes without anybody reading at
// the other end, so that it can be written before the answer is read. It also
// bounds what is copied.
const maxInlineBytes = 32 << 10

const maxPooledBytes = 64 << 10

func (o *outgoing) release() {
	if o.body = nil; cap(o.text) <= maxPooledBytes {
		outgoingPool.Put(o)
	}
}

// write prepares r, or says that it is not for this package.
func (o *outgoing) write(r *http.Request) bool {
	body, ok := inMemory(r)
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	uri := r.RequestURI // who asks often has worked it out
	if uri == "" {
		uri = r.URL.RequestURI()
	}
	if !ok || r.Close || r.TransferEncoding != nil || r.Trailer != nil || r.Method == http.MethodConnect ||
		r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.Opaque != "" || !httpguts.ValidHeaderFieldName(r.Method) || !all(uri, &visible) || !isHost(host) || !isHost(r.URL.Host) {
		return false
	}
	b := append(o.text[:0], r.Method...)
	b = append(append(append(b, ' '), uri...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\n"...)
	if b, ok = appendFields(b, r, len(body)); !ok {
		return false
	}
	if o.body = body; len(body) <= maxInlineBytes {
		b, o.body = append(b, body...), nil
	}
	o.text = b
	return true
}

func inMemory(r *http.Request) ([]byte, bool) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, r.ContentLength == 0
	}
	b, ok := r.Body.(*Body)
	if !ok || r.ContentLength != int64(len(b.text)) {
		return nil, false
	}
	return b.text, true
}

// appendFields writes the header and the empty line. Whatever is about the
// connection, and what cannot be sent, is not for this package.
func appendFields(b []byte, r *http.Request, length int) ([]byte, bool) {
	if _, told := r.Header["User-Agent"]; !told {
		b = append(b, "User-Agent: Go-http-client/1.1\r\n"...)
	}
	for name, values := range r.Header {
		switch name {
		case "Host", "Content-Length": // are the request's own
			continue
		case "User-Agent":
			if len(values) == 0 || values[0] == "" {
				continue
			}
		case "Transfer-Encoding", "Trailer", "Upgrade", "Connection", "Expect", "Te", "Keep-Alive", "Proxy-Connection":
			return nil, false
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, false
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return nil, false
			}
			b = append(append(b, name...), ": "...)
			b = append(append(b, value...), "\r\n"...)
		}
	}
	if length > 0 || r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, int64(length), 10), "\r\n"...)
	}
	return append(b, "\r\n"...), true
}

// Which bytes may stand where (RFC 3986 §3).
var (
	hostByte = set("-._~%!$&'()*+,;=:[]" + letters)
	visible  = between(0x21, 0x7e)
)

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func set(bytes string) (t [256]bool) {
	for i := range len(bytes) {
		t[bytes[i]] = true
	}
	return t
}

func between(first, last int) (t [256]bool) {
	for c := first; c <= last; c++ {
		t[c] = true
	}
	return t
}

func all(s string, of *[256]bool) bool {
	for i := range len(s) {
		if !of[s[i]] {
			return false
		}
	}
	return true
}

func isHost(s string) bool { return s != "" && all(s, &hostByte) }
