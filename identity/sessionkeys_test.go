package identity_test

import (
	"context"
	"testing"
	"time"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
)

// What only temporary credentials are asked for, by the policies that rely on it.
func TestConditionsKnowASession(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	s, err := h.AssumeRole(t.Context(), alice, identity.AssumeRequest{Role: r.ARN(), Name: "web", SourceIdentity: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	web := s.Caller
	session := *web.Session
	session.Provider, session.Subject, session.Audience = "arn:aws:iam::123456789012:oidc-provider/id.example.com/pool", "repo:acme/app", "sts.amazonaws.com"
	web.Session = &session
	revoked := `"DateLessThan":{"aws:TokenIssueTime":"` + start.Add(time.Minute).Format(time.RFC3339) + `"}`
	for condition, denies := range map[string][2]bool{ // the role's session, and one of a web identity
		revoked: {true, true},
		`"DateLessThan":{"aws:TokenIssueTime":"` + start.Format(time.RFC3339) + `"}`:                          {false, false},
		`"Bool":{"aws:MultiFactorAuthPresent":"false"}`:                                                       {true, true},
		`"StringEquals":{"aws:SourceIdentity":"ann"}`:                                                         {true, true},
		`"StringNotEquals":{"aws:SourceIdentity":"ann"}`:                                                      {false, false},
		`"Null":{"aws:FederatedProvider":"false"}`:                                                            {false, true},
		`"ArnEquals":{"aws:FederatedProvider":"arn:aws:iam::123456789012:oidc-provider/id.example.com/pool"}`: {false, true},
		`"StringLike":{"id.example.com/pool:sub":"repo:acme/*"}`:                                              {false, true},
		`"StringEquals":{"id.example.com/pool:aud":"sts.amazonaws.com"}`:                                      {false, true},
	} {
		role := identity.RoleRef(account, "app")
		if err := h.PutInlinePolicy(t.Context(), role, "all", allow("bedrock:*")); err != nil {
			t.Fatal(err)
		}
		if err := h.PutInlinePolicy(t.Context(), role, "p", statement("Deny", "*", condition)); err != nil {
			t.Fatal(err)
		}
		for i, who := range []outcrop.Caller{s.Caller, web} {
			if err := h.Authorize(t.Context(), who, invoke("arn:aws:bedrock:us-east-1::foundation-model/x.y")); (outcrop.KindOf(err) == outcrop.Denied) != denies[i] {
				t.Errorf("Deny with %s, of caller %d: %v", condition, i, err)
			}
		}
	}
}

// Revoking a role's older sessions ends those that were allowed a moment ago,
// and leaves the ones begun since (the console's "Revoke active sessions").
func TestRevokedSessionsEndAndNewOnesDoNot(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	r := h.trusted(t, "app", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	role := identity.RoleRef(account, "app")
	if err := h.PutInlinePolicy(t.Context(), role, "all", allow("bedrock:*")); err != nil {
		t.Fatal(err)
	}
	target := invoked(account, nil)
	may := func(who outcrop.Caller) bool {
		return h.AuthorizeInvocation(context.Background(), who, iam.Invocation{Target: target, Action: iam.ActionInvoke}) == nil
	}
	old := h.assume(t, alice, r).Caller
	if !may(old) {
		t.Fatal("a session may not do what its role may")
	}
	h.now = h.now.Add(time.Minute)
	if err := h.PutInlinePolicy(t.Context(), role, "AWSRevokeOlderSessions", statement("Deny", "*", `"DateLessThan":{"aws:TokenIssueTime":"`+h.now.Format(time.RFC3339)+`"}`)); err != nil {
		t.Fatal(err)
	}
	if may(old) {
		t.Error("a revoked session goes on")
	}
	if !may(h.assume(t, alice, r).Caller) {
		t.Error("a session begun after the others were revoked is refused")
	}
}

// A transitive tag is handed down with its value, in whatever case it was
// called transitive: else a session could rid itself of it.
func TestATransitiveTagIsHandedDownInAnyCase(t *testing.T) {
	h := newHouse(t)
	alice := h.user(t, "alice")
	first := h.trusted(t, "first", trusting(`{"AWS":"`+string(alice.Principal)+`"}`, ""))
	second := h.trusted(t, "second", trusting(`{"AWS":"`+string(first.ARN())+`"}`, ""))
	s, err := h.AssumeRole(t.Context(), alice, identity.AssumeRequest{Role: first.ARN(), Name: "one", Tags: outcrop.Tags{"Team": "red"}, Transitive: []string{"team"}})
	if err != nil {
		t.Fatal(err)
	}
	next, err := h.AssumeRole(t.Context(), s.Caller, identity.AssumeRequest{Role: second.ARN(), Name: "two"})
	if err != nil {
		t.Fatal(err)
	}
	if got := next.Caller.Session.Tags; len(got) != 1 || got["Team"] != "red" {
		t.Errorf("handed down: %v", got)
	}
}
