package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
)

// Limits of an issuer's key set.
const (
	maxIssuerKeys = 100 // more than any issuer publishes; each may be tried for a token without kid
	minRSABits    = 2048
	maxRSABits    = 8192 // a larger one makes verifying a burden
)

// An issuerKey is one key that an issuer signs with.
type issuerKey struct {
	id        string // kid; may be empty
	keyType   string
	curve     string
	algorithm string // the only one it is for; empty when any that fits
	public    crypto.PublicKey
}

// fits says whether a token signed with the algorithm called name may be
// verified with k.
func (k *issuerKey) fits(name string, a algorithm) bool {
	return k.keyType == a.keyType && k.curve == a.curve && (k.algorithm == "" || k.algorithm == name)
}

// jwk is a key as RFC 7517 and RFC 8037 write it.
type jwk struct {
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Use       string `json:"use"`
	Algorithm string `json:"alg"`
	Curve     string `json:"crv"`
	N, E      string
	X, Y      string
}

// parseKeySet reads a JWKS. Keys of kinds not known here, such as those for
// encryption, are passed over (RFC 7517 §5); a set without any is an error.
func parseKeySet(b []byte) ([]issuerKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, errors.New("key set is not JSON of the right form")
	}
	if len(set.Keys) > maxIssuerKeys {
		return nil, errors.New("key set has too many keys")
	}
	var keys []issuerKey
	for _, raw := range set.Keys {
		var k jwk
		if json.Unmarshal(raw, &k) != nil || k.Use != "" && k.Use != "sig" {
			continue
		}
		if public := k.public(); public != nil {
			keys = append(keys, issuerKey{id: k.ID, keyType: k.Type, curve: k.Curve, algorithm: k.Algorithm, public: public})
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("key set has no usable key")
	}
	return keys, nil
}

// public is the key itself, nil when it is of another kind or not sound. Note
// that a symmetric key ("oct") is of another kind.
func (k *jwk) public() crypto.PublicKey {
	switch {
	case k.Type == "RSA":
		return k.rsa()
	case k.Type == "EC" && k.Curve == "P-256":
		return k.ec(elliptic.P256(), 32)
	case k.Type == "EC" && k.Curve == "P-384":
		return k.ec(elliptic.P384(), 48)
	case k.Type == "OKP" && k.Curve == "Ed25519":
		if x := unbase64(k.X); len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	}
	return nil
}

func (k *jwk) rsa() crypto.PublicKey {
	k.Curve = "" // means nothing here
	n, e := new(big.Int).SetBytes(unbase64(k.N)), new(big.Int).SetBytes(unbase64(k.E))
	const maxExponentBits = 31
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || n.Bit(0) == 0 || e.BitLen() > maxExponentBits || e.Int64() < 3 || e.Bit(0) == 0 {
		return nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}
}

func (k *jwk) ec(curve elliptic.Curve, n int) crypto.PublicKey {
	x, y := unbase64(k.X), unbase64(k.Y)
	if len(x) != n || len(y) != n {
		return nil
	}
	const uncompressed = 4
	public, err := ecdsa.ParseUncompressedPublicKey(curve, append(append([]byte{uncompressed}, x...), y...))
	if err != nil { // not on the curve
		return nil
	}
	return public
}

// unbase64 is empty for what is no base64url. Its input is bounded by what was
// fetched.
func unbase64(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
