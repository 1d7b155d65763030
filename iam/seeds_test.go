package iam

import (
	"slices"
	"testing"

	"outcrop"
)

// The policies of the guides parse as they stand, account filled in, and mean
// what the guides say: Bedrock may assume the logging role from its own
// account, write its log group and put objects.
func TestPoliciesOfTheGuides(t *testing.T) {
	trust := parse(t, TrustPolicy, "trust", `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "bedrock.amazonaws.com"
      },
      "Action": "sts:AssumeRole",
      "Condition": {
        "StringEquals": {
          "aws:SourceAccount": "111122223333"
        },
        "ArnLike": {
          "aws:SourceArn": "arn:aws:bedrock:us-east-1:111122223333:*"
        }
      }
    }
  ]
}`)
	req := Request{Service: "bedrock.amazonaws.com", Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/BedrockLoggingRole"}
	if Decide(Policies{Resource: []*Policy{trust}}, req).Allowed() {
		t.Error("assumed without a source account")
	}
	req.Context.Set("aws:SourceAccount", "111122223333")
	req.Context.Set("aws:SourceArn", "arn:aws:bedrock:us-east-1:111122223333:model-invocation-logging")
	if !Decide(Policies{Resource: []*Policy{trust}}, req).Allowed() {
		t.Error("Bedrock may not assume the logging role")
	}
	role := Policies{Identity: identity(t,
		`{"Effect": "Allow","Action": ["logs:CreateLogStream","logs:PutLogEvents"],"Resource": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/model-invocations:*"}`,
		`{"Effect": "Allow","Action": ["s3:PutObject"],"Resource": "arn:aws:s3:::bedrock-logs-111122223333/*"}`)}
	for action, resource := range map[string]string{
		"logs:CreateLogStream": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/model-invocations:log-stream:",
		"logs:PutLogEvents":    "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/model-invocations:log-stream:aws/bedrock/modelinvocations",
		"s3:PutObject":         "arn:aws:s3:::bedrock-logs-111122223333/AWSLogs/x.json.gz",
	} {
		r := Request{Principal: "arn:aws:sts::111122223333:assumed-role/BedrockLoggingRole/bedrock", Action: action, Resource: "", ResourceAccount: account}
		if Decide(role, r).Allowed() {
			t.Errorf("%s on everything", action)
		}
		r.Resource = outcrop.ARN(resource)
		if !Decide(role, r).Allowed() {
			t.Errorf("%s on %s refused", action, resource)
		}
	}
}

// The misspelt key of AWS's page is taken for the real one, with a warning.
func TestMisspeltProfileKey(t *testing.T) {
	p := parse(t, IdentityPolicy, "guide", statements(`{"Effect":"Allow","Action":"bedrock:InvokeModel*","Resource":"*"}`,
		`{"Effect":"Deny","Action":"bedrock:InvokeModel*","Resource":"arn:aws:bedrock:*::foundation-model/*","Condition":{"Null":{"aws:InferenceProfileArn":"true"}}}`))
	if len(p.Warnings) != 1 || p.Warnings[0] != "statement 2: aws:InferenceProfileArn is not a condition key; taken for bedrock:InferenceProfileArn" {
		t.Errorf("warnings %q", p.Warnings)
	}
	if got := invoke(t, Policies{Identity: []*Policy{p}}, usTarget(), ActionInvoke, nil); got != "allow" {
		t.Error(got)
	}
	if got := invoke(t, Policies{Identity: []*Policy{p}}, fmTarget(), ActionInvoke, nil); got == "allow" {
		t.Error("the model was called directly")
	}
}

func TestContextKeys(t *testing.T) {
	p := parse(t, IdentityPolicy, "p", statements(
		`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}/${*}","Condition":{"StringLike":{"aws:PrincipalTag/team":["${aws:PrincipalTag/Team}","${aws:userid, 'x'}"]},"Bool":{"aws:SecureTransport":"${aws:ignored}"}}}`))
	if got := p.ContextKeys(); !slices.Equal(got, []string{"aws:PrincipalTag/team", "aws:SecureTransport", "aws:userid", "aws:username"}) {
		t.Errorf("got %q", got)
	}
}
