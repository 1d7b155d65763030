package iam

import (
	"fmt"
	"testing"

	"outcrop"
)

// TestLayersAndMessages: each layer refuses by silence and by Deny, in AWS's
// words (reference/control-plane.md §6.2).
func TestLayersAndMessages(t *testing.T) {
	const action, resource = "bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/m"
	full := func(kind PolicyKind) *Policy { return parse(t, kind, "full", statements(fullAccess)) }
	other := func(kind PolicyKind) *Policy { return parse(t, kind, "other", statements(allow("s3:*", "*"))) }
	denying := func(kind PolicyKind) *Policy {
		return parse(t, kind, "denying", statements(fullAccess, deny("bedrock:*", "*", "")))
	}
	everyone := func(s string) *Policy { return parse(t, ResourceControlPolicy, "rcp", s) }
	rcpFull := statements(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`)
	rcpOther := statements(`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`)
	rcpDeny := statements(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}`)
	all := func() Policies {
		return Policies{
			Identity: []*Policy{full(IdentityPolicy)}, Boundary: []*Policy{full(BoundaryPolicy)}, Session: []*Policy{full(SessionPolicy)},
			SCPs: [][]*Policy{{full(ServiceControlPolicy)}, {other(ServiceControlPolicy), full(ServiceControlPolicy)}},
			RCPs: [][]*Policy{{everyone(rcpFull)}},
		}
	}
	if d := Decide(all(), alice(action, resource)); !d.Allowed() || len(d.Reasons) != 6 || d.Layer != IdentityLayer {
		t.Fatalf("all allow, got %+v", d)
	}
	for _, v := range []struct {
		change func(*Policies)
		layer  Layer
		why    string
	}{
		{func(p *Policies) { p.Identity = nil }, IdentityLayer, "because no identity-based policy allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.Identity = append(p.Identity, denying(IdentityPolicy)) }, IdentityLayer, "with an explicit deny in an identity-based policy"},
		{func(p *Policies) { p.Boundary = []*Policy{other(BoundaryPolicy)} }, BoundaryLayer, "because no permissions boundary allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.Boundary = []*Policy{} }, BoundaryLayer, "because no permissions boundary allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.Boundary = []*Policy{denying(BoundaryPolicy)} }, BoundaryLayer, "with an explicit deny in a permissions boundary"},
		{func(p *Policies) { p.Session = []*Policy{other(SessionPolicy)} }, SessionLayer, "because no session policy allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.Session = []*Policy{} }, SessionLayer, "because no session policy allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.Session = []*Policy{denying(SessionPolicy)} }, SessionLayer, "with an explicit deny in a session policy"},
		{func(p *Policies) { p.SCPs[0][0] = other(ServiceControlPolicy) }, SCPLayer, "because no service control policy allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.SCPs[1] = nil }, SCPLayer, "because no service control policy allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.SCPs = [][]*Policy{} }, SCPLayer, "because no service control policy allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.SCPs[0] = append(p.SCPs[0], denying(ServiceControlPolicy)) }, SCPLayer, "with an explicit deny in a service control policy"},
		{func(p *Policies) { p.RCPs[0][0] = everyone(rcpOther) }, RCPLayer, "because no resource control policy allows the bedrock:InvokeModel action"},
		{func(p *Policies) { p.RCPs[0][0] = everyone(rcpDeny) }, RCPLayer, "with an explicit deny in a resource control policy"},
		{func(p *Policies) { p.Identity, p.SCPs[0] = nil, append(p.SCPs[0], denying(ServiceControlPolicy)) }, SCPLayer, "with an explicit deny in a service control policy"},
	} {
		p := all()
		v.change(&p)
		d := Decide(p, alice(action, resource))
		want := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", user, action, resource, v.why)
		if got := d.Message(string(user), action, resource); got != want || d.Layer != v.layer || d.Allowed() {
			t.Errorf("got  %s (%s)\nwant %s", got, d.Layer, want)
		}
	}
	var allowed Decision
	allowed.Effect = Allow
	if allowed.Message("p", "a", "r") != "" || allowed.Err(Request{}) != nil {
		t.Error("an allowed request has a denial message")
	}
}

// Nothing says nothing: the zero values refuse.
func TestZeroValuesRefuse(t *testing.T) {
	if d := Decide(Policies{}, Request{}); d.Allowed() {
		t.Error("no policies allow")
	}
	if (Decision{}).Allowed() {
		t.Error("the zero Decision allows")
	}
	if d, i := Compile(Policies{Root: true}).DecideAll(nil, Request{}); d.Allowed() || i != -1 {
		t.Error("no checks allow")
	}
}

// The root user is above its account's policies and below the organisation's.
func TestRootIsUnderSCPsOnly(t *testing.T) {
	root := Request{Principal: "arn:aws:iam::111122223333:root", Action: "bedrock:ListFoundationModels"}
	if d := Decide(Policies{Root: true, Boundary: []*Policy{}, Session: []*Policy{}}, root); !d.Allowed() {
		t.Errorf("root refused: %+v", d)
	}
	if d := Decide(Policies{Root: true, SCPs: scps(t, deny("bedrock:*", "*", ""))}, root); d.Layer != SCPLayer || d.Effect != Deny {
		t.Errorf("root passed an SCP: %+v", d)
	}
}

// All statements that speak are reasons, not only the first or the deciding.
func TestReasonsAreComplete(t *testing.T) {
	p := identity(t, fullAccess, `{"Sid":"Second","Effect":"Allow","Action":"bedrock:*","Resource":"*"}`, deny("bedrock:Invoke*", "*", ""), allow("s3:*", "*"))
	d := Decide(Policies{Identity: p}, alice("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/m"))
	want := []Reason{{Allow, IdentityLayer, 0, "identity", "Full", 0}, {Allow, IdentityLayer, 0, "identity", "Second", 1}, {Deny, IdentityLayer, 0, "identity", "Guard", 2}}
	if fmt.Sprint(d.Reasons) != fmt.Sprint(want) {
		t.Errorf("got %v", d.Reasons)
	}
	if got := d.Reasons[0].String(); got != `allow in identity-based policy identity, statement "Full"` {
		t.Error(got)
	}
}

// List grants that are scoped to profiles count, unless told otherwise
// (reference/control-plane.md §6.4; the statement is of seed 002).
func TestScopedListGrant(t *testing.T) {
	scoped := func(resource string) []*Policy {
		return identity(t, `{"Effect":"Allow","Action":["bedrock:GetInferenceProfile","bedrock:ListInferenceProfiles"],"Resource":`+resource+`}`)
	}
	for _, v := range []struct {
		resource        string
		lenient, strict bool
	}{
		{`["arn:aws:bedrock:*:*:inference-profile/*","arn:aws:bedrock:*:*:application-inference-profile/*"]`, true, false},
		{`"arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/*"`, true, false},
		{`"arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"`, false, false},
		{`"arn:aws:bedrock:eu-west-1:*:inference-profile/*"`, false, false},
		{`"arn:aws:bedrock:*:999999999999:inference-profile/*"`, false, false},
		{`"*"`, true, true},
	} {
		r := alice("bedrock:ListInferenceProfiles", "")
		if got := Decide(Policies{Identity: scoped(v.resource)}, r).Allowed(); got != v.lenient {
			t.Errorf("lenient %s: %v", v.resource, got)
		}
		if got := Decide(Policies{Identity: scoped(v.resource), StrictLists: true}, r).Allowed(); got != v.strict {
			t.Errorf("strict %s: %v", v.resource, got)
		}
		if got := Decide(Policies{Identity: scoped(v.resource)}, alice("bedrock:ListFoundationModels", "")).Allowed(); got {
			t.Errorf("%s allows another list", v.resource)
		}
	}
	scopedDeny := `{"Effect":"Deny","Action":"bedrock:List*","Resource":"arn:aws:bedrock:*:*:inference-profile/*"}`
	if !Decide(Policies{Identity: identity(t, fullAccess, scopedDeny)}, alice("bedrock:ListInferenceProfiles", "")).Allowed() {
		t.Error("a scoped Deny reached an action without resources")
	}
}

// Trust policies: who may assume a role, and when the caller's own policies
// have to say so too.
func TestTrustPolicies(t *testing.T) {
	const role = outcrop.ARN("arn:aws:iam::111122223333:role/team/app")
	const session = outcrop.ARN("arn:aws:sts::111122223333:assumed-role/deployer/ci")
	const oidc = "arn:aws:iam::111122223333:oidc-provider/token.example.com"
	stranger := outcrop.ARN("arn:aws:iam::999999999999:user/mallory")
	trust := func(principal string) *Policy {
		return parse(t, TrustPolicy, string(role), statements(`{"Effect":"Allow","Principal":`+principal+`,"Action":["sts:AssumeRole","sts:AssumeRoleWithWebIdentity"]}`))
	}
	mayAssume := identity(t, allow("sts:AssumeRole", string(role)))
	for _, v := range []struct {
		name      string
		principal string
		req       Request
		identity  []*Policy
		want      string
	}{
		{"user named, own policies silent", `{"AWS":"` + string(user) + `"}`, Request{Principal: user}, nil, "allowed role trust policy"},
		{"account named, own policies silent", `{"AWS":"arn:aws:iam::111122223333:root"}`, Request{Principal: user}, nil, "implicitDeny identity-based policy"},
		{"account named, own policies allow", `{"AWS":"111122223333"}`, Request{Principal: user}, mayAssume, "allowed identity-based policy"},
		{"nobody named me", `{"AWS":"arn:aws:iam::111122223333:user/bob"}`, Request{Principal: user}, mayAssume, "implicitDeny role trust policy"},
		{"role named, its session comes", `{"AWS":"arn:aws:iam::111122223333:role/deployer"}`, Request{Principal: session}, nil, "allowed role trust policy"},
		{"role with a path named", `{"AWS":"arn:aws:iam::111122223333:role/ci/deployer"}`, Request{Principal: session, Role: "arn:aws:iam::111122223333:role/ci/deployer"}, nil, "allowed role trust policy"},
		{"session named", `{"AWS":"` + string(session) + `"}`, Request{Principal: session}, nil, "allowed role trust policy"},
		{"another session named", `{"AWS":"` + string(session) + `2"}`, Request{Principal: session}, mayAssume, "implicitDeny role trust policy"},
		{"stranger, account trusted", `{"AWS":"999999999999"}`, Request{Principal: stranger}, nil, "implicitDeny identity-based policy"},
		{"stranger named, own policies silent", `{"AWS":"` + string(stranger) + `"}`, Request{Principal: stranger}, nil, "implicitDeny identity-based policy"},
		{"stranger named, own policies allow", `{"AWS":"` + string(stranger) + `"}`, Request{Principal: stranger}, mayAssume, "allowed identity-based policy"},
		{"stranger, anyone trusted", `"*"`, Request{Principal: stranger}, mayAssume, "allowed identity-based policy"},
		{"service named", `{"Service":"bedrock.amazonaws.com"}`, Request{Service: "bedrock.amazonaws.com"}, nil, "allowed role trust policy"},
		{"another service", `{"Service":"ec2.amazonaws.com"}`, Request{Service: "bedrock.amazonaws.com"}, nil, "implicitDeny role trust policy"},
		{"a user is no service", `{"Service":"bedrock.amazonaws.com"}`, Request{Principal: user}, mayAssume, "implicitDeny role trust policy"},
		{"provider named", `{"Federated":"` + oidc + `"}`, Request{Federated: oidc, Action: "sts:AssumeRoleWithWebIdentity"}, nil, "allowed role trust policy"},
		{"another provider", `{"Federated":"` + oidc + `/b"}`, Request{Federated: oidc, Action: "sts:AssumeRoleWithWebIdentity"}, nil, "implicitDeny role trust policy"},
		{"anyone is not any provider", `"*"`, Request{Federated: oidc, Action: "sts:AssumeRoleWithWebIdentity"}, nil, "implicitDeny role trust policy"},
	} {
		v.req.Resource = role
		if v.req.Action == "" {
			v.req.Action = "sts:AssumeRole"
		}
		d := Decide(Policies{Identity: v.identity, Resource: []*Policy{trust(v.principal)}}, v.req)
		if got := d.Effect.String() + " " + d.Layer.String(); got != v.want {
			t.Errorf("%s: got %s, want %s", v.name, got, v.want)
		}
	}
	d := Decide(Policies{Identity: mayAssume, Resource: []*Policy{trust(`{"AWS":"999999999999"}`)}}, Request{Principal: user, Action: "sts:AssumeRole", Resource: role})
	if got, want := d.because("sts:AssumeRole"), "because no role trust policy allows the sts:AssumeRole action"; got != want {
		t.Errorf("got %s", got)
	}
	denying := parse(t, TrustPolicy, "t", statements(`{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:user/bob"},"Action":"sts:*"}`))
	d = Decide(Policies{Identity: mayAssume, Resource: []*Policy{denying}}, Request{Principal: user, Action: "sts:AssumeRole", Resource: role})
	if got := d.because("sts:AssumeRole"); got != "with an explicit deny in the role trust policy" {
		t.Errorf("got %s", got)
	}
}

// A resource policy of the same account: what it makes unnecessary depends on
// how it names the caller.
func TestResourcePolicies(t *testing.T) {
	const bucket = outcrop.ARN("arn:aws:s3:::logs/x")
	const session = outcrop.ARN("arn:aws:sts::111122223333:assumed-role/app/1")
	boundary, passed := []*Policy{}, []*Policy{}
	for _, v := range []struct {
		principal string
		caller    outcrop.ARN
		p         Policies
		want      string
	}{
		{`{"AWS":"` + string(user) + `"}`, user, Policies{Boundary: boundary}, "allowed resource-based policy"},
		{`"*"`, user, Policies{Boundary: boundary}, "allowed resource-based policy"},
		{`{"AWS":"111122223333"}`, user, Policies{}, "implicitDeny identity-based policy"},
		{`{"AWS":"arn:aws:iam::111122223333:role/app"}`, session, Policies{}, "allowed resource-based policy"},
		{`{"AWS":"arn:aws:iam::111122223333:role/app"}`, session, Policies{Boundary: boundary}, "implicitDeny permissions boundary"},
		{`{"AWS":"arn:aws:iam::111122223333:role/app"}`, session, Policies{Session: passed}, "implicitDeny session policy"},
		{`{"AWS":"` + string(session) + `"}`, session, Policies{Session: passed}, "allowed resource-based policy"},
	} {
		v.p.Resource = []*Policy{parse(t, ResourcePolicy, "bucket", statements(`{"Effect":"Allow","Principal":`+v.principal+`,"Action":"s3:GetObject","Resource":"arn:aws:s3:::logs/*"}`))}
		d := Decide(v.p, Request{Principal: v.caller, Action: "s3:GetObject", Resource: bucket, ResourceAccount: account})
		if got := d.Effect.String() + " " + d.Layer.String(); got != v.want {
			t.Errorf("%s: got %s, want %s", v.principal, got, v.want)
		}
	}
	d := Decide(Policies{Identity: identity(t, fullAccess)}, Request{Principal: user, Action: "bedrock:InvokeModel", Resource: "arn:aws:bedrock:us-east-1:999999999999:application-inference-profile/abc"})
	if d.Allowed() || d.Layer != ResourceLayer {
		t.Errorf("another account's resource: %+v", d)
	}
}
