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
	policies, keys := iam.Policies{Resource: trust}, q.context(role).With(d.requestTime())
	asked := iam.Request{Principal: who.Principal, Resource: role.ARN(), Context: keys}
	if who.Session != nil {
		asked.Role = who.Session.Role
	}
	for _, asked.Action = range q.actions(actionAssume) {
		if err := iam.Decide(policies, asked).Err(asked); err != nil {
			return err
		}
	}
	return nil
}
