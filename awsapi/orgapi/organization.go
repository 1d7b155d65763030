package orgapi

import (
	"context"

	"outcrop"
	"outcrop/identity"
)

const (
	scpType = "SERVICE_CONTROL_POLICY" // the one policy type there is
	enabled = "ENABLED"
)

func (a *API) createOrganization(ctx context.Context, who outcrop.Caller, in *CreateOrganizationInput) (*CreateOrganizationOutput, error) {
	if in.FeatureSet == "CONSOLIDATED_BILLING" {
		return nil, invalidInput("An organization of Outcrop always has all features: leave FeatureSet out, or give ALL.")
	}
	o, err := a.Identity.CreateOrganization(ctx, who.Account)
	if err != nil {
		return nil, err
	}
	described, err := a.describe(ctx, o)
	return &CreateOrganizationOutput{Organization: described}, err
}

// describeOrganization is for every member, as in AWS.
func (a *API) describeOrganization(ctx context.Context, who outcrop.Caller, _ *nothing) (*DescribeOrganizationOutput, error) {
	o, err := a.member(ctx, who)
	if err != nil {
		return nil, err
	}
	described, err := a.describe(ctx, o)
	return &DescribeOrganizationOutput{Organization: described}, err
}

func (a *API) describe(ctx context.Context, o identity.Organization) (*Organization, error) {
	management, err := a.Identity.Account(ctx, o.Management)
	return &Organization{
		Id: o.ID, Arn: string(o.ARN()), FeatureSet: "ALL", MasterAccountId: string(o.Management),
		MasterAccountArn: string(o.AccountARN(o.Management)), MasterAccountEmail: management.Email,
		AvailablePolicyTypes: []PolicyTypeSummary{{Type: scpType, Status: enabled}},
	}, err
}

func (a *API) deleteOrganization(ctx context.Context, who outcrop.Caller, _ *nothing) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.DeleteOrganization(ctx))
}

func (a *API) listRoots(ctx context.Context, who outcrop.Caller, _ *ListRootsInput) (*ListRootsOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	return &ListRootsOutput{Roots: []Root{root(o)}}, nil
}

// root names the policy types that are enabled in it.
func root(o identity.Organization) Root {
	r := Root{Id: o.RootID, Arn: string(o.RootARN()), Name: "Root", PolicyTypes: []PolicyTypeSummary{}}
	if o.SCPsOn {
		r.PolicyTypes = []PolicyTypeSummary{{Type: scpType, Status: enabled}}
	}
	return r
}

func (a *API) enablePolicyType(ctx context.Context, who outcrop.Caller, in *EnablePolicyTypeInput) (*EnablePolicyTypeOutput, error) {
	if _, err := a.policies(ctx, who, in.PolicyType); err != nil {
		return nil, err
	}
	o, err := a.Identity.EnableSCPs(ctx, in.RootId)
	if err != nil {
		return nil, err
	}
	return &EnablePolicyTypeOutput{Root: ptr(root(o))}, nil
}

func (a *API) disablePolicyType(ctx context.Context, who outcrop.Caller, in *DisablePolicyTypeInput) (*DisablePolicyTypeOutput, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	if in.PolicyType != scpType {
		return nil, failure(outcrop.Conflict, "PolicyTypeNotEnabledException", "The specified policy type isn't currently enabled in this root.")
	}
	o, err := a.Identity.DisableSCPs(ctx, in.RootId)
	if err != nil {
		return nil, err
	}
	return &DisablePolicyTypeOutput{Root: ptr(root(o))}, nil
}

// listAWSServiceAccess is empty: no AWS service of another kind runs here.
// Terraform asks for it with every organisation.
func (a *API) listAWSServiceAccess(ctx context.Context, who outcrop.Caller, _ *ListAWSServiceAccessForOrganizationInput) (*ListAWSServiceAccessForOrganizationOutput, error) {
	_, err := a.manage(ctx, who)
	return &ListAWSServiceAccessForOrganizationOutput{EnabledServicePrincipals: []EnabledServicePrincipal{}}, err
}
