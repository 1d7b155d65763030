package iamapi

import (
	"context"

	"outcrop"
	"outcrop/iam"
)

// controls are the service control policies over an account by level, nil
// when none bind it.
func (a *API) controls(ctx context.Context, account outcrop.AccountID) ([][]*iam.Policy, error) {
	levels, err := a.Identity.EffectiveSCPs(ctx, account)
	if err != nil {
		return nil, err
	}
	var compiled [][]*iam.Policy
	for _, l := range levels {
		level := []*iam.Policy{}
		for _, s := range l.SCPs {
			p, err := iam.ParsePolicy([]byte(s.Content), iam.ServiceControlPolicy)
			if err != nil {
				return nil, err
			}
			p.Name = s.ID
			level = append(level, p)
		}
		compiled = append(compiled, level)
	}
	return compiled, nil
}
