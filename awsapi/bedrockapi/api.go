// Package bedrockapi answers the Bedrock control plane: inference profiles,
// their tags, foundation models and access to them.
package bedrockapi

import (
	"context"
	"time"

	"outcrop"
	"outcrop/catalog"
	"outcrop/profile"
)

// Access keeps what accounts agreed to before models answer them.
type Access interface {
	// SetAgreement keeps that an account made (active) or deleted the
	// agreement for a model.
	SetAgreement(ctx context.Context, a outcrop.AccountID, m outcrop.ModelID, active bool, at time.Time) error
	// Agreement is what SetAgreement kept last; known is false when nothing was.
	Agreement(ctx context.Context, a outcrop.AccountID, m outcrop.ModelID) (active bool, at time.Time, known bool, err error)
	// SetUseCase keeps an account's use-case form, in place of an earlier one.
	SetUseCase(ctx context.Context, a outcrop.AccountID, form []byte) error
	// UseCase is the form handed in last; nil when none was.
	UseCase(ctx context.Context, a outcrop.AccountID) ([]byte, error)
}

// Config is what the API answers from. All but AgreementDelay is needed.
type Config struct {
	Profiles *profile.Profiles
	Catalog  func() *catalog.Catalog // that holds now
	Access   Access
	Logging  Logging
	// Price is what a model costs on demand in a Region now; a Quote without
	// a Price means that no price is known.
	Price          func(outcrop.Region, outcrop.ModelID) outcrop.Quote
	Now            func() time.Time
	AgreementDelay time.Duration // how long a new agreement is PENDING
}

// An API is the control plane of all accounts and Regions.
type API struct{ Config }

// New makes an API.
func New(c Config) *API { return &API{c} }
