package identity_test

import (
	"strings"
	"testing"

	"outcrop"
	"outcrop/identity"
)

// Whether a role exists is not told to those it does not trust, whatever their
// own policies say.
func TestARoleThatIsNotThereIsRefusedLikeAClosedOne(t *testing.T) {
	h := newHouse(t)
	alice, bob := h.user(t, "alice"), h.user(t, "bob")
	there := h.trusted(t, "there", trusting(`{"AWS":"`+string(bob.Principal)+`"}`, ""))
	gone := outcrop.ARN("arn:aws:iam::123456789012:role/apps/gone")
	elsewhere := outcrop.ARN("arn:aws:iam::999999999999:role/gone")
	words := func(arn outcrop.ARN) string {
		_, err := h.AssumeRole(t.Context(), alice, identity.AssumeRequest{Role: arn, Name: "s", Tags: outcrop.Tags{"a": "b"}})
		return codeOf(err) + " " + strings.ReplaceAll(err.Error(), string(arn), "ROLE")
	}
	for _, policy := range []string{allow("sts:*"), allow("s3:*"), deny("sts:*")} {
		if err := h.PutInlinePolicy(t.Context(), identity.UserRef(account, "alice"), "p", policy); err != nil {
			t.Fatal(err)
		}
		if words(there.ARN()) != words(gone) || words(gone) != words(elsewhere) {
			t.Errorf("with %s:\n%s\n%s\n%s", policy, words(there.ARN()), words(gone), words(elsewhere))
		}
	}
}

// A boundary is kept as its policy is spelled: what asks for it by name, such as
// DeletePolicy, finds it.
func TestABoundaryIsKeptAsItsPolicyIsSpelled(t *testing.T) {
	h := newHouse(t)
	p, err := h.CreatePolicy(t.Context(), account, identity.PolicySpec{Name: "Limit", Document: allow("bedrock:*")})
	if err != nil {
		t.Fatal(err)
	}
	otherwise := outcrop.ARN(strings.Replace(string(p.ARN()), "Limit", "limit", 1))
	u, err := h.CreateUserWith(t.Context(), account, identity.UserSpec{Name: "ann", Boundary: otherwise})
	if err != nil || u.Boundary != p.ARN() {
		t.Errorf("user's boundary is %s, %v", u.Boundary, err)
	}
	r, err := h.CreateRole(t.Context(), account, identity.RoleSpec{Name: "r", Trust: trust, Boundary: otherwise})
	if err != nil || r.Boundary != p.ARN() {
		t.Errorf("role's boundary is %s, %v", r.Boundary, err)
	}
	if err := h.DeletePolicy(t.Context(), account, p.ARN()); err == nil {
		t.Error("a policy that bounds a user was deleted")
	}
}
