package access

import (
	"context"
	"errors"
	"slices"

	"outcrop"
	"outcrop/iam"
)

// controlling names the statements of service control policies that refuse a
// check. Simulations do not show them, so they are read from the organisation
// and asked here. Who may not read them learns that there is one.
func (q *inquiry) controlling(ctx context.Context, c iam.Check, decision string) ([]Statement, error) {
	found := []Statement{}
	if decision != iam.Deny.String() { // nothing spoke
		return found, nil
	}
	var refused *Failure
	if err := q.readControls(ctx); errors.As(err, &refused) {
		return found, nil
	} else if err != nil {
		return nil, err
	}
	everything, err := iam.ParsePolicy([]byte(unbounded), iam.IdentityPolicy)
	if err != nil {
		return nil, err
	}
	d := iam.Decide(iam.Policies{SCPs: q.controls, Identity: []*iam.Policy{everything}}, c.Request(q.request()))
	for _, r := range d.Deciding() {
		if r.Layer == iam.SCPLayer {
			found = append(found, Statement{Policy: r.Policy, Sid: r.Sid, Index: r.Index, Layer: r.Layer.String()})
		}
	}
	return found, nil
}

// request is what every question about the principal has in common.
func (q *inquiry) request() iam.Request {
	p := q.principal.ARN.Parts()
	r := iam.Request{Principal: q.principal.ARN}
	if q.principal.Kind == "Role" {
		r.Role = q.principal.ARN
		p.Service, p.Resource = "sts", "assumed-role/"+q.principal.Name+"/simulation"
		r.Principal = p.ARN()
	}
	who := outcrop.Caller{Account: p.Account, Principal: r.Principal, UserID: q.principal.ID, Region: q.region}
	r.Context.SetCaller(who, r.Role, q.principal.Tags)
	return r
}

// readControls reads the policies on the way from the organisation's root to
// the principal's account.
func (q *inquiry) readControls(ctx context.Context) error {
	if q.controlled {
		return nil
	}
	var levels [][]*iam.Policy
	for at := string(q.principal.ARN.Parts().Account); at != ""; {
		attached, err := q.attached(ctx, at)
		if err != nil {
			return err
		}
		levels = append(levels, attached)
		if at, err = q.parent(ctx, at); err != nil {
			return err
		}
	}
	slices.Reverse(levels) // the root comes first
	q.controls, q.controlled = levels, true
	return nil
}

// parent of an account or unit; of the root it is empty.
func (q *inquiry) parent(ctx context.Context, id string) (string, error) {
	if len(id) > 2 && id[:2] == "r-" {
		return "", nil
	}
	var out struct{ Parents []struct{ ID string } }
	err := q.management.organizations(ctx, "ListParents", map[string]any{"ChildId": id}, &out)
	if err != nil || len(out.Parents) == 0 {
		return "", err
	}
	return out.Parents[0].ID, nil
}

func (q *inquiry) attached(ctx context.Context, target string) ([]*iam.Policy, error) {
	policies := []*iam.Policy{}
	in := map[string]any{"TargetId": target, "Filter": "SERVICE_CONTROL_POLICY"}
	for {
		var out struct {
			Policies  []struct{ ID, Arn string }
			NextToken string
		}
		if err := q.management.organizations(ctx, "ListPoliciesForTarget", in, &out); err != nil {
			return nil, err
		}
		for _, p := range out.Policies {
			policy, err := q.control(ctx, p.ID)
			if err != nil {
				return nil, err
			}
			policy.Name = p.Arn
			policies = append(policies, policy)
		}
		if out.NextToken == "" {
			return policies, nil
		}
		in["NextToken"] = out.NextToken
	}
}

func (q *inquiry) control(ctx context.Context, id string) (*iam.Policy, error) {
	var out struct{ Policy struct{ Content string } }
	if err := q.management.organizations(ctx, "DescribePolicy", map[string]any{"PolicyId": id}, &out); err != nil {
		return nil, err
	}
	return iam.ParsePolicy([]byte(out.Policy.Content), iam.ServiceControlPolicy)
}
