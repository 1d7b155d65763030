package iamapi

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"
)

func TestAccessKeysOnTheWire(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice")
	made := d.do(t, "CreateAccessKey", "UserName", "alice")
	id := value(made, "AccessKeyId")
	has(t, made, `<UserName>alice</UserName><AccessKeyId>AKIA[A-Z2-7]{16}</AccessKeyId><Status>Active</Status><SecretAccessKey>[A-Za-z0-9/+]{40}</SecretAccessKey><CreateDate>2026-11-21T10:00:00Z`)
	lacks(t, d.do(t, "ListAccessKeys", "UserName", "alice"), "Secret", value(made, "SecretAccessKey"))
	has(t, d.do(t, "GetAccessKeyLastUsed", "AccessKeyId", id), `<UserName>alice</UserName><AccessKeyLastUsed><ServiceName>N/A</ServiceName><Region>N/A</Region></AccessKeyLastUsed>`)
	d.api.Identity.Touch(id, "bedrock", "us-west-2")
	has(t, d.do(t, "GetAccessKeyLastUsed", "AccessKeyId", id), `<LastUsedDate>2026-11-21T10:00:00Z</LastUsedDate><ServiceName>bedrock</ServiceName><Region>us-west-2</Region>`)
	d.do(t, "UpdateAccessKey", "UserName", "alice", "AccessKeyId", id, "Status", "Inactive")
	has(t, d.do(t, "ListAccessKeys", "UserName", "alice"), `<AccessKeyId>`+id+`</AccessKeyId><Status>Inactive</Status>`)
	d.do(t, "UpdateAccessKey", "UserName", "alice", "AccessKeyId", id, "Status", "Active")
	d.clock = d.clock.Add(time.Second)
	second := value(d.do(t, "CreateAccessKey", "UserName", "alice"), "AccessKeyId")
	has(t, d.do(t, "ListAccessKeys", "UserName", "alice"), id+`.*`+second)
	d.refuses(t, 409, "LimitExceeded", "AccessKeysPerUser: 2", "CreateAccessKey", "UserName", "alice")
	has(t, d.do(t, "ListAccessKeys"), `<UserName>admin</UserName>`)
	d.refuses(t, 404, "NoSuchEntity", "The Access Key with id "+id+" cannot be found.", "DeleteAccessKey", "AccessKeyId", id)
	d.do(t, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", id)
	d.refuses(t, 404, "NoSuchEntity", "", "UpdateAccessKey", "UserName", "alice", "AccessKeyId", id, "Status", "Active")
	d.refuses(t, 404, "NoSuchEntity", "", "GetAccessKeyLastUsed", "AccessKeyId", id)
	d.refuses(t, 400, "InvalidInput", "Expired", "UpdateAccessKey", "UserName", "alice", "AccessKeyId", second, "Status", "Expired")
	d.refuses(t, 400, "ValidationError", "enum value set", "UpdateAccessKey", "UserName", "alice", "AccessKeyId", second, "Status", "Off")
}

// Promise: a key that is deactivated or deleted signs nothing any more, at once.
func TestAKeySignsUntilItIsTakenAway(t *testing.T) {
	d := openDoor(t)
	made := d.do(t, "CreateAccessKey")
	mine := d.keys
	mine.AccessKey, mine.Secret = value(made, "AccessKeyId"), value(made, "SecretAccessKey")
	own := d.as(mine)
	own.do(t, "GetUser")
	d.do(t, "UpdateAccessKey", "AccessKeyId", mine.AccessKey, "Status", "Inactive")
	own.refuses(t, 403, "InvalidClientTokenId", "", "GetUser")
	d.do(t, "UpdateAccessKey", "AccessKeyId", mine.AccessKey, "Status", "Active")
	own.do(t, "GetUser")
	d.do(t, "DeleteAccessKey", "AccessKeyId", mine.AccessKey)
	own.refuses(t, 403, "InvalidClientTokenId", "", "GetUser")
}

func TestServiceSpecificCredentialsOnTheWire(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice")
	made := d.do(t, "CreateServiceSpecificCredential", "UserName", "alice", "ServiceName", "bedrock.amazonaws.com", "CredentialAgeDays", "1")
	has(t, made, `<CreateDate>2026-11-21T10:00:00Z</CreateDate><ExpirationDate>2026-11-22T10:00:00Z</ExpirationDate><ServiceName>bedrock.amazonaws.com</ServiceName>`,
		`<ServiceCredentialAlias>alice-at-111122223333</ServiceCredentialAlias>`, `<ServiceSpecificCredentialId>ACCA[A-Z2-7]{17}</ServiceSpecificCredentialId><UserName>alice</UserName><Status>Active</Status>`)
	id, token := value(made, "ServiceSpecificCredentialId"), value(made, "ServiceCredentialSecret")
	if text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(token, "ABSK")); err != nil || !strings.HasPrefix(string(text), "alice-at-111122223333:") {
		t.Errorf("the token is %q, %v", token, err)
	}
	signsIn := func(token string) error {
		_, err := d.api.Identity.APIKey(t.Context(), token)
		return err
	}
	if err := signsIn(token); err != nil {
		t.Error(err)
	}
	list := d.do(t, "ListServiceSpecificCredentials", "UserName", "alice", "ServiceName", "bedrock.amazonaws.com")
	has(t, list, id, `<Status>Active</Status>`, `<IsTruncated>false</IsTruncated>`)
	lacks(t, list, token, "ServiceCredentialSecret")
	admins := values(d.do(t, "ListServiceSpecificCredentials", "AllUsers", "true"), "UserName")
	if strings.Join(admins, " ") != "admin alice" {
		t.Errorf("credentials of %v", admins)
	}
	d.do(t, "UpdateServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", id, "Status", "Inactive")
	if signsIn(token) == nil {
		t.Error("an inactive credential signs in")
	}
	d.do(t, "UpdateServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", id, "Status", "Active")
	reset := d.do(t, "ResetServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", id)
	fresh := value(reset, "ServiceCredentialSecret")
	if has(t, reset, id); signsIn(token) == nil || signsIn(fresh) != nil {
		t.Error("the reset credential")
	}
	d.clock = d.clock.Add(24 * time.Hour)
	has(t, d.do(t, "ListServiceSpecificCredentials", "UserName", "alice"), `<Status>Expired</Status>`)
	d.refuses(t, 400, "InvalidInput", "", "UpdateServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", id, "Status", "Active")
	d.do(t, "CreateServiceSpecificCredential", "UserName", "alice", "ServiceName", "bedrock.amazonaws.com")
	d.refuses(t, 409, "LimitExceeded", "ServiceSpecificCredentialsPerUser: 2", "CreateServiceSpecificCredential", "UserName", "alice", "ServiceName", "bedrock.amazonaws.com")
	d.do(t, "DeleteServiceSpecificCredential", "UserName", "alice", "ServiceSpecificCredentialId", id)
	for _, step := range [][]string{{"DeleteServiceSpecificCredential"}, {"ResetServiceSpecificCredential"}, {"UpdateServiceSpecificCredential", "Status", "Active"}} {
		d.refuses(t, 404, "NoSuchEntity", id, step[0], append(step[1:], "UserName", "alice", "ServiceSpecificCredentialId", id)...)
	}
	d.refuses(t, 404, "NotSupportedService", "", "CreateServiceSpecificCredential", "UserName", "alice", "ServiceName", "codecommit.amazonaws.com")
	d.refuses(t, 404, "NotSupportedService", "", "ListServiceSpecificCredentials", "UserName", "alice", "ServiceName", "codecommit.amazonaws.com")
	d.refuses(t, 400, "ValidationError", "", "CreateServiceSpecificCredential", "UserName", "alice", "ServiceName", "bedrock.amazonaws.com", "CredentialAgeDays", "36601")
	d.refuses(t, 400, "InvalidInput", "AllUsers", "ListServiceSpecificCredentials", "UserName", "alice", "AllUsers", "true")
}

func TestOpenIDConnectProvidersOnTheWire(t *testing.T) {
	d := openDoor(t)
	print := strings.Repeat("0a", 20)
	made := d.do(t, "CreateOpenIDConnectProvider", "Url", "https://token.example.com/a", "ClientIDList.member.1", "sts.amazonaws.com", "ThumbprintList.member.1", print,
		"Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")
	arn := "arn:aws:iam::111122223333:oidc-provider/token.example.com/a"
	has(t, made, `<OpenIDConnectProviderArn>`+arn+`</OpenIDConnectProviderArn><Tags><member><Key>team</Key>`)
	has(t, d.do(t, "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", arn), `<Url>token.example.com/a</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList><ThumbprintList><member>`+print+`</member></ThumbprintList><CreateDate>2026`)
	has(t, d.do(t, "ListOpenIDConnectProviders"), `<OpenIDConnectProviderList><member><Arn>`+arn+`</Arn></member></OpenIDConnectProviderList>`)
	d.do(t, "AddClientIDToOpenIDConnectProvider", "OpenIDConnectProviderArn", arn, "ClientID", "other")
	d.do(t, "RemoveClientIDFromOpenIDConnectProvider", "OpenIDConnectProviderArn", arn, "ClientID", "sts.amazonaws.com")
	d.do(t, "UpdateOpenIDConnectProviderThumbprint", "OpenIDConnectProviderArn", arn, "ThumbprintList.member.1", strings.Repeat("1b", 20))
	d.do(t, "TagOpenIDConnectProvider", "OpenIDConnectProviderArn", arn, "Tags.member.1.Key", "stage", "Tags.member.1.Value", "prod")
	d.do(t, "UntagOpenIDConnectProvider", "OpenIDConnectProviderArn", arn, "TagKeys.member.1", "team")
	has(t, d.do(t, "GetOpenIDConnectProvider", "OpenIDConnectProviderArn", arn), `<ClientIDList><member>other</member></ClientIDList><ThumbprintList><member>1b1b`)
	has(t, d.do(t, "ListOpenIDConnectProviderTags", "OpenIDConnectProviderArn", arn), `<Tags><member><Key>stage</Key><Value>prod</Value></member></Tags>`)

	d.refuses(t, 409, "EntityAlreadyExists", "already exists", "CreateOpenIDConnectProvider", "Url", "https://token.example.com/a")
	d.refuses(t, 400, "InvalidInput", "https", "CreateOpenIDConnectProvider", "Url", "http://token.example.com")
	d.refuses(t, 400, "InvalidInput", "", "CreateOpenIDConnectProvider", "Url", "nonsense")
	d.refuses(t, 400, "ValidationError", "", "CreateOpenIDConnectProvider", "Url", "https://b.example.com", "ThumbprintList.member.1", "short")
	d.do(t, "DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn", arn)
	d.do(t, "DeleteOpenIDConnectProvider", "OpenIDConnectProviderArn", arn)
	for _, step := range [][]string{
		{"GetOpenIDConnectProvider"}, {"ListOpenIDConnectProviderTags"}, {"AddClientIDToOpenIDConnectProvider", "ClientID", "x"}, {"RemoveClientIDFromOpenIDConnectProvider", "ClientID", "x"},
		{"UpdateOpenIDConnectProviderThumbprint", "ThumbprintList.member.1", print}, {"TagOpenIDConnectProvider", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"},
		{"UntagOpenIDConnectProvider", "TagKeys.member.1", "k"},
	} {
		d.refuses(t, 404, "NoSuchEntity", arn, step[0], append(step[1:], "OpenIDConnectProviderArn", arn)...)
	}
}

func TestAccountsOnTheWire(t *testing.T) {
	d := openDoor(t)
	d.do(t, "CreateUser", "UserName", "alice", "PermissionsBoundary", fullARN)
	d.do(t, "CreateGroup", "GroupName", "g")
	d.do(t, "AddUserToGroup", "GroupName", "g", "UserName", "alice")
	d.do(t, "PutUserPolicy", "UserName", "alice", "PolicyName", "in", "PolicyDocument", allowAll)
	d.do(t, "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trustEC2)
	d.do(t, "AttachRolePolicy", "RoleName", "r", "PolicyArn", fullARN)
	d.do(t, "CreatePolicy", "PolicyName", "p", "PolicyDocument", allowAll)
	has(t, d.do(t, "GetAccountSummary"), `<entry><key>Users</key><value>2</value></entry>`, `<key>Roles</key><value>1</value>`, `<key>AccessKeysPerUserQuota</key><value>2</value>`)

	whole := d.do(t, "GetAccountAuthorizationDetails")
	has(t, whole, `<UserDetailList><member>.*<UserName>alice</UserName>`, `<UserPolicyList><member><PolicyName>in</PolicyName><PolicyDocument>%7B`, `<GroupList><member>g</member></GroupList>`,
		`<GroupDetailList><member><Path>/</Path><GroupName>g</GroupName>`, `<RoleDetailList>.*<PolicyName>AmazonBedrockFullAccess</PolicyName>`, `<Policies>.*<PolicyName>p</PolicyName>.*<Document>%7B`,
		`<IsTruncated>false</IsTruncated>`)
	has(t, whole, `<Arn>`+fullARN) // AWS's, because it is attached
	lacks(t, whole, "AmazonBedrockReadOnly")
	lacks(t, d.do(t, "GetAccountAuthorizationDetails", "Filter.member.1", "Role"), "alice", "<GroupName>", "<PolicyVersionList>")

	names := func(body string) []string {
		return append(append(values(body, "UserName"), values(body, "RoleName")...), values(body, "DefaultVersionId")...)
	}
	for size := 1; size <= 7; size++ {
		var all []string
		marker := ""
		for range 12 {
			params := []string{"MaxItems", string(rune('0' + size))}
			if marker != "" {
				params = append(params, "Marker", marker)
			}
			page := d.do(t, "GetAccountAuthorizationDetails", params...)
			all = append(all, names(page)...)
			if marker = value(page, "Marker"); marker == "" {
				break
			}
		}
		if strings.Join(all, " ") != strings.Join(names(whole), " ") {
			t.Errorf("by %d: %v, want %v", size, all, names(whole))
		}
	}
	d.refuses(t, 400, "ValidationError", "Invalid Marker", "GetAccountAuthorizationDetails", "Marker", "Nobody:x")
}

func TestAccountAliasesOnTheWire(t *testing.T) {
	d := openDoor(t)
	if _, err := d.api.Identity.Account(t.Context(), account); err != nil {
		if _, err := d.api.Identity.AddAccount(t.Context(), account, "main", ""); err != nil {
			t.Fatal(err)
		}
	}
	d.do(t, "CreateAccountAlias", "AccountAlias", "blue-team")
	has(t, d.do(t, "ListAccountAliases"), `<AccountAliases><member>blue-team</member></AccountAliases><IsTruncated>false`)
	d.refuses(t, 400, "ValidationError", "", "CreateAccountAlias", "AccountAlias", "No--Good")
	d.refuses(t, 404, "NoSuchEntity", "green", "DeleteAccountAlias", "AccountAlias", "green")
	d.do(t, "DeleteAccountAlias", "AccountAlias", "blue-team")
	lacks(t, d.do(t, "ListAccountAliases"), "<member>")
}
