package plainhttp

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unsafe"
)

// maxLength bounds the digits of a Content-Length that is taken at its word.
const maxLength = 15

// read reads a head, which ends with an empty line, into the call's request. It
// says no to every head that is not plain, without saying why: net/http will.
func (x *call) read(head []byte) (plain bool) {
	text := unsafe.String(unsafe.SliceData(head), len(head)) // for as long as this takes: what is kept is copied
	r := &x.request
	r.Proto, r.ProtoMajor, r.ProtoMinor, r.Body = "HTTP/1.1", 1, 1, http.NoBody
	line, fields, found := cutLine(text)
	return found && x.head.readRequestLine(r, line) && x.head.readFields(r, fields)
}

func (m *memory) readRequestLine(r *http.Request, line string) bool {
	line, found := strings.CutSuffix(line, " HTTP/1.1")
	method, target, spaced := strings.Cut(line, " ")
	if r.Method = plainMethod(method); !found || !spaced || r.Method == "" || !m.aim(target) {
		return false
	}
	m.url = m.parsed
	r.RequestURI, r.URL = m.target, &m.url
	return true
}

// aim reads the target, if it is another than before.
func (m *memory) aim(target string) bool {
	query := strings.IndexByte(target, '?') >= 0 // may hold a signature, and is not compared; see headmem
	if !query && target == m.target && target != "" {
		return true
	}
	if len(target) == 0 || target[0] != '/' {
		return false
	}
	for i := range len(target) {
		if b := target[i]; b <= ' ' || b >= 0x7f || b == '#' {
			return false
		}
	}
	target = strings.Clone(target)
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	m.target, m.parsed = target, *u
	return true
}

// plainMethod is a method whose answers have bodies and about which nothing
// else is special, and empty for the others.
func plainMethod(m string) string {
	for _, plain := range [...]string{http.MethodPost, http.MethodGet, http.MethodPut, http.MethodDelete} {
		if m == plain {
			return plain
		}
	}
	return ""
}

func (m *memory) readFields(r *http.Request, lines string) bool {
	r.Header = m.fields.Begin(max(strings.Count(lines, "\r\n")-1, 0)) // a head with other line ends has fewer
	hosts, lengths := 0, 0
	for {
		line, rest, found := cutLine(lines)
		if !found {
			return false
		}
		if line == "" {
			return rest == "" && hosts == 1
		}
		lines = rest
		f, ok := m.fields.Read(line)
		if !ok {
			return false
		}
		switch f.Key {
		case "Host":
			hosts++
			r.Host = f.Value
			if !plainHost(f.Value) {
				return false
			}
		case "Content-Length":
			if lengths++; lengths > 1 || !readLength(r, f.Value) {
				return false
			}
			fallthrough
		default:
			if changesFraming(f.Key, f.Value) {
				return false
			}
			m.fields.Add(f)
		}
	}
}

// cutLine splits at the first line end, which is CR LF: there is no other.
func cutLine(s string) (line, rest string, found bool) {
	end := strings.IndexByte(s, '\n')
	if end < 1 || s[end-1] != '\r' {
		return "", "", false
	}
	return s[:end-1], s[end+1:], true
}

// plainHost says whether a host is a name or an address, with or without port.
func plainHost(host string) bool {
	for i := range len(host) {
		b := host[i]
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '.' && b != '-' && b != ':' && b != '[' && b != ']' && b != '_' {
			return false
		}
	}
	return host != ""
}

func readLength(r *http.Request, digits string) bool {
	if len(digits) == 0 || len(digits) > maxLength {
		return false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false
		}
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	r.ContentLength = n
	return err == nil
}

// changesFraming says whether a field asks for what only net/http does.
func changesFraming(key, value string) bool {
	switch key {
	case "Connection":
		return !strings.EqualFold(value, "keep-alive")
	case "Transfer-Encoding", "Upgrade", "Expect", "Trailer", "Http2-Settings", "Pragma":
		return true
	}
	return false
}
