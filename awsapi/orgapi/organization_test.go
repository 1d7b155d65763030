package orgapi

import (
	"fmt"
	"strings"
	"testing"

	"outcrop"
	"outcrop/awsapi/model"
	"outcrop/iam"
)

func TestTheOrganizationOnTheWire(t *testing.T) {
	d := openDoor(t)
	d.refuses(t, "AWSOrganizationsNotInUseException", "DescribeOrganization", `{}`)
	d.refuses(t, "InvalidInputException", "CreateOrganization", `{"FeatureSet":"CONSOLIDATED_BILLING"}`)
	d.refuses(t, "ValidationException", "CreateOrganization", `{"FeatureSet":"SOME"}`)
	made := d.do(t, "CreateOrganization", `{}`)
	id := find(t, made, `"Id":"(o-[a-z0-9]{10})"`)
	for _, answer := range []string{made, d.do(t, "DescribeOrganization", `{}`)} {
		has(t, answer, `^{"Organization":{"Id":"`+id+`","Arn":"arn:aws:organizations::111122223333:organization/`+id+`","FeatureSet":"ALL",`+
			`"MasterAccountArn":"arn:aws:organizations::111122223333:account/`+id+`/111122223333","MasterAccountId":"111122223333"`,
			`"AvailablePolicyTypes":\[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"}\]`)
	}
	d.refuses(t, "AlreadyInOrganizationException", "CreateOrganization", `{}`)
	root := find(t, d.do(t, "ListRoots", `{}`), `^{"Roots":\[{"Id":"(r-[a-z0-9]{4})","Arn":"arn:aws:organizations::111122223333:root/`+id+`/r-[a-z0-9]{4}","Name":"Root","PolicyTypes":\[\]}\]}$`)
	d.refuses(t, "PolicyTypeNotEnabledException", "DisablePolicyType", `{"RootId":"`+root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	d.refuses(t, "RootNotFoundException", "EnablePolicyType", `{"RootId":"r-zzzz","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	d.refuses(t, "PolicyTypeNotAvailableForOrganizationException", "EnablePolicyType", `{"RootId":"`+root+`","PolicyType":"TAG_POLICY"}`)
	has(t, d.do(t, "EnablePolicyType", `{"RootId":"`+root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`), `"PolicyTypes":\[{"Type":"SERVICE_CONTROL_POLICY","Status":"ENABLED"}\]`)
	d.refuses(t, "PolicyTypeAlreadyEnabledException", "EnablePolicyType", `{"RootId":"`+root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	d.refuses(t, "PolicyTypeNotEnabledException", "DisablePolicyType", `{"RootId":"`+root+`","PolicyType":"TAG_POLICY"}`)
	d.do(t, "DisablePolicyType", `{"RootId":"`+root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	has(t, d.do(t, "ListAWSServiceAccessForOrganization", `{}`), `^{"EnabledServicePrincipals":\[\]}$`)
	d.do(t, "DeleteOrganization", `{}`)
	d.refuses(t, "AWSOrganizationsNotInUseException", "ListRoots", `{}`)
}

func TestTheTreeOnTheWire(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	made := d.do(t, "CreateOrganizationalUnit", `{"ParentId":"`+root+`","Name":"apps"}`)
	unit := find(t, made, `"Id":"(ou-[a-z0-9]{4}-[a-z0-9]{8})"`)
	has(t, made, `^{"OrganizationalUnit":{"Id":"`+unit+`","Arn":"arn:aws:organizations::111122223333:ou/o-[a-z0-9]{10}/`+unit+`","Name":"apps"}}$`)
	has(t, d.do(t, "DescribeOrganizationalUnit", `{"OrganizationalUnitId":"`+unit+`"}`), `"Name":"apps"`)
	has(t, d.do(t, "UpdateOrganizationalUnit", `{"OrganizationalUnitId":"`+unit+`","Name":"Apps"}`), `"Name":"Apps"`)
	has(t, d.do(t, "UpdateOrganizationalUnit", `{"OrganizationalUnitId":"`+unit+`"}`), `"Name":"Apps"`)
	inner := find(t, d.do(t, "CreateOrganizationalUnit", `{"ParentId":"`+unit+`","Name":"inner"}`), `"Id":"(ou-[^"]*)"`)
	has(t, d.do(t, "ListOrganizationalUnitsForParent", `{"ParentId":"`+root+`"}`), `^{"OrganizationalUnits":\[{"Id":"`+unit+`"[^{]*}\]}$`)
	has(t, d.do(t, "ListParents", `{"ChildId":"`+inner+`"}`), `^{"Parents":\[{"Id":"`+unit+`","Type":"ORGANIZATIONAL_UNIT"}\]}$`)
	has(t, d.do(t, "ListParents", `{"ChildId":"`+unit+`"}`), `{"Id":"`+root+`","Type":"ROOT"}`)
	has(t, d.do(t, "ListParents", `{"ChildId":"111122223333"}`), `{"Id":"`+root+`","Type":"ROOT"}`)
	has(t, d.do(t, "ListChildren", `{"ParentId":"`+unit+`","ChildType":"ORGANIZATIONAL_UNIT"}`), `^{"Children":\[{"Id":"`+inner+`","Type":"ORGANIZATIONAL_UNIT"}\]}$`)
	has(t, d.do(t, "ListChildren", `{"ParentId":"`+unit+`","ChildType":"ACCOUNT"}`), `^{"Children":\[\]}$`)

	absent := strings.Repeat("x", 8)
	gone := unit[:len(unit)-8] + absent
	d.refuses(t, "DuplicateOrganizationalUnitException", "CreateOrganizationalUnit", `{"ParentId":"`+root+`","Name":"apps"}`)
	d.refuses(t, "ParentNotFoundException", "CreateOrganizationalUnit", `{"ParentId":"`+gone+`","Name":"x"}`)
	d.refuses(t, "InvalidInputException", "CreateOrganizationalUnit", `{"ParentId":"`+root+`","Name":"x","Tags":[{"Key":"k","Value":"v"}]}`)
	d.refuses(t, "OrganizationalUnitNotFoundException", "DescribeOrganizationalUnit", `{"OrganizationalUnitId":"`+gone+`"}`)
	d.refuses(t, "OrganizationalUnitNotFoundException", "UpdateOrganizationalUnit", `{"OrganizationalUnitId":"`+gone+`","Name":"x"}`)
	d.refuses(t, "OrganizationalUnitNotFoundException", "DeleteOrganizationalUnit", `{"OrganizationalUnitId":"`+gone+`"}`)
	d.refuses(t, "OrganizationalUnitNotEmptyException", "DeleteOrganizationalUnit", `{"OrganizationalUnitId":"`+unit+`"}`)
	d.refuses(t, "ParentNotFoundException", "ListOrganizationalUnitsForParent", `{"ParentId":"`+gone+`"}`)
	d.refuses(t, "ParentNotFoundException", "ListAccountsForParent", `{"ParentId":"`+gone+`"}`)
	d.refuses(t, "ParentNotFoundException", "ListChildren", `{"ParentId":"`+gone+`","ChildType":"ACCOUNT"}`)
	d.refuses(t, "ChildNotFoundException", "ListParents", `{"ChildId":"`+gone+`"}`)
	d.refuses(t, "ChildNotFoundException", "ListParents", `{"ChildId":"999999999999"}`)
	d.refuses(t, "ValidationException", "DescribeOrganizationalUnit", `{"OrganizationalUnitId":"nonsense"}`)
	d.refuses(t, "InvalidInputException", "ListOrganizationalUnitsForParent", `{"ParentId":"`+root+`","NextToken":"?"}`)
	d.do(t, "DeleteOrganizationalUnit", `{"OrganizationalUnitId":"`+inner+`"}`)
	d.do(t, "DeleteOrganizationalUnit", `{"OrganizationalUnitId":"`+unit+`"}`)
	parent := root
	for depth := range 5 {
		parent = find(t, d.do(t, "CreateOrganizationalUnit", fmt.Sprintf(`{"ParentId":%q,"Name":"level %d"}`, parent, depth)), `"Id":"(ou-[^"]*)"`)
	}
	d.refuses(t, "ConstraintViolationException", "CreateOrganizationalUnit", `{"ParentId":"`+parent+`","Name":"too deep"}`)
	d.refuses(t, "OrganizationNotEmptyException", "DeleteOrganization", `{}`)
}

func TestAccountsOnTheWire(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	unit := find(t, d.do(t, "CreateOrganizationalUnit", `{"ParentId":"`+root+`","Name":"apps"}`), `"Id":"(ou-[^"]*)"`)
	made := d.do(t, "CreateAccount", `{"AccountName":"Blue","Email":"blue@example.com","RoleName":"Enter"}`)
	has(t, made, `^{"CreateAccountStatus":{"Id":"car-[a-z0-9]{32}","AccountName":"Blue","State":"SUCCEEDED","RequestedTimestamp":1795255200[.0]*,"CompletedTimestamp":1795255200[.0]*,"AccountId":"[1-9][0-9]{11}"}}$`)
	request, id := find(t, made, `"(car-[^"]*)"`), find(t, made, `"AccountId":"([0-9]*)"`)
	if got := d.do(t, "DescribeCreateAccountStatus", `{"CreateAccountRequestId":"`+request+`"}`); got != made {
		t.Errorf("status %s, want %s", got, made)
	}
	has(t, d.do(t, "ListCreateAccountStatus", `{}`), `^{"CreateAccountStatuses":\[{"Id":"`+request+`"[^{]*}\]}$`)
	has(t, d.do(t, "ListCreateAccountStatus", `{"States":["FAILED"]}`), `^{"CreateAccountStatuses":\[\]}$`)
	described := d.do(t, "DescribeAccount", `{"AccountId":"`+id+`"}`)
	has(t, described, `"Id":"`+id+`"`, `"Arn":"arn:aws:organizations::111122223333:account/o-[a-z0-9]{10}/`+id+`"`, `"Email":"blue@example.com"`, `"Name":"Blue"`, `"Status":"ACTIVE"`, `"JoinedMethod":"CREATED"`)
	has(t, d.do(t, "ListAccounts", `{}`), `"Id":"111122223333"`, `"Id":"`+id+`"`)
	has(t, d.do(t, "ListAccountsForParent", `{"ParentId":"`+root+`"}`), `"Id":"`+id+`"`)
	d.do(t, "MoveAccount", `{"AccountId":"`+id+`","SourceParentId":"`+root+`","DestinationParentId":"`+unit+`"}`)
	has(t, d.do(t, "ListAccountsForParent", `{"ParentId":"`+unit+`"}`), `"Id":"`+id+`"`)
	has(t, d.do(t, "ListChildren", `{"ParentId":"`+unit+`","ChildType":"ACCOUNT"}`), `^{"Children":\[{"Id":"`+id+`","Type":"ACCOUNT"}\]}$`)
	has(t, d.do(t, "ListParents", `{"ChildId":"`+id+`"}`), `{"Id":"`+unit+`","Type":"ORGANIZATIONAL_UNIT"}`)

	gone := unit[:len(unit)-8] + strings.Repeat("x", 8)
	d.refuses(t, "SourceParentNotFoundException", "MoveAccount", `{"AccountId":"`+id+`","SourceParentId":"`+root+`","DestinationParentId":"`+unit+`"}`)
	d.refuses(t, "DestinationParentNotFoundException", "MoveAccount", `{"AccountId":"`+id+`","SourceParentId":"`+unit+`","DestinationParentId":"`+gone+`"}`)
	d.refuses(t, "DuplicateAccountException", "MoveAccount", `{"AccountId":"`+id+`","SourceParentId":"`+unit+`","DestinationParentId":"`+unit+`"}`)
	d.refuses(t, "AccountNotFoundException", "MoveAccount", `{"AccountId":"999999999999","SourceParentId":"`+unit+`","DestinationParentId":"`+root+`"}`)
	d.refuses(t, "AccountNotFoundException", "DescribeAccount", `{"AccountId":"999999999999"}`)
	d.refuses(t, "CreateAccountStatusNotFoundException", "DescribeCreateAccountStatus", `{"CreateAccountRequestId":"car-`+strings.Repeat("0", 32)+`"}`)
	d.refuses(t, "ValidationException", "CreateAccount", `{"AccountName":"x","Email":"a@b"}`)
	d.refuses(t, "InvalidInputException", "CreateAccount", `{"AccountName":"x","Email":"a@example.com","Tags":[{"Key":"k","Value":"v"}]}`)
	d.refuses(t, "OrganizationNotEmptyException", "DeleteOrganization", `{}`)

	d.do(t, "CloseAccount", `{"AccountId":"`+id+`"}`)
	has(t, d.do(t, "DescribeAccount", `{"AccountId":"`+id+`"}`), `"Status":"SUSPENDED"`)
	d.refuses(t, "AccountAlreadyClosedException", "CloseAccount", `{"AccountId":"`+id+`"}`)
	d.refuses(t, "ConstraintViolationException", "CloseAccount", `{"AccountId":"111122223333"}`)
	d.refuses(t, "MasterCannotLeaveOrganizationException", "RemoveAccountFromOrganization", `{"AccountId":"111122223333"}`)
	d.do(t, "RemoveAccountFromOrganization", `{"AccountId":"`+id+`"}`)
	d.refuses(t, "AccountNotFoundException", "DescribeAccount", `{"AccountId":"`+id+`"}`)
}

// Promise: pages put together are the list, whatever their size.
func TestListsArePaged(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	for i := range 5 {
		d.do(t, "CreateOrganizationalUnit", fmt.Sprintf(`{"ParentId":%q,"Name":"u%d"}`, root, i))
		d.do(t, "CreateAccount", fmt.Sprintf(`{"AccountName":"a%d","Email":"a%d@example.com"}`, i, i))
		d.do(t, "CreatePolicy", fmt.Sprintf(`{"Name":"p%d","Description":"","Type":"SERVICE_CONTROL_POLICY","Content":%s}`, i, quote(denyAll)))
	}
	for _, list := range []struct {
		operation, params string
		want              int
	}{
		{"ListOrganizationalUnitsForParent", `"ParentId":"` + root + `",`, 5}, {"ListAccounts", "", 6}, {"ListAccountsForParent", `"ParentId":"` + root + `",`, 6},
		{"ListChildren", `"ChildType":"ACCOUNT","ParentId":"` + root + `",`, 6}, {"ListPolicies", `"Filter":"SERVICE_CONTROL_POLICY",`, 6}, {"ListCreateAccountStatus", "", 5},
	} {
		seen := map[string]bool{}
		n, token := 0, ""
		for range 10 {
			more := ""
			if token != "" {
				more = `,"NextToken":"` + token + `"`
			}
			page := d.do(t, list.operation, "{"+list.params+`"MaxResults":2`+more+"}")
			for part := range strings.SplitSeq(page, `"Id":"`) {
				if id, _, _ := strings.Cut(part, `"`); !strings.HasPrefix(part, "{") {
					seen[id] = true
					n++
				}
			}
			if !strings.Contains(page, "NextToken") {
				break
			}
			token = find(t, page, `"NextToken":"([^"]*)"`)
		}
		if n != list.want || len(seen) != n {
			t.Errorf("%s: %d of which %d differ, want %d", list.operation, n, len(seen), list.want)
		}
	}
}

// Promise: members see their organisation and manage nothing; outsiders see
// nothing.
func TestOnlyTheManagementAccountManages(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	id := find(t, d.do(t, "CreateAccount", `{"AccountName":"Blue","Email":"blue@example.com"}`), `"AccountId":"([0-9]*)"`)
	m, err := d.api.Identity.CreateUser(t.Context(), "111122223333", "unused")
	if err != nil || m.Name == "" {
		t.Fatal(err)
	}
	member := d.as(d.admin(t, outcrop.AccountID(id)))
	stranger := d.as(d.admin(t, outsider))
	has(t, member.do(t, "DescribeOrganization", `{}`), `"MasterAccountId":"111122223333"`)
	stranger.refuses(t, "AWSOrganizationsNotInUseException", "DescribeOrganization", `{}`)
	bodies := map[string]string{
		"ListRoots": `{}`, "DeleteOrganization": `{}`, "ListAccounts": `{}`, "ListAWSServiceAccessForOrganization": `{}`, "ListCreateAccountStatus": `{}`,
		"CreateOrganizationalUnit": `{"ParentId":"` + root + `","Name":"x"}`, "UpdateOrganizationalUnit": `{"OrganizationalUnitId":"ou-aaaa-aaaaaaaa"}`,
		"DeleteOrganizationalUnit": `{"OrganizationalUnitId":"ou-aaaa-aaaaaaaa"}`, "DescribeOrganizationalUnit": `{"OrganizationalUnitId":"ou-aaaa-aaaaaaaa"}`,
		"ListOrganizationalUnitsForParent": `{"ParentId":"` + root + `"}`, "ListAccountsForParent": `{"ParentId":"` + root + `"}`, "ListChildren": `{"ParentId":"` + root + `","ChildType":"ACCOUNT"}`,
		"ListParents": `{"ChildId":"` + id + `"}`, "CreateAccount": `{"AccountName":"x","Email":"x@example.com"}`, "DescribeAccount": `{"AccountId":"` + id + `"}`,
		"DescribeCreateAccountStatus": `{"CreateAccountRequestId":"car-` + strings.Repeat("0", 32) + `"}`,
		"MoveAccount":                 `{"AccountId":"` + id + `","SourceParentId":"` + root + `","DestinationParentId":"` + root + `"}`,
		"CloseAccount":                `{"AccountId":"` + id + `"}`, "RemoveAccountFromOrganization": `{"AccountId":"` + id + `"}`,
		"CreatePolicy": `{"Name":"p","Description":"","Type":"SERVICE_CONTROL_POLICY","Content":` + quote(denyAll) + `}`, "UpdatePolicy": `{"PolicyId":"p-FullAWSAccess"}`,
		"DeletePolicy": `{"PolicyId":"p-FullAWSAccess"}`, "DescribePolicy": `{"PolicyId":"p-FullAWSAccess"}`, "ListPolicies": `{"Filter":"SERVICE_CONTROL_POLICY"}`,
		"AttachPolicy": `{"PolicyId":"p-FullAWSAccess","TargetId":"` + root + `"}`, "DetachPolicy": `{"PolicyId":"p-FullAWSAccess","TargetId":"` + root + `"}`,
		"ListPoliciesForTarget": `{"TargetId":"` + root + `","Filter":"SERVICE_CONTROL_POLICY"}`, "ListTargetsForPolicy": `{"PolicyId":"p-FullAWSAccess"}`,
		"EnablePolicyType": `{"RootId":"` + root + `","PolicyType":"SERVICE_CONTROL_POLICY"}`, "DisablePolicyType": `{"RootId":"` + root + `","PolicyType":"SERVICE_CONTROL_POLICY"}`,
		"TagResource": `{"ResourceId":"p-FullAWSAccess","Tags":[{"Key":"k","Value":"v"}]}`, "UntagResource": `{"ResourceId":"p-FullAWSAccess","TagKeys":["k"]}`,
		"ListTagsForResource": `{"ResourceId":"p-FullAWSAccess"}`, "DescribeEffectivePolicy": `{"PolicyType":"TAG_POLICY","TargetId":"111122223333"}`,
	}
	for _, h := range d.api.Operations() {
		body, ok := bodies[h.Name()]
		if ok {
			member.refuses(t, "AccessDeniedException", h.Name(), body)
			stranger.refuses(t, "AWSOrganizationsNotInUseException", h.Name(), body)
		} else if h.Name() != "DescribeOrganization" && h.Name() != "CreateOrganization" {
			t.Errorf("%s is not held to the management account by this test", h.Name())
		}
	}
}

// Promise: every operation is modelled, and its permission is described.
func TestEveryOperationIsDescribed(t *testing.T) {
	service := model.Load("organizations")
	for _, h := range new(API).Operations() {
		if _, ok := iam.OperationOf("organizations", h.Name()); !ok || service.Operation(h.Name()) == nil {
			t.Errorf("%s is not described", h.Name())
		}
	}
}
