// Package orgapi answers the operations of AWS Organizations: accounts, their
// organisational units and service control policies.
package orgapi

import (
	"context"

	"outcrop"
	"outcrop/identity"
)

// Config is what the API answers from.
type Config struct {
	Identity *identity.Directory
}

// An API is the organisation of the installation.
type API struct{ Config }

// New makes an API.
func New(c Config) *API { return &API{c} }

// nothing is the answer of an operation that AWS answers without a result.
type nothing struct{}

// done is what operations return that only change something.
func done(err error) (*nothing, error) {
	if err != nil {
		return nil, err
	}
	return &nothing{}, nil
}

func failure(kind outcrop.Kind, code, format string, args ...any) error {
	e := outcrop.Errorf(kind, format, args...)
	e.Code = code
	return e
}

func invalidInput(format string, args ...any) error {
	return failure(outcrop.Invalid, "InvalidInputException", format, args...)
}

// member finds the organisation of who's account.
func (a *API) member(ctx context.Context, who outcrop.Caller) (identity.Organization, error) {
	o, err := a.Identity.Organization(ctx)
	if err != nil {
		return o, err
	}
	account, err := a.Identity.Account(ctx, who.Account)
	if outcrop.KindOf(err) == outcrop.NotFound || err == nil && account.Parent == "" {
		return o, failure(outcrop.NotFound, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	return o, err
}

// manage is member for operations that the management account alone may call.
func (a *API) manage(ctx context.Context, who outcrop.Caller) (identity.Organization, error) {
	o, err := a.member(ctx, who)
	if err == nil && who.Account != o.Management {
		err = failure(outcrop.Denied, "AccessDeniedException", "You don't have permissions to access this resource.")
	}
	return o, err
}

func ptr[T any](v T) *T { return &v }
