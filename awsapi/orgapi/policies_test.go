package orgapi

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"outcrop/iam"
)

func policyBody(name string) string {
	return fmt.Sprintf(`{"Name":%q,"Description":"what it stops","Type":"SERVICE_CONTROL_POLICY","Content":%s,"Tags":[{"Key":"team","Value":"blue"}]}`, name, quote(denyAll))
}

func TestPoliciesOnTheWire(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	made := d.do(t, "CreatePolicy", policyBody("No Bedrock"))
	id := find(t, made, `"Id":"(p-[a-z0-9]{8})"`)
	whole := `^{"Policy":{"PolicySummary":{"Id":"` + id + `","Arn":"arn:aws:organizations::111122223333:policy/o-[a-z0-9]{10}/service_control_policy/` + id + `","Name":"No Bedrock",` +
		`"Description":"what it stops","Type":"SERVICE_CONTROL_POLICY","AwsManaged":false},"Content":"{\\"Version\\":\\"2012-10-17\\".*}"}}$`
	has(t, made, whole)
	has(t, d.do(t, "DescribePolicy", `{"PolicyId":"`+id+`"}`), whole)
	has(t, d.do(t, "DescribePolicy", `{"PolicyId":"p-FullAWSAccess"}`), `"Arn":"arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"`, `"AwsManaged":true`)
	has(t, d.do(t, "ListPolicies", `{"Filter":"SERVICE_CONTROL_POLICY"}`), `"Name":"FullAWSAccess".*"Name":"No Bedrock"`)
	has(t, d.do(t, "ListPolicies", `{"Filter":"TAG_POLICY"}`), `^{"Policies":\[\]}$`)
	has(t, d.do(t, "UpdatePolicy", `{"PolicyId":"`+id+`","Name":"Nothing of Bedrock"}`), `"Name":"Nothing of Bedrock","Description":"what it stops"`)

	d.refuses(t, "PolicyTypeNotEnabledException", "AttachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+root+`"}`)
	d.do(t, "EnablePolicyType", `{"RootId":"`+root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	unit := find(t, d.do(t, "CreateOrganizationalUnit", `{"ParentId":"`+root+`","Name":"apps"}`), `"Id":"(ou-[^"]*)"`)
	account := find(t, d.do(t, "CreateAccount", `{"AccountName":"Blue","Email":"blue@example.com"}`), `"AccountId":"([0-9]*)"`)
	for target, kind := range map[string]string{root: "ROOT", unit: "ORGANIZATIONAL_UNIT", account: "ACCOUNT"} {
		body := `{"PolicyId":"` + id + `","TargetId":"` + target + `"}`
		d.refuses(t, "PolicyNotAttachedException", "DetachPolicy", body)
		has(t, d.do(t, "AttachPolicy", body), `^{}$`)
		d.refuses(t, "DuplicatePolicyAttachmentException", "AttachPolicy", body)
		list := d.do(t, "ListPoliciesForTarget", `{"TargetId":"`+target+`","Filter":"SERVICE_CONTROL_POLICY"}`)
		has(t, list, `"Id":"p-FullAWSAccess"`, `"Id":"`+id+`"`)
		has(t, d.do(t, "ListPoliciesForTarget", `{"TargetId":"`+target+`","Filter":"TAG_POLICY"}`), `^{"Policies":\[\]}$`)
		has(t, d.do(t, "ListTargetsForPolicy", `{"PolicyId":"`+id+`"}`), `"TargetId":"`+target+`","Arn":"arn:aws:organizations::111122223333:[^"]*`+target+`","Name":"[^"]+","Type":"`+kind+`"`)
	}
	d.refuses(t, "PolicyInUseException", "DeletePolicy", `{"PolicyId":"`+id+`"}`)
	d.refuses(t, "TargetNotFoundException", "AttachPolicy", `{"PolicyId":"`+id+`","TargetId":"999999999999"}`)
	d.refuses(t, "TargetNotFoundException", "AttachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+unit[:len(unit)-8]+`xxxxxxxx"}`)
	d.refuses(t, "TargetNotFoundException", "DetachPolicy", `{"PolicyId":"`+id+`","TargetId":"999999999999"}`)
	d.refuses(t, "TargetNotFoundException", "ListPoliciesForTarget", `{"TargetId":"999999999999","Filter":"SERVICE_CONTROL_POLICY"}`)
	d.do(t, "DetachPolicy", `{"PolicyId":"p-FullAWSAccess","TargetId":"`+unit+`"}`)
	d.refuses(t, "ConstraintViolationException", "DetachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+unit+`"}`)
	d.do(t, "AttachPolicy", `{"PolicyId":"p-FullAWSAccess","TargetId":"`+unit+`"}`)
	for _, target := range []string{root, unit, account} {
		d.do(t, "DetachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+target+`"}`)
	}
	has(t, d.do(t, "ListTargetsForPolicy", `{"PolicyId":"`+id+`"}`), `^{"Targets":\[\]}$`)
	d.do(t, "DeletePolicy", `{"PolicyId":"`+id+`"}`)
	for _, operation := range []string{"DescribePolicy", "DeletePolicy", "UpdatePolicy", "ListTargetsForPolicy"} {
		d.refuses(t, "PolicyNotFoundException", operation, `{"PolicyId":"`+id+`"}`)
	}
	d.refuses(t, "PolicyNotFoundException", "AttachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+root+`"}`)
	d.refuses(t, "PolicyNotFoundException", "DetachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+root+`"}`)
}

func TestPolicyFailures(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	d.do(t, "EnablePolicyType", `{"RootId":"`+root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	d.do(t, "CreatePolicy", policyBody("a"))
	d.refuses(t, "DuplicatePolicyException", "CreatePolicy", policyBody("A"))
	d.refuses(t, "DuplicatePolicyException", "CreatePolicy", policyBody("FullAWSAccess"))
	d.refuses(t, "PolicyTypeNotAvailableForOrganizationException", "CreatePolicy", strings.Replace(policyBody("b"), "SERVICE_CONTROL_POLICY", "TAG_POLICY", 1))
	d.refuses(t, "MalformedPolicyDocumentException", "CreatePolicy", `{"Name":"b","Description":"","Type":"SERVICE_CONTROL_POLICY","Content":"{}"}`)
	d.refuses(t, "MalformedPolicyDocumentException", "CreatePolicy", `{"Name":"b","Description":"","Type":"SERVICE_CONTROL_POLICY","Content":`+quote(strings.Replace(denyAll, `"Sid"`, `"Principal":"*","Sid"`, 1))+`}`)
	d.refuses(t, "ConstraintViolationException", "CreatePolicy", `{"Name":"b","Description":"","Type":"SERVICE_CONTROL_POLICY","Content":`+quote(strings.Replace(denyAll, "No", strings.Repeat("a", 5120), 1))+`}`)
	d.refuses(t, "InvalidInputException", "CreatePolicy", strings.Replace(policyBody("b"), `"Tags":[`, `"Tags":[{"Key":"team","Value":"red"},`, 1))
	d.refuses(t, "InvalidInputException", "UpdatePolicy", `{"PolicyId":"p-FullAWSAccess","Name":"mine"}`)
	d.refuses(t, "InvalidInputException", "DeletePolicy", `{"PolicyId":"p-FullAWSAccess"}`)
	b := find(t, d.do(t, "CreatePolicy", policyBody("b")), `"Id":"(p-[a-z0-9]{8})"`)
	d.refuses(t, "DuplicatePolicyException", "UpdatePolicy", `{"PolicyId":"`+b+`","Name":"a"}`)
	d.refuses(t, "MalformedPolicyDocumentException", "UpdatePolicy", `{"PolicyId":"`+b+`","Content":"{}"}`)
	d.refuses(t, "ValidationException", "ListPolicies", `{"Filter":"SOME"}`)
	for i := range 4 {
		id := find(t, d.do(t, "CreatePolicy", policyBody(fmt.Sprint("n", i))), `"Id":"(p-[a-z0-9]{8})"`)
		d.do(t, "AttachPolicy", `{"PolicyId":"`+id+`","TargetId":"`+root+`"}`)
	}
	d.refuses(t, "ConstraintViolationException", "AttachPolicy", `{"PolicyId":"`+b+`","TargetId":"`+root+`"}`)

	d.refuses(t, "ValidationException", "DescribeEffectivePolicy", `{"PolicyType":"SERVICE_CONTROL_POLICY"}`)
	d.refuses(t, "EffectivePolicyNotFoundException", "DescribeEffectivePolicy", `{"PolicyType":"TAG_POLICY"}`)
	d.refuses(t, "EffectivePolicyNotFoundException", "DescribeEffectivePolicy", `{"PolicyType":"TAG_POLICY","TargetId":"111122223333"}`)
	d.refuses(t, "TargetNotFoundException", "DescribeEffectivePolicy", `{"PolicyType":"TAG_POLICY","TargetId":"999999999999"}`)
}

func TestTagsOnTheWire(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	id := find(t, d.do(t, "CreatePolicy", policyBody("a")), `"Id":"(p-[a-z0-9]{8})"`)
	resource := `{"ResourceId":"` + id + `"`
	d.do(t, "TagResource", resource+`,"Tags":[{"Key":"stage","Value":""}]}`)
	has(t, d.do(t, "ListTagsForResource", resource+`}`), `^{"Tags":\[{"Key":"stage","Value":""},{"Key":"team","Value":"blue"}\]}$`)
	d.do(t, "UntagResource", resource+`,"TagKeys":["team"]}`)
	has(t, d.do(t, "ListTagsForResource", resource+`}`), `^{"Tags":\[{"Key":"stage","Value":""}\]}$`)
	for _, other := range []string{root, "111122223333"} {
		has(t, d.do(t, "ListTagsForResource", `{"ResourceId":"`+other+`"}`), `^{"Tags":\[\]}$`)
		d.refuses(t, "InvalidInputException", "TagResource", `{"ResourceId":"`+other+`","Tags":[{"Key":"k","Value":"v"}]}`)
		d.refuses(t, "InvalidInputException", "UntagResource", `{"ResourceId":"`+other+`","TagKeys":["k"]}`)
	}
	d.refuses(t, "InvalidInputException", "TagResource", resource+`,"Tags":[{"Key":"k","Value":"1"},{"Key":"k","Value":"2"}]}`)
	d.refuses(t, "TargetNotFoundException", "TagResource", `{"ResourceId":"p-xxxxxxxx","Tags":[{"Key":"k","Value":"v"}]}`)
	d.refuses(t, "TargetNotFoundException", "UntagResource", `{"ResourceId":"999999999999","TagKeys":["k"]}`)
	d.refuses(t, "TargetNotFoundException", "ListTagsForResource", `{"ResourceId":"999999999999"}`)
	d.refuses(t, "InvalidInputException", "TagResource", `{"ResourceId":"p-FullAWSAccess","Tags":[{"Key":"k","Value":"v"}]}`)
}

// Promise: what is asked before an operation is about everything it names.
func TestPermissionsAreAskedOnTheResources(t *testing.T) {
	d := openDoor(t)
	root := d.organise(t)
	unit := find(t, d.do(t, "CreateOrganizationalUnit", `{"ParentId":"`+root+`","Name":"apps"}`), `"Id":"(ou-[^"]*)"`)
	policy := find(t, d.do(t, "CreatePolicy", policyBody("a")), `"Id":"(p-[a-z0-9]{8})"`)
	o, err := d.api.Identity.Organization(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	arn := "arn:aws:organizations::111122223333:"
	for _, c := range []struct{ operation, body, want string }{
		{"ListRoots", `{}`, "organizations:ListRoots"},
		{"CreateOrganizationalUnit", `{"ParentId":"` + unit + `","Name":"x"}`, "organizations:CreateOrganizationalUnit " + arn + "ou/" + o.ID + "/" + unit},
		{"AttachPolicy", `{"PolicyId":"` + policy + `","TargetId":"` + root + `"}`,
			"organizations:AttachPolicy " + arn + "policy/" + o.ID + "/service_control_policy/" + policy + " aws:resourcetag/team=blue organizations:policytype=SERVICE_CONTROL_POLICY\n" +
				"organizations:AttachPolicy " + arn + "root/" + o.ID + "/" + root},
		{"MoveAccount", `{"AccountId":"111122223333","SourceParentId":"` + root + `","DestinationParentId":"` + unit + `"}`,
			"organizations:MoveAccount " + arn + "account/" + o.ID + "/111122223333\norganizations:MoveAccount " + arn + "root/" + o.ID + "/" + root +
				"\norganizations:MoveAccount " + arn + "ou/" + o.ID + "/" + unit},
		{"TagResource", `{"ResourceId":"` + policy + `","Tags":[{"Key":"k","Value":"v"}]}`, "organizations:TagResource " + arn + "policy/" + o.ID + "/service_control_policy/" + policy +
			" aws:requesttag/k=v aws:resourcetag/team=blue aws:tagkeys=k organizations:policytype=SERVICE_CONTROL_POLICY"},
		{"UntagResource", `{"ResourceId":"` + root + `","TagKeys":["k"]}`, "organizations:UntagResource " + arn + "root/" + o.ID + "/" + root + " aws:tagkeys=k"},
		{"DescribePolicy", `{"PolicyId":"p-FullAWSAccess"}`, "organizations:DescribePolicy arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess organizations:policytype=SERVICE_CONTROL_POLICY"},
		{"ListPolicies", `{"Filter":"TAG_POLICY"}`, "organizations:ListPolicies organizations:policytype=TAG_POLICY"},
	} {
		d.policy.Asked = nil
		d.send(t, c.operation, c.body)
		if got := asked(d.policy.Asked); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.operation, got, c.want)
		}
	}
}

func asked(checks []iam.Check) string {
	var lines []string
	for _, c := range checks {
		line := strings.TrimSpace(c.Action + " " + string(c.Resource))
		for _, key := range slices.Sorted(slices.Values(c.Context.Keys())) {
			line += " " + key + "=" + strings.Join(c.Context.Values(key), ",")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
