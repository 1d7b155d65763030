package iamapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestPoliciesOnTheWire(t *testing.T) {
	d := openDoor(t)
	made := d.do(t, "CreatePolicy", "PolicyName", "p", "Path", "/apps/", "Description", "what it is for", "PolicyDocument", allowAll, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	arn := ownPolicy + "apps/p"
	has(t, made, `<PolicyName>p</PolicyName><PolicyId>ANPA[A-Z2-7]{17}</PolicyId><Arn>`+arn+`</Arn><Path>/apps/</Path><DefaultVersionId>v1</DefaultVersionId><AttachmentCount>0</AttachmentCount>`+
		`<PermissionsBoundaryUsageCount>0</PermissionsBoundaryUsageCount><IsAttachable>true</IsAttachable>`, `<Tags><member><Key>team</Key>`)
	has(t, d.do(t, "GetPolicy", "PolicyArn", arn), `<Description>what it is for</Description>`, `<Key>team</Key>`)
	d.do(t, "TagPolicy", "PolicyArn", arn, "Tags.member.1.Key", "stage", "Tags.member.1.Value", "prod")
	d.do(t, "UntagPolicy", "PolicyArn", arn, "TagKeys.member.1", "team")
	has(t, d.do(t, "ListPolicyTags", "PolicyArn", arn), `<Tags><member><Key>stage</Key><Value>prod</Value></member></Tags>`)

	d.do(t, "CreateUser", "UserName", "alice", "PermissionsBoundary", arn)
	d.do(t, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2)
	d.do(t, "CreateGroup", "GroupName", "g")
	d.do(t, "AttachRolePolicy", "RoleName", "r", "PolicyArn", arn)
	d.do(t, "AttachGroupPolicy", "GroupName", "g", "PolicyArn", arn)
	d.do(t, "AttachGroupPolicy", "GroupName", "g", "PolicyArn", fullARN)
	has(t, d.do(t, "GetPolicy", "PolicyArn", arn), `<AttachmentCount>2</AttachmentCount><PermissionsBoundaryUsageCount>1</PermissionsBoundaryUsageCount>`)
	has(t, d.do(t, "ListEntitiesForPolicy", "PolicyArn", arn), `<PolicyGroups><member><GroupName>g</GroupName>`, `<PolicyUsers><member><UserName>alice</UserName>`, `<PolicyRoles><member><RoleName>r</RoleName>`)
	has(t, d.do(t, "ListEntitiesForPolicy", "PolicyArn", arn, "PolicyUsageFilter", "PermissionsBoundary"), `<PolicyUsers><member>`, `<PolicyRoles></PolicyRoles>|<PolicyRoles/>`)
	lacks(t, d.do(t, "ListEntitiesForPolicy", "PolicyArn", arn, "EntityFilter", "Role"), "alice", "<GroupName>")

	own := d.do(t, "ListPolicies", "Scope", "Local")
	has(t, own, `<PolicyName>p</PolicyName>`)
	lacks(t, own, "arn:aws:iam::aws:", "<Description>", "<Tags>")
	has(t, d.do(t, "ListPolicies"), `<Arn>`+arn, `<Arn>`+fullARN)
	if got := values(d.do(t, "ListPolicies", "Scope", "AWS", "OnlyAttached", "true"), "PolicyName"); !slices.Contains(got, "AmazonBedrockFullAccess") || slices.Contains(got, "AmazonBedrockReadOnly") {
		t.Errorf("attached policies of AWS: %v", got)
	}
	has(t, d.do(t, "ListPolicies", "PolicyUsageFilter", "PermissionsBoundary"), `<PolicyName>p</PolicyName>`)
	lacks(t, d.do(t, "ListPolicies", "PathPrefix", "/apps/"), "AmazonBedrock")
}

func TestPolicyVersionsOnTheWire(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreatePolicy", "PolicyName", "p", "PolicyDocument", allowAll)
	arn := ownPolicy + "p"
	second := strings.Replace(allowAll, `"*"`, `"bedrock:*"`, 1)
	has(t, d.do(t, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", second), `<VersionId>v2</VersionId><IsDefaultVersion>false</IsDefaultVersion>`)
	has(t, d.do(t, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", second, "SetAsDefault", "true"), `<VersionId>v3</VersionId><IsDefaultVersion>true</IsDefaultVersion>`)
	v2 := d.do(t, "GetPolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	if got := decoded(t, v2, "Document"); got != second {
		t.Errorf("v2 is %s", got)
	}
	has(t, v2, `<IsDefaultVersion>false</IsDefaultVersion>`)
	d.do(t, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	has(t, d.do(t, "GetPolicy", "PolicyArn", arn), `<DefaultVersionId>v2</DefaultVersionId>`)
	d.refuses(t, 409, "DeleteConflict", "", "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	d.refuses(t, 409, "DeleteConflict", "more than one version", "DeletePolicy", "PolicyArn", arn)
	for n := 4; n <= 5; n++ {
		d.do(t, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", allowAll)
	}
	d.refuses(t, 409, "LimitExceeded", "up to 5 versions", "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", allowAll)
	d.do(t, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v5")
	d.do(t, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v4")
	for n := 6; n <= 10; n++ { // numbers are never used again
		has(t, d.do(t, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", allowAll), fmt.Sprintf("<VersionId>v%d<", n))
		if n < 10 {
			d.do(t, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", fmt.Sprintf("v%d", n))
		}
	}
	list := d.do(t, "ListPolicyVersions", "PolicyArn", arn)
	if got := strings.Join(values(list, "VersionId"), " "); got != "v10 v3 v2 v1" {
		t.Errorf("versions %s, want the newest first", got)
	}
	lacks(t, list, "<Document>")
	first := d.do(t, "ListPolicyVersions", "PolicyArn", arn, "MaxItems", "1")
	has(t, first, `<VersionId>v10<`)
	has(t, d.do(t, "ListPolicyVersions", "PolicyArn", arn, "MaxItems", "1", "Marker", value(first, "Marker")), `<VersionId>v3<`)
	for _, v := range []string{"v1", "v3", "v10"} {
		d.do(t, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", v)
	}
	d.do(t, "DeletePolicy", "PolicyArn", arn)
	d.refuses(t, 404, "NoSuchEntity", "", "GetPolicy", "PolicyArn", arn)
}

func TestPolicyFailures(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreatePolicy", "PolicyName", "p", "PolicyDocument", allowAll)
	d.refuses(t, 409, "EntityAlreadyExists", "A policy called p already exists. Duplicate names are not allowed.", "CreatePolicy", "PolicyName", "p", "PolicyDocument", allowAll)
	d.refuses(t, 400, "MalformedPolicyDocument", "Syntax errors in policy.", "CreatePolicy", "PolicyName", "x", "PolicyDocument", "{")
	d.refuses(t, 400, "MalformedPolicyDocument", "must contain resources", "CreatePolicy", "PolicyName", "x", "PolicyDocument", strings.Replace(allowAll, `,"Resource":"*"`, "", 1))
	d.refuses(t, 400, "MalformedPolicyDocument", "should not specify a principal", "CreatePolicyVersion", "PolicyArn", ownPolicy+"p", "PolicyDocument", trustEC2)
	d.refuses(t, 409, "LimitExceeded", "PolicySize: 6144", "CreatePolicy", "PolicyName", "x", "PolicyDocument", strings.Replace(allowAll, "All", strings.Repeat("a", 6144), 1))
	d.do(t, "CreateUser", "UserName", "alice")
	d.do(t, "AttachUserPolicy", "UserName", "alice", "PolicyArn", ownPolicy+"p")
	d.refuses(t, 409, "DeleteConflict", "Cannot delete a policy attached to entities.", "DeletePolicy", "PolicyArn", ownPolicy+"p")
	absent := ownPolicy + "absent"
	for _, step := range [][]string{
		{"GetPolicy"}, {"DeletePolicy"}, {"ListPolicyTags"}, {"ListPolicyVersions"}, {"ListEntitiesForPolicy"}, {"CreatePolicyVersion", "PolicyDocument", allowAll},
		{"GetPolicyVersion", "VersionId", "v1"}, {"DeletePolicyVersion", "VersionId", "v1"}, {"SetDefaultPolicyVersion", "VersionId", "v1"},
		{"TagPolicy", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"}, {"UntagPolicy", "TagKeys.member.1", "k"},
		{"DetachUserPolicy", "UserName", "alice"}, {"AttachUserPolicy", "UserName", "alice"},
	} {
		d.refuses(t, 404, "NoSuchEntity", absent, step[0], append(step[1:], "PolicyArn", absent)...)
	}
	d.refuses(t, 404, "NoSuchEntity", "version v9", "GetPolicyVersion", "PolicyArn", ownPolicy+"p", "VersionId", "v9")
	d.refuses(t, 400, "InvalidInput", "", "ListEntitiesForPolicy", "PolicyArn", ownPolicy+"p", "EntityFilter", "AWSManagedPolicy")
	d.refuses(t, 400, "ValidationError", "enum value set", "ListPolicies", "Scope", "Everything")
	for _, step := range [][]string{{"DeletePolicy"}, {"CreatePolicyVersion", "PolicyDocument", allowAll}, {"DeletePolicyVersion", "VersionId", "v1"}} {
		d.refuses(t, 403, "AccessDenied", "", step[0], append(step[1:], "PolicyArn", fullARN)...)
	}
}

// Promise: another account's policies and entities are as if they were not.
func TestAccountsDoNotMeet(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice")
	d.do(t, "CreatePolicy", "PolicyName", "p", "PolicyDocument", allowAll)
	key := value(d.do(t, "CreateAccessKey", "UserName", "alice"), "AccessKeyId")
	provider := value(d.do(t, "CreateOpenIDConnectProvider", "Url", "https://id.example.com"), "OpenIDConnectProviderArn")
	other := d.as(d.admin(t, elsewhere))
	lacks(t, other.do(t, "ListUsers"), "alice", string(account))
	lacks(t, other.do(t, "ListPolicies", "Scope", "Local"), "<member>")
	other.refuses(t, 404, "NoSuchEntity", "", "GetUser", "UserName", "alice")
	other.refuses(t, 404, "NoSuchEntity", "", "GetPolicy", "PolicyArn", ownPolicy+"p")
	other.refuses(t, 404, "NoSuchEntity", "", "AttachUserPolicy", "UserName", "admin", "PolicyArn", ownPolicy+"p")
	other.refuses(t, 404, "NoSuchEntity", "", "GetAccessKeyLastUsed", "AccessKeyId", key)
	other.refuses(t, 404, "NoSuchEntity", "", "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", provider)
	other.refuses(t, 404, "NoSuchEntity", "", "SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::111122223333:user/alice", "ActionNames.member.1", "s3:GetObject")
}

func TestAttachmentsAndInlinePoliciesOnTheWire(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "e")
	d.do(t, "CreateGroup", "GroupName", "e")
	d.do(t, "CreateRole", "RoleName", "e", "AssumeRolePolicyDocument", trustEC2)
	d.do(t, "CreatePolicy", "PolicyName", "p", "Path", "/apps/", "PolicyDocument", allowAll)
	for _, kind := range []string{"User", "Group", "Role"} {
		who := []string{kind + "Name", "e"}
		call := func(operation string, more ...string) string {
			return d.do(t, strings.Replace(operation, "X", kind, 1), append(slices.Clone(who), more...)...)
		}
		refuses := func(status int, code, operation string, more ...string) {
			d.refuses(t, status, code, "", strings.Replace(operation, "X", kind, 1), append(slices.Clone(who), more...)...)
		}
		lacks(t, call("ListAttachedXPolicies"), "<member>")
		call("AttachXPolicy", "PolicyArn", fullARN)
		call("AttachXPolicy", "PolicyArn", fullARN)
		call("AttachXPolicy", "PolicyArn", ownPolicy+"apps/p")
		has(t, call("ListAttachedXPolicies"), `<AttachedPolicies><member><PolicyName>AmazonBedrockFullAccess</PolicyName><PolicyArn>`+fullARN+`</PolicyArn></member><member><PolicyName>p</PolicyName>`)
		lacks(t, call("ListAttachedXPolicies", "PathPrefix", "/apps/"), "Bedrock")
		call("DetachXPolicy", "PolicyArn", fullARN)
		refuses(404, "NoSuchEntity", "DetachXPolicy", "PolicyArn", fullARN)

		lacks(t, call("ListXPolicies"), "<member>")
		call("PutXPolicy", "PolicyName", "in", "PolicyDocument", seedPolicy)
		has(t, call("ListXPolicies"), `<PolicyNames><member>in</member></PolicyNames><IsTruncated>false`)
		got := call("GetXPolicy", "PolicyName", "in")
		has(t, got, `<`+kind+`Name>e</`+kind+`Name><PolicyName>in</PolicyName>`)
		if text := decoded(t, got, "PolicyDocument"); text != seedPolicy {
			t.Errorf("%s has %s", kind, text)
		}
		refuses(400, "MalformedPolicyDocument", "PutXPolicy", "PolicyName", "bad", "PolicyDocument", `{"Version":"2012-10-17"}`)
		refuses(409, "LimitExceeded", "PutXPolicy", "PolicyName", "bad", "PolicyDocument", strings.Replace(allowAll, "All", strings.Repeat("a", 10240), 1))
		call("DeleteXPolicy", "PolicyName", "in")
		refuses(404, "NoSuchEntity", "GetXPolicy", "PolicyName", "in")
		refuses(404, "NoSuchEntity", "DeleteXPolicy", "PolicyName", "in")
		for n := range 9 {
			d.do(t, "CreatePolicy", "PolicyName", fmt.Sprint(kind, n), "PolicyDocument", allowAll)
			call("AttachXPolicy", "PolicyArn", ownPolicy+fmt.Sprint(kind, n))
		}
		refuses(409, "LimitExceeded", "AttachXPolicy", "PolicyArn", fullARN)
	}
}
