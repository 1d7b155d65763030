package orgapi

import "outcrop/awsapi"

// Operations are what the door serves of service "organizations".
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{
		on(a, "CreateOrganization", a.createOrganization),
		on(a, "DescribeOrganization", a.describeOrganization),
		on(a, "DeleteOrganization", a.deleteOrganization),
		on(a, "ListRoots", a.listRoots),
		on(a, "ListAWSServiceAccessForOrganization", a.listAWSServiceAccess),
		on(a, "CreateOrganizationalUnit", a.createOrganizationalUnit),
		on(a, "UpdateOrganizationalUnit", a.updateOrganizationalUnit),
		on(a, "DeleteOrganizationalUnit", a.deleteOrganizationalUnit),
		on(a, "DescribeOrganizationalUnit", a.describeOrganizationalUnit),
		on(a, "ListOrganizationalUnitsForParent", a.listOrganizationalUnitsForParent),
		on(a, "CreateAccount", a.createAccount),
		on(a, "DescribeCreateAccountStatus", a.describeCreateAccountStatus),
		on(a, "ListCreateAccountStatus", a.listCreateAccountStatus),
		on(a, "ListAccounts", a.listAccounts),
		on(a, "DescribeAccount", a.describeAccount),
		on(a, "ListAccountsForParent", a.listAccountsForParent),
		on(a, "ListParents", a.listParents),
		on(a, "ListChildren", a.listChildren),
		on(a, "MoveAccount", a.moveAccount),
		on(a, "RemoveAccountFromOrganization", a.removeAccountFromOrganization),
		on(a, "CloseAccount", a.closeAccount),
		on(a, "CreatePolicy", a.createPolicy),
		on(a, "UpdatePolicy", a.updatePolicy),
		on(a, "DeletePolicy", a.deletePolicy),
		on(a, "DescribePolicy", a.describePolicy),
		on(a, "ListPolicies", a.listPolicies),
		on(a, "AttachPolicy", a.attachPolicy),
		on(a, "DetachPolicy", a.detachPolicy),
		on(a, "ListPoliciesForTarget", a.listPoliciesForTarget),
		on(a, "ListTargetsForPolicy", a.listTargetsForPolicy),
		on(a, "EnablePolicyType", a.enablePolicyType),
		on(a, "DisablePolicyType", a.disablePolicyType),
		on(a, "DescribeEffectivePolicy", a.describeEffectivePolicy),
		on(a, "TagResource", a.tagResource),
		on(a, "UntagResource", a.untagResource),
		on(a, "ListTagsForResource", a.listTagsForResource),
	}
}
