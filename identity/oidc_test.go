package identity_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// A signingKey is a private key of the test's issuer and how it is published.
type signingKey struct {
	id, algorithm string
	private       crypto.Signer
}

func (k *signingKey) jwk() map[string]any {
	m := map[string]any{"kid": k.id, "use": "sig"}
	switch p := k.private.Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(p.N.Bytes()), b64(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PublicKey:
		raw, _ := p.Bytes()
		n := (len(raw) - 1) / 2
		m["kty"], m["crv"], m["x"], m["y"] = "EC", p.Curve.Params().Name, b64(raw[1:1+n]), b64(raw[1+n:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(p)
	}
	return m
}

func (k *signingKey) sign(message []byte) []byte {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[k.algorithm[2:]]
	if k.algorithm == "EdDSA" {
		s, _ := k.private.Sign(rand.Reader, message, crypto.Hash(0))
		return s
	}
	h := hash.New()
	h.Write(message)
	digest := h.Sum(nil)
	switch p := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, s, _ := ecdsa.Sign(rand.Reader, p, digest)
		n := (p.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
	case *rsa.PrivateKey:
		var opts crypto.SignerOpts = hash
		if k.algorithm[0] == 'P' {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		s, _ := p.Sign(rand.Reader, digest, opts)
		return s
	}
	return nil
}

var newRSA = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func newKey(t testing.TB, id, algorithm string) *signingKey {
	t.Helper()
	k := &signingKey{id: id, algorithm: algorithm}
	var err error
	switch algorithm {
	case "ES256":
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		k.private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		k.private = newRSA()
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// An issuerServer is an OpenID Connect issuer on 127.0.0.1.
type issuerServer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []*signingKey
	fetches atomic.Int32 // of the configuration
	// instead answers in place of a well-behaved issuer when it is set.
	instead func(http.ResponseWriter, *http.Request) bool
}

func newIssuer(t testing.TB, keys ...*signingKey) *issuerServer {
	i := &issuerServer{keys: keys}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

func (i *issuerServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	keys, instead := i.keys, i.instead
	i.mu.Unlock()
	if r.URL.Path == "/.well-known/openid-configuration" {
		i.fetches.Add(1)
	}
	if instead != nil && instead(w, r) {
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	case "/keys":
		set := []map[string]any{{"kty": "oct", "kid": "shared", "k": "AAAA"}, {"kty": "RSA", "use": "enc", "kid": "enc"}}
		for _, k := range keys {
			set = append(set, k.jwk())
		}
		json.NewEncoder(w).Encode(map[string]any{"keys": set})
	default:
		http.NotFound(w, r)
	}
}

func (i *issuerServer) set(change func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change()
}

func (i *issuerServer) provider() identity.Provider {
	return identity.Provider{Account: account, URL: i.URL, ClientIDs: []string{"sts.amazonaws.com", "other"}}
}

func (i *issuerServer) claims(now time.Time) map[string]any {
	return map[string]any{"iss": i.URL, "sub": "system:serviceaccount:prod:app", "aud": []string{"sts.amazonaws.com"},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix()}
}

func token(k *signingKey, claims map[string]any, header map[string]any) string {
	h := map[string]any{"alg": k.algorithm, "kid": k.id, "typ": "JWT"}
	maps.Copy(h, header)
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
	first, _ := json.Marshal(h)
	second, _ := json.Marshal(claims)
	signed := b64(first) + "." + b64(second)
	return signed + "." + b64(k.sign([]byte(signed)))
}

func codeOf(err error) string {
	var e *outcrop.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return fmt.Sprint(err)
}

func TestOIDCAlgorithms(t *testing.T) {
	for _, algorithm := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"} {
		k := newKey(t, "k1", algorithm)
		i := newIssuer(t, k)
		o := identity.NewOIDC(func() time.Time { return start }, nil)
		defer o.Close()
		whole := token(k, i.claims(start), nil)
		id, err := o.Verify(t.Context(), i.provider(), whole)
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
			if _, err := o.Verify(t.Context(), i.provider(), string(forged)); err == nil {
				t.Errorf("%s: byte %d changed from %q to %q, and still good", algorithm, at, whole[at], forged[at])
			}
		}
		if _, err := o.Verify(t.Context(), i.provider(), token(k, i.claims(start), map[string]any{"kid": nil})); err != nil {
			t.Errorf("%s: without kid: %v", algorithm, err)
		}
	}
}

// Ways to make a verifier take one kind of signature for another.
func TestOIDCAlgorithmConfusion(t *testing.T) {
	k := newKey(t, "k1", "RS256")
	i := newIssuer(t, k, newKey(t, "k2", "ES256"))
	o := identity.NewOIDC(func() time.Time { return start }, nil)
	defer o.Close()
	hs := func(secret []byte, kid any) string {
		h, _ := json.Marshal(map[string]any{"alg": "HS256", "kid": kid})
		c, _ := json.Marshal(i.claims(start))
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(b64(h) + "." + b64(c)))
		return b64(h) + "." + b64(c) + "." + b64(m.Sum(nil))
	}
	public, _ := json.Marshal(k.jwk())
	good := token(k, i.claims(start), nil)
	for name, forged := range map[string]string{
		"alg none":                 strings.Join([]string{b64([]byte(`{"alg":"none"}`)), strings.Split(good, ".")[1], ""}, "."),
		"alg None":                 strings.Join([]string{b64([]byte(`{"alg":"None","kid":"k1"}`)), strings.Split(good, ".")[1], ""}, "."),
		"alg empty":                token(k, i.claims(start), map[string]any{"alg": ""}),
		"alg absent":               token(k, i.claims(start), map[string]any{"alg": nil}),
		"alg a number":             token(k, i.claims(start), map[string]any{"alg": 1}),
		"HS256 with the modulus":   hs(newRSA().N.Bytes(), "k1"),
		"HS256 with the key's JWK": hs(public, "k1"),
		"HS256 with the oct key":   hs([]byte{0, 0, 0}, "shared"),
		"RS256 says ES256":         token(k, i.claims(start), map[string]any{"alg": "ES256", "kid": "k2"}),
		"RS256 says PS256":         token(k, i.claims(start), map[string]any{"alg": "PS256"}),
		"RS256 says RS512":         token(k, i.claims(start), map[string]any{"alg": "RS512"}),
		"another's kid":            token(k, i.claims(start), map[string]any{"kid": "k2"}),
		"kid a list":               token(k, i.claims(start), map[string]any{"kid": []string{"k1"}}),
		"crit":                     token(k, i.claims(start), map[string]any{"crit": []string{"exp"}}),
		"own key in the header":    token(newKey(t, "k9", "ES256"), i.claims(start), map[string]any{"jwk": newKey(t, "k9", "ES256").jwk()}),
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
		if _, err := o.Verify(t.Context(), i.provider(), forged); codeOf(err) != "InvalidIdentityToken" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.Verify(t.Context(), i.provider(), good); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestOIDCClaims(t *testing.T) {
	k := newKey(t, "k1", "ES256")
	i := newIssuer(t, k)
	o := identity.NewOIDC(func() time.Time { return start }, nil)
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
		claims := i.claims(start)
		maps.Copy(claims, c.change)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		_, err := o.Verify(t.Context(), i.provider(), token(k, claims, nil))
		if c.code == "" && err != nil || c.code != "" && (codeOf(err) != c.code || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%s: %v (%s), want %s %q", c.name, err, codeOf(err), c.code, c.text)
		}
	}
}

func TestOIDCKeysRotate(t *testing.T) {
	old, fresh := newKey(t, "old", "ES256"), newKey(t, "new", "EdDSA")
	i := newIssuer(t, old)
	now := start
	o := identity.NewOIDC(func() time.Time { return now }, nil)
	defer o.Close()
	verify := func(k *signingKey) error {
		_, err := o.Verify(t.Context(), i.provider(), token(k, i.claims(now), nil))
		return err
	}
	for range 5 {
		if err := verify(old); err != nil {
			t.Fatal(err)
		}
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches for five tokens, want 1", n)
	}
	i.set(func() { i.keys = []*signingKey{fresh} })
	for range 20 { // unknown key ids do not make us hammer the issuer
		if verify(fresh) == nil {
			t.Error("a new key was fetched sooner than the issuer may be asked")
		}
	}
	if n := i.fetches.Load(); n != 1 {
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
	i.set(func() {
		i.instead = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(503); return true }
	})
	if err := verify(fresh); err != nil {
		t.Errorf("while the issuer is down: %v", err)
	}
	now = now.Add(24 * time.Hour)
	if err := verify(fresh); codeOf(err) != "IDPCommunicationError" {
		t.Errorf("after a day without the issuer: %v", err)
	}
	i.set(func() { i.instead = nil })
	now = now.Add(time.Minute)
	if err := verify(fresh); err != nil {
		t.Errorf("after the issuer is back: %v", err)
	}
}

func TestOIDCIssuersThatMisbehave(t *testing.T) {
	k := newKey(t, "k1", "ES256")
	elsewhere := newIssuer(t, k)
	text := func(s string) func(*issuerServer) func(http.ResponseWriter, *http.Request) bool {
		return func(*issuerServer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, _ *http.Request) bool { io.WriteString(w, s); return true }
		}
	}
	keys := func(s string) func(*issuerServer) func(http.ResponseWriter, *http.Request) bool {
		return func(*issuerServer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/keys" {
					io.WriteString(w, s)
				}
				return r.URL.Path == "/keys"
			}
		}
	}
	configured := func(iss, uri string) func(*issuerServer) func(http.ResponseWriter, *http.Request) bool {
		return func(i *issuerServer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, r *http.Request) bool {
				b, _ := json.Marshal(map[string]string{"issuer": strings.ReplaceAll(iss, "SELF", i.URL), "jwks_uri": strings.ReplaceAll(uri, "SELF", i.URL)})
				w.Write(b)
				return true
			}
		}
	}
	status := func(code int) func(*issuerServer) func(http.ResponseWriter, *http.Request) bool {
		return func(*issuerServer) func(http.ResponseWriter, *http.Request) bool {
			return func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Location", elsewhere.URL+"/.well-known/openid-configuration")
				w.WriteHeader(code)
				return true
			}
		}
	}
	jwk, _ := json.Marshal(k.jwk())
	for name, c := range map[string]struct {
		instead func(*issuerServer) func(http.ResponseWriter, *http.Request) bool
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
		i := newIssuer(t, k)
		i.instead = c.instead(i)
		o := identity.NewOIDC(func() time.Time { return start }, nil)
		_, err := o.Verify(t.Context(), i.provider(), token(k, i.claims(start), nil))
		if c.code == "" && err != nil || c.code != "" && codeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
		if err != nil {
			again := i.fetches.Load()
			if _, err2 := o.Verify(t.Context(), i.provider(), token(k, i.claims(start), nil)); codeOf(err2) != c.code || i.fetches.Load() != again {
				t.Errorf("%s: asked again at once, or answered otherwise: %v", name, err2)
			}
		}
		o.Close()
	}
	if n := elsewhere.fetches.Load(); n != 0 {
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
func TestOIDCSlowIssuer(t *testing.T) {
	k := newKey(t, "k1", "ES256")
	i := newIssuer(t, k)
	arrived, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	i.instead = func(http.ResponseWriter, *http.Request) bool {
		once.Do(func() { close(arrived) })
		<-release
		return false
	}
	o := identity.NewOIDC(func() time.Time { return start }, nil)
	defer o.Close()
	good := token(k, i.claims(start), nil)
	results := make(chan error, 50)
	var wg sync.WaitGroup
	for range cap(results) {
		wg.Go(func() {
			_, err := o.Verify(t.Context(), i.provider(), good)
			results <- err
		})
	}
	<-arrived
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Verify(impatient, i.provider(), good); !errors.Is(err, context.Canceled) {
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
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
}

func TestOIDCNobodyThere(t *testing.T) {
	k := newKey(t, "k1", "ES256")
	i := newIssuer(t, k)
	i.Close()
	o := identity.NewOIDC(func() time.Time { return start }, nil)
	if _, err := o.Verify(t.Context(), i.provider(), token(k, i.claims(start), nil)); codeOf(err) != "IDPCommunicationError" {
		t.Error(err)
	}
}

func TestTokenIssuer(t *testing.T) {
	k := newKey(t, "k1", "ES256")
	for iss, ok := range map[string]bool{
		"https://oidc.example.com/id/ABC": true, "http://127.0.0.1:9/x": true, "http://[::1]:9": true, "http://localhost": true,
		"http://oidc.example.com": false, "http://127.0.0.1.example.com": false, "http://10.0.0.1": false, "ftp://a": false, "a": false,
		"https://": false, "https://u:p@h": false, "https://h?q": false, "https://h#f": false, "https:opaque": false,
		"https://" + strings.Repeat("h", 255): false, "https://h\x00": false,
	} {
		got, err := identity.TokenIssuer(token(k, map[string]any{"iss": iss}, nil))
		if ok && (err != nil || got != iss) || !ok && codeOf(err) != "InvalidIdentityToken" {
			t.Errorf("%q: %q, %v", iss, got, err)
		}
	}
}

func FuzzJWT(f *testing.F) {
	k := newKey(f, "k1", "ES256")
	i := newIssuer(f, k)
	o := identity.NewOIDC(func() time.Time { return start }, nil)
	good := token(k, i.claims(start), nil)
	f.Add(good)
	f.Add(b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(`{}`)) + ".")
	f.Add("..")
	if _, err := o.Verify(f.Context(), i.provider(), good); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token string) {
		identity.TokenIssuer(token)
		if _, err := o.Verify(t.Context(), i.provider(), token); err == nil && token != good {
			t.Errorf("forged token is taken: %q", token)
		}
	})
}
