package iamapi

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"outcrop"
	"outcrop/identity"
)

const (
	profileARN = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdef123456"
	modelARN   = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
)

// invokeOwn allows invoking a profile, and its model through the profile only.
const invokeOwn = `{"Version":"2012-10-17","Statement":[
  {"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"` + profileARN + `"},
  {"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*::foundation-model/*","Condition":{"ArnEquals":{"bedrock:InferenceProfileArn":"` + profileARN + `"}}},
  {"Effect":"Deny","Action":"bedrock:Delete*","Resource":"*"}
]}`

// policyResult is the part of an answer about one action and resource.
func policyResult(t *testing.T, body, action, resource string) string {
	t.Helper()
	for _, part := range strings.Split(body, "<EvalActionName>")[1:] {
		if strings.HasPrefix(part, action+"</EvalActionName><EvalResourceName>"+resource+"<") {
			return part
		}
	}
	t.Fatalf("no result for %s on %s in %s", action, resource, body)
	return ""
}

func TestSimulationOfAUser(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice", "Path", "/apps/")
	d.do(t, "PutUserPolicy", "UserName", "alice", "PolicyName", "invoke", "PolicyDocument", invokeOwn)
	alice := "arn:aws:iam::111122223333:user/apps/alice"
	body := d.do(t, "SimulatePrincipalPolicy", "PolicySourceArn", alice, "ActionNames.member.1", "bedrock:InvokeModel", "ActionNames.member.2", "bedrock:DeleteInferenceProfile",
		"ResourceArns.member.1", profileARN, "ResourceArns.member.2", modelARN)
	has(t, policyResult(t, body, "bedrock:InvokeModel", profileARN), `<EvalDecision>allowed</EvalDecision>`,
		`<SourcePolicyId>user_alice_invoke</SourcePolicyId><SourcePolicyType>IAM Policy</SourcePolicyType><StartPosition><Line>1</Line><Column>38</Column></StartPosition><EndPosition><Line>2</Line><Column>\d+</Column></EndPosition>`)
	has(t, policyResult(t, body, "bedrock:InvokeModel", modelARN), `<EvalDecision>implicitDeny</EvalDecision>`,
		`<ResourceSpecificResults>.*<MissingContextValues><member>bedrock:InferenceProfileArn</member></MissingContextValues>`)
	has(t, policyResult(t, body, "bedrock:DeleteInferenceProfile", profileARN), `<EvalDecision>explicitDeny</EvalDecision>`, `<StartPosition><Line>3</Line>`)
	lacks(t, body, "OrganizationsDecisionDetail", "PermissionsBoundaryDecisionDetail")

	with := d.do(t, "SimulatePrincipalPolicy", "PolicySourceArn", alice, "ActionNames.member.1", "bedrock:InvokeModel", "ResourceArns.member.1", modelARN,
		"ContextEntries.member.1.ContextKeyName", "bedrock:InferenceProfileArn", "ContextEntries.member.1.ContextKeyType", "string", "ContextEntries.member.1.ContextKeyValues.member.1", profileARN)
	has(t, with, `<EvalDecision>allowed</EvalDecision>`)

	d.do(t, "CreateGroup", "GroupName", "g")
	d.do(t, "AddUserToGroup", "GroupName", "g", "UserName", "alice")
	d.do(t, "AttachGroupPolicy", "GroupName", "g", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")
	d.do(t, "PutUserPermissionsBoundary", "UserName", "alice", "PermissionsBoundary", fullARN)
	grouped := d.do(t, "SimulatePrincipalPolicy", "PolicySourceArn", alice, "ActionNames.member.1", "s3:GetObject", "ActionNames.member.2", "bedrock:ListInferenceProfiles")
	has(t, policyResult(t, grouped, "s3:GetObject", "*"), `implicitDeny`, `<AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary>`)
	has(t, policyResult(t, grouped, "bedrock:ListInferenceProfiles", "*"), `allowed`, `<SourcePolicyId>AdministratorAccess</SourcePolicyId>`, `<AllowedByPermissionsBoundary>true</AllowedByPermissionsBoundary>`)
	has(t, d.do(t, "SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::111122223333:group/g", "ActionNames.member.1", "s3:GetObject"), `allowed`)
	has(t, d.do(t, "SimulatePrincipalPolicy", "PolicySourceArn", alice, "ActionNames.member.1", "s3:GetObject", "PermissionsBoundaryPolicyInputList.member.1", allowAll), `allowed`)
}

func TestSimulationOfARole(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	d.do(t, "PutRolePolicy", "RoleName", "r", "PolicyName", "p", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalTag/team}/*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}}`)
	role := "arn:aws:iam::111122223333:role/r"
	ask := func(more ...string) string {
		return d.do(t, "SimulatePrincipalPolicy", append([]string{"PolicySourceArn", role, "ActionNames.member.1", "s3:GetObject", "ResourceArns.member.1", "arn:aws:s3:::blue/x"}, more...)...)
	}
	region := []string{"ContextEntries.member.1.ContextKeyName", "aws:RequestedRegion", "ContextEntries.member.1.ContextKeyType", "string", "ContextEntries.member.1.ContextKeyValues.member.1"}
	has(t, ask(), `implicitDeny`)
	has(t, ask(append(region, "eu-west-1")...), `allowed`, `<SourcePolicyId>role_r_p</SourcePolicyId>`)
	has(t, ask(append(region, "eu-west-1", "ResourceArns.member.1", "arn:aws:s3:::green/x")...), `implicitDeny`)
	// A role may assume others by resource policies that name it.
	has(t, d.do(t, "SimulateCustomPolicy", "PolicyInputList.member.1", invokeOwn, "ActionNames.member.1", "s3:GetObject", "ResourceArns.member.1", "arn:aws:s3:::b/x", "CallerArn", role,
		"ResourcePolicy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+role+`"},"Action":"s3:GetObject","Resource":"*"}}`), `allowed`, `<SourcePolicyId>ResourcePolicy</SourcePolicyId>`)
}

// Promise: an organisation's policies count, and their text is not shown.
func TestSimulationUnderAnSCP(t *testing.T) {
	d := openDoor(t)
	ids := d.api.Identity
	if _, err := ids.Account(t.Context(), elsewhere); err != nil {
		if _, err := ids.AddAccount(t.Context(), elsewhere, "main", "main@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	o, err := ids.CreateOrganization(t.Context(), elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ids.EnableSCPs(t.Context(), o.RootID); err != nil {
		t.Fatal(err)
	}
	member, err := ids.CreateAccount(t.Context(), "member", "member@example.com", "")
	if err != nil {
		t.Fatal(err)
	}
	scp, err := ids.CreateSCP(t.Context(), identity.SCP{Name: "eu only", Content: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"bedrock:*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"eu-west-1"}}}}`})
	if err != nil {
		t.Fatal(err)
	}
	if err := ids.AttachSCP(t.Context(), scp.ID, string(member.ID)); err != nil {
		t.Fatal(err)
	}
	own := d.as(d.admin(t, member.ID))
	admin := "arn:aws:iam::" + string(member.ID) + ":user/admin"
	own.do(t, "AttachUserPolicy", "UserName", "admin", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")
	body := own.do(t, "SimulatePrincipalPolicy", "PolicySourceArn", admin, "ActionNames.member.1", "bedrock:InvokeModel", "ResourceArns.member.1", modelARN,
		"ResourceArns.member.2", strings.Replace(modelARN, "us-east-1", "eu-west-1", 1), "ResourceArns.member.3", strings.Replace(modelARN, "us-east-1", "", 1))
	has(t, policyResult(t, body, "bedrock:InvokeModel", modelARN), `explicitDeny`, `<MatchedStatements></MatchedStatements>|<MatchedStatements/>`, `<AllowedByOrganizations>false</AllowedByOrganizations>`)
	has(t, policyResult(t, body, "bedrock:InvokeModel", strings.Replace(modelARN, "us-east-1", "eu-west-1", 1)), `allowed`, `<AllowedByOrganizations>true</AllowedByOrganizations>`)
	has(t, policyResult(t, body, "bedrock:InvokeModel", strings.Replace(modelARN, "us-east-1", "", 1)), `explicitDeny`)
	lacks(t, body, scp.ID, "FullAWSAccess")
}

// The published example of simulate-custom-policy, positions included.
func TestSimulationOfGivenPolicies(t *testing.T) {
	d := openDoor(t)
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}`
	has(t, d.do(t, "SimulateCustomPolicy", "PolicyInputList.member.1", policy, "ActionNames.member.1", "dynamodb:CreateBackup"),
		`<EvalActionName>dynamodb:CreateBackup</EvalActionName><EvalResourceName>\*</EvalResourceName><EvalDecision>allowed</EvalDecision><MatchedStatements><member><SourcePolicyId>PolicyInputList.1</SourcePolicyId>`+
			`<SourcePolicyType>IAM Policy</SourcePolicyType><StartPosition><Line>1</Line><Column>38</Column></StartPosition><EndPosition><Line>1</Line><Column>167</Column></EndPosition></member></MatchedStatements>`,
		`<MissingContextValues></MissingContextValues>|<MissingContextValues/>`)
	listed := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}}}}`
	has(t, d.do(t, "SimulateCustomPolicy", "PolicyInputList.member.1", listed, "ActionNames.member.1", "s3:PutObject", "ContextEntries.member.1.ContextKeyName", "aws:TagKeys",
		"ContextEntries.member.1.ContextKeyType", "stringList", "ContextEntries.member.1.ContextKeyValues.member.1", "b", "ContextEntries.member.1.ContextKeyValues.member.2", "a"), `allowed`)
}

func TestSimulationFailures(t *testing.T) {
	d := openDoor(t)
	one := []string{"ActionNames.member.1", "s3:GetObject"}
	custom := append([]string{"PolicyInputList.member.1", allowAll}, one...)
	for _, c := range []struct {
		status                 int
		code, words, operation string
		params                 []string
	}{
		{400, "InvalidInput", "does not clearly define entity type and name", "SimulatePrincipalPolicy", append(one, "PolicySourceArn", "arn:aws:sts::111122223333:assumed-role/r/s")},
		{400, "InvalidInput", "does not clearly define entity type and name", "SimulatePrincipalPolicy", append(one, "PolicySourceArn", "arn:aws:iam::111122223333:root")},
		{404, "NoSuchEntity", "The user with name nobody cannot be found.", "SimulatePrincipalPolicy", append(one, "PolicySourceArn", "arn:aws:iam::111122223333:user/nobody")},
		{404, "NoSuchEntity", "The user with name admin cannot be found.", "SimulatePrincipalPolicy", append(one, "PolicySourceArn", "arn:aws:iam::111122223333:user/wrong/path/admin")},
		{404, "NoSuchEntity", "role", "GetContextKeysForPrincipalPolicy", []string{"PolicySourceArn", "arn:aws:iam::111122223333:role/nobody"}},
		{400, "InvalidInput", "PolicyInputList.1: Syntax errors in policy.", "SimulateCustomPolicy", append(one, "PolicyInputList.member.1", "{}")},
		{400, "InvalidInput", "PolicyInputList.1", "GetContextKeysForCustomPolicy", []string{"PolicyInputList.member.1", "{}"}},
		{400, "InvalidInput", "PermissionsBoundaryPolicyInputList.1", "SimulateCustomPolicy", append(custom, "PermissionsBoundaryPolicyInputList.member.1", "[]")},
		{400, "InvalidInput", "ResourcePolicy", "SimulateCustomPolicy", append(custom, "ResourcePolicy", allowAll, "CallerArn", "arn:aws:iam::111122223333:user/a")},
		{400, "InvalidInput", "CallerArn", "SimulateCustomPolicy", append(custom, "ResourcePolicy", strings.Replace(allowAll, `"Sid"`, `"Principal":"*","Sid"`, 1))},
		{400, "InvalidInput", "Invalid Caller", "SimulateCustomPolicy", append(custom, "CallerArn", "arn:aws:iam::111122223333:group/g")},
		{400, "InvalidInput", "Invalid Resource Owner", "SimulateCustomPolicy", append(custom, "ResourceOwner", "arn:aws:iam::12:root")},
		{400, "InvalidInput", "Invalid Action: *", "SimulateCustomPolicy", append(custom, "ActionNames.member.1", "***")},
		{400, "InvalidInput", "Invalid Action: s3:Get*", "SimulateCustomPolicy", append(custom, "ActionNames.member.1", "s3:Get*")},
		{400, "InvalidInput", "Invalid Resource Arn", "SimulateCustomPolicy", append(custom, "ResourceArns.member.1", "bucket")},
		{400, "ValidationError", "Invalid Marker", "SimulateCustomPolicy", append(custom, "Marker", "1")},
		{400, "ValidationError", "Invalid Marker", "SimulateCustomPolicy", append(custom, "Marker", "+0")},
		{400, "InvalidInput", "has 2 values", "SimulateCustomPolicy", append(custom, "ContextEntries.member.1.ContextKeyName", "aws:username", "ContextEntries.member.1.ContextKeyType", "string",
			"ContextEntries.member.1.ContextKeyValues.member.1", "a", "ContextEntries.member.1.ContextKeyValues.member.2", "b")},
	} {
		d.refuses(t, c.status, c.code, c.words, c.operation, c.params...)
	}
}

func TestResultsArePaged(t *testing.T) {
	d := openDoor(t)
	params := []string{"PolicyInputList.member.1", allowAll}
	for i := range 5 {
		params = append(params, fmt.Sprintf("ActionNames.member.%d", i+1), fmt.Sprintf("s3:Get%d", i), fmt.Sprintf("ResourceArns.member.%d", i+1), fmt.Sprintf("arn:aws:s3:::b%d", i))
	}
	var got []string
	marker := ""
	for range 26 {
		page := append(append([]string{}, params...), "MaxItems", "4")
		if marker != "" {
			page = append(page, "Marker", marker)
		}
		body := d.do(t, "SimulateCustomPolicy", page...)
		got = append(got, values(body, "EvalActionName")...)
		if marker = value(body, "Marker"); marker == "" {
			break
		}
	}
	if len(got) != 25 || got[0] != "s3:Get0" || got[5] != "s3:Get1" || got[24] != "s3:Get4" {
		t.Errorf("results %v", got)
	}
}

// Promise: a page costs a bounded number of statements, whatever MaxItems asks
// for, and the policies given are bounded together.
func TestPolicyBombsAreBounded(t *testing.T) {
	d := openDoor(t)
	statement := `{"Effect":"Allow","Action":"a*a*a*a*a*a*b:*","Resource":"arn:aws:s3:::` + strings.Repeat("*a", 40) + `"}`
	bomb := `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat(statement+",", 800), ",") + `]}`
	params := []string{"MaxItems", "1000"}
	for i := range 6 {
		params = append(params, fmt.Sprintf("PolicyInputList.member.%d", i+1), bomb)
	}
	for i := range 100 {
		params = append(params, fmt.Sprintf("ActionNames.member.%d", i+1), "aaaaaaaaaaaab:x", fmt.Sprintf("ResourceArns.member.%d", i+1), fmt.Sprintf("arn:aws:s3:::%s%d", strings.Repeat("a", 500), i))
	}
	body := d.do(t, "SimulateCustomPolicy", params...)
	if n := len(values(body, "EvalActionName")); n >= 1000 || n == 0 || value(body, "IsTruncated") != "true" {
		t.Errorf("%d results", n)
	}
	for i := range 10 {
		params = append(params, fmt.Sprintf("PolicyInputList.member.%d", i+1), bomb)
	}
	d.refuses(t, 400, "InvalidInput", "bytes long together", "SimulateCustomPolicy", params...)
}

func TestContextKeysOfPolicies(t *testing.T) {
	d := openDoor(t)
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::${aws:username}/${*}","arn:aws:s3:::${aws:PrincipalTag/team, 'none'}/*"],
		"Condition":{"StringLike":{"aws:UserAgent":"${$}x${s3:prefix}"},"Bool":{"AWS:useragent":"true","aws:SecureTransport":"true"}}}]}`
	got := strings.Join(values(d.do(t, "GetContextKeysForCustomPolicy", "PolicyInputList.member.1", policy), "member"), " ")
	if got != "aws:PrincipalTag/team aws:SecureTransport aws:UserAgent aws:username s3:prefix" {
		t.Errorf("context keys %s", got)
	}
	d.do(t, "PutUserPolicy", "UserName", "admin", "PolicyName", "p", "PolicyDocument", policy)
	both := values(d.do(t, "GetContextKeysForPrincipalPolicy", "PolicySourceArn", "arn:aws:iam::111122223333:user/admin", "PolicyInputList.member.1", invokeOwn), "member")
	if !regexp.MustCompile(`aws:username.*bedrock:InferenceProfileArn`).MatchString(strings.Join(both, " ")) {
		t.Errorf("context keys %v", both)
	}
}

func TestPositionsOfStatements(t *testing.T) {
	text := "{\n  \"Id\": \"Statement\",\n  \"Statement\": [\n    {\"Effect\": \"x\"},\n    {\"é\": \"]}\"}\n  ]\n}"
	spans := statementSpans(text)
	if len(spans) != 2 {
		t.Fatalf("%d statements", len(spans))
	}
	show := func(offset int) string {
		p := position(text, offset)
		return fmt.Sprint(*p.Line, ":", *p.Column)
	}
	got := show(spans[0].start) + " " + show(spans[0].end) + " " + show(spans[1].start) + " " + show(spans[1].end)
	if got != "3:17 4:20 4:21 5:16" {
		t.Errorf("positions %s", got)
	}
}

func FuzzStatementSpans(f *testing.F) {
	for _, s := range []string{allowAll, invokeOwn, `{"Statement":{}}`, `{"Statement":[[],"x"]}`, `{"statement":[{}]}`, `{"a":{"Statement":[1]},"Statement":[2]}`, `{"Statement":[{}],"STATEMENT":[1,2,3]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range statementSpans(text) {
			if s.start < 0 || s.start > s.end || s.end > len(text) {
				t.Fatalf("span %v of %q", s, text)
			}
			position(text, s.start)
			position(text, s.end)
		}
	})
}

func TestNamesOfPrincipals(t *testing.T) {
	if got := sessionOf(outcrop.ARN("arn:aws:iam::111122223333:role/a/b/r").Parts()); got != "arn:aws:sts::111122223333:assumed-role/r/simulation" {
		t.Error(got)
	}
}
