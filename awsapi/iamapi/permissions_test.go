package iamapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"outcrop/awsapi/model"
	"outcrop/iam"
)

// Promise: every operation is modelled, and its permission is described.
func TestEveryOperationIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	service := model.Load("iam")
	for _, h := range new(API).Operations() {
		if _, ok := iam.OperationOf("iam", h.Name()); !ok || seen[h.Name()] {
			t.Errorf("%s is not described or served twice", h.Name())
		}
		if service.Operation(h.Name()) == nil {
			t.Errorf("%s is not in the model", h.Name())
		}
		seen[h.Name()] = true
	}
	if len(seen) < 100 {
		t.Errorf("%d operations", len(seen))
	}
}

// Promise: what is asked before an operation is about the resource it names,
// with its path, tags and boundary.
func TestPermissionsAreAskedOnTheResource(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice", "Path", "/apps/", "PermissionsBoundary", fullARN, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	d.do(t, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2)
	d.do(t, "CreateGroup", "GroupName", "g", "Path", "/x/")
	d.do(t, "CreatePolicy", "PolicyName", "p", "Path", "/y/", "PolicyDocument", allowAll, "Tags.member.1.Key", "stage", "Tags.member.1.Value", "prod")
	d.do(t, "CreateOpenIDConnectProvider", "Url", "https://id.example.com")
	key := value(d.do(t, "CreateAccessKey", "UserName", "alice"), "AccessKeyId")
	alice := "arn:aws:iam::111122223333:user/apps/alice aws:resourcetag/team=blue iam:permissionsboundary=" + fullARN + " iam:resourcetag/team=blue"
	for _, c := range []struct {
		want   string
		params []string
	}{
		{"iam:GetUser " + alice, []string{"GetUser", "UserName", "alice"}},
		{"iam:GetUser arn:aws:iam::111122223333:user/admin", []string{"GetUser"}},
		{"iam:GetUser arn:aws:iam::111122223333:user/nobody", []string{"GetUser", "UserName", "nobody"}},
		{"iam:ListUsers", []string{"ListUsers"}},
		{"iam:GetAccessKeyLastUsed " + alice, []string{"GetAccessKeyLastUsed", "AccessKeyId", key}},
		{"iam:UpdateAccessKey " + alice, []string{"UpdateAccessKey", "UserName", "alice", "AccessKeyId", key, "Status", "Inactive"}},
		{"iam:CreateUser arn:aws:iam::111122223333:user/b/bob aws:requesttag/k=v aws:tagkeys=k iam:permissionsboundary=" + fullARN + "\n" +
			"iam:TagUser arn:aws:iam::111122223333:user/b/bob aws:requesttag/k=v aws:tagkeys=k iam:permissionsboundary=" + fullARN,
			[]string{"CreateUser", "UserName", "bob", "Path", "/b/", "PermissionsBoundary", fullARN, "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"}},
		{"iam:TagUser arn:aws:iam::111122223333:user/admin aws:requesttag/k=v aws:tagkeys=k", []string{"TagUser", "UserName", "admin", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"}},
		{"iam:UntagRole arn:aws:iam::111122223333:role/r aws:tagkeys=a,b", []string{"UntagRole", "RoleName", "r", "TagKeys.member.1", "a", "TagKeys.member.2", "b"}},
		{"iam:AttachRolePolicy arn:aws:iam::111122223333:role/r iam:policyarn=" + fullARN, []string{"AttachRolePolicy", "RoleName", "r", "PolicyArn", fullARN}},
		{"iam:AttachRolePolicy arn:aws:iam::111122223333:role/r iam:policyarn=" + ownPolicy + "y/p", []string{"AttachRolePolicy", "RoleName", "r", "PolicyArn", ownPolicy + "Y/P"}}, // names are the same in any case, and conditions are not
		{"iam:AddUserToGroup arn:aws:iam::111122223333:group/x/g", []string{"AddUserToGroup", "GroupName", "g", "UserName", "alice"}},
		{"iam:GetPolicy arn:aws:iam::111122223333:policy/y/p aws:resourcetag/stage=prod iam:policyarn=" + ownPolicy + "y/p iam:resourcetag/stage=prod", []string{"GetPolicy", "PolicyArn", ownPolicy + "y/p"}},
		{"iam:CreatePolicy arn:aws:iam::111122223333:policy/q/new", []string{"CreatePolicy", "PolicyName", "new", "Path", "/q/", "PolicyDocument", allowAll}},
		{"iam:CreateOpenIDConnectProvider arn:aws:iam::111122223333:oidc-provider/id.example.com/b", []string{"CreateOpenIDConnectProvider", "Url", "https://id.example.com/b"}},
		{"iam:DeleteOpenIDConnectProvider arn:aws:iam::111122223333:oidc-provider/id.example.com", []string{"DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn", "arn:aws:iam::111122223333:oidc-provider/id.example.com"}},
		{"iam:CreateServiceSpecificCredential " + strings.Replace(alice, " iam:res", " iam:res", 1) + " iam:servicespecificcredentialagedays=7 iam:servicespecificcredentialservicename=bedrock.amazonaws.com",
			[]string{"CreateServiceSpecificCredential", "UserName", "alice", "ServiceName", "bedrock.amazonaws.com", "CredentialAgeDays", "7"}},
		{"iam:SimulatePrincipalPolicy arn:aws:iam::111122223333:role/r", []string{"SimulatePrincipalPolicy", "PolicySourceArn", "arn:aws:iam::111122223333:role/r", "ActionNames.member.1", "s3:GetObject"}},
		{"iam:SimulateCustomPolicy", []string{"SimulateCustomPolicy", "PolicyInputList.member.1", allowAll, "ActionNames.member.1", "s3:GetObject"}},
		{"iam:PutRolePermissionsBoundary arn:aws:iam::111122223333:role/r iam:permissionsboundary=" + ownPolicy + "y/p", []string{"PutRolePermissionsBoundary", "RoleName", "r", "PermissionsBoundary", ownPolicy + "Y/p"}},
		{"iam:UpdateUser arn:aws:iam::111122223333:user/admin aws:resourcetag/k=v iam:resourcetag/k=v\niam:UpdateUser arn:aws:iam::111122223333:user/ops/admin aws:resourcetag/k=v iam:resourcetag/k=v", []string{"UpdateUser", "UserName", "admin", "NewPath", "/ops/"}},
		{"iam:UpdateGroup arn:aws:iam::111122223333:group/x/g\niam:UpdateGroup arn:aws:iam::111122223333:group/x/h", []string{"UpdateGroup", "GroupName", "g", "NewGroupName", "h"}},
	} {
		d.policy.Asked = nil
		d.send(t, c.params[0], c.params[1:]...)
		if got := asked(d.policy.Asked); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.params[0], got, c.want)
		}
	}
}

// asked writes checks with their condition keys in order.
func asked(checks []iam.Check) string {
	var lines []string
	for _, c := range checks {
		line := strings.TrimSpace(fmt.Sprintf("%s %s", c.Action, c.Resource))
		for _, key := range slices.Sorted(slices.Values(c.Context.Keys())) {
			line += " " + key + "=" + strings.Join(c.Context.Values(key), ",")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Promise: who may not, does not, and what was asked for is not done.
func TestNothingHappensWithoutPermission(t *testing.T) {
	d := openDoor(t)
	d.policy.Deny = "iam:TagUser"
	d.refuses(t, 403, "AccessDenied", "iam:TagUser", "CreateUser", "UserName", "alice", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v")
	d.refuses(t, 404, "NoSuchEntity", "", "GetUser", "UserName", "alice")
	d.do(t, "CreateUser", "UserName", "alice")
	d.policy.Deny = "iam:DeleteUser"
	d.refuses(t, 403, "AccessDenied", "iam:DeleteUser", "DeleteUser", "UserName", "alice")
	d.do(t, "GetUser", "UserName", "alice")
}
