package identity_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"outcrop/identity"
)

func TestGuardKeyKeepsSecrets(t *testing.T) {
	long := "ABSK" + base64.StdEncoding.EncodeToString([]byte("alice-at-123456789012:s3cret"))
	short := "bedrock-api-key-" + base64.StdEncoding.EncodeToString([]byte("bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Credential=AKIDEXAMPLE%2F20260116%2Fus-east-1%2Fbedrock%2Faws4_request&X-Amz-Signature=s3cret&Version=1"))
	for token, want := range map[string]string{
		long: "alice-at-123456789012", short: "AKIDEXAMPLE", strings.Repeat("s3cret", 5000): "bearer",
	} {
		if got := identity.GuardKey(token); got != want {
			t.Errorf("key of %.20q… is %q, want %q", token, got, want)
		}
	}
	for _, token := range []string{"s3cret", "ABSKs3cret", "bedrock-api-key-s3cret", ""} {
		if got := identity.GuardKey(token); strings.Contains(got, "s3cret") || !strings.HasPrefix(got, "bearer/") {
			t.Errorf("key of %q is %q", token, got)
		}
	}
}
