package identity

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outcrop"
	"outcrop/sigv4"
)

// Forms of a Bedrock API key (reference/runtime-metering-billing.md §4.3, §4.4).
const (
	longTermPrefix   = "ABSK"
	shortTermPrefix  = "bedrock-api-key-"
	shortTermHost    = "bedrock.amazonaws.com" // fixed, whatever host the server has
	shortTermAction  = "CallWithBearerToken"
	shortTermService = "bedrock"
	maxShortTerm     = 12 * time.Hour
)

// APIKey tells whose Bedrock API key token is. The Caller's Region is that of
// a short-term key, and empty for a long-term key, which has none.
func (d *Directory) APIKey(ctx context.Context, token string) (outcrop.Caller, error) {
	if len(token) > maxTokenBytes {
		return outcrop.Caller{}, badKey()
	}
	if text, ok := strings.CutPrefix(token, shortTermPrefix); ok {
		return d.shortTerm(ctx, text)
	}
	if text, ok := strings.CutPrefix(token, longTermPrefix); ok {
		return d.longTerm(ctx, text)
	}
	return outcrop.Caller{}, wrongPrefix()
}

func (d *Directory) longTerm(ctx context.Context, text string) (outcrop.Caller, error) {
	alias, secret, ok := strings.Cut(decode(text), ":")
	if !ok || len(alias) > maxAliasBytes {
		return outcrop.Caller{}, badKey()
	}
	known, err := d.apiKeys.get(ctx, alias, d.loadAPIKey)
	if err != nil && outcrop.KindOf(err) != outcrop.NotFound {
		return outcrop.Caller{}, err
	}
	digest := sha256.Sum256([]byte(secret))
	match := subtle.ConstantTimeCompare(digest[:], known.key.Digest[:]) == 1
	switch {
	case err != nil || !match || !known.key.Active:
		return outcrop.Caller{}, badKey()
	case !known.key.Expires.IsZero() && !d.now().Before(known.key.Expires):
		return outcrop.Caller{}, expiredKey()
	}
	return known.caller, nil
}

func (d *Directory) loadAPIKey(ctx context.Context, alias string) (knownAPIKey, error) {
	k, u, err := d.store.APIKey(ctx, alias)
	if err != nil {
		return knownAPIKey{}, wrap("load API key", err)
	}
	caller := callerOf(u, k.ID)
	caller.Bearer = true
	return knownAPIKey{k, caller}, nil
}

// shortTerm verifies a pre-signed CallWithBearerToken request. The key acts as
// the user or the session whose credentials signed it.
func (d *Directory) shortTerm(ctx context.Context, text string) (outcrop.Caller, error) {
	r, ok := presignedRequest(decode(text))
	if !ok {
		return outcrop.Caller{}, badKey()
	}
	sig, err := sigv4.Parse(r)
	if err != nil || sig == nil || sig.Service != shortTermService || sig.Expires > maxShortTerm {
		return outcrop.Caller{}, badKey()
	}
	key, err := d.SecretForSession(ctx, sig.AccessKey, sig.SecurityToken)
	if errors.Is(err, ErrSessionExpired) { // sooner than the key itself would
		return outcrop.Caller{}, expiredKey()
	}
	if err != nil {
		return outcrop.Caller{}, err
	}
	err = d.verifier.Verify(sig, r, nil, key.Secret, d.now())
	switch {
	case errors.Is(err, sigv4.ErrExpired):
		return outcrop.Caller{}, expiredKey()
	case err != nil:
		return outcrop.Caller{}, badKey().Because(err)
	}
	who := key.Caller
	who.Bearer, who.Region = true, sig.Region
	return who, nil
}

// presignedRequest rebuilds the request that was signed. Token generators add
// the parameter Version after signing, so it is taken out again.
func presignedRequest(text string) (*http.Request, bool) {
	host, query, ok := strings.Cut(text, "/?")
	if !ok || host != shortTermHost {
		return nil, false
	}
	var kept []string
	action := ""
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		switch name {
		case "Version":
			continue
		case "Action":
			action = value
		}
		kept = append(kept, pair)
	}
	u := &url.URL{Scheme: "https", Host: host, Path: "/", RawQuery: strings.Join(kept, "&")}
	return &http.Request{Method: http.MethodPost, URL: u, Host: host, Header: http.Header{}}, action == shortTermAction
}

// decode reads base64 with or without its padding; what is no base64 is empty.
func decode(text string) string {
	if strings.ContainsAny(text, "\r\n") { // encoding/base64 would pass over them
		return ""
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return ""
	}
	return string(b)
}

// GuardKey names a Bedrock API key to a guess.Guard without its secret: by the alias
// of a long-term key and the access key id in a short-term one.
func GuardKey(token string) string {
	if len(token) > maxTokenBytes {
		return "bearer"
	}
	if text, ok := strings.CutPrefix(token, longTermPrefix); ok {
		if alias, _, ok := strings.Cut(decode(text), ":"); ok && len(alias) <= maxAliasBytes {
			return alias
		}
	}
	if text, ok := strings.CutPrefix(token, shortTermPrefix); ok {
		if r, ok := presignedRequest(decode(text)); ok {
			id, _, _ := strings.Cut(r.URL.Query().Get("X-Amz-Credential"), "/")
			return id
		}
	}
	sum := sha256.Sum256([]byte(token))
	return "bearer/" + hex.EncodeToString(sum[:8])
}
