package iamapi

import (
	"encoding/xml"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/awsapitest"
	"outcrop/identity"
	"outcrop/identity/identitytest"
	"outcrop/identity/sealing"
	"outcrop/sigv4"
)

const (
	account   = outcrop.AccountID("111122223333")
	elsewhere = outcrop.AccountID("444455556666")
)

// A door is the API behind the real wire, called as the administrator.
type door struct {
	*awsapi.Mux
	api    *API
	clock  time.Time
	policy *awsapitest.Anything
	keys   sigv4.Credentials
}

func openDoor(t *testing.T) *door {
	t.Helper()
	sealer, err := sealing.NewSealer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &door{clock: time.Date(2026, 11, 21, 10, 0, 0, 123456000, time.UTC), policy: new(awsapitest.Anything)}
	now := func() time.Time { return d.clock }
	d.api = New(Config{Identity: identity.New(identitytest.NewStore(), sealer, now), Now: now})
	d.keys = d.admin(t, account)
	d.Mux = awsapi.NewMux(awsapi.Options{
		Keys: d.api.Identity, Policy: d.policy, KnownRegion: func(outcrop.Region) bool { return true }, DefaultRegion: "us-east-1",
		Now: now, Log: slog.New(slog.DiscardHandler),
	})
	d.Serve("iam", d.api.Operations()...)
	return d
}

// admin makes an account's administrator.
func (d *door) admin(t *testing.T, of outcrop.AccountID) sigv4.Credentials {
	t.Helper()
	b, _, err := d.api.Identity.Bootstrap(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	return sigv4.Credentials{AccessKey: b.AccessKeyID, Secret: b.SecretAccessKey}
}

// as is the same door with another's keys.
func (d *door) as(who sigv4.Credentials) *door {
	other := *d
	other.keys = who
	return &other
}

// send calls an operation with pairs of parameter and value, and answers with
// status and body.
func (d *door) send(t *testing.T, operation string, params ...string) (status int, body string) {
	t.Helper()
	form := url.Values{"Action": {operation}, "Version": {"2010-05-08"}}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	text := form.Encode()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "http://iam.test/", strings.NewReader(text))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if err := sigv4.Sign(r, sigv4.PayloadHash([]byte(text)), d.keys, sigv4.Scope{Region: "us-east-1", Service: "iam"}, d.clock); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	wellFormed(t, w.Body.String())
	return w.Code, w.Body.String()
}

func wellFormed(t *testing.T, body string) {
	t.Helper()
	for x := xml.NewDecoder(strings.NewReader(body)); ; {
		if _, err := x.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in %s", err, body)
		}
	}
}

// do calls an operation that has to succeed.
func (d *door) do(t *testing.T, operation string, params ...string) string {
	t.Helper()
	status, body := d.send(t, operation, params...)
	if status != 200 {
		t.Fatalf("%s %v: %d %s", operation, params, status, body)
	}
	return body
}

// refuses calls an operation that has to fail with a code and, as the model
// has them, a status.
func (d *door) refuses(t *testing.T, status int, code, words, operation string, params ...string) {
	t.Helper()
	got, body := d.send(t, operation, params...)
	if got != status || value(body, "Code") != code || !strings.Contains(value(body, "Message"), words) {
		t.Errorf("%s %.200v: %d %s\nwant %d %s with %q", operation, params, got, body, status, code, words)
	}
}

// has wants each pattern in an answer.
func has(t *testing.T, body string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(body) {
			t.Errorf("no %s in %s", p, body)
		}
	}
}

func lacks(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.Contains(body, s) {
			t.Errorf("%s is in %s", s, body)
		}
	}
}

// value is the text of the first element of a name.
func value(body, element string) string {
	all := values(body, element)
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// values are the texts of all elements of a name.
func values(body, element string) []string {
	var found []string
	x := xml.NewDecoder(strings.NewReader(body))
	for {
		token, err := x.Token()
		if err != nil {
			return found
		}
		if e, ok := token.(xml.StartElement); ok && e.Name.Local == element {
			if text, err := x.Token(); err == nil {
				if chars, ok := text.(xml.CharData); ok {
					found = append(found, string(chars))
				} else {
					found = append(found, "")
				}
			}
		}
	}
}

// decoded is the policy document of an answer.
func decoded(t *testing.T, body, element string) string {
	t.Helper()
	text, err := url.PathUnescape(value(body, element))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

const (
	trustEC2  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"bedrock.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	allowAll  = `{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Action":"*","Resource":"*"}]}`
	fullARN   = "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"
	ownPolicy = "arn:aws:iam::111122223333:policy/"
)
