package server

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/internal/strictyaml"
	"outcrop/sigv4"
)

const (
	testAccount = outcrop.AccountID("123456789012")
	testRegion  = outcrop.Region("us-east-1")
)

// start runs a whole server on a port of its own, over an empty data folder.
func start(t testing.TB, config Config) *Server {
	t.Helper()
	config.Listen, config.DataDir, config.Account, config.Region = "127.0.0.1:0", t.TempDir(), testAccount, testRegion
	config.Drain = strictyaml.Duration(5 * time.Second)
	s, err := Start(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// admin are the keys that the first start made.
func (s *Server) admin() sigv4.Credentials {
	return sigv4.Credentials{AccessKey: s.first.AccessKeyID, Secret: s.first.SecretAccessKey}
}

// user makes a user with one inline policy, or none when it is empty.
func (s *Server) user(t testing.TB, name, policy string) sigv4.Credentials {
	t.Helper()
	d := s.engines.identity
	if _, err := d.CreateUser(t.Context(), testAccount, name); err != nil {
		t.Fatal(err)
	}
	if policy != "" {
		if err := d.PutInlinePolicy(t.Context(), identity.UserRef(testAccount, name), "test", policy); err != nil {
			t.Fatal(err)
		}
	}
	key, err := d.CreateAccessKey(t.Context(), testAccount, name)
	if err != nil {
		t.Fatal(err)
	}
	return sigv4.Credentials{AccessKey: key.ID, Secret: key.Secret}
}

// request makes a request that nobody has signed. path is escaped already.
func (s *Server) request(t testing.TB, method, path string, header http.Header, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Endpoint()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	return r
}

// signed is request by somebody, for a service.
func (s *Server) signed(t testing.TB, by sigv4.Credentials, service, method, path string, header http.Header, body string) *http.Request {
	t.Helper()
	r := s.request(t, method, path, header, body)
	if err := sigv4.Sign(r, sigv4.PayloadHash([]byte(body)), by, sigv4.Scope{Region: testRegion, Service: service}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

// send returns the status and the body of the answer.
func send(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	status, answer := sendRaw(t, r)
	return status, strings.TrimSpace(answer)
}

// sendRaw leaves the answer as it is: the last byte of a stream may be a space.
func sendRaw(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}
