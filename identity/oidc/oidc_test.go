package oidc_test

import (
	"context"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity/oidc"
	"outcrop/identity/oidc/oidctest"
)

var start = time.Date(2026, 1, 16, 16, 56, 15, 0, time.UTC)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func trust(i *oidctest.Issuer) oidc.Trust {
	return oidc.Trust{URL: i.URL, ClientIDs: []string{"sts.amazonaws.com", "other"}}
}

func codeOf(err error) string {
	var e *outcrop.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestAlgorithms(t *testing.T) {
	for _, algorithm := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"} {
		k := oidctest.NewKey(t, "k1", algorithm)
		i := oidctest.NewIssuer(t, k)
		o := oidc.New(oidc.Client(), func() time.Time { return start })
		defer o.Close()
		whole := oidctest.Token(k, i.Claims(start), nil)
		id, err := o.Verify(t.Context(), trust(i), whole)
		if err != nil {
			t.Errorf("%s: %v", algorithm, err)
			continue
		}
		if id.Subject != "system:serviceaccount:prod:app" || id.Audience != "sts.amazonaws.com" || "http://"+id.Issuer != i.URL {
			t.Errorf("%s: %+v", algorithm, id)
		}
		for at := range whole { // every byte counts
			forged := []byte(whole)
			if forged[at] ^= 1; forged[at] == '.' || whole[at] == '.' {
				forged[at] = 'x'
			}
			if _, err := o.Verify(t.Context(), trust(i), string(forged)); err == nil {
				t.Errorf("%s: byte %d changed from %q to %q, and still good", algorithm, at, whole[at], forged[at])
			}
		}
		if _, err := o.Verify(t.Context(), trust(i), oidctest.Token(k, i.Claims(start), map[string]any{"kid": nil})); err != nil {
			t.Errorf("%s: without kid: %v", algorithm, err)
		}
	}
}

// Ways to make a verifier take one kind of signature for another.
func TestAlgorithmConfusion(t *testing.T) {
	k := oidctest.NewKey(t, "k1", "RS256")
	i := oidctest.NewIssuer(t, k, oidctest.NewKey(t, "k2", "ES256"))
	o := oidc.New(oidc.Client(), func() time.Time { return start })
	defer o.Close()
	hs := func(secret []byte, kid any) string {
		h, _ := json.Marshal(map[string]any{"alg": "HS256", "kid": kid})
		c, _ := json.Marshal(i.Claims(start))
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(b64(h) + "." + b64(c)))
		return b64(h) + "." + b64(c) + "." + b64(m.Sum(nil))
	}
	public, _ := json.Marshal(k.JWK())
	good := oidctest.Token(k, i.Claims(start), nil)
	for name, forged := range map[string]string{
		"alg none":                 strings.Join([]string{b64([]byte(`{"alg":"none"}`)), strings.Split(good, ".")[1], ""}, "."),
		"alg None":                 strings.Join([]string{b64([]byte(`{"alg":"None","kid":"k1"}`)), strings.Split(good, ".")[1], ""}, "."),
		"alg empty":                oidctest.Token(k, i.Claims(start), map[string]any{"alg": ""}),
		"alg absent":               oidctest.Token(k, i.Claims(start), map[string]any{"alg": nil}),
		"alg a number":             oidctest.Token(k, i.Claims(start), map[string]any{"alg": 1}),
		"HS256 with the modulus":   hs(k.Private.Public().(*rsa.PublicKey).N.Bytes(), "k1"),
		"HS256 with the key's JWK": hs(public, "k1"),
		"HS256 with the oct key":   hs([]byte{0, 0, 0}, "shared"),
		"RS256 says ES256":         oidctest.Token(k, i.Claims(start), map[string]any{"alg": "ES256", "kid": "k2"}),
		"RS256 says PS256":         oidctest.Token(k, i.Claims(start), map[string]any{"alg": "PS256"}),
		"RS256 says RS512":         oidctest.Token(k, i.Claims(start), map[string]any{"alg": "RS512"}),
		"another's kid":            oidctest.Token(k, i.Claims(start), map[string]any{"kid": "k2"}),
		"kid a list":               oidctest.Token(k, i.Claims(start), map[string]any{"kid": []string{"k1"}}),
		"crit":                     oidctest.Token(k, i.Claims(start), map[string]any{"crit": []string{"exp"}}),
		"own key in the header":    oidctest.Token(oidctest.NewKey(t, "k9", "ES256"), i.Claims(start), map[string]any{"jwk": oidctest.NewKey(t, "k9", "ES256").JWK()}),
		"ES256 with zeros":         strings.Join([]string{b64([]byte(`{"alg":"ES256","kid":"k2"}`)), strings.Split(good, ".")[1], b64(make([]byte, 64))}, "."),
		"no signature":             good[:strings.LastIndexByte(good, '.')+1],
		"two parts":                good[:strings.LastIndexByte(good, '.')],
		"five parts":               good + ".x.y",
		"padded":                   good + "=",
		"line break":               good[:40] + "\n" + good[40:],
		"too long":                 good + strings.Repeat("A", 20_000),
		"empty":                    "",
		"not base64":               "a!.b!.c!",
		"not JSON":                 b64([]byte("x")) + "." + b64([]byte("y")) + "." + b64([]byte("z")),
		"null":                     b64([]byte("null")) + "." + b64([]byte("null")) + "." + b64([]byte("z")),
		"two objects":              b64([]byte(`{"alg":"RS256"}{}`)) + good[strings.IndexByte(good, '.'):],
	} {
		if _, err := o.Verify(t.Context(), trust(i), forged); codeOf(err) != "InvalidIdentityToken" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.Verify(t.Context(), trust(i), good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestClaims(t *testing.T) {
	k := oidctest.NewKey(t, "k1", "ES256")
	i := oidctest.NewIssuer(t, k)
	o := oidc.New(oidc.Client(), func() time.Time { return start })
	defer o.Close()
	at := func(d time.Duration) int64 { return start.Add(d).Unix() }
	for _, c := range []struct {
		name   string
		change map[string]any
		code   string // empty: accepted
		text   string
	}{
		{"as it is", nil, "", ""},
		{"aud a string", map[string]any{"aud": "other"}, "", ""},
		{"aud among many", map[string]any{"aud": []string{"x", "sts.amazonaws.com"}}, "", ""},
		{"aud of another", map[string]any{"aud": "somebody"}, "InvalidIdentityToken", "Incorrect token audience"},
		{"aud empty", map[string]any{"aud": []string{}}, "InvalidIdentityToken", "Incorrect token audience"},
		{"aud a number", map[string]any{"aud": 1}, "InvalidIdentityToken", "Incorrect token audience"},
		{"azp known", map[string]any{"azp": "other", "aud": "a-service"}, "", ""},
		{"azp of another wins over aud", map[string]any{"azp": "x", "aud": "other"}, "InvalidIdentityToken", "Incorrect token audience"},
		{"no sub", map[string]any{"sub": nil}, "InvalidIdentityToken", "Missing a required claim: sub"},
		{"no exp", map[string]any{"exp": nil}, "InvalidIdentityToken", "Missing a required claim: exp"},
		{"no iat", map[string]any{"iat": nil}, "InvalidIdentityToken", "Missing a required claim: iat"},
		{"no aud", map[string]any{"aud": nil}, "InvalidIdentityToken", "Missing a required claim: aud"},
		{"no iss", map[string]any{"iss": nil}, "InvalidIdentityToken", "Missing a required claim: iss"},
		{"sub a number", map[string]any{"sub": 5}, "InvalidIdentityToken", "subject"},
		{"sub too long", map[string]any{"sub": strings.Repeat("s", 256)}, "InvalidIdentityToken", "subject"},
		{"another issuer", map[string]any{"iss": "https://evil.example"}, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://evil.example"},
		{"the issuer over TLS", map[string]any{"iss": strings.Replace(i.URL, "http:", "https:", 1)}, "InvalidIdentityToken", "No OpenIDConnect provider found"},
		{"expired", map[string]any{"exp": at(-time.Hour)}, "ExpiredTokenException", "Token expired: current date/time 1768582575 must be before the expiration date/time 1768578975"},
		{"expired within the skew", map[string]any{"exp": at(-59 * time.Second)}, "", ""},
		{"expired at the skew", map[string]any{"exp": at(-60 * time.Second)}, "ExpiredTokenException", "Token expired"},
		{"exp a string", map[string]any{"exp": "9999999999"}, "InvalidIdentityToken", "not a valid JWT"},
		{"exp beyond time", map[string]any{"exp": 1e300}, "InvalidIdentityToken", "not a valid JWT"},
		{"exp negative", map[string]any{"exp": -1}, "InvalidIdentityToken", "not a valid JWT"},
		{"fractions", map[string]any{"exp": float64(at(time.Hour)) + 0.5, "iat": float64(at(0)) - 0.5}, "", ""},
		{"not before soon", map[string]any{"nbf": at(time.Minute)}, "", ""},
		{"not before later", map[string]any{"nbf": at(61 * time.Second)}, "InvalidIdentityToken", "not valid yet"},
		{"nbf a string", map[string]any{"nbf": "0"}, "InvalidIdentityToken", "not a valid JWT"},
		{"issued in the future", map[string]any{"iat": at(2 * time.Minute)}, "InvalidIdentityToken", "not valid yet"},
		{"tags", map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{"blue"}}, "transitive_tag_keys": []string{"team"}}}, "", ""},
		{"tags of two values", map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"team": []string{"a", "b"}}}}, "InvalidIdentityToken", "one value"},
		{"tags a list", map[string]any{"https://aws.amazon.com/tags": []string{"team"}}, "InvalidIdentityToken", "not an object"},
		{"source identity", map[string]any{"https://aws.amazon.com/source_identity": "alice"}, "", ""},
		{"source identity odd", map[string]any{"https://aws.amazon.com/source_identity": "a b"}, "InvalidIdentityToken", "source identity"},
	} {
		claims := i.Claims(start)
		maps.Copy(claims, c.change)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		_, err := o.Verify(t.Context(), trust(i), oidctest.Token(k, claims, nil))
		if c.code == "" && err != nil || c.code != "" && (codeOf(err) != c.code || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%s: %v (%s), want %s %q", c.name, err, codeOf(err), c.code, c.text)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	old, fresh := oidctest.NewKey(t, "old", "ES256"), oidctest.NewKey(t, "new", "EdDSA")
	i := oidctest.NewIssuer(t, old)
	now := start
	o := oidc.New(oidc.Client(), func() time.Time { return now })
	defer o.Close()
	verify := func(k *oidctest.Key) error {
		_, err := o.Verify(t.Context(), trust(i), oidctest.Token(k, i.Claims(now), nil))
		return err
	}
	for range 5 {
		if err := verify(old); err != nil {
			t.Fatal(err)
		}
	}
	if n := i.Fetches.Load(); n != 1 {
		t.Errorf("%d fetches for five tokens, want 1", n)
	}
	i.Publish(fresh)
	for range 20 { // unknown key ids do not make us hammer the issuer
		if verify(fresh) == nil {
			t.Error("a new key was fetched sooner than the issuer may be asked")
		}
	}
	if n := i.Fetches.Load(); n != 1 {
		t.Errorf("%d fetches within 10 s, want 1", n)
	}
	now = now.Add(10 * time.Second)
	if err := verify(fresh); err != nil {
		t.Errorf("the new key: %v", err)
	}
	if codeOf(verify(old)) != "InvalidIdentityToken" {
		t.Error("a key that was withdrawn still counts")
	}
	now = now.Add(2 * time.Hour)
	i.Misbehave(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(503); return true })
	if err := verify(fresh); err != nil {
		t.Errorf("while the issuer is down: %v", err)
	}
	now = now.Add(24 * time.Hour)
	if err := verify(fresh); codeOf(err) != "IDPCommunicationError" {
		t.Errorf("after a day without the issuer: %v", err)
	}
	i.Misbehave(nil)
	now = now.Add(time.Minute)
	if err := verify(fresh); err != nil {
		t.Errorf("after the issuer is back: %v", err)
	}
}

func TestIssuersThatMisbehave(t *testing.T) {
	k := oidctest.NewKey(t, "k1", "ES256")
	elsewhere := oidctest.NewIssuer(t, k)
	text := func(s string) func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
		return func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, _ *http.Request) bool { io.WriteString(w, s); return true }
		}
	}
	keys := func(s string) func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
		return func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/keys" {
					io.WriteString(w, s)
				}
				return r.URL.Path == "/keys"
			}
		}
	}
	configured := func(iss, uri string) func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
		return func(i *oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				b, _ := json.Marshal(map[string]string{"issuer": strings.ReplaceAll(iss, "SELF", i.URL), "jwks_uri": strings.ReplaceAll(uri, "SELF", i.URL)})
				w.Write(b)
				return true
			}
		}
	}
	status := func(code int) func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
		return func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Location", elsewhere.URL+"/.well-known/openid-configuration")
				w.WriteHeader(code)
				return true
			}
		}
	}
	jwk, _ := json.Marshal(k.JWK())
	for name, c := range map[string]struct {
		instead func(*oidctest.Issuer) func(http.ResponseWriter, *http.Request) bool
		code    string
	}{
		"not JSON":                   {text("<html>"), "InvalidIdentityToken"},
		"huge configuration":         {text(strings.Repeat(" ", 65<<10)), "InvalidIdentityToken"},
		"configuration of another":   {configured(elsewhere.URL, elsewhere.URL+"/keys"), "InvalidIdentityToken"},
		"no jwks_uri":                {configured("SELF", ""), "InvalidIdentityToken"},
		"keys in a file":             {configured("SELF", "file:///etc/passwd"), "InvalidIdentityToken"},
		"keys of the cloud's own":    {configured("SELF", "http://169.254.169.254/latest/meta-data"), "InvalidIdentityToken"},
		"keys with a password":       {configured("SELF", "http://a:b@127.0.0.1/keys"), "InvalidIdentityToken"},
		"redirect":                   {status(302), "InvalidIdentityToken"},
		"gone":                       {status(404), "InvalidIdentityToken"},
		"broken":                     {status(500), "IDPCommunicationError"},
		"keys not JSON":              {keys("keys!"), "InvalidIdentityToken"},
		"no keys":                    {keys(`{"keys":[]}`), "InvalidIdentityToken"},
		"huge keys":                  {keys(`{"keys":[` + strings.Repeat(" ", 257<<10) + `]}`), "InvalidIdentityToken"},
		"too many keys":              {keys(`{"keys":[` + string(jwk) + strings.Repeat(`,{"kty":"x"}`, 100) + `]}`), "InvalidIdentityToken"},
		"a weak RSA key":             {keys(`{"keys":[{"kty":"RSA","kid":"k1","n":"` + b64(bytesOf(128)) + `","e":"AQAB"}]}`), "InvalidIdentityToken"},
		"a monstrous RSA key":        {keys(`{"keys":[{"kty":"RSA","kid":"k1","n":"` + b64(bytesOf(4096)) + `","e":"AQAB"}]}`), "InvalidIdentityToken"},
		"RSA with exponent 1":        {keys(`{"keys":[{"kty":"RSA","kid":"k1","n":"` + b64(bytesOf(256)) + `","e":"AQ"}]}`), "InvalidIdentityToken"},
		"a point beside the curve":   {keys(`{"keys":[{"kty":"EC","kid":"k1","crv":"P-256","x":"` + b64(bytesOf(32)) + `","y":"` + b64(bytesOf(32)) + `"}]}`), "InvalidIdentityToken"},
		"a key for encryption":       {keys(strings.Replace(`{"keys":[`+string(jwk)+`]}`, `"sig"`, `"enc"`, 1)), "InvalidIdentityToken"},
		"a key for another alg":      {keys(`{"keys":[` + strings.Replace(string(jwk), `{`, `{"alg":"ES384",`, 1) + `]}`), "InvalidIdentityToken"},
		"odd keys beside a good one": {keys(`{"keys":[1,null,{},{"kty":7},` + string(jwk) + `]}`), ""},
	} {
		i := oidctest.NewIssuer(t, k)
		i.Misbehave(c.instead(i))
		o := oidc.New(oidc.Client(), func() time.Time { return start })
		_, err := o.Verify(t.Context(), trust(i), oidctest.Token(k, i.Claims(start), nil))
		if c.code == "" && err != nil || c.code != "" && codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if err != nil {
			again := i.Fetches.Load()
			if _, err2 := o.Verify(t.Context(), trust(i), oidctest.Token(k, i.Claims(start), nil)); codeOf(err2) != c.code || i.Fetches.Load() != again {
				t.Errorf("%s: asked again at once, or answered otherwise: %v", name, err2)
			}
		}
		o.Close()
	}
	if n := elsewhere.Fetches.Load(); n != 0 {
		t.Errorf("another host was asked %d times", n)
	}
}

// bytesOf is an odd number of n bytes.
func bytesOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xff
	}
	return b
}

// A slow issuer holds nobody longer than the caller's own patience, and is
// asked once for all who wait.
func TestSlowIssuer(t *testing.T) {
	k := oidctest.NewKey(t, "k1", "ES256")
	i := oidctest.NewIssuer(t, k)
	arrived, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	i.Misbehave(func(http.ResponseWriter, *http.Request) bool {
		once.Do(func() { close(arrived) })
		<-release
		return false
	})
	o := oidc.New(oidc.Client(), func() time.Time { return start })
	defer o.Close()
	good := oidctest.Token(k, i.Claims(start), nil)
	results := make(chan error, 50)
	var wg sync.WaitGroup
	for range cap(results) {
		wg.Go(func() {
			_, err := o.Verify(t.Context(), trust(i), good)
			results <- err
		})
	}
	<-arrived
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Verify(impatient, trust(i), good); !errors.Is(err, context.Canceled) {
		t.Errorf("one who left got %v", err)
	}
	close(release)
	wg.Wait()
	close(results)
	for err := range results {
		if err != nil {
			t.Error(err)
		}
	}
	if n := i.Fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

func TestNobodyThere(t *testing.T) {
	k := oidctest.NewKey(t, "k1", "ES256")
	i := oidctest.NewIssuer(t, k)
	i.Close()
	o := oidc.New(oidc.Client(), func() time.Time { return start })
	if _, err := o.Verify(t.Context(), trust(i), oidctest.Token(k, i.Claims(start), nil)); codeOf(err) != "IDPCommunicationError" {
		t.Error(err)
	}
}

func TestTokenIssuer(t *testing.T) {
	k := oidctest.NewKey(t, "k1", "ES256")
	for iss, ok := range map[string]bool{
		"https://oidc.example.com/id/ABC": true, "http://127.0.0.1:9/x": true, "http://[::1]:9": true, "http://localhost": true,
		"http://oidc.example.com": false, "http://127.0.0.1.example.com": false, "http://10.0.0.1": false, "ftp://a": false, "a": false,
		"https://": false, "https://u:p@h": false, "https://h?q": false, "https://h#f": false, "https:opaque": false,
		"https://" + strings.Repeat("h", 255): false, "https://h\x00": false,
	} {
		got, err := oidc.TokenIssuer(oidctest.Token(k, map[string]any{"iss": iss}, nil))
		if ok && (err != nil || got != iss) || !ok && codeOf(err) != "InvalidIdentityToken" {
			t.Errorf("%q: %q, %v", iss, got, err)
		}
	}
}

func FuzzJWT(f *testing.F) {
	k := oidctest.NewKey(f, "k1", "ES256")
	i := oidctest.NewIssuer(f, k)
	o := oidc.New(oidc.Client(), func() time.Time { return start })
	good := oidctest.Token(k, i.Claims(start), nil)
	f.Add(good)
	f.Add(b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(`{}`)) + ".")
	f.Add("..")
	if _, err := o.Verify(f.Context(), trust(i), good); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		oidc.TokenIssuer(token)
		if _, err := o.Verify(t.Context(), trust(i), token); err == nil && token != good {
			t.Errorf("forged token is taken: %q", token)
		}
	})
}
