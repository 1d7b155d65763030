package sigv4

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A target is the path and query of a request as they travel on the wire.
type target struct{ path, query string }

// targetOf prefers the request line as it was received: net/http decodes and
// re-encodes URL, and a signature covers the bytes that were sent.
func targetOf(r *http.Request) target {
	raw := r.RequestURI
	if raw == "" {
		raw = r.URL.RequestURI()
	}
	if !strings.HasPrefix(raw, "/") { // absolute form, as sent to a proxy
		if _, rest, ok := strings.Cut(raw, "://"); ok {
			raw = strings.TrimLeft(rest, "/")
			if i := strings.IndexAny(raw, "/?"); i >= 0 {
				raw = raw[i:]
			} else {
				raw = ""
			}
		}
	}
	path, query, _ := strings.Cut(raw, "?")
	if path == "" {
		path = "/"
	}
	return target{path, query}
}

// A signedPath is a path in a form that a signer may have used.
type signedPath struct {
	text string
	raw  bool // signed as it is, not encoded once more
}

// signedPaths appends the forms of a path that a signer may have used, the
// likely one first. S3 signs the path as sent. Every other service encodes
// the sent path once more, most SDKs after removing dot segments and doubled
// slashes, the Go SDK without (reference/runtime-metering-billing.md §4.1).
// Both forms are derived from the path received, so accepting either lets
// nobody alter it further than AWS itself would.
func signedPaths(paths []signedPath, service, sent string) []signedPath {
	likely := likelyPath(service, sent)
	if paths = append(paths, likely); likely.text != sent {
		paths = append(paths, signedPath{text: sent})
	}
	return paths
}

// likelyPath is the first of signedPaths.
func likelyPath(service, sent string) signedPath {
	if service == serviceS3 {
		return signedPath{text: sent, raw: true}
	}
	return signedPath{text: normalise(sent)}
}

func (p signedPath) appendTo(b []byte) []byte {
	if p.raw {
		return append(b, p.text...)
	}
	return appendEscaped(b, p.text, '/')
}

// normalise removes dot segments and doubled slashes, and keeps a closing one.
func normalise(path string) string {
	if !strings.Contains(path, "//") && !strings.Contains(path, "/.") {
		return path
	}
	var kept []string
	last := ""
	for segment := range strings.SplitSeq(path, "/") {
		last = segment
		switch segment {
		case "", ".":
		case "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, segment)
		}
	}
	clean := "/" + strings.Join(kept, "/")
	if len(kept) > 0 && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean
}

// unreserved are the bytes that SigV4 never encodes.
var unreserved = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		t[c] = true
	}
	return t
}()

func escapeQuery(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r > 127 || !unreserved[r] }) {
		return s
	}
	return string(appendEscaped(nil, s, 0))
}

// appendEscaped percent-encodes all but the unreserved bytes and keep.
func appendEscaped(b []byte, s string, keep byte) []byte {
	const digits = "0123456789ABCDEF"
	plain := 0 // what has not been appended yet begins here
	for i := range len(s) {
		c := s[i]
		if unreserved[c] || c == keep && c != 0 {
			continue
		}
		b = append(append(b, s[plain:i]...), '%', digits[c>>4], digits[c&15])
		plain = i + 1
	}
	return append(b, s[plain:]...)
}

// canonicalQuery sorts the parameters by encoded name, then value, and leaves
// the signature out. It decodes as servers do ("+" is a space), so that no
// two queries with one canonical form mean different things.
func canonicalQuery(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	type pair struct{ name, value string }
	var pairs []pair
	for text := range strings.SplitSeq(raw, "&") {
		if text == "" {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		if name == paramSignature {
			continue
		}
		name, err1 := recode(name)
		value, err2 := recode(value)
		if err1 != nil || err2 != nil {
			return "", malformedQuery()
		}
		pairs = append(pairs, pair{name, value})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	b.Grow(len(raw) + len(raw)/4)
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String(), nil
}

func recode(s string) (string, error) {
	plain, err := url.QueryUnescape(s)
	return escapeQuery(plain), err
}

// A canonical is a request in the one form that both sides hash.
type canonical struct {
	method  string
	path    signedPath
	query   string
	names   []string // of the signed headers, in order
	payload string   // hex digest of the body, or a word
	request *http.Request
}

// appendTo writes the canonical request.
func (c *canonical) appendTo(b []byte) []byte {
	b = append(b, c.method...)
	b = append(b, '\n')
	b = c.path.appendTo(b)
	b = append(b, '\n')
	b = append(b, c.query...)
	b = append(b, '\n')
	for _, name := range c.names {
		b = append(b, name...)
		b = append(b, ':')
		b = appendHeader(b, c.request, name)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = c.appendSigned(b)
	b = append(b, '\n')
	return append(b, c.payload...)
}

// appendSigned writes the names of the signed headers.
func (c *canonical) appendSigned(b []byte) []byte {
	for i, name := range c.names {
		if i > 0 {
			b = append(b, ';')
		}
		b = append(b, name...)
	}
	return b
}

// spelt are names of headers that most requests have, as they are signed and as
// net/http spells them: neither way has to be worked out for each request.
var spelt, signedAs = func() (up, down map[string]string) {
	up, down = map[string]string{}, map[string]string{}
	for _, name := range []string{
		"Accept", "Accept-Encoding", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "Authorization", "Content-Length", "Content-Type", "Host", "Traceparent",
		"User-Agent", headerDate, headerToken, headerSHA256, "X-Amz-Target", "X-Request-Id",
	} {
		up[strings.ToLower(name)], down[name] = name, strings.ToLower(name)
	}
	return up, down
}()

func canonicalName(signed string) string {
	if name, ok := spelt[signed]; ok {
		return name
	}
	return http.CanonicalHeaderKey(signed)
}

func lower(name string) string {
	if signed, ok := signedAs[name]; ok {
		return signed
	}
	return strings.ToLower(name)
}

// appendHeader writes the values of a header, each trimmed, joined by commas.
// net/http moves some headers out of the map; a client may have signed them.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	switch name {
	case "host", ":authority":
		return appendTrimmed(b, hostOf(r))
	case "content-length":
		if _, ok := r.Header["Content-Length"]; !ok && r.ContentLength >= 0 {
			return strconv.AppendInt(b, r.ContentLength, 10)
		}
	}
	values := r.Header[canonicalName(name)]
	if values == nil {
		values = r.Header[name] // set by hand, past the canonical spelling
	}
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, v)
	}
	return b
}

func hostOf(r *http.Request) string {
	if r.Host == "" && r.URL != nil {
		return r.URL.Host
	}
	return r.Host
}

// compact says whether v holds no white space at all, as most values do.
func compact(v string) bool {
	for i := range len(v) {
		if v[i] <= ' ' {
			return false
		}
	}
	return true
}

// appendTrimmed writes v without outer spaces and with inner runs collapsed.
func appendTrimmed(b []byte, v string) []byte {
	start := len(b)
	if compact(v) {
		return append(b, v...)
	}
	for i := range len(v) {
		c := v[i]
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			if len(b) > start && b[len(b)-1] != ' ' {
				b = append(b, ' ')
			}
			continue
		}
		b = append(b, c)
	}
	return append(b[:start], bytes.TrimRight(b[start:], " ")...)
}
