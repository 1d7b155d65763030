package plainhttp

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxLength bounds the digits of a Content-Length that is taken at its word.
const maxLength = 15

// parse reads a head, which ends with an empty line, into r. It says no to
// every head that is not plain, without saying why: net/http will.
func parse(r *http.Request, head string) (plain bool) {
	r.Proto, r.ProtoMajor, r.ProtoMinor, r.Body = "HTTP/1.1", 1, 1, http.NoBody
	line, fields, found := cutLine(head)
	return found && readRequestLine(r, line) && readFields(r, fields)
}

func readRequestLine(r *http.Request, line string) bool {
	line, found := strings.CutSuffix(line, " HTTP/1.1")
	method, target, spaced := strings.Cut(line, " ")
	if !found || !spaced || !plainMethod(method) || len(target) == 0 || target[0] != '/' {
		return false
	}
	for i := range len(target) {
		if b := target[i]; b <= ' ' || b >= 0x7f || b == '#' {
			return false
		}
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return false
	}
	r.Method, r.RequestURI, r.URL = method, target, u
	return true
}

// plainMethod says whether a method's answers have bodies and nothing else is
// special about it.
func plainMethod(m string) bool {
	return m == http.MethodPost || m == http.MethodGet || m == http.MethodPut || m == http.MethodDelete
}

func readFields(r *http.Request, lines string) bool {
	n := max(strings.Count(lines, "\r\n")-1, 0) // a head with other line ends has fewer
	values := make([]string, 0, n)
	r.Header = make(http.Header, n)
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
		name, value, ok := cutField(line)
		if !ok {
			return false
		}
		switch key := http.CanonicalHeaderKey(name); key {
		case "Host":
			hosts++
			r.Host = value
			if !plainHost(value) {
				return false
			}
		case "Content-Length":
			if lengths++; lengths > 1 || !readLength(r, value) {
				return false
			}
			fallthrough
		default:
			if changesFraming(key, value) {
				return false
			}
			values = append(values, value)
			if held := r.Header[key]; held != nil {
				r.Header[key] = append(held, value)
				continue
			}
			r.Header[key] = values[len(values)-1 : len(values) : len(values)]
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

func cutField(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, ":")
	value = strings.Trim(value, " \t")
	return name, value, ok && httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value)
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
