// Package oidctest is an OpenID Connect issuer for tests.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // crypto.SHA256 of Key.sign
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// A Key is a private key of a test's issuer and how it is published.
type Key struct {
	id, algorithm string
	Private       crypto.Signer
}

// JWK is the public half, as a key set has it.
func (k *Key) JWK() map[string]any {
	m := map[string]any{"kid": k.id, "use": "sig"}
	switch p := k.Private.Public().(type) {
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

func (k *Key) sign(message []byte) []byte {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[k.algorithm[2:]]
	if k.algorithm == "EdDSA" {
		s, _ := k.Private.Sign(rand.Reader, message, crypto.Hash(0))
		return s
	}
	h := hash.New()
	h.Write(message)
	digest := h.Sum(nil)
	switch p := k.Private.(type) {
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

// NewKey makes a key for one of the algorithms of JOSE. RSA keys are all the
// same one, as making them is slow.
func NewKey(t testing.TB, id, algorithm string) *Key {
	t.Helper()
	k := &Key{id: id, algorithm: algorithm}
	var err error
	switch algorithm {
	case "ES256":
		k.Private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		k.Private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, k.Private, err = ed25519.GenerateKey(rand.Reader)
	default:
		k.Private = newRSA()
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// An Issuer is an OpenID Connect issuer on 127.0.0.1.
type Issuer struct {
	*httptest.Server
	Fetches atomic.Int32 // of the configuration

	mu      sync.Mutex
	keys    []*Key
	instead func(http.ResponseWriter, *http.Request) bool
}

// NewIssuer starts an issuer that ends with the test.
func NewIssuer(t testing.TB, keys ...*Key) *Issuer {
	i := &Issuer{keys: keys}
	i.Server = httptest.NewServer(i)
	t.Cleanup(i.Close)
	return i
}

// ServeHTTP answers with the configuration and the key set.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	keys, instead := i.keys, i.instead
	i.mu.Unlock()
	if r.URL.Path == "/.well-known/openid-configuration" {
		i.Fetches.Add(1)
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
			set = append(set, k.JWK())
		}
		json.NewEncoder(w).Encode(map[string]any{"keys": set})
	default:
		http.NotFound(w, r)
	}
}

// Publish replaces the issuer's keys.
func (i *Issuer) Publish(keys ...*Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// Misbehave has another answer in place of the well-behaved issuer, wherever
// it returns true; nil ends that.
func (i *Issuer) Misbehave(instead func(http.ResponseWriter, *http.Request) bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.instead = instead
}

// Claims are those of a good token made at now.
func (i *Issuer) Claims(now time.Time) map[string]any {
	return map[string]any{"iss": i.URL, "sub": "system:serviceaccount:prod:app", "aud": []string{"sts.amazonaws.com"},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix()}
}

// Token signs claims with k. Members of header replace its own; nil takes one
// out.
func Token(k *Key, claims map[string]any, header map[string]any) string {
	h := map[string]any{"alg": k.algorithm, "kid": k.id, "typ": "JWT"}
	maps.Copy(h, header)
	maps.DeleteFunc(h, func(_ string, v any) bool { return v == nil })
	first, _ := json.Marshal(h)
	second, _ := json.Marshal(claims)
	signed := b64(first) + "." + b64(second)
	return signed + "." + b64(k.sign([]byte(signed)))
}
