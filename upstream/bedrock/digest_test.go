package bedrock_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"outcrop"
	"outcrop/gateway"
	"outcrop/sigv4"
	"outcrop/upstream/upstreamtest"
)

// A form whose digest its client has shown is signed with that digest; without
// one the body is hashed. Either way the Region finds it signed.
func TestAFormIsSignedWithItsDigest(t *testing.T) {
	body := []byte(`{"messages":[]}`)
	for name, c := range map[string]struct {
		digest string
		signed bool
	}{"none": {"", true}, "the body's": {sigv4.PayloadHash(body), true}, "another": {sigv4.PayloadHash(nil), false}} {
		var verified error
		u := mock(t, func(r *http.Request) (int, http.Header, string) {
			sent, _ := io.ReadAll(r.Body)
			s, err := sigv4.Parse(r)
			if err != nil || !bytes.Equal(sent, body) {
				t.Fatalf("%s: %v, %q", name, err, sent)
			}
			verified = s.Verify(r, sent, someKeys.SecretAccessKey, time.Now())
			return 200, http.Header{"Content-Type": {"application/json"}}, `{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}`
		})
		a := outcrop.Attempt(upstreamtest.Attempt)
		if _, err := u.Forward(t.Context(), a, &gateway.Form{Protocol: gateway.ConverseProtocol, Body: body, Digest: c.digest}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if (verified == nil) != c.signed {
			t.Errorf("%s: %v", name, verified)
		}
	}
}
