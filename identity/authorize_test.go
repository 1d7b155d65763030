package identity_test

import (
	"strings"
	"testing"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
)

func invoke(resource string) iam.Check {
	return iam.Check{Action: iam.ActionInvoke, Resource: outcrop.ARN(resource)}
}

func caller(u identity.User) outcrop.Caller {
	return outcrop.Caller{Account: u.Account, Principal: u.ARN(), UserID: u.ID, Region: "us-east-1"}
}

func TestTheAdministratorMayDoEverythingAndANewUserNothing(t *testing.T) {
	h := newHouse(t)
	admin := h.bootstrap(t).User
	check := invoke("arn:aws:bedrock:us-east-1::foundation-model/x.y")
	if err := h.Authorize(t.Context(), caller(admin), check); err != nil {
		t.Errorf("the administrator: %v", err)
	}
	u, err := h.CreateUser(t.Context(), account, "app-a")
	if err != nil {
		t.Fatal(err)
	}
	err = h.Authorize(t.Context(), caller(u), check)
	want := "User: arn:aws:iam::123456789012:user/app-a is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-east-1::foundation-model/x.y because no identity-based policy allows the bedrock:InvokeModel action"
	if outcrop.KindOf(err) != outcrop.Denied || err.Error() != want {
		t.Errorf("a new user:\n got %v\nwant %s", err, want)
	}
}

// Promise: what was granted holds at once, and what was revoked is refused by
// the very next call.
func TestPermissionsFollowTheirPoliciesAtOnce(t *testing.T) {
	h := newHouse(t)
	h.bootstrap(t)
	u, err := h.CreateUser(t.Context(), account, "app-a")
	if err != nil {
		t.Fatal(err)
	}
	own := invoke("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/aaaaaaaaaaaa")
	other := invoke("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/bbbbbbbbbbbb")
	ref := identity.UserRef(account, "app-a")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"` + string(own.Resource) + `"}]}`
	for range 3 {
		if err := h.PutInlinePolicy(t.Context(), ref, "own", policy); err != nil {
			t.Fatal(err)
		}
		if err := h.Authorize(t.Context(), caller(u), own); err != nil {
			t.Errorf("its own profile: %v", err)
		}
		if err := h.Authorize(t.Context(), caller(u), other); outcrop.KindOf(err) != outcrop.Denied {
			t.Errorf("another's profile: %v", err)
		}
		if err := h.Authorize(t.Context(), caller(u), own, other); err == nil || !strings.Contains(err.Error(), string(other.Resource)) {
			t.Errorf("both: %v, want the second named", err)
		}
		if err := h.DeleteInlinePolicy(t.Context(), ref, "own"); err != nil {
			t.Fatal(err)
		}
		if err := h.Authorize(t.Context(), caller(u), own); outcrop.KindOf(err) != outcrop.Denied {
			t.Errorf("after the policy went: %v", err)
		}
	}
}

func TestConditionsSeeWhereARequestComesFrom(t *testing.T) {
	h := newHouse(t)
	h.bootstrap(t)
	u, err := h.CreateUser(t.Context(), account, "app-a")
	if err != nil {
		t.Fatal(err)
	}
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
		"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"Bool":{"aws:SecureTransport":"true"},"StringLike":{"aws:UserAgent":"Boto3/*","aws:username":"app-*"},
		"StringEquals":{"aws:RequestedRegion":"us-east-1"},"DateLessThan":{"aws:CurrentTime":"2027-01-01T00:00:00Z"}}}]}`
	if err := h.PutInlinePolicy(t.Context(), identity.UserRef(account, "app-a"), "p", policy); err != nil {
		t.Fatal(err)
	}
	who := caller(u)
	who.Origin = outcrop.Origin{IP: "10.1.2.3", UserAgent: "Boto3/1.43", TLS: true}
	check := invoke("arn:aws:bedrock:us-east-1::foundation-model/x.y")
	if err := h.Authorize(t.Context(), who, check); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*outcrop.Caller){
		"address": func(c *outcrop.Caller) { c.Origin.IP = "192.0.2.1" },
		"agent":   func(c *outcrop.Caller) { c.Origin.UserAgent = "curl" },
		"plain":   func(c *outcrop.Caller) { c.Origin.TLS = false },
		"Region":  func(c *outcrop.Caller) { c.Region = "eu-west-1" },
	} {
		c := who
		change(&c)
		if err := h.Authorize(t.Context(), c, check); outcrop.KindOf(err) != outcrop.Denied {
			t.Errorf("another %s: err = %v, want a refusal", name, err)
		}
	}
}

func TestDecisionsGoOnBehindTheFirstRefusal(t *testing.T) {
	h := newHouse(t)
	admin := h.bootstrap(t).User
	u, err := h.CreateUser(t.Context(), account, "app-a")
	if err != nil {
		t.Fatal(err)
	}
	checks := []iam.Check{invoke("arn:aws:bedrock:us-east-1::foundation-model/x"), invoke("arn:aws:bedrock:us-west-2::foundation-model/x")}
	for who, allowed := range map[*identity.User]bool{&admin: true, &u: false} {
		decisions, err := h.Decisions(t.Context(), caller(*who), checks...)
		if err != nil || len(decisions) != 2 || decisions[0].Allowed() != allowed || decisions[1].Allowed() != allowed {
			t.Errorf("%s: %+v, err %v", who.Name, decisions, err)
		}
	}
}

func BenchmarkAuthorize(b *testing.B) {
	h := newHouse(b)
	who := caller(h.bootstrap(b).User)
	check := invoke("arn:aws:bedrock:us-east-1::foundation-model/x.y")
	b.ReportAllocs()
	for b.Loop() {
		if err := h.Authorize(b.Context(), who, check); err != nil {
			b.Fatal(err)
		}
	}
}
