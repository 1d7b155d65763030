package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/sigv4"
)

// A message is an HTTP/1.1 request as bytes on a socket, part by part, so
// that a test can change what a client library would not let it.
type message struct {
	method, target string
	head           []string // lines
	body           string
}

func (m message) String() string {
	return m.method + " " + m.target + " HTTP/1.1\r\n" + strings.Join(m.head, "\r\n") + "\r\n\r\n" + m.body
}

// replace changes text in the head.
func (m message) replace(old, to string) message {
	m.head = slices.Clone(m.head)
	for i := range m.head {
		m.head[i] = strings.Replace(m.head[i], old, to, 1)
	}
	return m
}

func (m message) with(lines ...string) message {
	m.head = append(slices.Clone(m.head), lines...)
	return m
}

// message signs a request at a time and takes it apart.
func (s *Server) message(t *testing.T, by sigv4.Credentials, service, method, target, body string, at time.Time) message {
	t.Helper()
	r := s.request(t, method, target, http.Header{"Content-Type": {"application/json"}}, body)
	if err := sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), by, sigv4.Scope{Region: testRegion, Service: service}, at); err != nil {
		t.Fatal(err)
	}
	m := message{method: method, target: target, body: body}
	m.head = append(m.head, "Host: "+r.URL.Host, fmt.Sprintf("Content-Length: %d", len(body)))
	for name := range r.Header {
		m.head = append(m.head, name+": "+r.Header.Get(name))
	}
	return m
}

// An answer to a message.
type answer struct {
	status int
	body   string
}

// talk sends bytes on a connection of their own and reads every answer. It
// closes the sending half after the first one: net/http takes that for a
// client that has gone.
func (s *Server) talk(t *testing.T, bytes string) []answer {
	t.Helper()
	return s.exchange(t, bytes, false)
}

// cutOff sends bytes and closes the sending half at once.
func (s *Server) cutOff(t *testing.T, bytes string) []answer {
	t.Helper()
	return s.exchange(t, bytes, true)
}

func (s *Server) exchange(t *testing.T, bytes string, cut bool) []answer {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, bytes); err != nil {
		return nil // closed on us: no answer
	}
	var all []answer
	for r := bufio.NewReader(conn); ; {
		if cut || len(all) > 0 {
			conn.(*net.TCPConn).CloseWrite()
		}
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				t.Errorf("no answer to %.200q", bytes)
			}
			return all
		}
		b, _ := io.ReadAll(a.Body) // a connection cut short ends the answer
		a.Body.Close()
		all = append(all, answer{a.StatusCode, string(b)})
	}
}

// ok says whether any of the answers is a success.
func ok(all []answer) bool {
	return slices.ContainsFunc(all, func(a answer) bool { return a.status/100 == 2 })
}

const hello = `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`

// invoke is a signed Converse call as a message.
func (s *Server) invoke(t *testing.T, by sigv4.Credentials, at time.Time) message {
	return s.message(t, by, "bedrock", "POST", "/model/"+url.PathEscape(geoProfile)+"/converse", hello, at)
}

const mayAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// A signature holds for five minutes around the server's time, as AWS's do,
// and not a moment longer.
func TestReplays(t *testing.T) {
	s := start(t, Config{})
	for _, c := range []struct {
		age  time.Duration
		want string
	}{
		{0, ""}, {sigv4.ClockSkew - 20*time.Second, ""}, {20*time.Second - sigv4.ClockSkew, ""},
		{sigv4.ClockSkew + 2*time.Second, "Signature expired: "}, {24 * time.Hour, "Signature expired: "},
		{-sigv4.ClockSkew - 20*time.Second, "Signature not yet current: "},
	} {
		m := s.invoke(t, s.admin(), time.Now().Add(-c.age)).String()
		for range 2 {
			all := s.talk(t, m)
			if len(all) != 1 || ok(all) != (c.want == "") || !strings.Contains(all[0].body, c.want) {
				t.Errorf("signed %v ago: %v, want %q", c.age, all, c.want)
			}
		}
	}
}

// A pre-signed request ends when it says, and cannot be given another life,
// method or meaning.
func TestPresignedRequests(t *testing.T) {
	s := start(t, Config{})
	presign := func(age, life time.Duration) *http.Request {
		r := s.request(t, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15", nil, "")
		if err := sigv4.Presign(r, sigv4.PayloadHash(nil), s.admin(), sigv4.Scope{Region: testRegion, Service: "sts"}, time.Now().Add(-age), life); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if status, body := send(t, presign(0, time.Minute)); status != 200 {
		t.Errorf("fresh: %d %s", status, body)
	}
	for name, change := range map[string]func(*http.Request) *http.Request{
		"expired": func(*http.Request) *http.Request { return presign(time.Minute, time.Second) },
		"longer life": func(r *http.Request) *http.Request {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "Expires=60", "Expires=6000", 1)
			return r
		},
		"other action": func(r *http.Request) *http.Request {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "GetCallerIdentity", "GetSessionToken", 1)
			return r
		},
		"second action": func(r *http.Request) *http.Request {
			r.URL.RawQuery = "Action=GetSessionToken&" + r.URL.RawQuery
			return r
		},
		"as a form": func(r *http.Request) *http.Request {
			r.Method, r.Body = "POST", io.NopCloser(strings.NewReader("Action=GetSessionToken"))
			return r
		},
		"header's target": func(r *http.Request) *http.Request { r.Header.Set("X-Amz-Target", ".GetSessionToken"); return r },
		"other protocol": func(r *http.Request) *http.Request {
			r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
			r.URL.Path = "/service/STS/operation/GetSessionToken"
			return r
		},
		"with a token": func(r *http.Request) *http.Request { r.Header.Set("X-Amz-Security-Token", "x"); return r },
		"signed twice": func(r *http.Request) *http.Request {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x")
			return r
		},
	} {
		if status, body := send(t, change(presign(0, time.Minute))); status/100 == 2 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// However much of a request arrives, less than all of it does nothing.
func TestTruncatedRequestsDoNothing(t *testing.T) {
	s := start(t, Config{})
	m := s.invoke(t, s.admin(), time.Now()).String()
	for n := 0; n < len(m); n += 1 + len(m)/40 {
		if all := s.cutOff(t, m[:n]); ok(all) {
			t.Errorf("%d of %d bytes: %v", n, len(m), all)
		}
	}
	if all := s.talk(t, m); !ok(all) {
		t.Errorf("all bytes: %v", all)
	}
	short := s.invoke(t, s.user(t, "short", mayAll), time.Now())
	short.body = short.body[:len(short.body)-1]
	if all := s.talk(t, short.replace(fmt.Sprintf("Content-Length: %d", len(hello)), fmt.Sprintf("Content-Length: %d", len(short.body))).String()); ok(all) {
		t.Errorf("a shorter body under the same signature: %v", all)
	}
}

// The order of headers and parameters has no meaning; any other order that is
// changed breaks the signature.
func TestReorderedRequests(t *testing.T) {
	s := start(t, Config{})
	by := s.user(t, "order", mayAll)
	m := s.invoke(t, by, time.Now())
	slices.Reverse(m.head)
	if all := s.talk(t, m.String()); !ok(all) {
		t.Errorf("headers in another order: %v", all)
	}
	list := s.message(t, by, "bedrock", "GET", "/inference-profiles?maxResults=1&type=SYSTEM_DEFINED", "", time.Now())
	list.target = "/inference-profiles?type=SYSTEM_DEFINED&maxResults=1"
	if all := s.talk(t, list.String()); !ok(all) {
		t.Errorf("parameters in another order: %v", all)
	}
	for name, changed := range map[string]message{
		"signed headers":   m.replace("SignedHeaders=content-type;host;x-amz-date", "SignedHeaders=host;content-type;x-amz-date"),
		"values of a name": s.message(t, by, "bedrock", "GET", "/inference-profiles", "", time.Now()).with("X-Amz-Date: 20260101T000000Z"),
		"body":             {m.method, m.target, m.head, strings.Replace(hello, "hi", "ih", 1)},
	} {
		if all := s.talk(t, changed.String()); ok(all) {
			t.Errorf("%s in another order: %v", name, all)
		}
	}
}

// Nobody's signature becomes another's, nor good for another service, Region,
// day, method or header.
func TestResignedRequests(t *testing.T) {
	s := start(t, Config{})
	owner, thief := s.user(t, "owner", mayAll), s.user(t, "thief", "")
	mixed := sigv4.Credentials{AccessKey: owner.AccessKey, Secret: thief.Secret}
	if all := s.talk(t, s.invoke(t, mixed, time.Now()).String()); ok(all) || !strings.Contains(all[0].body, "signature we calculated does not match") {
		t.Errorf("the owner's key with the thief's secret: %v", all)
	}
	own := s.invoke(t, thief, time.Now())
	for name, m := range map[string]message{
		"the owner's key id": own.replace("Credential="+thief.AccessKey, "Credential="+owner.AccessKey),
		"a key nobody has":   own.replace("Credential="+thief.AccessKey, "Credential=AKIAIOSFODNN7EXAMPLE"),
		"as it is":           own,
		"another signature":  own.replace("Signature=", "Signature=0"),
		"no signature":       own.replace("Signature=", "Sig="),
		"another algorithm":  own.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
		"no headers signed":  own.replace("SignedHeaders=content-type;host;x-amz-date", "SignedHeaders="),
		"a session's token":  own.with("X-Amz-Security-Token: FwoGZXIvYXdzEXAMPLE"),
	} {
		if all := s.talk(t, m.String()); ok(all) {
			t.Errorf("%s: %v", name, all)
		}
	}
	genuine := s.invoke(t, owner, time.Now())
	for name, m := range map[string]message{
		"another Region":  genuine.replace("/us-east-1/bedrock", "/us-west-2/bedrock"),
		"another service": genuine.replace("/us-east-1/bedrock", "/us-east-1/iam"),
		"another day":     genuine.replace(time.Now().UTC().Format("20060102")+"/us-east-1", "20260101/us-east-1"),
		"another method":  {"PUT", genuine.target, genuine.head, genuine.body},
		"a target":        genuine.with("X-Amz-Target: AWSOrganizationsV20161128.CreateOrganization"),
		"another type":    genuine.replace("application/json", "application/x-www-form-urlencoded"),
	} {
		if all := s.talk(t, m.String()); ok(all) {
			t.Errorf("%s: %v", name, all)
		}
	}
	if all := s.talk(t, s.invoke(t, owner, time.Now()).String()); !ok(all) {
		t.Errorf("the owner is shut out by the thief: %v", all)
	}
}

// create makes an application profile.
func (s *Server) create(t *testing.T, name string) outcrop.ARN {
	t.Helper()
	body := `{"inferenceProfileName":"` + name + `","modelSource":{"copyFrom":"arn:aws:bedrock:us-east-1:123456789012:inference-profile/` + geoProfile + `"}}`
	status, answer := send(t, s.signed(t, s.admin(), "bedrock", "POST", "/inference-profiles", http.Header{"Content-Type": {"application/json"}}, body))
	_, arn, found := strings.Cut(answer, `"inferenceProfileArn":"`)
	arn, _, _ = strings.Cut(arn, `"`)
	if status != http.StatusCreated || !found {
		t.Fatalf("create profile: %d %s", status, answer)
	}
	return outcrop.ARN(arn)
}

// tricks are ways to write one name so that somebody may take it for another.
func tricks(mine, theirs string) []string {
	esc := url.PathEscape
	return []string{
		theirs, esc(theirs), mine + "/../" + theirs, theirs + "/../" + mine, mine + "%2F..%2F" + theirs, theirs + "%2F..%2F" + mine,
		mine + "/%2e%2e/" + theirs, theirs + "/%2e%2e/" + mine, mine + "%2f%2e%2e%2f" + theirs, "./" + theirs, theirs + "/.", "/" + theirs, "%2F" + theirs,
		theirs + "%2F", theirs + "/", esc(esc(theirs)), strings.ReplaceAll(esc(theirs), "%", "%25"), esc(mine) + "%00" + esc(theirs), esc(mine) + "%0d%0a" + esc(theirs),
		mine + ";" + theirs, mine + "," + theirs, mine + "%3F" + theirs, mine + "?" + theirs, mine + "%23" + theirs, mine + "\\..\\" + theirs, mine + "%5C..%5C" + theirs,
		strings.ToUpper(theirs), theirs + "%20", "%20" + theirs, theirs + "+", strings.Replace(theirs, "profile/", "profile%252F", 1), strings.Replace(theirs, "profile/", "profile//", 1),
		"..%2Fmodel%2F" + esc(theirs), "../inference-profiles/" + theirs, "../model/" + theirs,
	}
}

// Whatever a path is made to look like, who may use one profile reaches no
// other: the path that is authorised is the path that acts.
func TestPathTricks(t *testing.T) {
	s := start(t, Config{})
	mine, theirs := s.create(t, "first"), s.create(t, "second")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:GetInferenceProfile"],"Resource":"` + string(mine) + `"},
		{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*::foundation-model/*","Condition":{"ArnEquals":{"bedrock:InferenceProfileArn":"` + string(mine) + `"}}}]}`
	byARN, byID := tricks(string(mine), string(theirs)), tricks(mine.Parts().ResourceID(), theirs.Parts().ResourceID())
	attempts := []struct {
		method, pattern, honest, body string
		names                         []string
	}{
		{"POST", "/model/%s/converse", string(mine), hello, byARN},
		{"GET", "/inference-profiles/%s", mine.Parts().ResourceID(), "", byID},
		{"DELETE", "/inference-profiles/%s", "", "", byID},
		{"DELETE", "/inference-profiles/%s", "", "", byARN},
	}
	// A user for each, all of them known to the server before the first wrong
	// signature: what is slowed down tests nothing.
	var users []sigv4.Credentials
	for i := range len(attempts) * len(byID) {
		by := s.user(t, fmt.Sprintf("one%d", i), policy)
		send(t, s.signed(t, by, "sts", "POST", "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "Action=GetCallerIdentity"))
		users = append(users, by)
	}
	for i, a := range attempts {
		for j, name := range a.names {
			s.tryPath(t, users[i*len(byID)+j], a.method, a.pattern, name, a.honest, a.body)
		}
	}
	for _, p := range []outcrop.ARN{mine, theirs} {
		if status, answer := send(t, s.signed(t, s.admin(), "bedrock", "GET", "/inference-profiles/"+p.Parts().ResourceID(), nil, "")); status != http.StatusOK {
			t.Errorf("%s afterwards: %d %s", p, status, answer)
		}
	}
	s.checkInvoked(t, "user/one", mine)
}

// tryPath sends a trick in the place of a name: signed as it is, in absolute
// forms, and under the signature of the honest name, which is tried first.
// With no honest name nothing may succeed.
func (s *Server) tryPath(t *testing.T, by sigv4.Credentials, method, pattern, trick, honest, body string) {
	t.Helper()
	target := fmt.Sprintf(pattern, trick)
	genuine := s.message(t, by, "bedrock", method, fmt.Sprintf(pattern, url.PathEscape(honest)), body, time.Now())
	if all := s.talk(t, genuine.String()); honest != "" && !ok(all) {
		t.Errorf("%s: %v", genuine.target, all)
	}
	signed := s.signTrick(t, by, method, target, body)
	for _, to := range []string{target, "http://" + s.addr.String() + target, "http://elsewhere.example" + target} {
		for _, m := range []message{genuine, signed} {
			m.target = to
			for _, a := range s.talk(t, m.String()) {
				if a.status == http.StatusTooManyRequests {
					t.Fatal("slowed down before the attempts were over")
				}
				if a.status/100 == 2 && (honest == "" || strings.Contains(a.body, `"second"`)) {
					t.Errorf("%s %s: %d %s", method, to, a.status, a.body)
				}
			}
		}
	}
}

// signTrick signs a target. What no client could parse and sign is sent under
// the signature of another path.
func (s *Server) signTrick(t *testing.T, by sigv4.Credentials, method, target, body string) message {
	t.Helper()
	if _, err := url.Parse(s.Endpoint() + target); err != nil {
		target = "/"
	}
	return s.message(t, by, "bedrock", method, target, body, time.Now())
}

// checkInvoked reads the ledger: the users whose names begin so have invoked,
// and nothing but the one profile.
func (s *Server) checkInvoked(t *testing.T, users string, only outcrop.ARN) {
	t.Helper()
	if err := s.engines.ledger.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, err := s.engines.ledger.After(t.Context(), 0, 10_000)
	n := 0
	for _, r := range records {
		if !strings.Contains(string(r.Principal), users) {
			continue
		}
		if n++; r.Profile != only {
			t.Errorf("%s invoked %s as %s", r.Principal, r.Profile, r.ModelRef)
		}
	}
	if err != nil || n == 0 {
		t.Errorf("%d invocations in the ledger, %v", n, err)
	}
}
