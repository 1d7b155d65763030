package bedrockapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"outcrop"
)

// agreement is the state of an account's agreement for a model. Since 2025
// models are enabled without a step of the customer, so that only an
// agreement that was deleted is not available.
func (a *API) agreement(ctx context.Context, account outcrop.AccountID, m outcrop.ModelID) (string, error) {
	if !a.marketplace(m) {
		return available, nil
	}
	active, at, known, err := a.Access.Agreement(ctx, account, m)
	switch {
	case err != nil:
		return "", fmt.Errorf("agreement for %s: %w", m, err)
	case known && !active:
		return notAvailable, nil
	case known && a.Now().Before(at.Add(a.AgreementDelay)):
		return pending, nil
	}
	return available, nil
}

// marketplace says whether a model is sold through AWS Marketplace, which
// takes an agreement.
func (a *API) marketplace(m outcrop.ModelID) bool {
	f, _ := a.Catalog().Facts(m)
	return f.Access.Agreement
}

func (a *API) listFoundationModelAgreementOffers(_ context.Context, who outcrop.Caller, in *ListFoundationModelAgreementOffersInput) (*ListFoundationModelAgreementOffersOutput, error) {
	m, _, err := a.underlying(who.Region, in.ModelId)
	if err != nil {
		return nil, err
	}
	out := &ListFoundationModelAgreementOffersOutput{ModelId: string(m), Offers: []Offer{}}
	if a.marketplace(m) { // one public offer; there are no private ones, so ALL shows no more
		out.Offers = append(out.Offers, a.offer(who.Region, m))
	}
	return out, nil
}

// Terms of the simulated offers.
const (
	legalURL     = "https://aws.amazon.com/legal/bedrock/third-party-models/"
	refundPolicy = "No refunds."
)

func (a *API) offer(region outcrop.Region, m outcrop.ModelID) Offer {
	token := offerToken(m)
	return Offer{OfferId: "offer-" + token[:13], OfferToken: token, TermDetails: TermDetails{
		UsageBasedPricingTerm: PricingTerm{RateCard: rateCard(a.Price(region, m))},
		LegalTerm:             LegalTerm{Url: legalURL},
		SupportTerm:           SupportTerm{RefundPolicyDescription: refundPolicy},
	}}
}

// offerToken names the public offer of a model. It is no secret.
func offerToken(m outcrop.ModelID) string {
	sum := sha256.Sum256([]byte("outcrop public offer\x00" + string(m)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// rateCard has a line for each price that is known, none for those that are
// not: an unknown price is not zero.
func rateCard(q outcrop.Quote) []DimensionalPriceRate {
	card := []DimensionalPriceRate{}
	if q.Price == "" {
		return card
	}
	for kind, rate := range q.Rates.All() {
		card = append(card, DimensionalPriceRate{
			Dimension: kind.String(), Price: rate.String(), Unit: "Units",
			Description: "USD per million " + kind.String(),
		})
	}
	return card
}

func (a *API) createFoundationModelAgreement(ctx context.Context, who outcrop.Caller, in *CreateFoundationModelAgreementInput) (*CreateFoundationModelAgreementOutput, error) {
	m, _, err := a.underlying(who.Region, in.ModelId)
	if err != nil {
		return nil, err
	}
	if !a.marketplace(m) || in.OfferToken != offerToken(m) {
		return nil, outcrop.Errorf(outcrop.Invalid, "The offerToken is not of an offer for the model %s. ListFoundationModelAgreementOffers lists its offers.", m)
	}
	active, _, known, err := a.Access.Agreement(ctx, who.Account, m)
	if err != nil {
		return nil, fmt.Errorf("agreement for %s: %w", m, err)
	}
	if known && active {
		return nil, outcrop.Errorf(outcrop.Conflict, "An agreement for the model %s already exists.", m)
	}
	if err := a.Access.SetAgreement(ctx, who.Account, m, true, a.Now()); err != nil {
		return nil, fmt.Errorf("make agreement for %s: %w", m, err)
	}
	return &CreateFoundationModelAgreementOutput{ModelId: string(m)}, nil
}

func (a *API) deleteFoundationModelAgreement(ctx context.Context, who outcrop.Caller, in *DeleteFoundationModelAgreementInput) (*DeleteFoundationModelAgreementOutput, error) {
	m, _, err := a.underlying(who.Region, in.ModelId)
	if err != nil {
		return nil, err
	}
	active, _, known, err := a.Access.Agreement(ctx, who.Account, m)
	if err != nil {
		return nil, fmt.Errorf("agreement for %s: %w", m, err)
	}
	if !a.marketplace(m) || known && !active {
		return nil, outcrop.Errorf(outcrop.NotFound, "The account has no agreement for the model %s.", m)
	}
	if err := a.Access.SetAgreement(ctx, who.Account, m, false, a.Now()); err != nil {
		return nil, fmt.Errorf("delete agreement for %s: %w", m, err)
	}
	return &DeleteFoundationModelAgreementOutput{}, nil
}
