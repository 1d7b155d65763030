package iam

import (
	"fmt"
	"strings"
	"testing"

	"outcrop"
)

// A Deny for everyone is one for the bearers of tokens too, although an Allow
// for everyone lets none of them in.
func TestADenyForEveryoneHoldsForWebIdentities(t *testing.T) {
	const oidc = "arn:aws:iam::111122223333:oidc-provider/accounts.google.com"
	allowing := `{"Effect":"Allow","Principal":{"Federated":"` + oidc + `"},"Action":"sts:AssumeRoleWithWebIdentity"}`
	for principal, want := range map[string]Effect{
		`"Principal":"*"`:                             Deny,
		`"Principal":{"AWS":"*"}`:                     Deny,
		`"Principal":{"Federated":"*"}`:               Deny,
		`"Principal":{"Federated":"` + oidc + `"}`:    Deny,
		`"Principal":{"AWS":"111122223333"}`:          Allow,
		`"NotPrincipal":{"AWS":"111122223333"}`:       Deny,
		`"NotPrincipal":{"Federated":"` + oidc + `"}`: Allow,
		`"NotPrincipal":"*"`:                          Allow,
	} {
		trust := parse(t, TrustPolicy, "trust", statements(allowing, `{"Effect":"Deny",`+principal+`,"Action":"sts:*"}`))
		d := Decide(Policies{Resource: []*Policy{trust}}, Request{Federated: oidc, Action: "sts:AssumeRoleWithWebIdentity", Resource: "arn:aws:iam::111122223333:role/r"})
		if d.Effect != want {
			t.Errorf("Deny with %s: got %v, want %v", principal, d.Effect, want)
		}
	}
	trust := parse(t, TrustPolicy, "trust", statements(`{"Effect":"Allow","NotPrincipal":{"AWS":"999999999999"},"Action":"sts:*"}`))
	d := Decide(Policies{Resource: []*Policy{trust}}, Request{Federated: oidc, Action: "sts:AssumeRoleWithWebIdentity", Resource: "arn:aws:iam::111122223333:role/r"})
	if d.Allowed() {
		t.Error("an Allow by NotPrincipal let in the bearer of any token")
	}
}

// Who is spared by a Deny with NotPrincipal: the IAM user guide's examples, and
// the neighbours of those it means.
func TestNotPrincipalSparesWhomItNamesAtEveryLevel(t *testing.T) {
	const (
		root    = "arn:aws:iam::444455556666:root"
		bob     = "arn:aws:iam::444455556666:user/bob"
		role    = "arn:aws:iam::444455556666:role/read-only"
		session = "arn:aws:sts::444455556666:assumed-role/read-only/audit"
	)
	for _, v := range []struct {
		named  []string
		caller outcrop.ARN
		want   bool // spared
	}{
		{[]string{bob, root}, bob, true},
		{[]string{bob, "444455556666"}, bob, true},
		{[]string{bob, root}, "arn:aws:iam::444455556666:user/alice", false},
		{[]string{bob, root}, root, true},
		{[]string{bob}, bob, false}, // its account is not
		{[]string{root}, bob, false},
		{[]string{root, role, session}, session, true},
		{[]string{root, role, session}, "arn:aws:sts::444455556666:assumed-role/read-only/other", false},
		{[]string{root, role}, session, false},
		{[]string{"*"}, session, true},
		{[]string{root, bob}, "arn:aws:iam::999999999999:user/bob", false},
	} {
		deny := parse(t, ResourcePolicy, "bucket", statements(
			`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`,
			fmt.Sprintf(`{"Effect":"Deny","NotPrincipal":{"AWS":["%s"]},"Action":"*","Resource":"*"}`, strings.Join(v.named, `","`))))
		d := Decide(Policies{Identity: identity(t, fullAccess), Resource: []*Policy{deny}},
			Request{Principal: v.caller, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/o", ResourceAccount: v.caller.Parts().Account})
		if d.Allowed() != v.want {
			t.Errorf("Deny with NotPrincipal %v, asked by %s: %v", v.named, v.caller, d.Effect)
		}
	}
}

// A block of IPv4 addresses written as IPv6 is the same block.
func TestABlockOfMappedAddressesIsOneOfIPv4(t *testing.T) {
	for _, v := range []struct {
		block, address string
		want           bool
	}{
		{"::ffff:10.0.0.0/104", "10.1.2.3", true}, {"::ffff:10.0.0.0/104", "11.1.2.3", false}, {"::ffff:10.1.2.3", "10.1.2.3", true},
		{"10.0.0.0/8", "::ffff:10.1.2.3", true}, {"::ffff:0:0/96", "192.0.2.1", true}, {"::/0", "192.0.2.1", false}, {"0.0.0.0/0", "2001:db8::1", false},
	} {
		var c Context
		c.Set(KeySourceIP, v.address)
		deny := statements(`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"` + v.block + `"}}}`)
		d := Decide(Policies{Identity: []*Policy{parse(t, IdentityPolicy, "p", deny)}}, Request{Principal: user, Action: "s3:GetObject", Context: c})
		if got := d.Effect == Deny; got != v.want {
			t.Errorf("%s in %s: %v", v.address, v.block, got)
		}
	}
}
