package conform

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"outcrop/sigv4"
)

// authentication is no operation but a rule of all of them.
const authentication = "Authentication"

// Texts of the layer before the services.
const (
	textUnknownKey = "The security token included in the request is invalid"
	textMismatch   = "The request signature we calculated does not match the signature you provided."
	textBadKey     = "Authentication failed: Please make sure your API Key is valid."
	textPrefix     = "Invalid API Key format: Must start with pre-defined prefix"
	textExpiredKey = "Bearer Token has expired"
)

func authenticationChecks() []Check {
	const errs, signing, keys = "runtime-metering-billing.md §1.9", "runtime-metering-billing.md §4.1", "runtime-metering-billing.md §4.5"
	list := func(auth func(*outgoing) error) ask { return ask{path: "/inference-profiles?maxResults=1", auth: auth} }
	good := answer{status: 200, members: []string{"inferenceProfileSummaries", "nextToken"}}
	front := func(status int, code string, words ...string) answer {
		return answer{status: status, code: code, words: words}
	}
	return []Check{
		asks(authentication, "refuses an unknown access key", errs, Nothing, list(unknownKey), front(403, "UnrecognizedClientException", textUnknownKey)),
		asks(authentication, "refuses a signature by another secret", errs, Nothing, list(wrongSecret), front(403, "InvalidSignatureException", textMismatch)),
		asks(authentication, "refuses a body that was changed after signing", errs, Nothing,
			ask{method: "POST", path: "/listTagsForResource", body: `{"resourceARN":"{profile}"}`, auth: otherBody}, front(403, "InvalidSignatureException", textMismatch)),
		asks(authentication, "refuses a path that was changed after signing", errs, Nothing, list(otherPath), front(403, "InvalidSignatureException", textMismatch)),
		asks(authentication, "refuses a signature of 20 minutes ago", errs, Nothing, list(ago(20*time.Minute)), front(403, "InvalidSignatureException", "Signature expired: ", " is now earlier than ")),
		asks(authentication, "refuses a signature from 20 minutes ahead", errs, Nothing, list(ago(-20*time.Minute)), front(403, "InvalidSignatureException", "Signature not yet current: ", " is still later than ")),
		asks(authentication, "takes a clock that is 4 minutes behind", signing, Nothing, list(ago(4*time.Minute)), good),
		asks(authentication, "takes a clock that is 4 minutes ahead", signing, Nothing, list(ago(-4*time.Minute)), good),
		asks(authentication, "refuses a request without a signature or key", errs, Nothing, list(anonymous), front(403, "MissingAuthenticationTokenException", "Missing Authentication Token")),
		asks(authentication, "refuses a model call without a signature or key", errs, Nothing,
			ask{service: "bedrock-runtime", method: "POST", path: "/model/{%systemID}/converse", body: hello, auth: anonymous}, front(403, "MissingAuthenticationTokenException")),
		asks(authentication, "cannot read a garbled Authorization header", errs, Nothing, list(header("AWS4-HMAC-SHA256 nonsense")), refused(400, "IncompleteSignatureException")),
		asks(authentication, "cannot read a signature without its parts", errs, Nothing, list(header("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260116/us-east-1/bedrock/aws4_request")), refused(400, "IncompleteSignatureException")),
		asks(authentication, "refuses a scope of no Region", errs, Own, list(inRegion("atlantis-1")), front(403, "InvalidSignatureException", "Credential should be scoped to a valid region")),
		asks(authentication, "takes a signature in the query", "runtime-metering-billing.md §0", Nothing, list(presigned(time.Now)), good),
		asks(authentication, "refuses a signature in the query that has expired", "runtime-metering-billing.md §0", Nothing, list(presigned(anHourAgo)), front(403, "InvalidSignatureException", "Signature expired")),
		asks(authentication, "gives the front layer's errors the member Message", errs, Nothing, list(wrongSecret), answer{status: 403, members: []string{"Message"}}),
		asks(authentication, "takes a Bedrock API key on the control plane", keys, Nothing, list(bearerKey), good),
		asks(authentication, "takes a Bedrock API key on the runtime", keys, Nothing,
			ask{service: "bedrock-runtime", method: "POST", path: "/model/no.such-model/converse", body: hello, auth: bearerKey}, answer{status: 400, code: "ValidationException", message: noIdentifier}),
		asks(authentication, "takes a short-term key, which is a presigned request", "runtime-metering-billing.md §4.3", Nothing, list(shortTerm(time.Now)), good),
		asks(authentication, "refuses a short-term key that has expired", keys, Nothing, list(shortTerm(anHourAgo)), front(403, "AccessDeniedException", textExpiredKey)),
		asks(authentication, "refuses a key of another prefix", keys, Nothing, list(header("Bearer sk-1234567890")), front(403, "AccessDeniedException", textPrefix)),
		asks(authentication, "refuses a long-term key that nobody was given", keys, Nothing,
			list(header("Bearer ABSK"+base64.StdEncoding.EncodeToString([]byte("BedrockAPIKey-none-at-123456789012:secret")))), front(403, "AccessDeniedException", textBadKey)),
		asks(authentication, "refuses a short-term key that is no request", keys, Nothing, list(header("Bearer bedrock-api-key-bm90aGluZw==")), front(403, "AccessDeniedException", textBadKey)),
		asks(authentication, "refuses a short-term key signed by another secret", keys, Nothing, list(forged), front(403, "AccessDeniedException", textBadKey)),
		asks(authentication, "does not take a Bedrock API key for Cost Explorer", "runtime-metering-billing.md §4.2", Own,
			ask{service: "ce", method: "POST", path: "/", header: target("GetTags"), body: `{}`, auth: bearerKey}, front(400, "MissingAuthenticationTokenException")),
		{authentication, "signs in the Go SDK's runtime client with a Bedrock API key, over TLS", "runtime-metering-billing.md §4.2", Nothing, bearerBySDK},
	}
}

func anonymous(*outgoing) error { return nil }

// header shows a fixed Authorization.
func header(value string) func(*outgoing) error {
	return func(o *outgoing) error {
		o.Header.Set("Authorization", value)
		return nil
	}
}

func unknownKey(o *outgoing) error {
	o.by = sigv4.Credentials{AccessKey: "AKIAIOSFODNN7EXAMPLE", Secret: o.by.Secret}
	return signed(o)
}

func wrongSecret(o *outgoing) error {
	o.by.Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	return signed(o)
}

func otherBody(o *outgoing) error {
	o.sent = append(o.sent, ' ')
	return signed(o)
}

func otherPath(o *outgoing) error {
	if err := signed(o); err != nil {
		return err
	}
	u, err := url.Parse(o.URL.String() + "&type=APPLICATION")
	o.URL = u
	return err
}

func ago(d time.Duration) func(*outgoing) error {
	return func(o *outgoing) error { return signedAt(o, time.Now().Add(-d)) }
}

func anHourAgo() time.Time { return time.Now().Add(-time.Hour) }

const presignedLife = 10 * time.Minute

func presigned(clock func() time.Time) func(*outgoing) error {
	return func(o *outgoing) error {
		o.Header.Del("User-Agent")
		return sigv4.Presign(o.Request, sigv4.PayloadHash(o.sent), o.by, o.scope, clock(), presignedLife)
	}
}

func bearerKey(o *outgoing) error {
	if o.apiKey == "" {
		return skipped("no Bedrock API key is known")
	}
	o.Header.Set("Authorization", "Bearer "+o.apiKey)
	return nil
}

// shortTerm makes a key as aws-bedrock-token-generator does: it presigns a
// request that is never sent, and adds the version after signing.
func shortTerm(clock func() time.Time) func(*outgoing) error {
	return func(o *outgoing) error {
		r := &http.Request{Method: "POST", Host: "bedrock.amazonaws.com", Header: http.Header{},
			URL: &url.URL{Scheme: "https", Host: "bedrock.amazonaws.com", Path: "/", RawQuery: "Action=CallWithBearerToken"}}
		if err := sigv4.Presign(r, sigv4.PayloadHash(nil), o.by, o.scope, clock(), presignedLife); err != nil {
			return err
		}
		text := strings.TrimPrefix(r.URL.String(), "https://") + "&Version=1"
		o.Header.Set("Authorization", "Bearer bedrock-api-key-"+base64.StdEncoding.EncodeToString([]byte(text)))
		return nil
	}
}

func forged(o *outgoing) error {
	o.by.Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	return shortTerm(time.Now)(o)
}

// bearerBySDK needs TLS: the Go SDK does not send a token in the clear.
func bearerBySDK(ctx context.Context, s *Subject) error {
	switch {
	case s.endpoint.APIKey == "":
		return skipped("no Bedrock API key is known")
	case !strings.HasPrefix(s.base("bedrock-runtime"), "https:"):
		return skipped("the Go SDK sends a bearer token over TLS only")
	}
	// A long-term key names no Region, so the model must be unknown everywhere.
	_, err := s.withKey().Converse(ctx, helloInput("no.such-model-v1:0"))
	return errors.Join(sdkRefusal(err, "ValidationException"), holds("message", err != nil && strings.Contains(err.Error(), noIdentifier), noIdentifier, err))
}
