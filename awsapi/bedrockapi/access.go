package bedrockapi

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"outcrop"
)

// What GetFoundationModelAvailability reports
// (reference/control-plane.md §3).
const (
	available    = "AVAILABLE"
	notAvailable = "NOT_AVAILABLE"
	pending      = "PENDING"
	authorized   = "AUTHORIZED"
)

func (a *API) getFoundationModelAvailability(ctx context.Context, who outcrop.Caller, in *GetFoundationModelAvailabilityInput) (*GetFoundationModelAvailabilityOutput, error) {
	m, here, err := a.underlying(who.Region, in.ModelId)
	if err != nil {
		return nil, err
	}
	agreement, err := a.agreement(ctx, who.Account, m)
	if err != nil {
		return nil, err
	}
	out := &GetFoundationModelAvailabilityOutput{
		ModelId: string(m), AgreementAvailability: AgreementAvailability{Status: agreement},
		AuthorizationStatus: authorized, EntitlementAvailability: available, RegionAvailability: available,
	}
	if agreement == notAvailable {
		out.EntitlementAvailability = notAvailable
	}
	if !here {
		out.RegionAvailability = notAvailable
	}
	return out, nil
}

// underlying finds the model that a model's or a system-defined profile's id
// stands for (guides ask about "us.…"), and whether the Region offers it by
// itself or behind a profile.
func (a *API) underlying(region outcrop.Region, id string) (m outcrop.ModelID, here bool, err error) {
	c := a.Catalog()
	if s, ok := c.SystemProfile(region, id); ok {
		return s.Model, true, nil
	}
	if _, ok := c.AnyModel(outcrop.ModelID(id)); ok {
		return outcrop.ModelID(id), a.offered(region, outcrop.ModelID(id)), nil
	}
	for _, r := range c.Regions() {
		if s, ok := c.SystemProfile(r.Region, id); ok {
			return s.Model, a.offered(region, s.Model), nil
		}
	}
	return "", false, noModel(id, region)
}

func (a *API) offered(region outcrop.Region, id outcrop.ModelID) bool {
	if _, ok := a.Catalog().Model(region, id); ok {
		return true
	}
	for _, s := range a.Catalog().SystemProfiles(region) {
		if s.Model == id {
			return true
		}
	}
	return false
}

func (a *API) putUseCaseForModelAccess(ctx context.Context, who outcrop.Caller, in *PutUseCaseForModelAccessInput) (*PutUseCaseForModelAccessOutput, error) {
	if err := checkForm(in.FormData); err != nil {
		return nil, err
	}
	if err := a.Access.SetUseCase(ctx, who.Account, in.FormData); err != nil {
		return nil, err
	}
	return &PutUseCaseForModelAccessOutput{}, nil
}

func (a *API) getUseCaseForModelAccess(ctx context.Context, who outcrop.Caller, _ *GetUseCaseForModelAccessInput) (*GetUseCaseForModelAccessOutput, error) {
	form, err := a.Access.UseCase(ctx, who.Account)
	switch {
	case err != nil:
		return nil, err
	case form == nil:
		return nil, outcrop.Errorf(outcrop.NotFound, "The account has not submitted a use case form. Submit one with PutUseCaseForModelAccess.")
	}
	return &GetUseCaseForModelAccessOutput{FormData: form}, nil
}

// A useCaseForm is what formData decodes to. Members that AWS may add later
// are kept and not looked at.
type useCaseForm struct {
	CompanyName         string `json:"companyName"`
	CompanyWebsite      string `json:"companyWebsite"`
	IntendedUsers       string `json:"intendedUsers"`
	IndustryOption      string `json:"industryOption"`
	OtherIndustryOption string `json:"otherIndustryOption"`
	UseCases            string `json:"useCases"`
}

// Limits of the form's fields in characters.
const (
	maxFormFieldRunes = 128
	maxUseCasesRunes  = 8192
)

func checkForm(data []byte) error {
	var f useCaseForm
	err := json.Unmarshal(data, &f)
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return outcrop.Errorf(outcrop.Invalid, "formData must be a JSON object with companyName, companyWebsite, intendedUsers, industryOption, otherIndustryOption and useCases, all strings.").Because(err)
	}
	for name, value := range map[string]string{
		"companyName": f.CompanyName, "companyWebsite": f.CompanyWebsite,
		"industryOption": f.IndustryOption, "otherIndustryOption": f.OtherIndustryOption,
	} {
		if utf8.RuneCountInString(value) > maxFormFieldRunes {
			return outcrop.Errorf(outcrop.Invalid, "The %s in formData has more than %d characters.", name, maxFormFieldRunes)
		}
	}
	if utf8.RuneCountInString(f.UseCases) > maxUseCasesRunes {
		return outcrop.Errorf(outcrop.Invalid, "The useCases in formData has more than %d characters.", maxUseCasesRunes)
	}
	if !slices.Contains([]string{"", "0", "1", "2"}, f.IntendedUsers) {
		return outcrop.Errorf(outcrop.Invalid, `The intendedUsers in formData must be "0", "1" or "2".`)
	}
	return nil
}
