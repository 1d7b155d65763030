package bedrockapi

import (
	"strings"
	"testing"
	"time"

	"outcrop"
)

func availability(t *testing.T, d *desk, id string) string {
	t.Helper()
	out := call(t, d.getFoundationModelAvailability, &GetFoundationModelAvailabilityInput{ModelId: id})
	return strings.Join([]string{out.ModelId, out.AgreementAvailability.Status, out.AuthorizationStatus, out.EntitlementAvailability, out.RegionAvailability}, " ")
}

func TestAvailability(t *testing.T) {
	const good = " AVAILABLE AUTHORIZED AVAILABLE AVAILABLE"
	d := setUp()
	for id, want := range map[string]string{
		sonnet:                             sonnet + good,
		"us." + sonnet:                     sonnet + good, // the LibreChat guides ask about a profile
		novaID:                             "amazon.nova-lite-v1:0" + good,
		"eu.amazon.nova-lite-v1:0":         "amazon.nova-lite-v1:0" + good, // of another geography, same model
		openWeight:                         openWeight + good,
		"mistral.mistral-7b-instruct-v0:2": "mistral.mistral-7b-instruct-v0:2" + good,
	} {
		if got := availability(t, d, id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	far := outcrop.Caller{Account: caller.Account, Region: "sa-east-1"}
	out, err := d.getFoundationModelAvailability(t.Context(), far, &GetFoundationModelAvailabilityInput{ModelId: novaID})
	if err != nil || out.RegionAvailability != "NOT_AVAILABLE" || out.AgreementAvailability.Status != "AVAILABLE" {
		t.Errorf("far away: %+v, %v", out, err)
	}
	refused(t, outcrop.NotFound, "us.no-such", d.getFoundationModelAvailability, &GetFoundationModelAvailabilityInput{ModelId: "us.no-such"})
}

func TestTheLifeOfAnAgreement(t *testing.T) {
	d := setUp()
	list := call(t, d.listFoundationModelAgreementOffers, &ListFoundationModelAgreementOffersInput{ModelId: "us." + sonnet})
	if list.ModelId != sonnet || len(list.Offers) != 1 {
		t.Fatalf("offers = %+v", list)
	}
	card := list.Offers[0].TermDetails.UsageBasedPricingTerm.RateCard
	if len(card) != 2 || card[0].Dimension != "input-tokens" || card[0].Price != "3" || card[1].Price != "15" {
		t.Errorf("rate card = %+v", card)
	}
	token := list.Offers[0].OfferToken
	agree := &CreateFoundationModelAgreementInput{OfferToken: token, ModelId: sonnet}
	drop := &DeleteFoundationModelAgreementInput{ModelId: sonnet}

	call(t, d.deleteFoundationModelAgreement, drop) // enabled automatically, so there is one
	refused(t, outcrop.NotFound, sonnet, d.deleteFoundationModelAgreement, drop)
	if got := availability(t, d, sonnet); got != sonnet+" NOT_AVAILABLE AUTHORIZED NOT_AVAILABLE AVAILABLE" {
		t.Errorf("deleted: %s", got)
	}
	other, err := d.getFoundationModelAvailability(t.Context(), outcrop.Caller{Account: "444455556666", Region: "us-west-2"}, &GetFoundationModelAvailabilityInput{ModelId: sonnet})
	if err != nil || other.AgreementAvailability.Status != "AVAILABLE" {
		t.Errorf("another account: %+v, %v", other, err)
	}
	call(t, d.createFoundationModelAgreement, agree)
	refused(t, outcrop.Conflict, sonnet, d.createFoundationModelAgreement, agree)
	if got := availability(t, d, sonnet); got != sonnet+" PENDING AUTHORIZED AVAILABLE AVAILABLE" {
		t.Errorf("new: %s", got)
	}
	d.clock = d.clock.Add(time.Minute)
	if got := availability(t, d, sonnet); got != sonnet+" AVAILABLE AUTHORIZED AVAILABLE AVAILABLE" {
		t.Errorf("a minute later: %s", got)
	}
}

func TestAgreementsThatCannotBe(t *testing.T) {
	d := setUp()
	if got := call(t, d.listFoundationModelAgreementOffers, &ListFoundationModelAgreementOffersInput{ModelId: openWeight, OfferType: "ALL"}); got.Offers == nil || len(got.Offers) != 0 {
		t.Errorf("offers of an open-weight model: %+v", got)
	}
	unpriced := call(t, d.listFoundationModelAgreementOffers, &ListFoundationModelAgreementOffersInput{ModelId: "us.anthropic.claude-sonnet-4-6"})
	if card := unpriced.Offers[0].TermDetails.UsageBasedPricingTerm.RateCard; len(card) != 0 {
		t.Errorf("a model without a price has the rate card %+v", card)
	}
	for id, token := range map[string]string{sonnet: offerToken("anthropic.claude-sonnet-4-6"), openWeight: offerToken(openWeight)} {
		refused(t, outcrop.Invalid, "offerToken", d.createFoundationModelAgreement, &CreateFoundationModelAgreementInput{ModelId: id, OfferToken: token})
	}
	refused(t, outcrop.NotFound, openWeight, d.deleteFoundationModelAgreement, &DeleteFoundationModelAgreementInput{ModelId: openWeight})
	refused(t, outcrop.NotFound, "no.such", d.createFoundationModelAgreement, &CreateFoundationModelAgreementInput{ModelId: "no.such"})
	refused(t, outcrop.NotFound, "no.such", d.deleteFoundationModelAgreement, &DeleteFoundationModelAgreementInput{ModelId: "no.such"})
	refused(t, outcrop.NotFound, "no.such", d.listFoundationModelAgreementOffers, &ListFoundationModelAgreementOffersInput{ModelId: "no.such"})
}

func TestUseCaseForm(t *testing.T) {
	d := setUp()
	refused(t, outcrop.NotFound, "use case form", d.getUseCaseForModelAccess, &GetUseCaseForModelAccessInput{})
	good := `{"companyName":"Acme","companyWebsite":"https://acme.example","intendedUsers":"0","industryOption":"x","otherIndustryOption":"","useCases":"chat","later":1}`
	for _, form := range []string{good, `{"companyName":"Other"}`} {
		call(t, d.putUseCaseForModelAccess, &PutUseCaseForModelAccessInput{FormData: []byte(form)})
		if got := call(t, d.getUseCaseForModelAccess, &GetUseCaseForModelAccessInput{}); string(got.FormData) != form {
			t.Errorf("form = %s", got.FormData)
		}
	}
	if _, err := d.getUseCaseForModelAccess(t.Context(), outcrop.Caller{Account: "444455556666"}, nil); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("another account's form: %v", err)
	}
	for name, bad := range map[string]string{
		"formData":       "not JSON at all",
		"JSON object":    `["a","list"]  `,
		"a JSON object":  `  null    `,
		"intendedUsers":  `{"intendedUsers":"3"}`,
		"companyName":    `{"companyName":"` + strings.Repeat("é", 129) + `"}`,
		"companyWebsite": `{"companyWebsite":"` + strings.Repeat("a", 129) + `"}`,
		"useCases":       `{"useCases":"` + strings.Repeat("a", 8193) + `"}`,
	} {
		refused(t, outcrop.Invalid, name, d.putUseCaseForModelAccess, &PutUseCaseForModelAccessInput{FormData: []byte(bad)})
	}
	full := `{"companyName":"` + strings.Repeat("é", 128) + `","useCases":"` + strings.Repeat("a", 8192) + `"}`
	call(t, d.putUseCaseForModelAccess, &PutUseCaseForModelAccessInput{FormData: []byte(full)})
}
