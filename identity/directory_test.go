package identity_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/identity/identitytest"
	"outcrop/identity/sealing"
	"outcrop/sigv4"
)

const account = outcrop.AccountID("123456789012")

var start = time.Date(2026, 1, 16, 16, 56, 15, 0, time.UTC)

// A house is a Directory with everything around it in the test's hands.
type house struct {
	*identity.Directory
	store *countingStore
	dir   string
	now   time.Time
}

func newHouse(t testing.TB) *house {
	h := &house{store: &countingStore{Store: identitytest.NewStore()}, dir: t.TempDir(), now: start}
	sealer, err := sealing.NewSealer(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	h.Directory = identity.New(h.store, sealer, func() time.Time { return h.now })
	return h
}

func (h *house) bootstrap(t testing.TB) *identity.Bootstrapped {
	t.Helper()
	b, created, err := h.Bootstrap(t.Context(), account)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	return b
}

// countingStore counts the reads that requests cause, and lets a test act
// while one is under way.
type countingStore struct {
	identity.Store
	mu      sync.Mutex
	reads   int
	midRead func()

	entries  int
	midEntry func()
}

func (s *countingStore) EntryByID(ctx context.Context, id string) (identity.Entry, error) {
	e, err := s.Store.EntryByID(ctx, id)
	s.mu.Lock()
	s.entries++
	act := s.midEntry
	s.midEntry = nil
	s.mu.Unlock()
	if act != nil {
		act()
	}
	return e, err
}

func (s *countingStore) Entry(ctx context.Context, kind identity.EntryKind, scope, key string) (identity.Entry, error) {
	s.mu.Lock()
	s.entries++
	s.mu.Unlock()
	return s.Store.Entry(ctx, kind, scope, key)
}

func (s *countingStore) entryReads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries
}

func (s *countingStore) AccessKey(ctx context.Context, id string) (identity.AccessKey, identity.User, error) {
	k, u, err := s.Store.AccessKey(ctx, id)
	s.mu.Lock()
	s.reads++
	act := s.midRead
	s.midRead = nil
	s.mu.Unlock()
	if act != nil {
		act()
	}
	return k, u, err
}

func (s *countingStore) APIKey(ctx context.Context, alias string) (identity.APIKey, identity.User, error) {
	s.mu.Lock()
	s.reads++
	s.mu.Unlock()
	return s.Store.APIKey(ctx, alias)
}

func wantRefusal(t testing.TB, err error, code, text string, capitalM bool) {
	t.Helper()
	var e *outcrop.Error
	if !errors.As(err, &e) || e.Kind != outcrop.Denied || e.Code != code || e.Message != text || e.Auth != capitalM {
		t.Errorf("error %#v, want %q %q, auth %v", err, code, text, capitalM)
	}
}

const (
	unrecognized = "The security token included in the request is invalid."
	badKey       = "Authentication failed: Please make sure your API Key is valid."
)

func TestMemoryStore(t *testing.T) {
	identitytest.Run(t, func(testing.TB) identity.Store { return identitytest.NewStore() })
}

func TestBootstrap(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	if b.User.ARN() != "arn:aws:iam::123456789012:user/admin" || len(b.User.ID) != 21 || !strings.HasPrefix(b.User.ID, "AIDA") {
		t.Errorf("user %+v", b.User)
	}
	if len(b.AccessKeyID) != 20 || !strings.HasPrefix(b.AccessKeyID, "AKIA") || len(b.SecretAccessKey) != 40 {
		t.Errorf("access key %q with %d characters of secret", b.AccessKeyID, len(b.SecretAccessKey))
	}
	text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(b.APIKey, "ABSK"))
	if err != nil || !strings.HasPrefix(b.APIKey, "ABSK") || !strings.HasPrefix(string(text), "admin-at-123456789012:") {
		t.Errorf("API key of alias %.30s, %v", text, err)
	}
	again, created, err := h.Bootstrap(t.Context(), account)
	if err != nil || created || again.User.ID != b.User.ID || again.SecretAccessKey != "" || again.APIKey != "" {
		t.Errorf("a later start: %v, created %v, %v", again, created, err)
	}
	if _, created, err = h.Bootstrap(t.Context(), "210987654321"); err != nil || !created {
		t.Errorf("another account: created %v, %v", created, err)
	}
	if _, _, err = h.Bootstrap(t.Context(), "12345"); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("a short account: %v", err)
	}
}

func TestBootstrapOnceAmongMany(t *testing.T) {
	h := newHouse(t)
	var wg sync.WaitGroup
	results := make(chan bool, 8)
	for range cap(results) {
		wg.Go(func() {
			b, created, err := h.Bootstrap(t.Context(), account)
			if err != nil || b.User.Name != identity.AdminName {
				t.Error(b, err)
			}
			results <- created
		})
	}
	wg.Wait()
	close(results)
	n := 0
	for created := range results {
		if created {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of 8 created the administrator", n)
	}
}

func TestReissue(t *testing.T) {
	h := newHouse(t)
	first := h.bootstrap(t)
	second, err := h.Reissue(t.Context(), account)
	if err != nil || second.AccessKeyID == first.AccessKeyID || second.APIKey == first.APIKey {
		t.Fatal(second, err)
	}
	for _, b := range []*identity.Bootstrapped{first, second} {
		if k, err := h.SecretFor(t.Context(), b.AccessKeyID); err != nil || k.Secret != b.SecretAccessKey {
			t.Error(k, err)
		}
		if _, err := h.APIKey(t.Context(), b.APIKey); err != nil {
			t.Error(err)
		}
	}
	if _, err := h.Reissue(t.Context(), account); outcrop.KindOf(err) != outcrop.Clash {
		t.Errorf("a third API key: %v", err)
	}
}

func TestSecretFor(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	want := outcrop.Caller{Account: account, Principal: "arn:aws:iam::123456789012:user/admin", UserID: b.User.ID, AccessKey: b.AccessKeyID}
	for range 100 {
		k, err := h.SecretFor(t.Context(), b.AccessKeyID)
		if err != nil || k.Secret != b.SecretAccessKey || !k.Active || k.Caller != want {
			t.Fatal(k, err)
		}
	}
	if h.store.reads != 1 {
		t.Errorf("%d reads for 100 requests, want 1", h.store.reads)
	}
	for _, id := range []string{"", "AKIAUNKNOWNUNKNOWN22", "'; DROP TABLE users", strings.Repeat("A", 1000)} {
		k, err := h.SecretFor(t.Context(), id)
		wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
		if k.Secret != "" {
			t.Error("a secret came along")
		}
	}
}

// TestInvalidation: a change is true for the very next request.
func TestInvalidation(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	if _, err := h.SecretFor(t.Context(), b.AccessKeyID); err != nil {
		t.Fatal(err)
	}
	if err := h.DeactivateAccessKey(t.Context(), b.AccessKeyID); err != nil {
		t.Fatal(err)
	}
	k, err := h.SecretFor(t.Context(), b.AccessKeyID)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
	if k.Secret != "" || k.Active || k.Caller.AccessKey != b.AccessKeyID {
		t.Errorf("deactivated: %v, active %v", k, k.Active)
	}

	who, err := h.APIKey(t.Context(), b.APIKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RevokeAPIKey(t.Context(), who.AccessKey); err != nil {
		t.Fatal(err)
	}
	_, err = h.APIKey(t.Context(), b.APIKey)
	wantRefusal(t, err, "", badKey, true)
	for _, err := range []error{h.DeactivateAccessKey(t.Context(), "AKIAUNKNOWN"), h.RevokeAPIKey(t.Context(), who.AccessKey)} {
		if outcrop.KindOf(err) != outcrop.NotFound {
			t.Error(err)
		}
	}
}

// TestInvalidationDuringALoad: what was read before a change and arrives
// after it is not remembered.
func TestInvalidationDuringALoad(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	h.store.midRead = func() {
		if err := h.DeactivateAccessKey(t.Context(), b.AccessKeyID); err != nil {
			t.Error(err)
		}
	}
	if _, err := h.SecretFor(t.Context(), b.AccessKeyID); err != nil {
		t.Error(err) // it began before the change
	}
	_, err := h.SecretFor(t.Context(), b.AccessKeyID)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

// TestAnotherNode: a change made past this Directory is seen soon.
func TestAnotherNode(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	if _, err := h.SecretFor(t.Context(), b.AccessKeyID); err != nil {
		t.Fatal(err)
	}
	if err := h.store.Deactivate(t.Context(), b.AccessKeyID); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(15 * time.Second)
	_, err := h.SecretFor(t.Context(), b.AccessKeyID)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

func TestUsersAndKeys(t *testing.T) {
	h := newHouse(t)
	u, err := h.CreateUser(t.Context(), account, "alice@example.com")
	if err != nil || u.ARN() != "arn:aws:iam::123456789012:user/alice@example.com" {
		t.Fatal(u, err)
	}
	if _, err := h.CreateUser(t.Context(), account, "ALICE@example.com"); outcrop.KindOf(err) != outcrop.Clash || err.Error() != "User with name ALICE@example.com already exists." {
		t.Error(err)
	}
	for _, name := range []string{"", "a b", "a:b", "a/b", strings.Repeat("a", 65), "é"} {
		if _, err := h.CreateUser(t.Context(), account, name); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("user %q: %v", name, err)
		}
	}
	k, err := h.CreateAccessKey(t.Context(), account, u.Name)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := h.SecretFor(t.Context(), k.ID); err != nil || found.Secret != k.Secret || found.Caller.Principal != u.ARN() {
		t.Error(found, err)
	}
	if _, err := h.CreateAccessKey(t.Context(), account, "bob"); outcrop.KindOf(err) != outcrop.NotFound || err.Error() != "The user with name bob cannot be found." {
		t.Error(err)
	}
	if _, err := h.CreateAPIKey(t.Context(), account, "bob", time.Time{}); outcrop.KindOf(err) != outcrop.NotFound {
		t.Error(err)
	}
	for _, want := range []string{"alice@example.com-at-123456789012", "alice@example.com+1-at-123456789012"} {
		if k, err := h.CreateAPIKey(t.Context(), account, u.Name, time.Time{}); err != nil || k.Alias != want {
			t.Error(k, err)
		}
	}
	if _, err := h.CreateAPIKey(t.Context(), account, u.Name, time.Time{}); outcrop.KindOf(err) != outcrop.Clash {
		t.Error(err)
	}
}

func TestLongTermKey(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	for range 10 {
		who, err := h.APIKey(t.Context(), b.APIKey)
		if err != nil || who.Principal != b.User.ARN() || !who.Bearer || who.Region != "" || !strings.HasPrefix(who.AccessKey, "ACCA") {
			t.Fatal(who, err)
		}
	}
	if h.store.reads != 1 {
		t.Errorf("%d reads for 10 requests", h.store.reads)
	}
	if _, err := h.APIKey(t.Context(), strings.TrimRight(b.APIKey, "=")); err != nil {
		t.Errorf("without padding: %v", err)
	}
	token := func(text string) string { return "ABSK" + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, bad := range []string{
		"ABSK", "ABSK!!!", token(""), token("admin-at-123456789012"), token("admin-at-123456789012:"), token(":x"),
		token("admin-at-123456789012:wrong"), token("nobody:x"), b.APIKey[:20], token(strings.Repeat("a", 1000) + ":x"),
		"ABSK" + strings.Repeat("A", 1<<20),
	} {
		_, err := h.APIKey(t.Context(), bad)
		wantRefusal(t, err, "", badKey, true)
	}
	for _, bad := range []string{"", "sk-ant-123", "absk" + b.APIKey[4:], "AKIA"} {
		_, err := h.APIKey(t.Context(), bad)
		wantRefusal(t, err, "", "Invalid API Key format: Must start with pre-defined prefix", true)
	}
}

func TestLongTermKeyExpires(t *testing.T) {
	h := newHouse(t)
	h.bootstrap(t)
	k, err := h.CreateAPIKey(t.Context(), account, identity.AdminName, h.now.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.APIKey(t.Context(), k.Token); err != nil {
		t.Error(err)
	}
	h.now = h.now.Add(24 * time.Hour)
	_, err = h.APIKey(t.Context(), k.Token)
	wantRefusal(t, err, "", "Bearer Token has expired", true)
}

// generated is what aws-bedrock-token-generator 1.1.0 for Python makes of the
// example credentials at start, for us-west-2.
const generated = "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249Q2FsbFdpdGhCZWFyZXJUb2tlbiZYLUFtei1BbGdvcml0aG09QVdTNC1ITUFDLVNIQTI1NiZYLUFtei1DcmVkZW50aWFsPUFLSUFJT1NGT0ROTjdFWEFNUExFJTJGMjAyNjAxMTYlMkZ1cy13ZXN0LTIlMkZiZWRyb2NrJTJGYXdzNF9yZXF1ZXN0JlgtQW16LURhdGU9MjAyNjAxMTZUMTY1NjE1WiZYLUFtei1FeHBpcmVzPTQzMjAwJlgtQW16LVNpZ25lZEhlYWRlcnM9aG9zdCZYLUFtei1TaWduYXR1cmU9NzhmNGRkYTY5ZmJhYWQzZTdkMzA3M2Q4MzA3NzJlYTY0NjU5YmRjMjg5NTdhZTQ3Y2NlOWI1MmRhOGU1YzNiNSZWZXJzaW9uPTE="

// example puts AWS's documentation key into the store.
func (h *house) example(t testing.TB) {
	t.Helper()
	u := identity.User{ID: "AIDAEXAMPLE", Account: account, Name: "example", Created: start}
	sealer, err := sealing.NewSealer(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	const id = "AKIAIOSFODNN7EXAMPLE"
	sealed, err := sealer.Seal(identity.AccessKeySecret, id, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Add(t.Context(), identity.Batch{Users: []identity.User{u},
		AccessKeys: []identity.AccessKey{{ID: id, UserID: u.ID, Sealed: sealed, Active: true, Created: start}}}); err != nil {
		t.Fatal(err)
	}
}

func TestShortTermKey(t *testing.T) {
	h := newHouse(t)
	_, err := h.APIKey(t.Context(), generated)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
	h.example(t)
	for _, token := range []string{generated, strings.TrimRight(generated, "=")} {
		who, err := h.APIKey(t.Context(), token)
		if err != nil || who.Region != "us-west-2" || !who.Bearer || who.AccessKey != "AKIAIOSFODNN7EXAMPLE" || who.UserID != "AIDAEXAMPLE" {
			t.Error(who, err)
		}
	}
	h.now = start.Add(12*time.Hour + time.Second)
	_, err = h.APIKey(t.Context(), generated)
	wantRefusal(t, err, "", "Bearer Token has expired", true)
	h.now = start.Add(time.Hour)
	if err := h.DeactivateAccessKey(t.Context(), "AKIAIOSFODNN7EXAMPLE"); err != nil {
		t.Fatal(err)
	}
	_, err = h.APIKey(t.Context(), generated)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

// TestShortTermKeyForged: every part of the token is held to.
func TestShortTermKeyForged(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	make := func(host, method, query, service string, life time.Duration) string {
		r, err := http.NewRequest(method, "https://"+host+"/?"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		by := sigv4.Credentials{AccessKey: b.AccessKeyID, Secret: b.SecretAccessKey}
		if err := sigv4.Presign(r, sigv4.PayloadHash(nil), by, sigv4.Scope{Region: "us-east-1", Service: service}, h.now, life); err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(r.URL.String(), "https://") + "&Version=1"
	}
	const host, action = "bedrock.amazonaws.com", "Action=CallWithBearerToken"
	send := func(text string) error {
		_, err := h.APIKey(t.Context(), "bedrock-api-key-"+base64.StdEncoding.EncodeToString([]byte(text)))
		return err
	}
	good := make(host, "POST", action, "bedrock", 12*time.Hour)
	if err := send(good); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"another host":     make("sts.amazonaws.com", "POST", action, "bedrock", time.Hour),
		"another method":   make(host, "GET", action, "bedrock", time.Hour),
		"another action":   make(host, "POST", "Action=GetCallerIdentity", "bedrock", time.Hour),
		"no action":        make(host, "POST", "x=1", "bedrock", time.Hour),
		"another service":  make(host, "POST", action, "sts", time.Hour),
		"too long a life":  make(host, "POST", action, "bedrock", 12*time.Hour+time.Second),
		"a stretched life": strings.Replace(good, "43200", "43199", 1),
		"another region":   strings.Replace(good, "us-east-1", "us-west-2", 1),
		"another query":    good + "&more=1",
		"not a request":    "hello",
		"nothing signed":   host + "/?" + action,
		"nothing":          "",
	} {
		err := send(text)
		if err == nil {
			t.Errorf("%s passed", name)
			continue
		}
		wantRefusal(t, err, "", badKey, true)
	}
	_, err := h.APIKey(t.Context(), "bedrock-api-key-%%%")
	wantRefusal(t, err, "", badKey, true)
}

func TestRotateEnvelope(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	before, _, err := h.store.AccessKey(t.Context(), b.AccessKeyID)
	if err != nil {
		t.Fatal(err)
	}
	old, err := sealing.NewSealer(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.RotateEnvelope(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, _, err := h.store.AccessKey(t.Context(), b.AccessKeyID)
	if err != nil || after.Sealed == before.Sealed {
		t.Fatal("not resealed", err)
	}
	h.now = h.now.Add(time.Hour) // past the cache
	if k, err := h.SecretFor(t.Context(), b.AccessKeyID); err != nil || k.Secret != b.SecretAccessKey {
		t.Error(k, err)
	}
	fresh, err := sealing.NewSealer(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := fresh.Open(identity.AccessKeySecret, b.AccessKeyID, after.Sealed); err != nil || s != b.SecretAccessKey {
		t.Error("the file does not hold the new key", err)
	}
	if _, err := fresh.Open(identity.AccessKeySecret, b.AccessKeyID, before.Sealed); err == nil {
		t.Error("the retired key still opens")
	}
	if _, err := old.Open(identity.AccessKeySecret, b.AccessKeyID, after.Sealed); err == nil || !strings.Contains(err.Error(), "restore that file") {
		t.Errorf("an unknown key: %v", err)
	}
}

func FuzzAPIKey(f *testing.F) {
	h := newHouse(f)
	b := h.bootstrap(f)
	f.Add(generated)
	f.Add(b.APIKey)
	f.Add("ABSK" + base64.StdEncoding.EncodeToString([]byte("admin-at-123456789012:x")))
	f.Add("bedrock-api-key-" + base64.StdEncoding.EncodeToString([]byte("bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256")))
	f.Fuzz(func(t *testing.T, token string) {
		who, err := h.APIKey(t.Context(), token)
		if err == nil && (!strings.HasPrefix(token, b.APIKey[:40]) || who.UserID != b.User.ID) {
			t.Errorf("%q passed", token)
		}
		if err != nil && outcrop.KindOf(err) != outcrop.Denied {
			t.Errorf("%q: %v", token, err)
		}
	})
}

func BenchmarkSecretFor(b *testing.B) {
	h := newHouse(b)
	admin := h.bootstrap(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.SecretFor(b.Context(), admin.AccessKeyID); err != nil {
			b.Fatal(err)
		}
	}
}
