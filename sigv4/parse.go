package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// Parse reads the signature of r from its Authorization header or its query.
// It returns nil and no error when r carries neither.
func Parse(r *http.Request) (*Signature, error) {
	s := new(Signature)
	if found, err := s.Parse(r); !found {
		return nil, err
	}
	return s, nil
}

// Parse is the function Parse into s. found is false when r carries no
// signature or a malformed one; s is then of no use.
func (s *Signature) Parse(r *http.Request) (found bool, err error) {
	auth := first(r.Header, "Authorization")
	inHeader := strings.HasPrefix(auth, algorithms)
	to := targetOf(r)
	inQuery := to.query != "" && (hasParam(to.query, "X-Amz-Algorithm=") || hasParam(to.query, paramSignature+"="))
	switch {
	case inHeader && inQuery:
		err = incomplete("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified")
	case inHeader:
		err = s.parseHeader(auth, r.Header)
	case inQuery:
		err = s.parseQuery(to.query)
	}
	return err == nil && (inHeader || inQuery), err
}

// first is h.Get of a name in canonical spelling.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// hasParam looks for name with its equal-sign where a parameter begins.
func hasParam(query, name string) bool {
	return strings.HasPrefix(query, name) || strings.Contains(query, "&"+name)
}

func (s *Signature) parseHeader(auth string, h http.Header) error {
	if len(auth) > maxAuthBytes {
		return incomplete("Authorization header is longer than %d bytes.", maxAuthBytes)
	}
	name, list, _ := strings.Cut(auth, " ")
	if name != algorithm {
		return unsupported(name)
	}
	var p params
	for field := range strings.SplitSeq(list, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !ok {
			return incomplete("Invalid key=value pair (missing equal-sign) in Authorization header %s.", fingerprint(auth))
		}
		p.set(key, value)
	}
	p.date, p.token, p.payload = stampOf(h), first(h, headerToken), first(h, headerSHA256)
	if missing := p.missing("Authorization header requires '%s' parameter.", "Credential", "Signature", "SignedHeaders"); missing != "" {
		return incomplete("%s Authorization %s", missing, fingerprint(auth))
	}
	if p.date == "" {
		return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization %s", fingerprint(auth))
	}
	return s.fill(&p)
}

// stampOf is the time of signing: X-Amz-Date, or else Date, which proxies and
// browsers may set in HTTP's own format.
func stampOf(h http.Header) string {
	if d := first(h, headerDate); d != "" {
		return d
	}
	d := h.Get("Date")
	if t, err := http.ParseTime(d); err == nil {
		return t.UTC().Format(stampFormat)
	}
	return d
}

func (s *Signature) parseQuery(query string) error {
	var p params
	var name, expires string
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(key, "X-Amz-") {
			continue
		}
		value, err := url.QueryUnescape(value)
		if err != nil {
			return malformedQuery()
		}
		switch key = key[len("X-Amz-"):]; key {
		case "Algorithm":
			name = value
		case "Expires":
			expires = value
		default:
			p.set(key, value)
		}
	}
	if missing := p.missing("AWS query-string parameters must include 'X-Amz-%s'.", "Credential", "Signature", "SignedHeaders", "Date"); missing != "" {
		return incomplete("%s Re-examine the query-string parameters.", missing)
	}
	if name != algorithm {
		return unsupported(name)
	}
	if err := s.fill(&p); err != nil {
		return err
	}
	s.Presigned = true
	var err error
	s.Expires, err = parseExpires(expires)
	return err
}

func parseExpires(text string) (time.Duration, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return 0, incomplete("X-Amz-Expires should be a number")
	case n < 1:
		return 0, incomplete("X-Amz-Expires must be non-negative")
	case n > int64(MaxExpires/time.Second):
		return 0, incomplete("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than %d seconds", MaxExpires/time.Second)
	}
	return time.Duration(n) * time.Second, nil
}

// params are the fields of a signature before they are checked.
type params struct{ credential, signed, claimed, date, token, payload string }

// set keeps the first value of a field that this package knows.
func (p *params) set(key, value string) {
	if field := p.field(key); field != nil && *field == "" {
		*field = value
	}
}

func (p *params) field(key string) *string {
	switch key {
	case "Credential":
		return &p.credential
	case "SignedHeaders":
		return &p.signed
	case "Signature":
		return &p.claimed
	case "Date":
		return &p.date
	case "Security-Token":
		return &p.token
	case "Content-Sha256":
		return &p.payload
	}
	return nil
}

// missing says format for each of keys that has no value.
func (p *params) missing(format string, keys ...string) string {
	var lines []string
	for _, key := range keys {
		if *p.field(key) == "" {
			lines = append(lines, strings.Replace(format, "%s", key, 1))
		}
	}
	return strings.Join(lines, " ")
}

func (s *Signature) fill(p *params) error {
	at, ok := parseStamp(p.date)
	if !ok {
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%.32s'. See http://en.wikipedia.org/wiki/ISO_8601", p.date)
	}
	*s = Signature{Time: at, SecurityToken: p.token, stamp: p.date, claimed: p.claimed, payload: p.payload}
	if strings.Count(p.signed, ";") >= maxSignedHeaders {
		return incomplete("Authorization signs more than %d headers.", maxSignedHeaders)
	}
	s.SignedHeaders = s.room[:0]
	for name := range strings.SplitSeq(p.signed, ";") {
		s.SignedHeaders = append(s.SignedHeaders, name)
	}
	if err := s.setScope(p.credential); err != nil {
		return err
	}
	if !slices.Contains(s.SignedHeaders, "host") && !slices.Contains(s.SignedHeaders, ":authority") {
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

// parseStamp is time.Parse of stampFormat, which every signature has one of.
func parseStamp(text string) (time.Time, bool) {
	if len(text) != len(stampFormat) || text[8] != 'T' || text[15] != 'Z' {
		return time.Time{}, false
	}
	year, ok1 := number(text[0:4])
	month, ok2 := number(text[4:6])
	day, ok3 := number(text[6:8])
	hour, ok4 := number(text[9:11])
	minute, ok5 := number(text[11:13])
	second, ok6 := number(text[13:15])
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	ok := ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && hour < 24 && minute < 60 && second < 60
	return t, ok && int(t.Month()) == month && t.Day() == day // no 31st of February
}

// number reads digits alone.
func number(text string) (n int, ok bool) {
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

// setScope reads keyid/date/region/service/aws4_request.
func (s *Signature) setScope(credential string) error {
	var room [6]string // one more than there should be
	part := room[:0]
	for text := range strings.SplitSeq(credential, "/") {
		if part = append(part, text); len(part) == len(room) {
			break
		}
	}
	if len(part) != 5 || !isWord(part[0], maxAccessKeyBytes) {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got %s", fingerprint(credential))
	}
	s.AccessKey, s.Date, s.Region, s.Service = part[0], part[1], outcrop.Region(part[2]), part[3]
	var faults []string
	if !isWord(part[2], maxScopeBytes) {
		faults = append(faults, "Credential should be scoped to a valid region.")
	}
	if !isWord(part[3], maxScopeBytes) {
		faults = append(faults, "Credential should be scoped to correct service.")
	}
	if part[4] != terminator {
		faults = append(faults, "Credential should be scoped with a valid terminator: 'aws4_request'.")
	}
	if s.Date != s.stamp[:len(dateFormat)] {
		faults = append(faults, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	}
	if faults != nil {
		return invalid("%s", strings.Join(faults, " "))
	}
	return nil
}

// isWord says whether s is a name that is safe in logs and keys.
func isWord(s string, limit int) bool {
	for i := range len(s) {
		if !unreserved[s[i]] {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

func unsupported(name string) error {
	return incomplete("Unsupported AWS 'algorithm': '%.32s' (only %s for now).", name, algorithm)
}
