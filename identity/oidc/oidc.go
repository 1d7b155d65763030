// Package oidc verifies the tokens of OpenID Connect issuers, whose keys it
// fetches and remembers.
package oidc

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/internal/loopback"
	"outcrop/internal/textform"
)

// Limits in time of tokens and of an issuer's keys.
const (
	tokenSkew      = time.Minute      // between an issuer's clock and ours
	issuerKeyAge   = time.Hour        // keys this old are fetched again
	issuerKeyStale = 24 * time.Hour   // keys are used this long while their issuer cannot be reached
	issuerRetry    = 10 * time.Second // between two fetches for one issuer, whatever tokens ask for
	maxIssuers     = 1000             // remembered; IAM allows 100 providers an account
)

// A Verifier verifies web identity tokens of the issuers that accounts trust.
// It asks no other host than a trusted issuer and the one its configuration
// names for its keys, and remembers keys. It is safe for concurrent use.
type Verifier struct {
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	issuers map[string]*issuer // by iss
}

// New makes a Verifier that has fetched nothing. It asks issuers with client
// (see Client).
func New(client *http.Client, now func() time.Time) *Verifier {
	return &Verifier{client: client, now: now, issuers: map[string]*issuer{}}
}

// A Trust is what somebody relies on: an issuer, and the clients whose tokens
// are welcome.
type Trust struct {
	URL       string   // as iss has it
	ClientIDs []string // one of which a token must be for
}

// A Bearer is what a verified token says of who brings it.
type Bearer struct {
	Issuer         string   // host and path of iss: the prefix of its condition keys
	Subject        string   // sub
	Audience       string   // azp, or else the aud that the Trust lists
	Audiences      []string // every aud
	AuthMethods    []string // amr
	SourceIdentity string
	Tags           outcrop.Tags // session tags
	Transitive     []string
}

// Claims of AWS's own (IAM user guide, "Pass session tags in AWS STS" and
// "Monitor and control actions taken with assumed roles").
const (
	claimTags           = "https://aws.amazon.com/tags"
	claimSourceIdentity = "https://aws.amazon.com/source_identity"
)

// sourceIdentities are what STS accepts for SourceIdentity.
var sourceIdentities = textform.Of(`[\w+=,.@-]*`, 2, 64)

// Verify checks a token: that the trusted issuer made it, for one of the
// trusted client ids, in its time, and signed with one of the issuer's keys.
// The refusals are STS's: InvalidIdentityToken; ExpiredTokenException; and
// IDPCommunicationError when the issuer cannot be reached.
func (v *Verifier) Verify(ctx context.Context, by Trust, token string) (*Bearer, error) {
	t, err := parseJWT(token)
	if err != nil {
		return nil, err
	}
	b, err := t.bearer(by)
	if err != nil {
		return nil, err
	}
	if err := t.checkClock(v.now()); err != nil { // spares the issuer what is too late anyway
		return nil, err
	}
	return b, v.checkSignature(ctx, by.URL, t)
}

// TokenIssuer reads who a token says it is from, unverified: the URL as it
// stands in iss. It refuses with InvalidIdentityToken what is no token or
// names no issuer that keys may be fetched from.
func TokenIssuer(token string) (string, error) {
	t, err := parseJWT(token)
	if err != nil {
		return "", err
	}
	iss, ok := t.claims.text("iss")
	if !ok {
		return "", missingClaim("iss")
	}
	if !validIssuer(iss) {
		return "", invalidIdentityToken("Issuer must be a valid URL")
	}
	return iss, nil
}

// validIssuer says whether keys may be fetched from iss: over TLS, or from
// this very machine.
func validIssuer(iss string) bool {
	const maxIssuerBytes = 255 // of an OIDC provider's URL (iam service model)
	u, err := url.Parse(iss)
	if err != nil || len(iss) > maxIssuerBytes || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && loopback.Host(u.Hostname())
}

// bearer reads the claims and holds them against what is trusted.
func (t *jwt) bearer(by Trust) (*Bearer, error) {
	for _, name := range []string{"iss", "aud", "sub", "exp", "iat"} {
		if t.claims[name] == nil {
			return nil, missingClaim(name)
		}
	}
	iss, _ := t.claims.text("iss")
	if !validIssuer(iss) || iss != by.URL {
		return nil, NoProvider(iss)
	}
	b := &Bearer{Issuer: hostAndPath(iss), Audiences: t.claims.texts("aud"), AuthMethods: t.claims.texts("amr")}
	b.Subject, _ = t.claims.text("sub")
	const maxSubjectBytes, minSubjectBytes = 255, 1
	if len(b.Subject) < minSubjectBytes || len(b.Subject) > maxSubjectBytes {
		return nil, invalidIdentityToken("The subject of the ID Token must have 1 to 255 characters")
	}
	var ok bool
	if b.Audience, ok = t.audience(b.Audiences, by.ClientIDs); !ok {
		return nil, invalidIdentityToken("Incorrect token audience")
	}
	return b, t.readSession(b)
}

// audience finds the client that a token is for. Where azp stands it is the
// one, and aud tells the resource (IAM user guide, keys for AWS OIDC federation).
func (t *jwt) audience(aud, clients []string) (string, bool) {
	if t.claims["azp"] != nil {
		aud = t.claims.texts("azp")
	}
	for _, a := range aud {
		if a != "" && slices.Contains(clients, a) {
			return a, true
		}
	}
	return "", false
}

// readSession reads the claims that become part of the session.
func (t *jwt) readSession(b *Bearer) error {
	if v := t.claims[claimSourceIdentity]; v != nil {
		s, _ := v.(string)
		if !sourceIdentities.MatchString(s) {
			return invalidIdentityToken("The source identity of the ID Token is not valid")
		}
		b.SourceIdentity = s
	}
	if t.claims[claimTags] == nil {
		return nil
	}
	session, ok := t.claims[claimTags].(map[string]any)
	if !ok {
		return invalidIdentityToken("The session tags of the ID Token are not an object")
	}
	b.Transitive = claimSet(session).texts("transitive_tag_keys")
	tags, _ := session["principal_tags"].(map[string]any)
	b.Tags = outcrop.Tags{}
	for k := range tags {
		values := claimSet(tags).texts(k)
		if len(values) != 1 {
			return invalidIdentityToken("Each session tag of the ID Token must have one value")
		}
		b.Tags[k] = values[0]
	}
	return nil
}

func (t *jwt) checkClock(now time.Time) error {
	exp, okExp := t.claims.seconds("exp")
	iat, okIat := t.claims.seconds("iat")
	nbf, okNbf := t.claims.seconds("nbf")
	latest := now.Add(tokenSkew).Unix()
	switch {
	case !okExp || !okIat || !okNbf && t.claims["nbf"] != nil:
		return notAJWT()
	case now.Add(-tokenSkew).Unix() >= exp:
		return expiredToken(now, exp)
	case iat > latest, okNbf && nbf > latest:
		return invalidIdentityToken("The ID Token is not valid yet: check the clocks of its issuer and of this server")
	}
	return nil
}

// checkSignature looks for the key that signed t. A key id that is not known
// yet may be a new one, for which the issuer is asked again, though not often.
func (v *Verifier) checkSignature(ctx context.Context, iss string, t *jwt) error {
	a, ok := algorithms[t.algorithm]
	if !ok {
		return invalidIdentityToken("The ID Token is signed with an algorithm that is not accepted")
	}
	i := v.issuer(iss)
	keys, err := i.keys(ctx, v, func(known []issuerKey) bool { return len(candidates(known, t, a)) > 0 })
	if err != nil {
		return err
	}
	found := candidates(keys, t, a)
	if len(found) == 0 {
		return noVerificationKey(errors.New("no key of the issuer fits the token's kid and alg"))
	}
	for _, k := range found {
		if t.verify(a, k.public) {
			return nil
		}
	}
	return invalidIdentityToken("The signature of the ID Token is not valid")
}

// candidates are the keys that may have signed t.
func candidates(keys []issuerKey, t *jwt, a algorithm) []issuerKey {
	var found []issuerKey
	for _, k := range keys {
		if (t.keyID == "" || k.id == t.keyID) && k.fits(t.algorithm, a) {
			found = append(found, k)
		}
	}
	return found
}

// hostAndPath is a URL without its scheme, as IAM names providers.
func hostAndPath(u string) string {
	_, rest, ok := strings.Cut(u, "://")
	if !ok {
		return u
	}
	return rest
}
