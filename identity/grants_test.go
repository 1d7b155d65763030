package identity_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
)

// allow is a policy document that allows one action on everything.
func allow(action string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":"*"}]}`, action)
}

func deny(action string) string { return strings.Replace(allow(action), "Allow", "Deny", 1) }

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`

func (h *house) must(t testing.TB) func(error) {
	return func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// user makes a user and its Caller.
func (h *house) user(t testing.TB, name string) outcrop.Caller {
	t.Helper()
	u, err := h.CreateUser(t.Context(), account, name)
	if err != nil {
		t.Fatal(err)
	}
	return outcrop.Caller{Account: account, Principal: u.ARN(), UserID: u.ID, AccessKey: "AKIA" + name}
}

func (h *house) policy(t testing.TB, name, document string) outcrop.ARN {
	t.Helper()
	p, err := h.CreatePolicy(t.Context(), account, identity.PolicySpec{Name: name, Document: document})
	if err != nil {
		t.Fatal(err)
	}
	return p.ARN()
}

// may asks for a decision as the server does.
func (h *house) may(t testing.TB, who outcrop.Caller, action string) bool {
	t.Helper()
	g, err := h.PoliciesOf(t.Context(), who)
	if err != nil {
		if outcrop.KindOf(err) != outcrop.Denied {
			t.Error(err)
		}
		return false
	}
	return iam.Decide(g.Policies, iam.Request{Principal: who.Principal, Role: g.Role, Action: action, Resource: "*"}).Effect == iam.Allow
}

// TestRevokedAtOnce: whatever allowed a call, the call after its end is
// refused, and the call after its return is allowed again.
func TestRevokedAtOnce(t *testing.T) {
	h := newHouse(t)
	h.bootstrap(t)
	ctx, ok := t.Context(), h.must(t)
	who := h.user(t, "alice")
	ref, group := identity.UserRef(account, "Alice"), identity.GroupRef(account, "team")
	_, err := h.CreateGroup(ctx, account, "team", "/")
	ok(err)
	p := h.policy(t, "invoke", allow("bedrock:InvokeModel"))
	other := h.policy(t, "list", allow("bedrock:List*"))
	const action = "bedrock:InvokeModel"
	for name, step := range map[string]struct{ give, take func() error }{
		"attached to the user": {func() error { return h.AttachPolicy(ctx, ref, p) }, func() error { return h.DetachPolicy(ctx, ref, p) }},
		"inline of the user": {func() error { return h.PutInlinePolicy(ctx, ref, "in", allow(action)) },
			func() error { return h.PutInlinePolicy(ctx, ref, "in", allow("s3:*")) }},
		"attached to a group": {
			func() error {
				return or(h.AttachPolicy(ctx, group, p), h.AddToGroup(ctx, account, "team", "alice"))
			},
			func() error { return h.DetachPolicy(ctx, group, p) }},
		"membership": {
			func() error {
				return or(h.AttachPolicy(ctx, group, p), h.AddToGroup(ctx, account, "team", "alice"))
			},
			func() error { return h.RemoveFromGroup(ctx, account, "team", "alice") }},
		"inline of a group": {
			func() error {
				return or(h.PutInlinePolicy(ctx, group, "in", allow(action)), h.AddToGroup(ctx, account, "TEAM", "ALICE"))
			},
			func() error { return h.DeleteInlinePolicy(ctx, group, "in") }},
		"a boundary": {
			func() error { return or(h.AttachPolicy(ctx, ref, p), h.SetBoundary(ctx, ref, p)) },
			func() error { return or(h.SetBoundary(ctx, ref, other)) }},
	} {
		for round := range 3 {
			ok(step.give())
			if !h.may(t, who, action) {
				t.Errorf("%s, round %d: not allowed after it was given", name, round)
			}
			ok(step.take())
			if h.may(t, who, action) {
				t.Errorf("%s, round %d: allowed after it was taken", name, round)
			}
		}
		h.RemoveBoundary(ctx, ref)
		h.DetachPolicy(ctx, ref, p)
		h.DetachPolicy(ctx, group, p)
		h.RemoveFromGroup(ctx, account, "team", "alice")
	}
}

func or(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestVersionsAtOnce: the default version of an attached policy is what holds.
func TestVersionsAtOnce(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	who := h.user(t, "alice")
	p := h.policy(t, "p", allow("bedrock:InvokeModel"))
	ok(h.AttachPolicy(ctx, identity.UserRef(account, "alice"), p))
	want := func(v string, can bool) {
		t.Helper()
		if h.may(t, who, "bedrock:InvokeModel") != can {
			t.Errorf("%s: allowed = %v", v, !can)
		}
	}
	want("v1", true)
	_, err := h.CreatePolicyVersion(ctx, account, p, allow("s3:*"), false)
	ok(err)
	want("v2, not the default", true)
	ok(h.SetDefaultPolicyVersion(ctx, account, p, "v2"))
	want("v2", false)
	_, err = h.CreatePolicyVersion(ctx, account, p, allow("*"), true)
	ok(err)
	want("v3", true)
}

// TestNobodyLeft: whoever is gone is refused, though a key may still be in
// the hands of a request.
func TestNobodyLeft(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	who := h.user(t, "alice")
	if _, err := h.PoliciesOf(ctx, who); err != nil {
		t.Fatal(err)
	}
	ok(h.DeleteUser(ctx, account, "alice"))
	_, err := h.PoliciesOf(ctx, who)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
	h.user(t, "alice") // another one, with the same ARN
	_, err = h.PoliciesOf(ctx, who)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

func (h *house) role(t testing.TB, name string) (identity.Role, outcrop.Caller) {
	t.Helper()
	r, err := h.CreateRole(t.Context(), account, identity.RoleSpec{Name: name, Path: "/app/", Trust: trust, Tags: outcrop.Tags{"Team": "blue", "tier": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	return r, outcrop.Caller{Account: account, Principal: outcrop.ARN("arn:aws:sts::123456789012:assumed-role/" + name + "/s1"), UserID: r.ID + ":s1", AccessKey: "ASIA" + name,
		Session: &outcrop.Session{Role: r.ARN(), Name: "s1", Tags: outcrop.Tags{"team": "red"}, Issued: start, Expires: start.Add(time.Hour)}}
}

func TestRoleSessions(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	r, who := h.role(t, "app")
	ok(h.AttachPolicy(ctx, identity.RoleRef(account, "app"), "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"))
	g, err := h.PoliciesOf(ctx, who)
	ok(err)
	if g.Role != r.ARN() || g.UserName != "" || g.UserID != r.ID+":s1" {
		t.Errorf("grants %+v", g)
	}
	if fmt.Sprint(g.Tags) != "map[team:red tier:1]" {
		t.Errorf("tags %v", g.Tags)
	}
	if !h.may(t, who, "bedrock:InvokeModel") {
		t.Error("the role's session is not allowed what the role is")
	}
	narrow := who
	session := *who.Session
	session.Policies, narrow.Session, narrow.AccessKey = []string{allow("bedrock:Get*"), strings.Replace(allow("bedrock:List*"), `"Version":"2012-10-17",`, "", 1)}, &session, "ASIAnarrow"
	for action, want := range map[string]bool{"bedrock:InvokeModel": false, "bedrock:GetInferenceProfile": true, "bedrock:ListInferenceProfiles": true, "s3:GetObject": false} {
		if h.may(t, narrow, action) != want {
			t.Errorf("with session policies, %s = %v", action, !want)
		}
	}
	stolen := narrow // the same key id, other policies: memory must not mix them up
	wide := session
	wide.Policies = []string{allow("bedrock:*")}
	if stolen.Session = &wide; !h.may(t, stolen, "bedrock:InvokeModel") || h.may(t, narrow, "bedrock:InvokeModel") {
		t.Error("two sessions under one key are mixed up")
	}
	ok(h.DetachPolicy(ctx, identity.RoleRef(account, "app"), "arn:aws:iam::aws:policy/AmazonBedrockFullAccess"))
	if h.may(t, who, "bedrock:InvokeModel") || h.may(t, narrow, "bedrock:GetInferenceProfile") {
		t.Error("allowed after the role lost its policy")
	}
	ok(h.DeleteRole(ctx, account, "app"))
	h.role(t, "app")
	_, err = h.PoliciesOf(ctx, who)
	wantRefusal(t, err, "UnrecognizedClientException", unrecognized, false)
}

func TestAdministratorAndRoot(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	admin := outcrop.Caller{Account: account, Principal: b.User.ARN(), UserID: b.User.ID}
	for _, who := range []outcrop.Caller{admin, identity.Root(account)} {
		for _, action := range []string{"bedrock:InvokeModel", "iam:CreateUser", "organizations:CreatePolicy"} {
			if !h.may(t, who, action) {
				t.Errorf("%s may not %s", who.Principal, action)
			}
		}
	}
	if who := h.user(t, "bob"); h.may(t, who, "bedrock:InvokeModel") {
		t.Error("a user without policies may invoke")
	}
}

// TestRevokedDuringALoad: policies that were read before a change are not
// remembered after it.
func TestRevokedDuringALoad(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	who := h.user(t, "alice")
	p := h.policy(t, "p", allow("*"))
	ref := identity.UserRef(account, "alice")
	ok(h.AttachPolicy(ctx, ref, p))
	h.store.midEntry = func() { ok(h.DetachPolicy(ctx, ref, p)) }
	h.may(t, who, "x:y") // began before the change: either answer is right
	if h.may(t, who, "x:y") {
		t.Error("allowed after the change")
	}
}

// TestRevocationRace: however many ask while a policy comes and goes, nobody
// who asks after Detach returned is allowed.
func TestRevocationRace(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	who := h.user(t, "alice")
	p, ref := h.policy(t, "p", allow("*")), identity.UserRef(account, "alice")
	var revoked atomic.Int64 // odd while nothing is attached
	revoked.Store(1)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				before := revoked.Load()
				if h.may(t, who, "x:y") && before%2 == 1 && revoked.Load() == before {
					t.Error("allowed while nothing was attached")
					return
				}
			}
		})
	}
	for range 200 {
		revoked.Add(1)
		ok(h.AttachPolicy(ctx, ref, p))
		if !h.may(t, who, "x:y") {
			t.Error("not allowed after Attach")
		}
		ok(h.DetachPolicy(ctx, ref, p))
		revoked.Add(1)
		if h.may(t, who, "x:y") {
			t.Error("allowed after Detach")
		}
	}
	close(stop)
	wg.Wait()
}

// TestWarmGrantsAskNobody: a hundred decisions cost one gathering, and another
// principal's change costs none.
func TestWarmGrantsAskNobody(t *testing.T) {
	h := newHouse(t)
	ctx, ok := t.Context(), h.must(t)
	alice, ref := h.user(t, "alice"), identity.UserRef(account, "alice")
	h.user(t, "bob")
	ok(h.AttachPolicy(ctx, ref, h.policy(t, "p", allow("*"))))
	h.may(t, alice, "x:y")
	ok(h.PutInlinePolicy(ctx, identity.UserRef(account, "bob"), "in", allow("*")))
	h.policy(t, "q", allow("*"))
	before := h.store.entryReads()
	for range 100 {
		h.may(t, alice, "x:y")
	}
	if n := h.store.entryReads() - before; n != 0 {
		t.Errorf("%d reads for 100 decisions", n)
	}
	h.now = h.now.Add(15 * time.Second) // another node may have changed something
	h.may(t, alice, "x:y")
	if h.store.entryReads() == before {
		t.Error("never looked again")
	}
}

func TestServiceControlPolicies(t *testing.T) {
	h := newHouse(t)
	h.bootstrap(t)
	ctx, ok := t.Context(), h.must(t)
	o, err := h.CreateOrganization(ctx, account)
	ok(err)
	_, err = h.EnableSCPs(ctx, o.RootID)
	ok(err)
	member, err := h.CreateAccount(ctx, "team", "team@example.com", "")
	ok(err)
	who, manager := identity.Root(member.ID), identity.Root(account)
	ou, err := h.CreateUnit(ctx, o.RootID, "sandbox")
	ok(err)
	scp, err := h.CreateSCP(ctx, identity.SCP{Name: "no-invoke", Content: deny("bedrock:InvokeModel")})
	ok(err)
	const action = "bedrock:InvokeModel"
	want := func(when string, can bool) {
		t.Helper()
		if h.may(t, who, action) != can {
			t.Errorf("%s: allowed = %v", when, !can)
		}
		if !h.may(t, manager, action) {
			t.Errorf("%s: the management account is bound", when)
		}
	}
	want("at first", true)
	for _, target := range []string{o.RootID, string(member.ID)} {
		ok(h.AttachSCP(ctx, scp.ID, target))
		want("attached to "+target, false)
		ok(h.DetachSCP(ctx, scp.ID, target))
		want("detached from "+target, true)
	}
	ok(h.AttachSCP(ctx, scp.ID, ou.ID))
	want("on a unit elsewhere", true)
	ok(h.MoveAccount(ctx, member.ID, o.RootID, ou.ID))
	want("moved into the unit", false)
	g, err := h.PoliciesOf(ctx, who)
	ok(err)
	if len(g.Policies.SCPs) != 3 {
		t.Errorf("%d levels, want root, unit, account", len(g.Policies.SCPs))
	}
	if names := g.Policies.SCPs[1]; !slices.ContainsFunc(names, func(p *iam.Policy) bool { return p.Name == string(o.SCPARN(scp)) }) {
		t.Errorf("the reason would not name the policy: %v", names)
	}
	harmless := deny("s3:*")
	_, err = h.UpdateSCP(ctx, scp.ID, identity.SCPChange{Content: &harmless})
	ok(err)
	want("after the policy changed", true)
	_, err = h.UpdateSCP(ctx, scp.ID, identity.SCPChange{Content: ptr(deny("*"))})
	ok(err)
	want("after it changed back", false)
	_, err = h.DisableSCPs(ctx, o.RootID)
	ok(err)
	want("switched off", true)
	ok(h.CloseAccount(ctx, member.ID))
	want("closed", false)
}

func ptr[T any](v T) *T { return &v }

func BenchmarkPoliciesOf(b *testing.B) {
	h := newHouse(b)
	admin := h.bootstrap(b)
	who := outcrop.Caller{Account: account, Principal: admin.User.ARN(), UserID: admin.User.ID}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.PoliciesOf(b.Context(), who); err != nil {
			b.Fatal(err)
		}
	}
}
