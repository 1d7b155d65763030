package identity_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
	"outcrop/identity/sealing"
)

// A remembering is an organisation's member account with a user, its groups
// and a role, in the hands of a rapid test.
type remembering struct {
	*house
	fresh   func() *identity.Directory // over the same store, with nothing in memory
	callers []outcrop.Caller
	refs    []identity.Ref
	policy  outcrop.ARN // attached to some of them or not
	scp     string
	targets []*outcrop.Target
}

func newRemembering(t *testing.T) *remembering {
	h, o := org(t)
	ctx, ok := t.Context(), h.must(t)
	a, err := h.CreateAccount(ctx, "team", "team@example.com", "")
	ok(err)
	u, err := h.CreateUser(ctx, a.ID, "ann")
	ok(err)
	_, err = h.CreateGroup(ctx, a.ID, "g", "/")
	ok(err)
	r, err := h.CreateRole(ctx, a.ID, identity.RoleSpec{Name: "app", Trust: trust})
	ok(err)
	p, err := h.CreatePolicy(ctx, a.ID, identity.PolicySpec{Name: "p", Document: allow("bedrock:*")})
	ok(err)
	s, err := h.CreateSCP(ctx, identity.SCP{Name: "s", Content: deny("s3:*")})
	ok(or(err, h.AttachSCP(ctx, s.ID, o.RootID)))
	for _, ref := range []identity.Ref{identity.UserRef(a.ID, "ann"), identity.RoleRef(a.ID, "app")} {
		ok(h.AttachPolicy(ctx, ref, p.ARN()))
	}
	m := &remembering{house: h, policy: p.ARN(), scp: s.ID, refs: []identity.Ref{identity.UserRef(a.ID, "ann"), identity.GroupRef(a.ID, "g"), identity.RoleRef(a.ID, "app")}}
	sealer, err := sealing.NewSealer(h.dir)
	ok(err)
	m.fresh = func() *identity.Directory { return identity.New(h.store, sealer, func() time.Time { return h.now }) }
	role := outcrop.Caller{Account: a.ID, Principal: outcrop.ARN("arn:aws:sts::" + string(a.ID) + ":assumed-role/app/s"), UserID: r.ID + ":s", AccessKey: "ASIA1",
		Session: &outcrop.Session{Role: r.ARN(), Name: "s", Tags: outcrop.Tags{"team": "red"}, Issued: start, Expires: start.Add(time.Hour)}}
	narrow, session := role, *role.Session
	session.Policies, narrow.Session, narrow.AccessKey = []string{statement("Allow", "bedrock:Invoke*", `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`)}, &session, "ASIA2"
	m.callers = []outcrop.Caller{caller(u), role, narrow}
	m.targets = []*outcrop.Target{invoked(a.ID, nil), invoked(a.ID, outcrop.Tags{"team": "red"}), {Model: outcrop.FoundationModel{ID: "x.y"}, Region: "us-east-1", Destinations: []outcrop.Destination{{Region: "us-east-1", Model: "x.y"}}}}
	return m
}

// invoked is the Target of an application profile over two Regions.
func invoked(a outcrop.AccountID, tags outcrop.Tags) *outcrop.Target {
	to := []outcrop.Destination{{Region: "us-east-1", Model: "x.y"}, {Region: "us-west-2", Model: "x.y"}}
	p := &outcrop.InferenceProfile{ARN: outcrop.ApplicationProfileARN("us-east-1", a, "aaaaaaaaaaaa"), Kind: outcrop.Application, Destinations: to, Tags: tags}
	return &outcrop.Target{Profile: p, Model: outcrop.FoundationModel{ID: "x.y"}, Region: "us-east-1", Geography: "us", Destinations: to}
}

func statement(effect, action, conditions string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":"*","Condition":{%s}}]}`, effect, action, conditions)
}

// conditions look at all that a decision can depend on; an empty one always
// holds.
var conditions = []string{
	"", "", "",
	`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`,
	`"StringLike":{"aws:UserAgent":"Boto3/*"}`,
	`"StringLike":{"aws:PrincipalArn":"*${aws:useragent}*"}`,
	`"StringLike":{"aws:userAgent":"*${AWS:SourceIP, '10.1.1.1'}*"}`,
	`"DateLessThan":{"aws:CurrentTime":"2026-01-16T16:56:20Z"}`,
	`"DateLessThan":{"aws:currentTime":"2026-01-16T16:56:30Z"}`,
	`"DateLessThan":{"aws:CurrentTime":"2026-01-16T16:57:00Z"}`,
	`"NumericLessThan":{"aws:epochTime":"1768582600"}`,
	`"Bool":{"aws:SecureTransport":"true"}`,
	`"StringEquals":{"aws:RequestedRegion":["us-east-1","us-west-2"]}`,
	`"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}`,
	`"StringEqualsIfExists":{"aws:PrincipalTag/team":"red"}`,
	`"StringLike":{"aws:userid":"*:s"}`,
	`"Null":{"aws:username":"true"}`,
	`"StringEquals":{"bedrock:BearerTokenType":"SHORT_TERM"}`,
	`"Null":{"bedrock:InferenceProfileArn":"false"}`,
}

// document is some policy: an Allow, and perhaps a Deny that looks at something.
func document(t *rapid.T) string {
	action := rapid.SampledFrom([]string{"*", "*", "bedrock:Invoke*", "bedrock:InvokeModel", "bedrock:CallWithBearerToken"})
	doc := statement("Allow", action.Draw(t, "action"), rapid.SampledFrom(conditions).Draw(t, "condition"))
	if rapid.IntRange(0, 2).Draw(t, "deny") > 0 {
		return doc
	}
	const head = `{"Version":"2012-10-17","Statement":[`
	more := statement("Deny", action.Draw(t, "denied"), rapid.SampledFrom(conditions[3:]).Draw(t, "denied when"))
	return doc[:len(doc)-len("]}")] + "," + more[len(head):]
}

// change does one thing that decisions depend on. What the state does not
// allow, such as detaching twice, is refused and changes nothing.
func (m *remembering) change(ctx context.Context, t *rapid.T) {
	ref := rapid.SampledFrom(m.refs).Draw(t, "whose")
	text := document(t)
	switch rapid.IntRange(0, 12).Draw(t, "change") {
	case 0, 1, 2:
		m.PutInlinePolicy(ctx, ref, "in", text)
	case 3:
		m.DeleteInlinePolicy(ctx, ref, "in")
	case 4:
		m.AttachPolicy(ctx, ref, m.policy)
	case 5:
		m.DetachPolicy(ctx, ref, m.policy)
	case 6:
		m.DeletePolicyVersion(ctx, ref.Account, m.policy, "v1")
		m.CreatePolicyVersion(ctx, ref.Account, m.policy, text, true)
	case 7:
		m.SetBoundary(ctx, ref, m.policy)
	case 8:
		m.RemoveBoundary(ctx, ref)
	case 9:
		if m.AddToGroup(ctx, ref.Account, "g", "ann") == nil && rapid.Bool().Draw(t, "at once") {
			m.RemoveFromGroup(ctx, ref.Account, "g", "ann")
		}
	case 10:
		m.UpdateSCP(ctx, m.scp, identity.SCPChange{Content: &text})
	case 11:
		m.SetTags(ctx, ref, outcrop.Tags{"team": rapid.SampledFrom([]string{"red", "blue"}).Draw(t, "team")})
	case 12: // the profile's tags: another Target
		m.targets[1] = invoked(ref.Account, outcrop.Tags{"team": rapid.SampledFrom([]string{"red", "blue"}).Draw(t, "team")})
	}
}

// A question is who calls what, from where.
type question struct {
	who  outcrop.Caller
	what iam.Invocation
}

// vary changes one thing about a question, or nothing.
func (m *remembering) vary(t *rapid.T, q *question) {
	switch rapid.IntRange(0, 9).Draw(t, "vary") {
	case 0:
		origin, region := q.who.Origin, q.who.Region
		q.who = rapid.SampledFrom(m.callers).Draw(t, "who")
		q.who.Origin, q.who.Region = origin, region
	case 1:
		q.who.Region = rapid.SampledFrom([]outcrop.Region{"us-east-1", "eu-west-1"}).Draw(t, "region")
	case 2, 3:
		q.who.Origin.IP = rapid.SampledFrom([]string{"10.1.1.1", "192.0.2.1", ""}).Draw(t, "ip")
	case 4:
		q.who.Origin.UserAgent = rapid.SampledFrom([]string{"Boto3/1 10.1.1.1", "ann", "app"}).Draw(t, "agent")
	case 5:
		q.who.Origin.TLS = !q.who.Origin.TLS
	case 6:
		q.what.Target = rapid.SampledFrom(m.targets).Draw(t, "target")
	case 7:
		q.what.Action = rapid.SampledFrom([]string{iam.ActionInvoke, iam.ActionInvokeStream}).Draw(t, "action")
	case 8:
		q.what.Rules.BearerTokenType = rapid.SampledFrom([]string{"", iam.ShortTermToken, iam.LongTermToken}).Draw(t, "bearer")
	}
}

// Promise: what is remembered of decisions changes none. After any change the
// very next call is answered as by a server that remembers nothing, in the same
// words.
func TestWhatIsRememberedOfDecisionsChangesNone(t *testing.T) {
	asked, allowed := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		m := newRemembering(t)
		q := question{m.callers[0], iam.Invocation{Target: m.targets[0], Action: iam.ActionInvoke}}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			m.change(t.Context(), rt)
			for range rapid.IntRange(1, 12).Draw(rt, "calls") {
				got, want := m.AuthorizeInvocation(t.Context(), q.who, q.what), m.fresh().Authorize(t.Context(), q.who, q.what.Checks()...)
				if fmt.Sprint(got) != fmt.Sprint(want) || outcrop.KindOf(got) != outcrop.KindOf(want) {
					rt.Fatalf("%+v of %s\n got %v\nwant %v", q.what, q.who.Principal, got, want)
				}
				if asked++; got == nil {
					allowed++
				}
				m.vary(rt, &q)
				if rapid.IntRange(0, 5).Draw(rt, "wait") == 0 {
					m.now = m.now.Add(time.Duration(rapid.IntRange(1, 6).Draw(rt, "seconds")) * time.Second)
				}
			}
		}
	})
	if t.Logf("%d of %d calls were allowed", allowed, asked); allowed < asked/5 {
		t.Errorf("only %d of %d calls were allowed: the test tells little", allowed, asked)
	}
}

// A permission that goes while others call is gone for every call that begins
// after that.
func TestNobodyIsAllowedByWhatAnotherCallRemembered(t *testing.T) {
	h := newHouse(t)
	h.bootstrap(t)
	who, ctx := h.user(t, "app-a"), t.Context()
	what := iam.Invocation{Target: invoked(account, nil), Action: iam.ActionInvoke}
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					h.AuthorizeInvocation(ctx, who, what)
				}
			}
		})
	}
	defer callers.Wait()
	defer close(stop)
	ref := identity.UserRef(account, "app-a")
	for range 200 {
		h.must(t)(h.PutInlinePolicy(ctx, ref, "p", allow("bedrock:*")))
		if err := h.AuthorizeInvocation(ctx, who, what); err != nil {
			t.Fatalf("after it was given: %v", err)
		}
		h.must(t)(h.DeleteInlinePolicy(ctx, ref, "p"))
		if err := h.AuthorizeInvocation(ctx, who, what); outcrop.KindOf(err) != outcrop.Denied {
			t.Fatalf("after it was taken: %v", err)
		}
	}
}

// Promise: asking what was asked before allocates nothing.
func TestARememberedDecisionAllocatesNothing(t *testing.T) {
	h := newHouse(t)
	who := caller(h.bootstrap(t).User)
	what := iam.Invocation{Target: invoked(account, nil), Action: iam.ActionInvoke}
	ask := func() {
		if err := h.AuthorizeInvocation(t.Context(), who, what); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, ask); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAuthorizeInvocation(b *testing.B) {
	h := newHouse(b)
	who := caller(h.bootstrap(b).User)
	what := iam.Invocation{Target: invoked(account, nil), Action: iam.ActionInvoke}
	for name, ask := range map[string]func() error{
		"remembered": func() error { return h.AuthorizeInvocation(b.Context(), who, what) },
		"decided":    func() error { return h.Authorize(b.Context(), who, what.Checks()...) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := ask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
