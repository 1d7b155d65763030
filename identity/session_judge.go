package identity

import (
	"context"

	"outcrop"
	"outcrop/iam"
)

// mayAssume asks the role's trust policy together with who's own policies.
func (d *Directory) mayAssume(ctx context.Context, who outcrop.Caller, role Role, q *AssumeRequest) error {
	trust, err := trustOf(role)
	if err != nil {
		return err
	}
	own, err := d.PoliciesOf(ctx, who)
	if err != nil {
		return err
	}
	policies := own.Policies
	policies.Resource = trust
	decider, base := iam.Compile(policies), d.request(own, who)
	for _, action := range q.actions(actionAssume) {
		check := iam.Check{Action: action, Resource: role.ARN(), Context: q.context(role)}
		asked := check.Request(base)
		if err := decider.Decide(asked).Err(asked); err != nil {
			return err
		}
	}
	return nil
}
