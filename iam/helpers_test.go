package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"outcrop"
)

const (
	account = outcrop.AccountID("111122223333")
	novaID  = outcrop.ModelID("amazon.nova-lite-v1:0")
	user    = outcrop.ARN("arn:aws:iam::111122223333:user/alice")
)

// parse is ParsePolicy of a document that has to be right.
func parse(t testing.TB, kind PolicyKind, name, text string) *Policy {
	t.Helper()
	p, err := ParsePolicy([]byte(text), kind)
	if err != nil {
		t.Fatalf("%s: %v (%v)", name, err, errors.Unwrap(err))
	}
	p.Name = name
	return p
}

// statements wraps comma-separated statements into a policy.
func statements(s ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(s, ",") + `]}`
}

func identity(t testing.TB, s ...string) []*Policy {
	t.Helper()
	if len(s) == 0 {
		return nil
	}
	return []*Policy{parse(t, IdentityPolicy, "identity", statements(s...))}
}

const fullAccess = `{"Sid":"Full","Effect":"Allow","Action":"*","Resource":"*"}`

// scps are a full-access root level and an account level with the statements
// beside full access.
func scps(t testing.TB, s ...string) [][]*Policy {
	t.Helper()
	full := parse(t, ServiceControlPolicy, "FullAWSAccess", statements(fullAccess))
	level := []*Policy{full}
	if len(s) > 0 {
		level = append(level, parse(t, ServiceControlPolicy, "guard", statements(s...)))
	}
	return [][]*Policy{{full}, level}
}

// alice is a request by the user, in us-east-1.
func alice(action string, resource outcrop.ARN) Request {
	r := Request{Principal: user, Action: action, Resource: resource}
	r.Context.SetCaller(outcrop.Caller{Account: account, Principal: user, UserID: "AIDAEXAMPLE", Region: "us-east-1"}, "", nil)
	return r
}

func destinations(id outcrop.ModelID, regions ...outcrop.Region) []outcrop.Destination {
	var d []outcrop.Destination
	for _, r := range regions {
		d = append(d, outcrop.Destination{Region: r, Model: id})
	}
	return d
}

func fmTarget() *outcrop.Target {
	return &outcrop.Target{Model: outcrop.FoundationModel{ID: novaID}, Region: "us-east-1", Destinations: destinations(novaID, "us-east-1")}
}

// systemTarget is the profile of a geography as called from the first Region.
func systemTarget(geo outcrop.Geography, regions ...outcrop.Region) *outcrop.Target {
	id := string(geo) + "." + string(novaID)
	p := &outcrop.InferenceProfile{
		ARN: outcrop.SystemProfileARN(regions[0], account, id), ID: id, Kind: outcrop.SystemDefined, Geography: geo,
		Model: novaID, Destinations: destinations(novaID, regions...),
	}
	return &outcrop.Target{Profile: p, Model: outcrop.FoundationModel{ID: novaID}, Region: regions[0], Geography: geo, Destinations: p.Destinations}
}

func usTarget() *outcrop.Target { return systemTarget("us", "us-east-1", "us-east-2", "us-west-2") }

func globalTarget() *outcrop.Target {
	return systemTarget("global", "us-east-1", "eu-west-3", "ap-northeast-1")
}

// applicationTarget copies source, which may be nil for a plain model.
func applicationTarget(source *outcrop.Target, id string, tags outcrop.Tags) *outcrop.Target {
	copied := *source
	p := &outcrop.InferenceProfile{
		ARN: outcrop.ApplicationProfileARN(source.Region, account, id), ID: id, Kind: outcrop.Application, Geography: source.Geography,
		Source: source.ProfileARN(), Model: novaID, Destinations: source.Destinations, Tags: tags,
	}
	copied.Profile, copied.Tags = p, tags
	return &copied
}

// invoke decides all checks of t and gives the outcome as a line:
// "allow", or effect, layer and the resource refused.
func invoke(t testing.TB, p Policies, target *outcrop.Target, action string, tags outcrop.Tags) string {
	t.Helper()
	base := alice("", "")
	base.Context.SetTags(KeyPrincipalTag, tags)
	checks := InvocationChecks(target, action)
	d, i := Compile(p).DecideAll(checks, base)
	if d.Allowed() {
		return "allow"
	}
	return fmt.Sprintf("%s %s %s %s", d.Effect, d.Layer, checks[i].Action, checks[i].Resource)
}

func fmARN(r outcrop.Region) string { return string(outcrop.FoundationModelARN("aws", r, novaID)) }

// quoted is s as JSON.
func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// testdata is a folder of the shared test data; the test is skipped where it
// is absent, unless skipping is forbidden.
func testdata(t *testing.T, name string) string {
	t.Helper()
	dir := "../../shared/testdata/" + name
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("OUTCROP_NO_SKIP") == "1" {
			t.Fatalf("test data is missing: %v", err)
		}
		t.Skipf("no shared test data (%s)", name)
	}
	return dir
}
