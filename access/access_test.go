package access

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/internal/strictyaml"
	"outcrop/server"
	"outcrop/sigv4"
)

const (
	geo    = "us.amazon.nova-lite-v1:0"
	global = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
)

// admin starts a server and speaks to it as its administrator.
func admin(t *testing.T) *Client {
	t.Helper()
	s, err := server.Start(t.Context(), server.Config{
		Listen: "127.0.0.1:0", DataDir: t.TempDir(), Drain: strictyaml.Duration(5 * time.Second),
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	first := s.FirstStart()
	return &Client{Endpoint: s.Endpoint(), Region: "us-east-1", HTTP: client,
		Keys: sigv4.Credentials{AccessKey: first.AccessKeyID, Secret: first.SecretAccessKey}}
}

// do calls an operation of IAM with pairs of names and values.
func (c *Client) do(t *testing.T, action string, pairs ...string) {
	t.Helper()
	in := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i]] = []string{pairs[i+1]}
	}
	if err := c.form(t.Context(), "iam", action, in, nil); err != nil {
		t.Fatal(err)
	}
}

// user makes a user and a client with its keys.
func (c *Client) user(t *testing.T, name string) *Client {
	t.Helper()
	c.do(t, "CreateUser", "UserName", name)
	var out struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	if err := c.form(t.Context(), "iam", "CreateAccessKey", map[string][]string{"UserName": {name}}, &out); err != nil {
		t.Fatal(err)
	}
	u := *c
	u.Keys = sigv4.Credentials{AccessKey: out.ID, Secret: out.Secret}
	return &u
}

// policy gives a user an inline policy of one or more statements.
func (c *Client) policy(t *testing.T, user, name, statements string) {
	t.Helper()
	c.do(t, "PutUserPolicy", "UserName", user, "PolicyName", name, "PolicyDocument", `{"Version":"2012-10-17","Statement":`+statements+`}`)
}

// profile makes an application profile with tags.
func (c *Client) profile(t *testing.T, name, source string, tags map[string]string) outcrop.ARN {
	t.Helper()
	in := map[string]any{"inferenceProfileName": name, "modelSource": map[string]any{"copyFrom": source}}
	list := []map[string]string{}
	for k, v := range tags {
		list = append(list, map[string]string{"key": k, "value": v})
	}
	if len(list) > 0 {
		in["tags"] = list
	}
	var out struct {
		ARN outcrop.ARN `json:"inferenceProfileArn"`
	}
	if err := c.bedrock(t.Context(), "POST", "/inference-profiles", in, &out); err != nil {
		t.Fatal(err)
	}
	return out.ARN
}

// converse calls a model; the error is the server's refusal.
func (c *Client) converse(ctx context.Context, model string) error {
	path := "/model/" + strings.NewReplacer(":", "%3A", "/", "%2F").Replace(model) + "/converse"
	_, err := c.send(ctx, "bedrock", "POST", path, `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`, map[string]string{"Content-Type": "application/json"})
	return err
}

func (c *Client) explain(t *testing.T, principal, profile string) *Explanation {
	t.Helper()
	e, err := c.Explain(t.Context(), Question{Principal: principal, Action: "bedrock:InvokeModel", Profile: profile})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A grant is enough for its profile, and for nothing else: neither the model
// without the profile nor any other profile.
func TestGrantIsEnoughAndNoMore(t *testing.T) {
	c := admin(t)
	app := c.profile(t, "chat", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"+geo, nil)
	other := c.profile(t, "other", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"+geo, nil)
	for i, id := range []string{geo, global, string(app), app.Parts().ResourceID()} {
		name := "u" + string(rune('0'+i))
		u := c.user(t, name)
		g, err := c.Grant(t.Context(), id, "user/"+name)
		if err != nil {
			t.Fatal(err)
		}
		called := id
		if id == app.Parts().ResourceID() {
			called = string(app) // an invocation takes the ARN only
		}
		if err := u.converse(t.Context(), called); err == nil {
			t.Errorf("%s: invoked before the grant was written", id)
		}
		for range 2 {
			if err := g.Write(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := u.converse(t.Context(), called); err != nil {
			t.Errorf("%s granted: %v", id, err)
		}
		for _, model := range []string{geo, global, string(app), string(other), "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"} {
			if err := u.converse(t.Context(), model); model != called && err == nil {
				t.Errorf("%s granted, and %s can be invoked", id, model)
			}
		}
		if e := c.explain(t, name, id); !e.Allowed || e.Message != "" {
			t.Errorf("%s granted and explained as %+v", id, e)
		}
	}
}

func TestGrantToRolesAndGroups(t *testing.T) {
	c := admin(t)
	c.do(t, "CreateRole", "RoleName", "app", "Path", "/team/", "AssumeRolePolicyDocument",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`)
	c.do(t, "CreateGroup", "GroupName", "devs")
	u := c.user(t, "dev")
	c.do(t, "AddUserToGroup", "GroupName", "devs", "UserName", "dev")
	for _, to := range []string{"arn:aws:iam::123456789012:role/team/app", "group/devs"} {
		g, err := c.Grant(t.Context(), geo, to)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Write(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := c.explain(t, to, geo); !e.Allowed {
			t.Errorf("%s: %s", to, e.Message)
		}
	}
	if err := u.converse(t.Context(), geo); err != nil {
		t.Error("a member of the group:", err)
	}
	e := c.explain(t, "dev", geo)
	if got := e.Checks[0].Because(); got != `identity-based policy group_devs_invoke-us.amazon.nova-lite-v1-0, statement "InvokeProfile"` {
		t.Errorf("because of %s", got)
	}
}

// Explanations name the statement, whoever's it is.
func TestExplanationsNameWhatDecided(t *testing.T) {
	c := admin(t)
	c.user(t, "ann")
	c.policy(t, "ann", "all", `{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}`)
	why := func(profile string, n int, decision, because string) {
		t.Helper()
		e := c.explain(t, "ann", profile)
		if n >= len(e.Checks) {
			t.Fatalf("%s: %d checks", profile, len(e.Checks))
		}
		if got := e.Checks[n]; got.Decision != decision || got.Because() != because {
			t.Errorf("%s, %s in %s: %s because of %s, want %s because of %s", profile, got.What, got.Region, got.Decision, got.Because(), decision, because)
		}
	}
	why(geo, 0, "allowed", "identity-based policy user_ann_all, statement 1")
	c.policy(t, "ann", "limits", `[
		{"Effect":"Deny","Action":"s3:*","Resource":"*"},
		{"Effect":"Deny","Action":"s3:*","Resource":"*"},
		{"Sid":"NoGlobal", "Effect":"Deny","Action":"bedrock:InvokeModel","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"unspecified"}}}
	]`)
	why(global, 1, "allowed", "identity-based policy user_ann_all, statement 1")
	why(global, 2, "explicitDeny", `identity-based policy user_ann_limits, statement "NoGlobal"`)
	if e := c.explain(t, "ann", global); e.Allowed || !strings.HasSuffix(e.Message,
		"is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0 with an explicit deny in an identity-based policy") {
		t.Errorf("message %q", e.Message)
	}
	c.do(t, "CreatePolicy", "PolicyName", "fence", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-west-2"}}},
		{"Sid":"NotOhio","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-2"}}}]}`)
	c.do(t, "PutUserPermissionsBoundary", "UserName", "ann", "PermissionsBoundary", "arn:aws:iam::123456789012:policy/fence")
	byRegion := map[outcrop.Region]string{}
	for _, check := range c.explain(t, "ann", geo).Checks {
		byRegion[check.Region] = check.Decision + " " + check.Because()
	}
	if got := byRegion["us-west-2"]; got != "implicitDeny no permissions boundary allows it" {
		t.Errorf("us-west-2: %s", got)
	}
	if got := byRegion["us-east-2"]; got != `explicitDeny permissions boundary fence, statement "NotOhio"` {
		t.Errorf("us-east-2: %s", got)
	}
}

// Property: what is explained is what happens.
func TestExplanationsAgreeWithCalls(t *testing.T) {
	c := admin(t)
	u := c.user(t, "ann")
	c.do(t, "TagUser", "UserName", "ann", "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	source := "arn:aws:bedrock:us-east-1:123456789012:inference-profile/" + geo
	profiles := []string{geo, global, string(c.profile(t, "blue", source, map[string]string{"team": "blue"})), string(c.profile(t, "red", source, map[string]string{"team": "red"}))}
	for _, statements := range []string{
		`{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}`,
		`{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*:*:inference-profile/us.*"}`,
		`{"Effect":"Allow","Action":"bedrock:Invoke*","Resource":["arn:aws:bedrock:us-*:*:inference-profile/*","arn:aws:bedrock:us-east-?::foundation-model/*"]}`,
		`[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"bedrock:InvokeModel","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["us-east-1","us-east-2","us-west-2"]}}}]`,
		`[{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*:*:application-inference-profile/*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}},
		  {"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*::foundation-model/*"}]`,
		`{"Effect":"Allow","NotAction":"bedrock:InvokeModel","Resource":"*"}`,
	} {
		c.policy(t, "ann", "p", statements)
		for _, profile := range profiles {
			e, err := c.explain(t, "ann", profile), u.converse(t.Context(), profile)
			if e.Allowed != (err == nil) {
				t.Errorf("%s: %s explained as %v, and answered %v", statements, profile, e.Allowed, err)
			}
			if err != nil && !strings.HasSuffix(err.Error(), e.Message) {
				t.Errorf("%s: %s explained as\n%s\nand answered\n%v", statements, profile, e.Message, err)
			}
		}
	}
}

func TestExplanationOfAKey(t *testing.T) {
	c := admin(t)
	c.user(t, "ann")
	c.policy(t, "ann", "p", `{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}`)
	e, err := c.Explain(t.Context(), Question{Principal: "ann", Action: "bedrock:InvokeModel", Profile: geo, Bearer: "LONG_TERM"})
	if err != nil || e.Allowed || e.Checks[0].What != "Bedrock API key" || !strings.HasSuffix(e.Message, "because no identity-based policy allows the bedrock:CallWithBearerToken action") {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := json.Marshal(e); err != nil {
		t.Error(err)
	}
}

func TestPrincipalsByAnyName(t *testing.T) {
	for text, want := range map[string]string{
		"ann": "User ann ", "user/ann": "User ann ", "role/app": "Role app ", "group/devs": "Group devs ",
		"arn:aws:iam::123456789012:user/team/blue/ann": "User ann 123456789012",
		"arn:aws:iam::111122223333:role/app":           "Role app 111122223333",
	} {
		kind, name, account, err := parsePrincipal(text)
		if got := kind + " " + name + " " + string(account); err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "/", "user/", "policy/x", "arn:aws:sts::123456789012:assumed-role/a/b", "arn:aws:iam::123456789012:root", "a/b/c"} {
		if _, _, _, err := parsePrincipal(text); err == nil {
			t.Errorf("%q names nobody, and was taken", text)
		}
	}
}

func TestWhoIsNotThereIsSaidSo(t *testing.T) {
	c := admin(t)
	c.user(t, "ann")
	for to, want := range map[string]string{
		"bob":                                  "The user with name bob cannot be found.",
		"arn:aws:iam::123456789012:user/x/ann": "the user of that name is arn:aws:iam::123456789012:user/ann",
		"arn:aws:iam::999999999999:user/ann":   "enter account 999999999999: AssumeRole: AccessDenied",
	} {
		if _, err := c.Grant(t.Context(), geo, to); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if _, err := c.Grant(t.Context(), "us.nothing", "ann"); err == nil || !strings.Contains(err.Error(), "us.nothing") {
		t.Errorf("no such profile: %v", err)
	}
}

// Statements are found by where they stand, in texts of any layout.
func TestStatementsByPosition(t *testing.T) {
	text := "{\n \"Statement\": [ {\"Sid\":\"A\"},\n   {\"Sid\":\"é\"} , {\"Sid\":\"C\"}]}"
	s := source{text: text}
	for _, c := range []struct {
		start, end position
		index      int
		sid        string
	}{
		{position{2, 16}, position{2, 28}, 0, "A"},
		{position{2, 29}, position{3, 15}, 1, "é"},
		{position{3, 17}, position{3, 29}, 2, "C"},
		{position{9, 9}, position{1, 1}, 0, ""},
		{position{-1, -1}, position{0, 0}, 0, ""},
	} {
		if i, sid := s.statement(matched{Start: c.start, End: c.end}); i != c.index || sid != c.sid {
			t.Errorf("%v to %v: statement %d %q, want %d %q", c.start, c.end, i, sid, c.index, c.sid)
		}
	}
	if i, sid := (source{text: `{"Statement":{"Sid":"Only"}}`}).statement(matched{}); i != 0 || sid != "Only" {
		t.Errorf("a single statement: %d %q", i, sid)
	}
	if i, sid := (source{text: `nonsense`}).statement(matched{}); i != 0 || sid != "" {
		t.Errorf("no policy: %d %q", i, sid)
	}
}

// Every form of an error is read, and none of them can break the reader.
func TestFailuresInEveryForm(t *testing.T) {
	for _, c := range []struct{ header, body, want string }{
		{"", `<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>gone</Message></Error></ErrorResponse>`, "NoSuchEntity: gone"},
		{"", `{"__type":"com.amazon#AccessDeniedException","Message":"no"}`, "AccessDeniedException: no"},
		{"ValidationException:http://x", `{"message":"bad"}`, "ValidationException: bad"},
		{"", `oops`, "403 Forbidden: "},
		{"", ``, "403 Forbidden: "},
	} {
		answer := &http.Response{Status: "403 Forbidden", StatusCode: 403, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(""))}
		if c.header != "" {
			answer.Header.Set("x-amzn-ErrorType", c.header)
		}
		if got := failure(answer, []byte(c.body)).Error(); got != c.want {
			t.Errorf("%q: %q, want %q", c.body, got, c.want)
		}
	}
}
