package conform

import (
	"context"
	"encoding/base64"
	"strings"
)

// The use-case form is the account's own: a check that hands one in puts the
// earlier one back.

const (
	opPutUseCase = "PutUseCaseForModelAccess"
	opGetUseCase = "GetUseCaseForModelAccess"
	useCasePath  = "/use-case-for-model-access"
	useCaseForm  = `{"companyName":"Outcrop","companyWebsite":"https://example.com","intendedUsers":"0","industryOption":"Education","otherIndustryOption":"","useCases":"A check of the form."}`
)

func putUseCase(form string) ask {
	return ask{method: "POST", path: useCasePath, body: `{"formData":"` + base64.StdEncoding.EncodeToString([]byte(form)) + `"}`}
}

func putUseCaseForModelAccessChecks() []Check {
	const source = "control-plane.md §3"
	return []Check{
		{opPutUseCase, "answers 201 with {} and keeps the form", source, Own, useCaseKept},
		asks(opPutUseCase, "refuses a form of 9 bytes", "botocore", Nothing, putUseCase("123456789"), breaks("formData", "greater than or equal to 10")),
		asks(opPutUseCase, "refuses a form of 16385 bytes", "botocore", Nothing, putUseCase(strings.Repeat("x", 16385)), breaks("formData", "less than or equal to 16384")),
		asks(opPutUseCase, "insists on the form", "botocore", Nothing, ask{method: "POST", path: useCasePath, body: `{}`}, breaks("formData", "Member must not be null")),
	}
}

func getUseCaseForModelAccessChecks() []Check {
	return []Check{
		{opGetUseCase, "answers with the form, or 404 when none was handed in", "control-plane.md §3", Nothing, useCaseRead},
	}
}

func useCaseRead(ctx context.Context, s *Subject) error {
	got, err := s.send(ctx, ask{path: useCasePath})
	if err != nil {
		return err
	}
	if got.status == 404 {
		return got.is(refused(404, "ResourceNotFoundException"))
	}
	return got.is(answer{status: 200, members: []string{"formData"}})
}

func useCaseKept(ctx context.Context, s *Subject) error {
	before, err := s.send(ctx, ask{path: useCasePath})
	if err != nil {
		return err
	}
	read := step{ask{path: useCasePath}, answer{status: 200, body: `{"formData":"` + base64.StdEncoding.EncodeToString([]byte(useCaseForm)) + `"}`}, ""}
	err = s.steps(ctx, step{putUseCase(useCaseForm), answer{status: 201, body: "{}"}, ""}, read)
	if before.status == 200 {
		_, back := s.expect(ctx, ask{method: "POST", path: useCasePath, body: string(before.body)}, answer{status: 201})
		if err == nil {
			err = back
		}
	}
	return err
}
