package iamapi

import (
	"fmt"
	"strings"
	"testing"
)

func TestUsersOnTheWire(t *testing.T) {
	d := openDoor(t)
	made := d.do(t, "CreateUser", "UserName", "alice", "Path", "/apps/", "PermissionsBoundary", fullARN, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue + green")
	has(t, made, `^<CreateUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateUserResult><User>`,
		`<Path>/apps/</Path><UserName>alice</UserName><UserId>AIDA[A-Z2-7]{17}</UserId><Arn>arn:aws:iam::111122223333:user/apps/alice</Arn><CreateDate>2026-11-21T10:00:00Z</CreateDate>`,
		`<PermissionsBoundary><PermissionsBoundaryType>Policy</PermissionsBoundaryType><PermissionsBoundaryArn>`+fullARN+`</PermissionsBoundaryArn></PermissionsBoundary>`,
		`<Tags><member><Key>team</Key><Value>blue \+ green</Value></member></Tags>`, `<ResponseMetadata><RequestId>[0-9a-f-]{36}</RequestId>`)
	has(t, d.do(t, "GetUser", "UserName", "alice"), `<UserName>alice</UserName>`, `<Tags>`, `<PermissionsBoundary>`)
	has(t, d.do(t, "GetUser"), `<UserName>admin</UserName>`)
	listed := d.do(t, "ListUsers")
	has(t, listed, `<UserName>admin</UserName>.*<UserName>alice</UserName>`, `<IsTruncated>false</IsTruncated>`)
	lacks(t, listed, "<Tags>", "<PermissionsBoundary>", "<Marker>")
	lacks(t, d.do(t, "ListUsers", "PathPrefix", "/apps/"), "<UserName>admin")

	has(t, d.do(t, "UpdateUser", "UserName", "alice", "NewUserName", "bob", "NewPath", "/"), `^<UpdateUserResponse [^>]*><ResponseMetadata>`)
	has(t, d.do(t, "GetUser", "UserName", "bob"), `user/bob</Arn>`)
	d.do(t, "TagUser", "UserName", "bob", "Tags.member.1.Key", "stage", "Tags.member.1.Value", "")
	has(t, d.do(t, "ListUserTags", "UserName", "bob"), `<Tags><member><Key>stage</Key><Value></Value></member><member><Key>team</Key>`)
	d.do(t, "UntagUser", "UserName", "bob", "TagKeys.member.1", "team")
	lacks(t, d.do(t, "ListUserTags", "UserName", "bob"), "team")
	d.do(t, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess")
	has(t, d.do(t, "GetUser", "UserName", "bob"), "policy/AdministratorAccess")
	d.do(t, "DeleteUserPermissionsBoundary", "UserName", "bob")
	lacks(t, d.do(t, "GetUser", "UserName", "bob"), "<PermissionsBoundary>")
	d.do(t, "DeleteUser", "UserName", "bob")
	d.refuses(t, 404, "NoSuchEntity", "The user with name bob cannot be found.", "GetUser", "UserName", "bob")
}

func TestUserFailures(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice")
	d.do(t, "CreateUser", "UserName", "Zoe")
	d.refuses(t, 409, "EntityAlreadyExists", "User with name alice already exists.", "CreateUser", "UserName", "alice")
	d.refuses(t, 409, "EntityAlreadyExists", "", "CreateUser", "UserName", "ALICE")
	d.refuses(t, 409, "EntityAlreadyExists", "", "UpdateUser", "UserName", "Zoe", "NewUserName", "alice")
	d.refuses(t, 400, "ValidationError", "1 validation error detected", "CreateUser", "UserName", "a b")
	d.refuses(t, 400, "ValidationError", "Member must not be null", "CreateUser")
	d.refuses(t, 400, "ValidationError", "", "CreateUser", "UserName", "c", "Path", "no-slash")
	d.refuses(t, 404, "NoSuchEntity", "", "CreateUser", "UserName", "c", "PermissionsBoundary", ownPolicy+"absent")
	d.refuses(t, 400, "InvalidInput", "Duplicate tag keys", "CreateUser", "UserName", "c", "Tags.member.1.Key", "k", "Tags.member.1.Value", "1", "Tags.member.2.Key", "K", "Tags.member.2.Value", "2")
	d.refuses(t, 400, "InvalidInput", "Duplicate tag keys", "TagUser", "UserName", "alice", "Tags.member.1.Key", "k", "Tags.member.1.Value", "1", "Tags.member.2.Key", "k", "Tags.member.2.Value", "2")
	d.refuses(t, 400, "InvalidInput", "", "TagUser", "UserName", "alice", "Tags.member.1.Key", "aws:k", "Tags.member.1.Value", "1")
	for _, operation := range []string{"GetUser", "DeleteUser", "ListUserTags", "ListAttachedUserPolicies", "ListUserPolicies", "ListGroupsForUser", "ListAccessKeys", "ListMFADevices",
		"ListSSHPublicKeys", "ListSigningCertificates", "GetLoginProfile", "DeleteLoginProfile", "ListServiceSpecificCredentials", "CreateAccessKey"} {
		d.refuses(t, 404, "NoSuchEntity", "The user with name nobody cannot be found.", operation, "UserName", "nobody")
	}
	d.refuses(t, 404, "NoSuchEntity", "", "UpdateUser", "UserName", "nobody", "NewPath", "/x/")
	d.refuses(t, 404, "NoSuchEntity", "", "TagUser", "UserName", "nobody", "Tags.member.1.Key", "k", "Tags.member.1.Value", "1")
	d.refuses(t, 404, "NoSuchEntity", "", "UntagUser", "UserName", "nobody", "TagKeys.member.1", "k")
	d.refuses(t, 404, "NoSuchEntity", "", "PutUserPermissionsBoundary", "UserName", "nobody", "PermissionsBoundary", fullARN)
	d.refuses(t, 404, "NoSuchEntity", "", "DeleteUserPermissionsBoundary", "UserName", "alice")
	d.refuses(t, 404, "NoSuchEntity", "Login Profile for User alice cannot be found.", "GetLoginProfile", "UserName", "alice")
	d.refuses(t, 404, "NoSuchEntity", "111122223333", "GetAccountPasswordPolicy")
	d.refuses(t, 400, "ValidationError", "Invalid Marker", "ListUsers", "Marker", "?")
	d.refuses(t, 400, "ValidationError", "Invalid Marker", "ListUserTags", "UserName", "alice", "Marker", "?")
	d.refuses(t, 400, "ValidationError", "greater than or equal to 1", "ListUsers", "MaxItems", "0")
	d.refuses(t, 400, "InvalidAction", "", "CreateVirtualMFADevice", "VirtualMFADeviceName", "x")
}

// Promise: what hangs on a user has to go first, in the words of AWS.
func TestUsersAreDeletedBare(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice")
	d.do(t, "CreateGroup", "GroupName", "g")
	key := value(d.do(t, "CreateAccessKey", "UserName", "alice"), "AccessKeyId")
	credential := value(d.do(t, "CreateServiceSpecificCredential", "UserName", "alice", "ServiceName", "bedrock.amazonaws.com"), "ServiceSpecificCredentialId")
	d.do(t, "AddUserToGroup", "UserName", "alice", "GroupName", "g")
	d.do(t, "AttachUserPolicy", "UserName", "alice", "PolicyArn", fullARN)
	d.do(t, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument", allowAll)
	for _, step := range [][]string{
		{"DeleteAccessKey", "UserName", "alice", "AccessKeyId", key},
		{"DeleteServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", credential},
		{"RemoveUserFromGroup", "UserName", "alice", "GroupName", "g"},
		{"DetachUserPolicy", "UserName", "alice", "PolicyArn", fullARN},
		{"DeleteUserPolicy", "UserName", "alice", "PolicyName", "p"},
	} {
		d.refuses(t, 409, "DeleteConflict", "Cannot delete entity, must", "DeleteUser", "UserName", "alice")
		d.do(t, step[0], step[1:]...)
	}
	d.do(t, "DeleteUser", "UserName", "alice")
}

// Promise: pages put together are the list, whatever their size.
func TestListsArePaged(t *testing.T) {
	d := openDoor(t)
	for i := range 7 {
		d.do(t, "CreateUser", "UserName", fmt.Sprintf("u%d", i))
		d.do(t, "TagUser", "UserName", "u0", "Tags.member.1.Key", fmt.Sprintf("k%d", i), "Tags.member.1.Value", "v")
	}
	for _, list := range []struct{ operation, element, param, value, want string }{
		{"ListUsers", "UserName", "PathPrefix", "/", "admin u0 u1 u2 u3 u4 u5 u6"},
		{"ListUserTags", "Key", "UserName", "u0", "k0 k1 k2 k3 k4 k5 k6"},
	} {
		for size := 1; size <= 9; size++ {
			var all []string
			for marker := ""; ; {
				params := []string{list.param, list.value, "MaxItems", fmt.Sprint(size)}
				if marker != "" {
					params = append(params, "Marker", marker)
				}
				page := d.do(t, list.operation, params...)
				some := values(page, list.element)
				if all = append(all, some...); value(page, "IsTruncated") == "false" {
					break
				}
				if marker = value(page, "Marker"); len(some) != size || marker == "" {
					t.Fatalf("%s: a page of %d has %d and marker %q", list.operation, size, len(some), marker)
				}
			}
			if got := strings.Join(all, " "); got != list.want {
				t.Errorf("%s by %d: %s, want %s", list.operation, size, got, list.want)
			}
		}
	}
}

func TestWhatTerraformLooksForBeforeItDeletes(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice")
	d.do(t, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2)
	for _, list := range [][]string{
		{"ListMFADevices", "UserName", "alice"}, {"ListVirtualMFADevices"}, {"ListSSHPublicKeys", "UserName", "alice"}, {"ListSigningCertificates", "UserName", "alice"},
		{"ListInstanceProfilesForRole", "RoleName", "r"}, {"ListInstanceProfiles"}, {"ListAccountAliases"}, {"ListGroupsForUser", "UserName", "alice"},
		{"ListOpenIDConnectProviders"},
	} {
		body := d.do(t, list[0], list[1:]...)
		lacks(t, body, "<member>", "<IsTruncated>true")
	}
	d.refuses(t, 404, "NoSuchEntity", "", "ListInstanceProfilesForRole", "RoleName", "absent")
}
