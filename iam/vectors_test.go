package iam

import (
	"strings"
	"testing"

	"outcrop"
)

func allow(action, resource string) string {
	return `{"Effect":"Allow","Action":` + quoted(action) + `,"Resource":` + quoted(resource) + `}`
}

func deny(action, resource, condition string) string {
	s := `{"Sid":"Guard","Effect":"Deny","Action":` + quoted(action) + `,"Resource":` + quoted(resource)
	if condition != "" {
		s += `,"Condition":` + condition
	}
	return s + `}`
}

// TestDecisionVectors is the table of reference/control-plane.md §6.6.
func TestDecisionVectors(t *testing.T) {
	us, global := usTarget(), globalTarget()
	pARN := string(us.Profile.ARN)
	allModels := "arn:aws:bedrock:*::foundation-model/" + string(novaID)
	everything := allow("*", "*")
	onlyThroughP := `{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":` + quoted(allModels) +
		`,"Condition":{"ArnEquals":{"bedrock:InferenceProfileArn":` + quoted(pARN) + `}}}`
	team := `{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*:*:application-inference-profile/*",` +
		`"Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}}`
	forceProfiles := deny("bedrock:InvokeModel*", "arn:aws:bedrock:*::foundation-model/*", `{"Null":{"bedrock:InferenceProfileArn":"true"}}`)
	blue := outcrop.Tags{"team": "blue"}

	for _, v := range []struct {
		row      string
		identity []string
		scp      []string
		target   *outcrop.Target
		action   string
		want     string
	}{
		{"1", []string{allow("bedrock:InvokeModel", pARN)}, nil, us, ActionInvoke, "implicitDeny identity-based policy bedrock:InvokeModel " + fmARN("us-east-1")},
		{"2", []string{allow("bedrock:InvokeModel", pARN), allow("bedrock:InvokeModel", allModels)}, nil, us, ActionInvoke, "allow"},
		{"2 global", []string{allow("bedrock:InvokeModel", string(global.Profile.ARN)), allow("bedrock:InvokeModel", allModels)}, nil, global, ActionInvoke, "allow"},
		{"3", []string{allow("bedrock:InvokeModel", pARN), allow("bedrock:InvokeModel", fmARN("us-east-1"))}, nil, us, ActionInvoke, "implicitDeny identity-based policy bedrock:InvokeModel " + fmARN("us-east-2")},
		{"4", []string{onlyThroughP, allow("bedrock:InvokeModel", pARN)}, nil, fmTarget(), ActionInvoke, "implicitDeny identity-based policy bedrock:InvokeModel " + fmARN("us-east-1")},
		{"5", []string{onlyThroughP, allow("bedrock:InvokeModel", pARN)}, nil, us, ActionInvoke, "allow"},
		{"6", []string{everything}, []string{deny("bedrock:*", "*", `{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}}`)}, us, ActionInvoke, "explicitDeny service control policy bedrock:InvokeModel " + fmARN("us-east-2")},
		{"7", []string{everything}, []string{deny("bedrock:*", "*", `{"StringEquals":{"aws:RequestedRegion":"unspecified"}}`)}, global, ActionInvoke, "explicitDeny service control policy bedrock:InvokeModel " + fmARN("")},
		{"8", []string{everything}, []string{deny("bedrock:*", "*", `{"StringEquals":{"aws:RequestedRegion":"unspecified"}}`)}, us, ActionInvoke, "allow"},
		{"9", nil, []string{deny("bedrock:InvokeModel", "*", "")}, us, ActionInvoke, "explicitDeny service control policy bedrock:InvokeModel " + pARN},
		{"10", []string{allow("bedrock:InvokeModel", allModels)}, []string{deny("bedrock:InvokeModel", allModels, "")}, us, ActionInvoke, "implicitDeny identity-based policy bedrock:InvokeModel " + pARN},
		{"11 own", []string{team, allow("bedrock:InvokeModel", allModels)}, nil, applicationTarget(fmTarget(), "own123456789", blue), ActionInvoke, "allow"},
		{"11 other", []string{team, allow("bedrock:InvokeModel", allModels)}, nil, applicationTarget(fmTarget(), "other1234567", outcrop.Tags{"team": "red"}), ActionInvoke, "implicitDeny identity-based policy bedrock:InvokeModel arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/other1234567"},
		{"11 untagged", []string{team, allow("bedrock:InvokeModel", allModels)}, nil, applicationTarget(fmTarget(), "none12345678", nil), ActionInvoke, "implicitDeny identity-based policy bedrock:InvokeModel arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/none12345678"},
		{"12", []string{allow("bedrock:InvokeModel", "*")}, nil, us, ActionInvokeStream, "implicitDeny identity-based policy bedrock:InvokeModelWithResponseStream " + pARN},
		{"13 direct", []string{everything}, []string{forceProfiles}, fmTarget(), ActionInvoke, "explicitDeny service control policy bedrock:InvokeModel " + fmARN("us-east-1")},
		{"13 profile", []string{everything}, []string{forceProfiles}, applicationTarget(us, "app123456789", nil), ActionInvoke, "allow"},
	} {
		p := Policies{Identity: identity(t, v.identity...), SCPs: scps(t, v.scp...)}
		if got := invoke(t, p, v.target, v.action, blue); got != v.want {
			t.Errorf("row %s:\n got %s\nwant %s", v.row, got, v.want)
		}
	}
}

// Row 14: a Bedrock API key needs CallWithBearerToken first.
func TestBearerTokenIsAskedFirst(t *testing.T) {
	checks := InvocationRules{BearerTokenType: LongTermToken}.Checks(usTarget(), ActionInvoke)
	c := Compile(Policies{Identity: identity(t, allow("bedrock:InvokeModel*", "*"))})
	d, i := c.DecideAll(checks, alice("", ""))
	if i != 0 || d.Effect != ImplicitDeny || checks[i].Action != ActionBearerToken {
		t.Errorf("got %s at check %d %s", d.Effect, i, checks[i].Action)
	}
	want := "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: bedrock:CallWithBearerToken because no identity-based policy allows the bedrock:CallWithBearerToken action"
	if got := d.Message(string(user), checks[i].Action, string(checks[i].Resource)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	onlyShort := `{"Effect":"Allow","Action":"bedrock:CallWithBearerToken","Resource":"*","Condition":{"StringEquals":{"bedrock:bearerTokenType":"SHORT_TERM"}}}`
	c = Compile(Policies{Identity: identity(t, onlyShort, allow("bedrock:InvokeModel*", "*"))})
	if d, i := c.DecideAll(checks, alice("", "")); d.Allowed() || i != 0 {
		t.Errorf("a long-term key passed a policy for short-term ones")
	}
	checks = InvocationRules{BearerTokenType: ShortTermToken}.Checks(usTarget(), ActionInvoke)
	if d, i := c.DecideAll(checks, alice("", "")); !d.Allowed() {
		t.Errorf("a short-term key was refused at check %d", i)
	}
}

// TestSCPPatterns is the table of reference/control-plane.md §6.3.
func TestSCPPatterns(t *testing.T) {
	us, global, eu := usTarget(), globalTarget(), systemTarget("eu", "eu-central-1", "eu-west-1", "eu-west-3")
	euFromUS := fmTarget()
	euFromUS.Region = "us-west-2"
	app, appOfUS := applicationTarget(fmTarget(), "app123456789", nil), applicationTarget(us, "app222222222", nil)
	lock := func(regions string) string {
		return deny("bedrock:InvokeModel*", "*", `{"StringNotEquals":{"aws:RequestedRegion":[`+regions+`]}}`)
	}
	roomForEU := deny("bedrock:InvokeModel*", "*", `{"StringNotEquals":{"aws:RequestedRegion":["eu-central-1"]},"ArnNotLike":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:*:*:inference-profile/eu.*"}}`)
	stopGlobal := deny("*", "*", `{"StringEquals":{"aws:RequestedRegion":"unspecified"},"ArnLike":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:*:*:inference-profile/global.*"}}`)
	forceProfile := deny("bedrock:InvokeModel*", "arn:*:bedrock:*::foundation-model/*", `{"Null":{"bedrock:InferenceProfileArn":"true"}}`)
	forceApplication := strings.Replace(deny("bedrock:InvokeModel*", "arn:*:bedrock:*::foundation-model/*", `{"ArnLike":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:*:*:inference-profile/*"}}`), "Guard", "NoSystem", 1)

	for _, v := range []struct {
		name   string
		scp    []string
		target *outcrop.Target
		passes bool
	}{
		{"region lock with room for eu: elsewhere", []string{roomForEU}, euFromUS, false},
		{"region lock with room for eu: eu profile", []string{roomForEU}, eu, true},
		{"region lock with room for eu: us profile", []string{roomForEU}, us, false},
		{"plain lock: us", []string{lock(`"us-east-1"`)}, us, false},
		{"plain lock: global", []string{lock(`"us-east-1"`)}, global, false},
		{"plain lock: the model", []string{lock(`"us-east-1"`)}, fmTarget(), true},
		{"stop global: global", []string{stopGlobal}, global, false},
		{"stop global: us", []string{stopGlobal}, us, true},
		{"allow global in a lock", []string{lock(`"us-east-1","unspecified"`)}, global, true},
		{"force profiles: model", []string{forceProfile}, fmTarget(), false},
		{"force profiles: system", []string{forceProfile}, us, true},
		{"force profiles: application", []string{forceProfile}, app, true},
		{"force application: model", []string{forceProfile, forceApplication}, fmTarget(), false},
		{"force application: system", []string{forceProfile, forceApplication}, us, false},
		{"force application: application", []string{forceProfile, forceApplication}, app, true},
		{"force application: application of a system profile", []string{forceProfile, forceApplication}, appOfUS, true},
		{"one destination blocked: eu", []string{deny("bedrock:*", "*", `{"StringEquals":{"aws:RequestedRegion":"eu-west-3"}}`)}, eu, false},
		{"one destination blocked: us", []string{deny("bedrock:*", "*", `{"StringEquals":{"aws:RequestedRegion":"eu-west-3"}}`)}, us, true},
	} {
		p := Policies{Identity: identity(t, fullAccess), SCPs: scps(t, v.scp...)}
		got := invoke(t, p, v.target, ActionInvoke, nil)
		if (got == "allow") != v.passes || !v.passes && !strings.HasPrefix(got, "explicitDeny service control policy") {
			t.Errorf("%s: %s", v.name, got)
		}
	}
}

func TestForcedTagAtCreate(t *testing.T) {
	guard := deny("bedrock:CreateInferenceProfile", "*", `{"Null":{"aws:RequestTag/team":"true"}}`)
	c := Compile(Policies{Identity: identity(t, fullAccess), SCPs: scps(t, guard)})
	for _, v := range []struct {
		tags   outcrop.Tags
		checks int
		passes bool
	}{{nil, 2, false}, {outcrop.Tags{"owner": "x"}, 3, false}, {outcrop.Tags{"Team": "blue"}, 3, true}} {
		checks := CreateProfileChecks("us-east-1", account, usTarget().Profile.ARN, v.tags)
		d, i := c.DecideAll(checks, alice("", ""))
		if d.Allowed() != v.passes || len(checks) != v.checks || !v.passes && i != 0 {
			t.Errorf("tags %v: %s at %d of %d", v.tags, d.Effect, i, len(checks))
		}
	}
	untagging := Compile(Policies{Identity: identity(t, allow("bedrock:CreateInferenceProfile", "*"))})
	checks := CreateProfileChecks("us-east-1", account, usTarget().Profile.ARN, outcrop.Tags{"team": "blue"})
	if d, i := untagging.DecideAll(checks, alice("", "")); d.Allowed() || checks[i].Action != "bedrock:TagResource" {
		t.Errorf("creating with tags passed without bedrock:TagResource")
	}
}

// A message for a blocked destination names its Region and the SCP.
func TestBlockedDestinationMessage(t *testing.T) {
	const scpARN = "arn:aws:organizations::999999999999:policy/o-exampleorgid/service_control_policy/p-examplepolicyid123"
	levels := scps(t, deny("bedrock:*", "*", `{"StringEquals":{"aws:RequestedRegion":"us-west-2"}}`))
	levels[1][1].Name = scpARN
	checks := InvocationChecks(usTarget(), ActionInvoke)
	d, i := Compile(Policies{Identity: identity(t, fullAccess), SCPs: levels}).DecideAll(checks, alice("", ""))
	want := "User: arn:aws:iam::111122223333:user/alice is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0 with an explicit deny in a service control policy: " + scpARN
	err := d.Err(checks[i].Request(alice("", "")))
	if outcrop.KindOf(err) != outcrop.Denied || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if r := d.Deciding(); len(r) != 1 || r[0] != (Reason{Deny, SCPLayer, 1, scpARN, "Guard", 0}) {
		t.Errorf("deciding %+v", r)
	}
	if got := d.Deciding()[0].String(); got != `explicit deny in service control policy `+scpARN+`, statement "Guard"` {
		t.Error(got)
	}
}
