package orgapi

import (
	"context"

	"outcrop"
	"outcrop/identity"
)

// policies is manage for operations that make or enable policies of a type:
// there are service control policies only.
func (a *API) policies(ctx context.Context, who outcrop.Caller, policyType string) (identity.Organization, error) {
	o, err := a.manage(ctx, who)
	if err == nil && policyType != scpType {
		err = failure(outcrop.Invalid, "PolicyTypeNotAvailableForOrganizationException", "Outcrop has service control policies, and no other type: give %s.", scpType)
	}
	return o, err
}

func summaryOf(o identity.Organization) func(identity.SCP) PolicySummary {
	return func(p identity.SCP) PolicySummary {
		return PolicySummary{
			Id: p.ID, Arn: string(o.SCPARN(p)), Name: p.Name, Description: p.Description, Type: scpType, AwsManaged: ptr(p.AWSManaged),
		}
	}
}

func describePolicy(o identity.Organization, p identity.SCP) *Policy {
	return &Policy{PolicySummary: ptr(summaryOf(o)(p)), Content: p.Content}
}

func (a *API) createPolicy(ctx context.Context, who outcrop.Caller, in *CreatePolicyInput) (*CreatePolicyOutput, error) {
	o, err := a.policies(ctx, who, in.Type)
	if err != nil {
		return nil, err
	}
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	p, err := a.Identity.CreateSCP(ctx, identity.SCP{Name: in.Name, Description: in.Description, Content: in.Content, Tags: tags})
	if err != nil {
		return nil, err
	}
	return &CreatePolicyOutput{Policy: describePolicy(o, p)}, nil
}

// updatePolicy leaves what is absent as it is.
func (a *API) updatePolicy(ctx context.Context, who outcrop.Caller, in *UpdatePolicyInput) (*UpdatePolicyOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	given := func(s *string) *string {
		if *s == "" {
			return nil
		}
		return s
	}
	p, err := a.Identity.UpdateSCP(ctx, in.PolicyId, identity.SCPChange{Name: given(&in.Name), Description: given(&in.Description), Content: given(&in.Content)})
	if err != nil {
		return nil, err
	}
	return &UpdatePolicyOutput{Policy: describePolicy(o, p)}, nil
}

func (a *API) deletePolicy(ctx context.Context, who outcrop.Caller, in *DeletePolicyInput) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.DeleteSCP(ctx, in.PolicyId))
}

func (a *API) describePolicy(ctx context.Context, who outcrop.Caller, in *DescribePolicyInput) (*DescribePolicyOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	p, err := a.Identity.SCP(ctx, in.PolicyId)
	if err != nil {
		return nil, err
	}
	return &DescribePolicyOutput{Policy: describePolicy(o, p)}, nil
}

// listPolicies of another type is empty, as in an organisation that has none.
func (a *API) listPolicies(ctx context.Context, who outcrop.Caller, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil || in.Filter != scpType {
		return &ListPoliciesOutput{Policies: []PolicySummary{}}, err
	}
	some, next, err := a.Identity.ListSCPs(ctx, page(in.NextToken, in.MaxResults))
	return &ListPoliciesOutput{Policies: each(some, summaryOf(o)), NextToken: next}, err
}

func (a *API) attachPolicy(ctx context.Context, who outcrop.Caller, in *AttachPolicyInput) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.AttachSCP(ctx, in.PolicyId, in.TargetId))
}

func (a *API) detachPolicy(ctx context.Context, who outcrop.Caller, in *DetachPolicyInput) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.DetachSCP(ctx, in.PolicyId, in.TargetId))
}

// listPoliciesForTarget lists what is attached to the target itself, not what
// it inherits.
func (a *API) listPoliciesForTarget(ctx context.Context, who outcrop.Caller, in *ListPoliciesForTargetInput) (*ListPoliciesForTargetOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	some, next, err := a.Identity.SCPsOf(ctx, in.TargetId, page(in.NextToken, in.MaxResults))
	if err == nil && (in.Filter != scpType || !o.SCPsOn) {
		some, next = nil, ""
	}
	return &ListPoliciesForTargetOutput{Policies: each(some, summaryOf(o)), NextToken: next}, err
}

func (a *API) listTargetsForPolicy(ctx context.Context, who outcrop.Caller, in *ListTargetsForPolicyInput) (*ListTargetsForPolicyOutput, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	some, next, err := a.Identity.TargetsOf(ctx, in.PolicyId, page(in.NextToken, in.MaxResults))
	return &ListTargetsForPolicyOutput{NextToken: next, Targets: each(some, func(t identity.Target) PolicyTargetSummary {
		return PolicyTargetSummary{TargetId: t.ID, Arn: string(t.ARN), Name: t.Name, Type: t.Type}
	})}, err
}

// describeEffectivePolicy is about management policies, which add up on their
// way down the tree. AWS has no such answer for service control policies
// (they narrow instead), and the model does not let one ask.
func (a *API) describeEffectivePolicy(ctx context.Context, who outcrop.Caller, in *DescribeEffectivePolicyInput) (*DescribeEffectivePolicyOutput, error) {
	may := a.member
	if in.TargetId != "" && in.TargetId != string(who.Account) {
		may = a.manage
	}
	o, err := may(ctx, who)
	if err == nil && in.TargetId != "" {
		err = a.exists(ctx, o, in.TargetId)
	}
	if err != nil {
		return nil, err
	}
	return nil, failure(outcrop.NotFound, "EffectivePolicyNotFoundException", "No policy of the type %s is attached to the target or above it.", in.PolicyType)
}
