// Package awsapitest has stand-ins for what the door asks, for tests of the
// APIs behind it.
package awsapitest

import (
	"context"

	"outcrop"
	"outcrop/iam"
)

// Anything is a Policy that allows everything and notes what it was asked.
// Deny, when set, is the one action that it refuses.
type Anything struct {
	Asked []iam.Check
	Deny  string
}

// Authorize implements awsapi.Policy.
func (a *Anything) Authorize(_ context.Context, who outcrop.Caller, checks ...iam.Check) error {
	a.Asked = append(a.Asked, checks...)
	for _, c := range checks {
		if c.Action == a.Deny {
			return outcrop.Errorf(outcrop.Denied, "User: %s is not authorized to perform: %s", who.Principal, c.Action)
		}
	}
	return nil
}
