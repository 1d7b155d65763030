package iamapi

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"outcrop/identity"
)

// The documents of the published guides (seeds 000 and 001), as printed but
// for the account.
const (
	seedTrust = `{
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
}`
	seedPolicy = `{
    "Version": "2012-10-17",
    "Statement": [
      {
        "Effect": "Allow",
        "Action": [
          "logs:CreateLogStream",
          "logs:PutLogEvents"
        ],
        "Resource": "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/model-invocations:*"
      }
    ]
  }`
)

// Promise: the role of the guides is made, and its documents come back as
// they were written, percent-encoded.
func TestTheLoggingRoleOfTheGuides(t *testing.T) {
	d := openDoor(t)
	made := d.do(t, "CreateRole", "RoleName", "BedrockLoggingRole", "AssumeRolePolicyDocument", seedTrust)
	has(t, made, `<Path>/</Path><RoleName>BedrockLoggingRole</RoleName><RoleId>AROA[A-Z2-7]{17}</RoleId><Arn>arn:aws:iam::111122223333:role/BedrockLoggingRole</Arn>`,
		`<CreateDate>2026-11-21T10:00:00Z</CreateDate><AssumeRolePolicyDocument>%7B%0A%20%20%22Version%22%3A%20%222012-10-17%22`)
	d.do(t, "PutRolePolicy", "RoleName", "BedrockLoggingRole", "PolicyName", "BedrockLoggingPolicy", "PolicyDocument", seedPolicy)
	d.do(t, "PutRolePolicy", "RoleName", "BedrockLoggingRole", "PolicyName", "BedrockS3Policy", "PolicyDocument", strings.ReplaceAll(seedPolicy, "logs:", "s3:"))
	if got := decoded(t, d.do(t, "GetRole", "RoleName", "BedrockLoggingRole"), "AssumeRolePolicyDocument"); got != seedTrust {
		t.Errorf("the trust policy came back as %s", got)
	}
	if got := decoded(t, d.do(t, "GetRolePolicy", "RoleName", "BedrockLoggingRole", "PolicyName", "BedrockLoggingPolicy"), "PolicyDocument"); got != seedPolicy {
		t.Errorf("the policy came back as %s", got)
	}
	has(t, d.do(t, "ListRolePolicies", "RoleName", "BedrockLoggingRole"), `<PolicyNames><member>BedrockLoggingPolicy</member><member>BedrockS3Policy</member></PolicyNames>`)
}

func TestRolesOnTheWire(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateRole", "RoleName", "r", "Path", "/apps/", "AssumeRolePolicyDocument", trustEC2, "Description", "first", "MaxSessionDuration", "7200",
		"PermissionsBoundary", fullARN, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	got := d.do(t, "GetRole", "RoleName", "r")
	has(t, got, `role/apps/r</Arn>`, `<Description>first</Description><MaxSessionDuration>7200</MaxSessionDuration>`, `<Key>team</Key>`, fullARN, `<RoleLastUsed></RoleLastUsed>|<RoleLastUsed/>`)
	listed := d.do(t, "ListRoles", "PathPrefix", "/apps/")
	has(t, listed, `<RoleName>r</RoleName>`, `<AssumeRolePolicyDocument>%7B`)
	lacks(t, listed, "<Tags>", "<RoleLastUsed", "<PermissionsBoundary>")

	d.do(t, "UpdateRole", "RoleName", "r", "MaxSessionDuration", "3600")
	has(t, d.do(t, "GetRole", "RoleName", "r"), `<Description>first</Description><MaxSessionDuration>3600</MaxSessionDuration>`)
	d.do(t, "UpdateRole", "RoleName", "r", "Description", "second")
	has(t, d.do(t, "UpdateRoleDescription", "RoleName", "r", "Description", "third"), `<Description>third</Description>`)
	d.do(t, "UpdateRoleDescription", "RoleName", "r", "Description", "")
	lacks(t, d.do(t, "GetRole", "RoleName", "r"), "<Description>t")
	d.do(t, "UpdateAssumeRolePolicy", "RoleName", "r", "PolicyDocument", seedTrust)
	if got := decoded(t, d.do(t, "GetRole", "RoleName", "r"), "AssumeRolePolicyDocument"); got != seedTrust {
		t.Errorf("trust policy %s", got)
	}
	d.do(t, "TagRole", "RoleName", "r", "Tags.member.1.Key", "stage", "Tags.member.1.Value", "prod")
	d.do(t, "UntagRole", "RoleName", "r", "TagKeys.member.1", "team")
	has(t, d.do(t, "ListRoleTags", "RoleName", "r"), `<Tags><member><Key>stage</Key><Value>prod</Value></member></Tags>`)
	d.do(t, "DeleteRolePermissionsBoundary", "RoleName", "r")
	d.do(t, "PutRolePermissionsBoundary", "RoleName", "r", "PermissionsBoundary", fullARN)
	d.do(t, "DeleteRole", "RoleName", "r")
	d.refuses(t, 404, "NoSuchEntity", "The role with name r cannot be found.", "GetRole", "RoleName", "r")
}

func TestTheLastUseOfARoleIsShown(t *testing.T) {
	d := openDoor(t)
	id := value(d.do(t, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2), "RoleId")
	d.api.Identity.Touch(id, "sts", "eu-west-1")
	has(t, d.do(t, "GetRole", "RoleName", "r"), `<RoleLastUsed><LastUsedDate>2026-11-21T10:00:00Z</LastUsedDate><Region>eu-west-1</Region></RoleLastUsed>`)
}

func TestRoleFailures(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2)
	d.refuses(t, 409, "EntityAlreadyExists", "Role with name r already exists.", "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2)
	d.refuses(t, 400, "MalformedPolicyDocument", "", "CreateRole", "RoleName", "x", "AssumeRolePolicyDocument", "{}")
	d.refuses(t, 400, "MalformedPolicyDocument", "invalid Json", "CreateRole", "RoleName", "x", "AssumeRolePolicyDocument", "nonsense")
	d.refuses(t, 400, "MalformedPolicyDocument", "Has prohibited field Resource", "CreateRole", "RoleName", "x", "AssumeRolePolicyDocument", strings.Replace(trustEC2, `"Action"`, `"Resource":"*","Action"`, 1))
	d.refuses(t, 400, "MalformedPolicyDocument", "", "UpdateAssumeRolePolicy", "RoleName", "r", "PolicyDocument", allowAll)
	d.refuses(t, 400, "ValidationError", "greater than or equal to 3600", "CreateRole", "RoleName", "x", "AssumeRolePolicyDocument", trustEC2, "MaxSessionDuration", "3599")
	d.refuses(t, 400, "ValidationError", "", "UpdateRole", "RoleName", "r", "MaxSessionDuration", "43201")
	d.refuses(t, 409, "LimitExceeded", "ACLSizePerRole", "UpdateAssumeRolePolicy", "RoleName", "r", "PolicyDocument", strings.Replace(trustEC2, "bedrock.amazonaws.com", strings.Repeat("b", 2048)+".amazonaws.com", 1))
	d.refuses(t, 404, "NoSuchEntity", "", "UpdateRole", "RoleName", "absent")
	d.refuses(t, 404, "NoSuchEntity", "", "UpdateRoleDescription", "RoleName", "absent", "Description", "x")
	for _, operation := range []string{"DeleteRole", "ListRoleTags", "ListAttachedRolePolicies", "ListRolePolicies", "DeleteRolePermissionsBoundary"} {
		d.refuses(t, 404, "NoSuchEntity", "The role with name absent cannot be found.", operation, "RoleName", "absent")
	}
	d.do(t, "PutRolePolicy", "RoleName", "r", "PolicyName", "p", "PolicyDocument", allowAll)
	d.refuses(t, 409, "DeleteConflict", "must delete policies first", "DeleteRole", "RoleName", "r")
	d.do(t, "DeleteRolePolicy", "RoleName", "r", "PolicyName", "p")
	d.do(t, "AttachRolePolicy", "RoleName", "r", "PolicyArn", fullARN)
	d.refuses(t, 409, "DeleteConflict", "must detach all policies first", "DeleteRole", "RoleName", "r")
}

// Promise: nobody edits a role of AWS's own.
func TestServiceLinkedRolesStay(t *testing.T) {
	d := openDoor(t)
	if _, err := d.api.Identity.CreateRole(t.Context(), account, identity.RoleSpec{Name: "AWSServiceRoleForX", Trust: trustEC2, ServiceLinked: true}); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][]string{
		{"DeleteRole"}, {"UpdateRole", "Description", "x"}, {"UpdateRoleDescription", "Description", "x"}, {"UpdateAssumeRolePolicy", "PolicyDocument", trustEC2},
		{"AttachRolePolicy", "PolicyArn", fullARN}, {"DetachRolePolicy", "PolicyArn", fullARN}, {"PutRolePolicy", "PolicyName", "p", "PolicyDocument", allowAll},
		{"DeleteRolePolicy", "PolicyName", "p"}, {"PutRolePermissionsBoundary", "PermissionsBoundary", fullARN}, {"DeleteRolePermissionsBoundary"},
	} {
		d.refuses(t, 400, "UnmodifiableEntity", "", step[0], append(step[1:], "RoleName", "AWSServiceRoleForX")...)
	}
}

// Promise: any text survives percent-encoding.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{seedTrust, " +%2B", "é\x00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		encoded := document(text)
		if got, err := url.PathUnescape(encoded); err != nil || got != text || strings.ContainsAny(encoded, " +<>&\"") {
			t.Errorf("%q became %q, %v", text, encoded, err)
		}
	})
}

func TestWholeSecondsOfASession(t *testing.T) {
	if seconds(nil) != 0 || seconds(ptr(int64(3600))) != time.Hour {
		t.Error("seconds of a session")
	}
}
