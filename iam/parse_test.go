package iam

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outcrop"
)

func TestMalformedDocuments(t *testing.T) {
	const syntax = "Syntax errors in policy."
	const good = `"Effect":"Allow","Action":"s3:*","Resource":"*"`
	one := func(s string) string { return `{"Version":"2012-10-17","Statement":{` + s + `}}` }
	for _, v := range []struct {
		kind     PolicyKind
		document string
		want     string
	}{
		{IdentityPolicy, `not json`, syntax},
		{IdentityPolicy, ``, syntax},
		{IdentityPolicy, `[]`, syntax},
		{IdentityPolicy, one(good) + `{}`, syntax},
		{IdentityPolicy, `{"Version":"2012-10-17"}`, syntax},
		{IdentityPolicy, `{"Version":"2012-10-17","Statement":[]}`, syntax},
		{IdentityPolicy, `{"Version":"2012-10-17","Statement":["x"]}`, syntax},
		{IdentityPolicy, `{"Version":"2013-10-17","Statement":{` + good + `}}`, syntax},
		{IdentityPolicy, `{"Version":"2012-10-17","Extra":1,"Statement":{` + good + `}}`, syntax},
		{IdentityPolicy, `{"version":"2012-10-17","Statement":{` + good + `}}`, syntax},
		{IdentityPolicy, `{"Version":"2012-10-17","Id":1,"Statement":{` + good + `}}`, syntax},
		{IdentityPolicy, `{"Version":"2012-10-17","Statement":{` + good + `},"Statement":{` + good + `}}`, syntax},
		{IdentityPolicy, one(`"Action":"s3:*","Resource":"*"`), syntax},
		{IdentityPolicy, one(`"Effect":"Maybe","Action":"s3:*","Resource":"*"`), syntax},
		{IdentityPolicy, one(good + `,"Extra":1`), syntax},
		{IdentityPolicy, one(good + `,"NotAction":"s3:*"`), syntax},
		{IdentityPolicy, one(good + `,"NotResource":"*"`), syntax},
		{IdentityPolicy, one(`"Effect":"Allow","Action":1,"Resource":"*"`), syntax},
		{IdentityPolicy, one(`"Effect":"Allow","Action":[["s3:*"]],"Resource":"*"`), syntax},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*","Resource":{"a":"b"}`), syntax},
		{IdentityPolicy, one(good + `,"Sid":1`), syntax},
		{IdentityPolicy, one(good + `,"Condition":[]`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"StringEquals":"a"}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"aws:username":"a"}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"StringSortOf":{"a":"b"}}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"NullIfExists":{"a":"true"}}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"ForAnyValue:Null":{"a":"true"}}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"ForSomeValues:StringEquals":{"a":"b"}}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"StringEquals":{"a":{"b":"c"}}}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"StringEquals":{"a":null}}`), syntax},
		{IdentityPolicy, one(good + `,"Condition":{"StringEquals":{"a":"b"},"StringEquals":{"a":"c"}}`), syntax},
		{IdentityPolicy, `{"Statement":{` + good + `}}`, "Policy document must be version 2012-10-17 or greater."},
		{ManagedPolicy, `{"Version":"2008-10-17","Statement":{` + good + `}}`, "Policy document must be version 2012-10-17 or greater."},
		{IdentityPolicy, one(`"Effect":"allow","Action":"s3:*","Resource":"*"`), "The policy failed legacy parsing"},
		{IdentityPolicy, one(good + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}`), "The policy failed legacy parsing"},
		{IdentityPolicy, statements(`{"Sid":"a",`+good+`}`, `{"Sid":"a",`+good+`}`), "Statement IDs (SID) in a single policy must be unique."},
		{IdentityPolicy, one(`"Effect":"Allow","Resource":"*"`), "Policy statement must contain actions."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":[],"Resource":"*"`), "Policy statement must contain actions."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*"`), "Policy statement must contain resources."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*","Resource":[]`), "Policy statement must contain resources."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*","Resource":"bucket"`), `Resource bucket must be in ARN format or "*".`},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:error:s3:::example_bucket"`), `Partition "error" is not valid for resource "arn:error:s3:::example_bucket".`},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:error:s3"`), `Partition "error" is not valid for resource "arn:error:s3:*:*:*".`},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws"`), "Resource vendor must be fully qualified and cannot contain regexes."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3::example_bucket"`), "The policy failed legacy parsing"},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam:us-east-1:111122223333:user/a"`), "IAM resource arn:aws:iam:us-east-1:111122223333:user/a cannot contain region information."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:users/a"`), `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"invalid","Resource":"*"`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"s3:a:b","Resource":"*"`), "Actions/Condition can contain only one colon."},
		{IdentityPolicy, one(`"Effect":"Allow","Action":"a a:b","Resource":"*"`), "Vendor a a is not valid"},
		{IdentityPolicy, one(`"Principal":"*",` + good), "Policy document should not specify a principal."},
		{SessionPolicy, one(`"NotPrincipal":"*",` + good), "Policy document should not specify a principal."},
		{TrustPolicy, `nonsense`, "This policy contains invalid Json"},
		{TrustPolicy, `{"statement":[]}`, "Unknown field statement"},
		{TrustPolicy, one(`"Effect":"Allow","Action":"sts:AssumeRole"`), "Missing required field Principal"},
		{TrustPolicy, one(`"Effect":"Allow","Principal":{},"Action":"sts:AssumeRole"`), "Missing required field Principal"},
		{TrustPolicy, one(`"Effect":"Allow","Principal":"*"`), "Missing required field Action"},
		{TrustPolicy, one(`"Principal":"*","Action":"sts:AssumeRole"`), "Missing required field Effect"},
		{TrustPolicy, one(`"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*"`), "Has prohibited field Resource"},
		{TrustPolicy, one(`"Effect":"Allow","Principal":"*","Action":"s3:GetObject"`), "AssumeRole policy may only specify STS AssumeRole actions."},
		{TrustPolicy, one(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/*"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"`},
		{TrustPolicy, one(`"Effect":"Allow","Principal":{"AWS":"arn:aws:s3:::b"},"Action":"sts:AssumeRole"`), `Invalid principal in policy: "AWS":"arn:aws:s3:::b"`},
		{TrustPolicy, one(`"Effect":"Allow","Principal":{"Martian":"x"},"Action":"sts:AssumeRole"`), "Invalid principal in policy."},
		{ServiceControlPolicy, one(`"Principal":"*",` + good), "The provided policy document does not meet the requirements of the specified policy type."},
		{ServiceControlPolicy, `{"Version":"2008-10-17","Statement":{` + good + `}}`, "The provided policy document does not meet the requirements of the specified policy type."},
		{ResourceControlPolicy, one(good), "The provided policy document does not meet the requirements of the specified policy type."},
	} {
		_, err := ParsePolicy([]byte(v.document), v.kind)
		var e *outcrop.Error
		if !errors.As(err, &e) {
			t.Errorf("kind %d takes %s", v.kind, v.document)
			continue
		}
		if e.Message != v.want || e.Kind != outcrop.Invalid || !strings.HasPrefix(e.Code, "MalformedPolicyDocument") {
			t.Errorf("%s\n got %s: %s\nwant %s", v.document, e.Code, e.Message, v.want)
		}
	}
}

func TestAcceptedDocuments(t *testing.T) {
	for _, v := range []struct {
		kind     PolicyKind
		document string
	}{
		{IdentityPolicy, `{"Version":"2008-10-17","Id":"x","Statement":{"Sid":"","Effect":"Allow","Action":"*","Resource":"*"}}`},
		{ManagedPolicy, statements(`{"Effect":"Allow","Action":["s3:*","bedrock-mantle:Get*"],"Resource":["*","arn:*:kms:*:::*","arn:aws-us-gov:bedrock:*::foundation-model/*"]}`)},
		{IdentityPolicy, statements(fullAccess, strings.Replace(fullAccess, "Full", "", 1), strings.Replace(fullAccess, "Full", "", 1))},
		{SessionPolicy, `{"Statement":[{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}]}`},
		{TrustPolicy, `{"Statement":[{"Effect":"Allow","Principal":{"AWS":["111122223333","arn:aws:iam::111122223333:root","AIDAEXAMPLE"],"Service":"ec2.amazonaws.com","Federated":"accounts.google.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`},
		{ServiceControlPolicy, statements(`{"Effect":"Deny","NotAction":"bedrock:*","NotResource":"arn:aws:bedrock:*:*:*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["a"]}}}`)},
		{ResourceControlPolicy, statements(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`)},
		{IdentityPolicy, statements(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"aws:MultiFactorAuthAge":3600}}}`)},
	} {
		if _, err := ParsePolicy([]byte(v.document), v.kind); err != nil {
			t.Errorf("%s: %v (%v)", v.document, err, errors.Unwrap(err))
		}
	}
}

// Elements read the same whether written alone or in a list.
func TestSingleValueOrList(t *testing.T) {
	a := parse(t, IdentityPolicy, "p", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{"StringEquals":{"a":"b"}}}}`)
	b := parse(t, IdentityPolicy, "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:Get"],"Resource":["*"],"Condition":{"StringEquals":{"a":["b"]}}}]}`)
	x, y := mustJSON(t, a), mustJSON(t, b)
	if x != y {
		t.Errorf("%s\n%s", x, y)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSizes(t *testing.T) {
	sized := func(kind PolicyKind, chars int) []byte {
		principal, action := "", `"Action":"sts:AssumeRole","Resource":"*"`
		if kind == TrustPolicy {
			principal, action = `"Principal":"*",`, `"Action":"sts:AssumeRole"`
		}
		start := `{"Version":"2012-10-17","Statement":{"Sid":"`
		end := `","Effect":"Allow",` + principal + action + `}}`
		return []byte(start + strings.Repeat("x", chars-len(start)-len(end)) + end)
	}
	for _, v := range []struct {
		kind  PolicyKind
		quota SizeQuota
		code  string
		words string
	}{
		{ManagedPolicy, ManagedPolicyChars, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144"},
		{TrustPolicy, TrustPolicyChars, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"},
		{SessionPolicy, SessionPolicyChars, "", "less than or equal to 2048"},
		{ServiceControlPolicy, SCPChars, "ConstraintViolationException", "5120 characters"},
	} {
		if _, err := ParsePolicy(sized(v.kind, int(v.quota)), v.kind); err != nil {
			t.Errorf("kind %d at its quota: %v", v.kind, err)
		}
		_, err := ParsePolicy(sized(v.kind, int(v.quota)+1), v.kind)
		var e *outcrop.Error
		if !errors.As(err, &e) || e.Code != v.code || !strings.Contains(e.Message, v.words) {
			t.Errorf("kind %d over its quota: %v", v.kind, err)
		}
		spaced := []byte(strings.Replace(string(sized(v.kind, int(v.quota))), ":", ": \n\t", 1))
		_, err = ParsePolicy(spaced, v.kind)
		if counts := v.kind == ServiceControlPolicy; (err != nil) != counts {
			t.Errorf("kind %d with white space: %v", v.kind, err)
		}
	}
	doc := sized(IdentityPolicy, 1500)
	if err := CheckInlineSize("user", "alice", doc); err != nil {
		t.Error(err)
	}
	if err := CheckInlineSize("user", "alice", doc, doc); err == nil || err.Error() != "Maximum policy size of 2048 bytes exceeded for user alice" {
		t.Error(err)
	}
	if err := CheckInlineSize("role", "r", doc, doc); err != nil {
		t.Error(err)
	}
}

// managedPolicy reads a policy as published.
func managedPolicy(t *testing.T, file string) *Policy {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		PolicyVersion struct{ Document json.RawMessage }
	}
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	return parse(t, IdentityPolicy, "arn:aws:iam::aws:policy/"+strings.TrimSuffix(filepath.Base(file), ".json"), string(published.PolicyVersion.Document))
}

// The published policies of AWS parse, and decide what their summaries say
// (reference/control-plane.md §6.4).
func TestManagedPolicies(t *testing.T) {
	dir := testdata(t, "managed-policies")
	files, _ := filepath.Glob(dir + "/*.json")
	if len(files) < 10 {
		t.Fatalf("%d policies in %s", len(files), dir)
	}
	policies := map[string]*Policy{}
	for _, f := range files {
		policies[strings.TrimSuffix(filepath.Base(f), ".json")] = managedPolicy(t, f)
	}
	const profile = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc"
	for _, v := range []struct {
		policy, action, resource string
		want                     bool
	}{
		{"AdministratorAccess", "iam:DeleteUser", "arn:aws:iam::111122223333:user/bob", true},
		{"AmazonBedrockFullAccess", "bedrock:InvokeModel", profile, true},
		{"AmazonBedrockFullAccess", "bedrock:ListInferenceProfiles", "", true},
		{"AmazonBedrockFullAccess", "iam:CreateUser", "arn:aws:iam::111122223333:user/bob", false},
		{"AmazonBedrockFullAccess", "aws-marketplace:Subscribe", "", false},
		{"AmazonBedrockLimitedAccess", "bedrock:InvokeModel", profile, true},
		{"AmazonBedrockLimitedAccess", "bedrock:InvokeModelWithResponseStream", profile, true},
		{"AmazonBedrockLimitedAccess", "bedrock:CallWithBearerToken", "", true},
		{"AmazonBedrockLimitedAccess", "bedrock:CreateInferenceProfile", profile, true},
		{"AmazonBedrockLimitedAccess", "bedrock:DeleteInferenceProfile", profile, true},
		{"AmazonBedrockLimitedAccess", "bedrock:PutModelInvocationLoggingConfiguration", "", false},
		{"AmazonBedrockReadOnly", "bedrock:GetInferenceProfile", profile, true},
		{"AmazonBedrockReadOnly", "bedrock:ListTagsForResource", profile, true},
		{"AmazonBedrockReadOnly", "bedrock:InvokeModel", profile, false},
		{"AmazonBedrockReadOnly", "bedrock:CreateInferenceProfile", profile, false},
		{"IAMUserChangePassword", "iam:ChangePassword", string(user), true},
		{"IAMUserChangePassword", "iam:ChangePassword", "arn:aws:iam::111122223333:user/team/alice", true},
		{"IAMUserChangePassword", "iam:ChangePassword", "arn:aws:iam::111122223333:user/bob", false},
		{"CloudWatchReadOnlyAccess", "cloudwatch:GetMetricData", "", true},
		{"CloudWatchReadOnlyAccess", "cloudwatch:PutMetricAlarm", "arn:aws:cloudwatch:us-east-1:111122223333:alarm:a", false},
		{"CloudWatchLogsReadOnlyAccess", "logs:FilterLogEvents", "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/x:log-stream:", true},
		{"CloudWatchLogsReadOnlyAccess", "logs:DeleteLogGroup", "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/x:log-stream:", false},
		{"Billing", "ce:GetCostAndUsage", "", true},
		{"AWSBillingReadOnlyAccess", "ce:GetCostAndUsage", "", true},
		{"AWSBillingReadOnlyAccess", "budgets:ModifyBudget", "arn:aws:budgets::111122223333:budget/b", false},
	} {
		p := policies[v.policy]
		if p == nil {
			t.Fatalf("no policy %s", v.policy)
		}
		if got := Decide(Policies{Identity: []*Policy{p}}, alice(v.action, outcrop.ARN(v.resource))).Allowed(); got != v.want {
			t.Errorf("%s: %s on %q = %v", v.policy, v.action, v.resource, got)
		}
	}
	marketplace := alice("aws-marketplace:Subscribe", "")
	marketplace.Context.Set("aws:CalledViaLast", "bedrock.amazonaws.com")
	if !Decide(Policies{Identity: []*Policy{policies["AmazonBedrockFullAccess"]}}, marketplace).Allowed() {
		t.Error("a Marketplace call through Bedrock is refused")
	}
}

// FuzzParsePolicy: no document makes the parser or Decide panic, and what is
// taken stays within bounds.
func FuzzParsePolicy(f *testing.F) {
	for _, seed := range []string{
		statements(fullAccess), `{"Version":"2008-10-17","Statement":{"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:aws:s3:::${aws:username}"}}`,
		statements(`{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:*","Condition":{"ForAnyValue:StringLikeIfExists":{"k:many":["${k:one, 'x'}","a*b?c"]}}}`),
		statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{"ArnLike":{"k:arn":"arn:*:${k:one}:*:*:x?"},"IpAddress":{"k:ip":"::/0"},"DateLessThan":{"k:date":"2026"}}}`),
	} {
		for kind := IdentityPolicy; kind <= ResourceControlPolicy; kind++ {
			f.Add([]byte(seed), uint8(kind))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, kind uint8) {
		p, err := ParsePolicy(text, PolicyKind(kind)%(ResourceControlPolicy+1))
		if err != nil {
			var e *outcrop.Error
			if !errors.As(err, &e) || e.Message == "" {
				t.Fatalf("an error without words: %v", err)
			}
			return
		}
		if len(text) > MaxPolicyBytes || len(p.Statements) == 0 {
			t.Fatalf("took %d bytes, %d statements", len(text), len(p.Statements))
		}
		req := operatorRequest()
		d := Decide(Policies{Identity: []*Policy{p}, Resource: []*Policy{p}, SCPs: [][]*Policy{{p}}}, req)
		for _, r := range d.Reasons {
			if r.Index >= len(p.Statements) {
				t.Fatalf("reason %+v", r)
			}
		}
	})
}
