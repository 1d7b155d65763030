package oidc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256" // crypto.SHA256 of the table below
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"strings"
)

// maxJWTBytes is what STS's model allows of a WebIdentityToken.
const maxJWTBytes = 20_000

// A jwt is a token taken apart and not yet verified.
type jwt struct {
	algorithm string
	keyID     string // kid; empty when the token names none
	claims    claimSet
	signed    []byte // what the signature covers
	signature []byte
}

// parseJWT reads the compact form of RFC 7515. Names of members are compared
// exactly, unlike encoding/json does for structs.
func parseJWT(token string) (*jwt, error) {
	part := strings.Split(token, ".")
	if len(token) > maxJWTBytes || len(part) != 3 {
		return nil, notAJWT()
	}
	var raw [3][]byte
	for i, p := range part {
		b, err := base64.RawURLEncoding.Strict().DecodeString(p)
		if err != nil || strings.ContainsAny(p, "\r\n") {
			return nil, notAJWT()
		}
		raw[i] = b
	}
	header, ok := readObject(raw[0])
	claims, okClaims := readObject(raw[1])
	if !ok || !okClaims || header["crit"] != nil { // no extension is understood here (RFC 7515 §4.1.11)
		return nil, notAJWT()
	}
	t := &jwt{claims: claims, signed: []byte(part[0] + "." + part[1]), signature: raw[2]}
	if t.algorithm, ok = header.text("alg"); !ok {
		return nil, notAJWT()
	}
	t.keyID, ok = header.text("kid")
	if !ok && header["kid"] != nil {
		return nil, notAJWT()
	}
	return t, nil
}

// A claimSet is a JSON object by its members' names.
type claimSet map[string]any

// readObject reads one JSON object and nothing after it. Numbers stay text.
func readObject(b []byte) (claimSet, bool) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m claimSet
	if d.Decode(&m) != nil || m == nil {
		return nil, false
	}
	_, err := d.Token()
	return m, err == io.EOF
}

func (c claimSet) text(name string) (string, bool) {
	s, ok := c[name].(string)
	return s, ok && s != ""
}

// texts is a string or an array of strings.
func (c claimSet) texts(name string) []string {
	switch v := c[name].(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}

// seconds is a NumericDate, which may have a fraction.
func (c claimSet) seconds(name string) (int64, bool) {
	n, ok := c[name].(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	const year9999 = 253402300799
	return int64(f), err == nil && f >= 0 && f <= year9999
}

// An algorithm verifies one kind of signature with one kind of key. "none" and
// the HMACs are not among them: an issuer's public key is no shared secret.
type algorithm struct {
	keyType string
	curve   string // of an EC or OKP key
	hash    crypto.Hash
	verify  func(key crypto.PublicKey, hash crypto.Hash, digest, signature []byte) bool
}

var algorithms = map[string]algorithm{
	"RS256": {"RSA", "", crypto.SHA256, verifyPKCS1},
	"RS384": {"RSA", "", crypto.SHA384, verifyPKCS1},
	"RS512": {"RSA", "", crypto.SHA512, verifyPKCS1},
	"PS256": {"RSA", "", crypto.SHA256, verifyPSS},
	"PS384": {"RSA", "", crypto.SHA384, verifyPSS},
	"PS512": {"RSA", "", crypto.SHA512, verifyPSS},
	"ES256": {"EC", "P-256", crypto.SHA256, verifyECDSA},
	"ES384": {"EC", "P-384", crypto.SHA384, verifyECDSA},
	"EdDSA": {"OKP", "Ed25519", 0, verifyEd25519},
}

// verify says whether key made the token's signature.
func (t *jwt) verify(a algorithm, key crypto.PublicKey) bool {
	digest := t.signed // Ed25519 signs the message itself
	if a.hash != 0 {
		h := a.hash.New()
		h.Write(t.signed)
		digest = h.Sum(nil)
	}
	return a.verify(key, a.hash, digest, t.signature)
}

func verifyPKCS1(key crypto.PublicKey, hash crypto.Hash, digest, signature []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	return ok && rsa.VerifyPKCS1v15(k, hash, digest, signature) == nil
}

func verifyPSS(key crypto.PublicKey, hash crypto.Hash, digest, signature []byte) bool {
	k, ok := key.(*rsa.PublicKey)
	salt := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash} // RFC 7518 §3.5
	return ok && rsa.VerifyPSS(k, hash, digest, signature, salt) == nil
}

// verifyECDSA reads r and s side by side, each as long as the curve's order.
func verifyECDSA(key crypto.PublicKey, _ crypto.Hash, digest, signature []byte) bool {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return false
	}
	n := (k.Curve.Params().BitSize + 7) / 8
	if len(signature) != 2*n {
		return false
	}
	return ecdsa.Verify(k, digest, new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
}

func verifyEd25519(key crypto.PublicKey, _ crypto.Hash, message, signature []byte) bool {
	k, ok := key.(ed25519.PublicKey)
	return ok && len(k) == ed25519.PublicKeySize && ed25519.Verify(k, message, signature)
}
