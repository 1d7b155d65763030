package iam

import (
	"fmt"
	"strings"
	"testing"

	"outcrop"
)

// TestInvocationChecks is the table of reference/control-plane.md §6.2.
func TestInvocationChecks(t *testing.T) {
	us, global := usTarget(), globalTarget()
	app := applicationTarget(fmTarget(), "app123456789", outcrop.Tags{"team": "blue"})
	appOfUS, appOfGlobal := applicationTarget(us, "app222222222", nil), applicationTarget(global, "app333333333", nil)
	fm := func(r string) string { return "arn:aws:bedrock:" + r + "::foundation-model/amazon.nova-lite-v1:0" }
	own := func(id string) string {
		return "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/" + id
	}
	usARN, globalARN := string(us.Profile.ARN), string(global.Profile.ARN)
	for _, v := range []struct {
		name   string
		rules  InvocationRules
		target *outcrop.Target
		want   []string // resource, aws:RequestedRegion, bedrock:InferenceProfileArn
	}{
		{"model", InvocationRules{}, fmTarget(), []string{fm("us-east-1") + " us-east-1 []"}},
		{"geographic", InvocationRules{}, us, []string{
			usARN + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + usARN + "]",
			fm("us-east-2") + " us-east-2 [" + usARN + "]", fm("us-west-2") + " us-west-2 [" + usARN + "]"}},
		{"geographic, chosen", InvocationRules{Chosen: "us-west-2"}, us, []string{
			usARN + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + usARN + "]", fm("us-west-2") + " us-west-2 [" + usARN + "]"}},
		{"geographic, chosen at home", InvocationRules{Chosen: "us-east-1"}, us, []string{usARN + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + usARN + "]"}},
		{"global", InvocationRules{}, global, []string{
			globalARN + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + globalARN + "]", fm("") + " unspecified [" + globalARN + "]"}},
		{"application of a model", InvocationRules{}, app, []string{own("app123456789") + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + own("app123456789") + "]"}},
		{"application of a system profile", InvocationRules{}, appOfUS, []string{
			own("app222222222") + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + own("app222222222") + "]",
			fm("us-east-2") + " us-east-2 [" + own("app222222222") + "]", fm("us-west-2") + " us-west-2 [" + own("app222222222") + "]"}},
		{"application of a system profile, source asked", InvocationRules{SourceProfile: true, Chosen: "us-east-1"}, appOfUS, []string{
			own("app222222222") + " us-east-1 []", usARN + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + own("app222222222") + "]"}},
		{"application of a global profile", InvocationRules{}, appOfGlobal, []string{
			own("app333333333") + " us-east-1 []", fm("us-east-1") + " us-east-1 [" + own("app333333333") + "]", fm("") + " unspecified [" + own("app333333333") + "]"}},
	} {
		var got []string
		for _, c := range v.rules.Checks(v.target, ActionInvoke) {
			region := c.Context.Values(KeyRequestedRegion)
			got = append(got, fmt.Sprintf("%s %s %v", c.Resource, region[0], c.Context.Values("bedrock:InferenceProfileArn")))
		}
		if strings.Join(got, "\n") != strings.Join(v.want, "\n") {
			t.Errorf("%s:\n got %s\nwant %s", v.name, strings.Join(got, "\n     "), strings.Join(v.want, "\n     "))
		}
	}
	if tag := InvocationChecks(app, ActionInvoke)[0].Context.Values("aws:ResourceTag/Team"); len(tag) != 1 || tag[0] != "blue" {
		t.Errorf("tags of the profile: %v", tag)
	}
	if tag := InvocationChecks(app, ActionInvoke)[1].Context.Values("aws:ResourceTag/team"); tag != nil {
		t.Errorf("a foundation model has tags: %v", tag)
	}
}

func TestGuardrailTierAndRouter(t *testing.T) {
	const guardrail = outcrop.ARN("arn:aws:bedrock:us-east-1:111122223333:guardrail/g")
	const router = outcrop.ARN("arn:aws:bedrock:us-east-1:111122223333:prompt-router/r")
	checks := InvocationRules{Guardrail: guardrail, ServiceTier: "flex", Router: router, BearerTokenType: ShortTermToken}.Checks(usTarget(), ActionInvokeStream)
	first, last := checks[0], checks[len(checks)-1]
	if first.Action != ActionBearerToken || last.Action != ActionGuardrail || last.Resource != guardrail {
		t.Errorf("first %+v, last %+v", first, last)
	}
	for _, c := range checks[1 : len(checks)-1] {
		if c.Action != ActionInvokeStream || c.Context.Values(KeyGuardrailIdentifier)[0] != string(guardrail) ||
			c.Context.Values(KeyServiceTier)[0] != "flex" || c.Context.Values("bedrock:PromptRouterArn")[0] != string(router) {
			t.Errorf("%+v", c)
		}
	}
	if c := RouterCheck(router, outcrop.Tags{"a": "b"}, ActionInvoke); c.Resource != router || c.Context.Values("aws:resourcetag/A")[0] != "b" {
		t.Errorf("%+v", c)
	}
}

// Property: the least policy passes every check of its profile, and nothing
// else that Bedrock has.
func TestLeastPolicy(t *testing.T) {
	us, global := usTarget(), globalTarget()
	targets := map[string]*outcrop.Target{
		"us": us, "global": global, "eu": systemTarget("eu", "eu-central-1", "eu-west-1"),
		"app": applicationTarget(fmTarget(), "app111111111", nil), "app of us": applicationTarget(us, "app222222222", nil), "app of global": applicationTarget(global, "app333333333", nil),
	}
	for name, target := range targets {
		text := LeastPolicy(target.Profile, target.Destinations)
		if PolicyChars(text) > int(ManagedPolicyChars) {
			t.Errorf("%s: %d characters", name, PolicyChars(text))
		}
		p := Policies{Identity: []*Policy{parse(t, ManagedPolicy, name, string(text))}}
		for other, o := range targets {
			for _, action := range []string{ActionInvoke, ActionInvokeStream} {
				if got := invoke(t, p, o, action, nil); (got == "allow") != (other == name) {
					t.Errorf("%s with the grant of %s: %s", other, name, got)
				}
			}
		}
		if got := invoke(t, p, fmTarget(), ActionInvoke, nil); got == "allow" {
			t.Errorf("the grant of %s lets the model be called directly", name)
		}
		for action, want := range map[string]bool{"bedrock:GetInferenceProfile": true, "bedrock:DeleteInferenceProfile": false, "bedrock:TagResource": false} {
			if got := Decide(p, alice(action, target.Profile.ARN)).Allowed(); got != want {
				t.Errorf("%s with the grant of %s: %v", action, name, got)
			}
		}
	}
}

func TestCallerContext(t *testing.T) {
	for _, v := range []struct {
		principal, role     outcrop.ARN
		arn, kind, username string
	}{
		{"arn:aws:iam::111122223333:user/team/alice", "", "arn:aws:iam::111122223333:user/team/alice", "User", "[alice]"},
		{"arn:aws:sts::111122223333:assumed-role/app/s", "arn:aws:iam::111122223333:role/p/app", "arn:aws:iam::111122223333:role/p/app", "AssumedRole", "[]"},
		{"arn:aws:iam::111122223333:root", "", "arn:aws:iam::111122223333:root", "Account", "[]"},
	} {
		var c Context
		c.SetCaller(outcrop.Caller{Account: account, Principal: v.principal, Region: "us-east-1"}, v.role, outcrop.Tags{"Team": "x"})
		if c.Values("aws:PrincipalArn")[0] != v.arn || c.Values("aws:PrincipalType")[0] != v.kind || fmt.Sprint(c.Values("aws:username")) != v.username || c.Values("aws:PrincipalTag/team")[0] != "x" {
			t.Errorf("%s: %v", v.principal, c)
		}
	}
}

// With lays one context over another and changes neither.
func TestContextWith(t *testing.T) {
	var a, b Context
	a.Set("K", "1")
	a.SetMulti("m", "x")
	b.Set("k", "2")
	b.SetRequestTags(outcrop.Tags{"B": "2", "a": "1"})
	sum := a.With(b)
	if sum.Values("k")[0] != "2" || a.Values("k")[0] != "1" || sum.Values("m")[0] != "x" || fmt.Sprint(sum.Values("aws:TagKeys")) != "[B a]" || sum.Values("aws:RequestTag/b")[0] != "2" {
		t.Errorf("%v", sum)
	}
	if len(a.Keys()) != 2 || len(sum.Keys()) != 5 {
		t.Errorf("%v %v", a.Keys(), sum.Keys())
	}
}
