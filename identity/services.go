package identity

import (
	"context"

	"outcrop"
	"outcrop/iam"
)

// A Resource is what an account owns and may have put a policy on: a bucket.
type Resource struct {
	Account outcrop.AccountID
	Policy  string // JSON text; empty for none
}

func (r Resource) policies() ([]*iam.Policy, error) {
	if r.Policy == "" {
		return nil, nil
	}
	p, err := iam.ParsePolicy([]byte(r.Policy), iam.ResourcePolicy)
	if err != nil {
		return nil, err
	}
	return []*iam.Policy{p}, nil
}

// AuthorizeOn is Authorize for checks on one resource: its policy has a say
// beside the caller's own, and across accounts both have to allow.
func (d *Directory) AuthorizeOn(ctx context.Context, who outcrop.Caller, on Resource, checks ...iam.Check) error {
	if on.Policy == "" && (on.Account == "" || on.Account == who.Account) {
		return d.Authorize(ctx, who, checks...)
	}
	own, err := d.PoliciesOf(ctx, who)
	if err != nil {
		return err
	}
	return d.decideOn(own, who, on, checks)
}

func (d *Directory) decideOn(own *Grants, who outcrop.Caller, on Resource, checks []iam.Check) error {
	policies := own.Policies
	var err error
	if policies.Resource, err = on.policies(); err != nil {
		return err
	}
	base := d.request(own, who)
	base.ResourceAccount = on.Account
	decision, i := iam.Compile(policies).DecideAll(checks, base)
	if i < 0 || decision.Allowed() {
		return nil
	}
	return decision.Err(checks[i].Request(base))
}

// A Service is an AWS service that acts for a resource of an account, as
// Bedrock does when it delivers invocation logs.
type Service struct {
	Name    string            // such as bedrock.amazonaws.com
	Account outcrop.AccountID // aws:SourceAccount
	Source  outcrop.ARN       // aws:SourceArn
	Region  outcrop.Region
}

func (d *Directory) serviceRequest(s Service) iam.Request {
	r := iam.Request{Service: s.Name}
	r.Context.SetTime(d.now())
	r.Context.Set("aws:SourceAccount", string(s.Account))
	r.Context.Set("aws:SourceArn", string(s.Source))
	r.Context.Set("aws:PrincipalIsAWSService", "true")
	r.Context.Set("aws:RequestedRegion", string(s.Region))
	return r
}

// ServiceMay says whether a service may do what check asks, by the resource's
// policy alone: nobody else grants a service anything.
func (d *Directory) ServiceMay(_ context.Context, s Service, on Resource, check iam.Check) error {
	policies, err := on.policies()
	if err != nil {
		return err
	}
	asked := check.Request(d.serviceRequest(s))
	asked.ResourceAccount = on.Account
	return iam.Compile(iam.Policies{Resource: policies}).Decide(asked).Err(asked)
}

// ServiceMayAs says whether a service may assume a role and, with the role's
// policies, do everything that checks ask.
func (d *Directory) ServiceMayAs(ctx context.Context, s Service, arn outcrop.ARN, checks ...iam.Check) error {
	role, err := d.RoleByARN(ctx, arn)
	if err != nil {
		return err
	}
	trust, err := trustOf(role)
	if err != nil {
		return err
	}
	asked := iam.Check{Action: actionAssume, Resource: role.ARN()}.Request(d.serviceRequest(s))
	if err := iam.Compile(iam.Policies{Resource: trust}).Decide(asked).Err(asked); err != nil {
		return err
	}
	session := outcrop.Caller{
		Account: role.Account, Principal: sessionARN(role, s), UserID: role.ID + ":" + sessionName, Region: s.Region,
		Session: &outcrop.Session{Role: role.ARN(), Name: sessionName, Issued: d.now()},
	}
	own, err := d.gather(ctx, session)
	if err != nil {
		return err
	}
	return d.decideOn(own, session, Resource{}, checks)
}

// sessionName is what a session of Bedrock's with a logging role is called.
const sessionName = "BedrockModelInvocationLogging"

func sessionARN(role Role, s Service) outcrop.ARN {
	return outcrop.ARN("arn:" + s.Region.Partition() + ":sts::" + string(role.Account) + ":assumed-role/" + role.Name + "/" + sessionName)
}
