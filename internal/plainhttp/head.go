package plainhttp

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/net/http/httpguts"
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
	if target == m.target && target != "" {
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
	m.clear(max(strings.Count(lines, "\r\n")-1, 0)) // a head with other line ends has fewer
	r.Header = m.header
	hosts, lengths := 0, 0
	for i := 0; ; i++ {
		line, rest, found := cutLine(lines)
		if !found {
			return false
		}
		if line == "" {
			return rest == "" && hosts == 1
		}
		lines = rest
		if i == len(m.fields) {
			m.fields = append(m.fields, field{})
		}
		f := &m.fields[i]
		if !f.read(line) {
			return false
		}
		switch f.key {
		case "Host":
			hosts++
			r.Host = f.value
			if !plainHost(f.value) {
				return false
			}
		case "Content-Length":
			if lengths++; lengths > 1 || !readLength(r, f.value) {
				return false
			}
			fallthrough
		default:
			if changesFraming(f.key, f.value) {
				return false
			}
			m.add(f.key, f.value)
		}
	}
}

// clear makes an empty header with room for n values.
func (m *memory) clear(n int) {
	if m.header == nil {
		m.header = make(http.Header, n)
	}
	clear(m.header)
	if cap(m.values) < n {
		m.values = make([]string, 0, n)
	}
	m.values = m.values[:0]
}

func (m *memory) add(key, value string) {
	if held := m.header[key]; held != nil {
		m.header[key] = append(held, value)
		return
	}
	m.values = append(m.values, value)
	n := len(m.values)
	m.header[key] = m.values[n-1 : n : n]
}

// credentials are fields whose value is not looked for in what another caller
// sent: how long that takes would tell how much of it is right.
var credentials = map[string]bool{"Authorization": true, "Proxy-Authorization": true, "Cookie": true, "X-Amz-Security-Token": true, "X-Api-Key": true, "Api-Key": true}

// read reads a line. What is in f already is as it was read before.
func (f *field) read(line string) (ok bool) {
	name, value, ok := strings.Cut(line, ":")
	if name != f.name || name == "" {
		if ok = ok && httpguts.ValidHeaderFieldName(name); !ok {
			return false
		}
		f.name = strings.Clone(name)
		f.key = http.CanonicalHeaderKey(f.name)
		f.secret = credentials[f.key]
	}
	if value = strings.Trim(value, " \t"); f.secret || value != f.value {
		if ok = ok && httpguts.ValidHeaderFieldValue(value); !ok {
			return false
		}
		f.value = strings.Clone(value)
	}
	return ok
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
