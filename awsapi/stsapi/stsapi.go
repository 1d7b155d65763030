// Package stsapi answers the operations of AWS STS.
package stsapi

import (
	"context"

	"outcrop"
	"outcrop/awsapi"
)

// An API answers STS.
type API struct{}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return []awsapi.Handler{awsapi.Op("GetCallerIdentity", a.getCallerIdentity)}
}

func (a *API) getCallerIdentity(_ context.Context, who outcrop.Caller, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	return &GetCallerIdentityOutput{UserId: who.UserID, Account: string(who.Account), Arn: string(who.Principal)}, nil
}
