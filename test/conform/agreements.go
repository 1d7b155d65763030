package conform

import (
	"context"
	"slices"
	"strings"
)

// Agreements are an account's own: on AWS they are looked at, never made.

const (
	opOffers          = "ListFoundationModelAgreementOffers"
	opCreateAgreement = "CreateFoundationModelAgreement"
	opDeleteAgreement = "DeleteFoundationModelAgreement"

	// sold is a third-party model that takes an agreement.
	sold = "anthropic.claude-sonnet-4-5-20250929-v1:0"
)

func listFoundationModelAgreementOffersChecks() []Check {
	const source = "control-plane.md §3"
	list := func(rest string) ask { return ask{path: "/list-foundation-model-agreement-offers/" + rest} }
	return []Check{
		{opOffers, "lists an offer with its token and terms for a third-party model", source, Nothing, offersOf},
		asks(opOffers, "refuses an unknown offer type", source, Nothing, list(label(sold)+"?offerType=SECRET"), breaks("offerType", "Member must satisfy enum value set: [")),
		asks(opOffers, "has nothing to offer for a model of Amazon's", source+" (UNVERIFIED)", Own, list(label("amazon.nova-lite-v1:0")), answer{status: 200, body: `{"modelId":"amazon.nova-lite-v1:0","offers":[]}`}),
		asks(opOffers, "does not find an unknown model", source+" (UNVERIFIED)", Own, list(label("no.such-model-v1:0")), refused(404, "ResourceNotFoundException")),
	}
}

// offer is the first offer for the third-party model.
func (s *Subject) offer(ctx context.Context) (any, error) {
	got, err := s.expect(ctx, ask{path: "/list-foundation-model-agreement-offers/" + label(sold) + "?offerType=PUBLIC"}, answer{status: 200, members: []string{"modelId", "offers"}})
	if err != nil {
		return nil, err
	}
	offer := at(got.object(), "offers.0")
	return offer, holds("offers", offer != nil, "at least one", string(got.body))
}

func offersOf(ctx context.Context, s *Subject) error {
	offer, err := s.offer(ctx)
	if err != nil {
		return err
	}
	if err := holds("offerToken", text(offer, "offerToken") != "", "a token", offer); err != nil {
		return err
	}
	terms, _ := at(offer, "termDetails").(map[string]any)
	if err := sameMembers("termDetails", []string{"usageBasedPricingTerm", "legalTerm", "supportTerm", "validityTerm?"}, terms); err != nil {
		return err
	}
	card, ok := at(terms, "usageBasedPricingTerm.rateCard").([]any)
	if !ok {
		return &Mismatch{"rateCard", "a list", "none"}
	}
	for _, rate := range card {
		rate, _ := rate.(map[string]any)
		if err := sameMembers("a rate", []string{"dimension", "price", "description", "unit"}, rate); err != nil {
			return err
		}
	}
	return nil
}

func createFoundationModelAgreementChecks() []Check {
	const source = "control-plane.md §3"
	create := func(body string) ask {
		return ask{method: "POST", path: "/create-foundation-model-agreement", body: body}
	}
	return []Check{
		{opCreateAgreement, "answers 202 to an offer's token after a deletion, then Conflict", source, Own, agreementAgain},
		asks(opCreateAgreement, "refuses a token of no offer", source, Own, create(`{"modelId":"`+sold+`","offerToken":"bm8gc3VjaCBvZmZlcg"}`), invalid("offerToken")),
		asks(opCreateAgreement, "insists on the token", "botocore", Nothing, create(`{"modelId":"`+sold+`"}`), breaks("offerToken", "Member must not be null")),
		asks(opCreateAgreement, "insists on the model", "botocore", Nothing, create(`{"offerToken":"bm8gc3VjaCBvZmZlcg"}`), breaks("modelId", "Member must not be null")),
	}
}

// agreementAgain leaves the agreement as it most likely was: active.
func agreementAgain(ctx context.Context, s *Subject) error {
	offer, err := s.offer(ctx)
	if err != nil {
		return err
	}
	remove := ask{method: "POST", path: "/delete-foundation-model-agreement", body: `{"modelId":"` + sold + `"}`}
	create := ask{method: "POST", path: "/create-foundation-model-agreement", body: `{"modelId":"` + sold + `","offerToken":"` + text(offer, "offerToken") + `"}`}
	available := func(state string) step {
		return step{ask{path: "/foundation-model-availability/" + label(sold)}, answer{status: 200, words: nil}, `"agreementAvailability":{"status":"` + state + `"`}
	}
	return s.steps(ctx,
		step{remove, answer{status: 202, body: "{}"}, ""}, available("NOT_AVAILABLE"),
		step{create, answer{status: 202, body: `{"modelId":"` + sold + `"}`}, ""}, available("AVAILABLE"),
		step{create, refused(400, "ConflictException"), ""})
}

// A step is one request of a story, with words that its body must hold.
type step struct {
	ask  ask
	want answer
	has  string
}

func (s *Subject) steps(ctx context.Context, steps ...step) error {
	for _, st := range steps {
		got, err := s.expect(ctx, st.ask, st.want)
		if err != nil {
			return err
		}
		if err := holds("body", strings.Contains(string(got.body), st.has), st.has, string(got.body)); err != nil {
			return err
		}
	}
	return nil
}

func deleteFoundationModelAgreementChecks() []Check {
	const source = "control-plane.md §3"
	remove := func(body string) ask {
		return ask{method: "POST", path: "/delete-foundation-model-agreement", body: body}
	}
	return slices.Concat([]Check{
		{opDeleteAgreement, "answers 202 once, then 404, and the model is not available", source, Own, agreementGone},
		asks(opDeleteAgreement, "has no agreement for a model that needs none", source+" (UNVERIFIED)", Own, remove(`{"modelId":"amazon.nova-lite-v1:0"}`), refused(404, "ResourceNotFoundException")),
		asks(opDeleteAgreement, "insists on the model", "botocore", Nothing, remove(`{}`), breaks("modelId", "Member must not be null")),
	})
}

func agreementGone(ctx context.Context, s *Subject) error {
	offer, err := s.offer(ctx)
	if err != nil {
		return err
	}
	remove := ask{method: "POST", path: "/delete-foundation-model-agreement", body: `{"modelId":"` + sold + `"}`}
	create := ask{method: "POST", path: "/create-foundation-model-agreement", body: `{"modelId":"` + sold + `","offerToken":"` + text(offer, "offerToken") + `"}`}
	return s.steps(ctx,
		step{remove, answer{status: 202, body: "{}"}, ""},
		step{remove, refused(404, "ResourceNotFoundException"), ""},
		step{create, answer{status: 202}, ""})
}
