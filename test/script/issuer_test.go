package script

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// tokenLife is how long a web identity token is good for.
const tokenLife = 10 * time.Minute

// An issuer is an OpenID Connect provider, such as a Kubernetes cluster or a
// CI service has: it publishes its key and signs tokens with it.
type issuer struct {
	*httptest.Server
	key *ecdsa.PrivateKey
}

// startIssuer starts an issuer and keeps its URL in a variable:
//
//	issuer CLUSTER
func startIssuer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: issuer NAME")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	i := &issuer{key: key}
	i.Server = httptest.NewServer(i)
	ts.Defer(i.Close)
	ts.Setenv(args[0], i.URL)
	storyOf(ts).issuers[i.URL] = i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		answer = map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
	case "/keys":
		point, err := i.key.PublicKey.Bytes() // 4, x, y
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer = map[string]any{"keys": []map[string]string{{
			"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "1", "x": encode(point[1:33]), "y": encode(point[33:]),
		}}}
	default:
		http.NotFound(w, r)
		return
	}
	json.NewEncoder(w).Encode(answer) // a story that reads half of it fails by itself
}

// token writes a token of an issuer to a file. Claims beside iss, iat and exp
// are given as name=value:
//
//	token token.jwt $CLUSTER aud=sts.amazonaws.com sub=system:serviceaccount:shop:web
func token(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || storyOf(ts).issuers[args[1]] == nil {
		ts.Fatalf("usage: token FILE ISSUER claim=value ...")
	}
	now := time.Now()
	claims := map[string]any{"iss": args[1], "iat": now.Unix(), "exp": now.Add(tokenLife).Unix()}
	for _, claim := range args[2:] {
		name, value, _ := strings.Cut(claim, "=")
		claims[name] = value
	}
	text, err := storyOf(ts).issuers[args[1]].sign(claims)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}

func (i *issuer) sign(claims map[string]any) (string, error) {
	head, err := json.Marshal(map[string]string{"alg": "ES256", "kid": "1", "typ": "JWT"})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := encode(head) + "." + encode(body)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
