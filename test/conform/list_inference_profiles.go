package conform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
)

const opList = "ListInferenceProfiles"

func listInferenceProfilesChecks() []Check {
	const source, catalogue = "control-plane.md §1.7", "control-plane.md §2.2"
	list := func(query string) ask { return ask{path: "/inference-profiles?" + query} }
	return []Check{
		{opList, "lists only system-defined profiles when no type is given, all of them on the first page", source, Nothing, listWithoutType},
		{opList, "lists an application profile under type=APPLICATION only", source, Nothing, listApplication},
		{opList, "orders system-defined profiles by updatedAt", source, Nothing, listOrder},
		{opList, "gives every profile once over pages of 7", source, Nothing, listPages},
		{opList, "names each system-defined profile {geography}.{model}, with the caller's account and Region in its ARN", catalogue, Nothing, listNames},
		{opList, "has the source Region among the destinations, and two ARNs for global profiles, the first without a Region", catalogue, Nothing, listDestinations},
		asks(opList, "answers with its list and nothing else", "control-plane.md §1.13", Nothing, ask{path: "/inference-profiles"}, answer{status: 200, members: []string{"inferenceProfileSummaries"}}),
		asks(opList, "tells of a next page", source, Nothing, list("maxResults=1"), answer{status: 200, members: []string{"inferenceProfileSummaries", "nextToken"}}),
		asks(opList, "takes maxResults=1000", source, Nothing, list("maxResults=1000&type=SYSTEM_DEFINED"), answer{status: 200, members: []string{"inferenceProfileSummaries"}}),
		asks(opList, "refuses an unknown type", source, Nothing, list("type=OTHER"), breaks("typeEquals", "Member must satisfy enum value set: [SYSTEM_DEFINED, APPLICATION]")),
		asks(opList, "refuses maxResults=0", source, Nothing, list("maxResults=0"), breaks("maxResults", "Member must have value greater than or equal to 1")),
		asks(opList, "refuses maxResults=1001", source, Nothing, list("maxResults=1001"), breaks("maxResults", "Member must have value less than or equal to 1000")),
		asks(opList, "refuses maxResults=many", "framework", Nothing, list("maxResults=many"), refused(400, "")),
		asks(opList, "refuses a token that it did not give", source, Nothing, list("nextToken=bm90IGEgdG9rZW4"), invalid()),
		asks(opList, "refuses a token with a space", "botocore", Nothing, list("nextToken=a%20b"), breaks("nextToken", `regular expression pattern: \S*`)),
		{opList, "offers nothing of a Region that is not its own", "control-plane.md §2.2, invariant 9", Own, listElsewhere},
	}
}

func (s *Subject) listAll(ctx context.Context, kind types.InferenceProfileType) ([]types.InferenceProfileSummary, error) {
	out, err := s.control.ListInferenceProfiles(ctx, &bedrock.ListInferenceProfilesInput{TypeEquals: kind})
	if err != nil {
		return nil, err
	}
	if kind != types.InferenceProfileTypeApplication && len(out.InferenceProfileSummaries) == 0 {
		return nil, &Mismatch{"profiles", "some", "none"}
	}
	return out.InferenceProfileSummaries, nil
}

func listWithoutType(ctx context.Context, s *Subject) error {
	if _, err := s.profile(ctx); err != nil {
		return err
	}
	out, err := s.control.ListInferenceProfiles(ctx, &bedrock.ListInferenceProfilesInput{})
	if err != nil {
		return err
	}
	typed, err := s.listAll(ctx, types.InferenceProfileTypeSystemDefined)
	if err != nil {
		return err
	}
	errs := []error{holds("nextToken", out.NextToken == nil, "none", aws.ToString(out.NextToken)),
		same("profiles with and without the type", len(typed), len(out.InferenceProfileSummaries))}
	for _, p := range out.InferenceProfileSummaries {
		errs = append(errs, same("type of "+aws.ToString(p.InferenceProfileId), types.InferenceProfileTypeSystemDefined, p.Type))
	}
	return errors.Join(errs...)
}

func listApplication(ctx context.Context, s *Subject) error {
	p, err := s.profile(ctx)
	if err != nil {
		return err
	}
	pages := bedrock.NewListInferenceProfilesPaginator(s.control, &bedrock.ListInferenceProfilesInput{TypeEquals: types.InferenceProfileTypeApplication})
	found := 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, entry := range page.InferenceProfileSummaries {
			if err := same("type", types.InferenceProfileTypeApplication, entry.Type); err != nil {
				return err
			}
			if aws.ToString(entry.InferenceProfileArn) == p.arn {
				found++
			}
		}
	}
	return same("how often the profile is listed", 1, found)
}

func listOrder(ctx context.Context, s *Subject) error {
	list, err := s.listAll(ctx, "")
	if err != nil {
		return err
	}
	for i := 1; i < len(list); i++ {
		before, after := list[i-1], list[i]
		if aws.ToTime(before.UpdatedAt).After(aws.ToTime(after.UpdatedAt)) {
			return &Mismatch{"order", "updatedAt ascending", fmt.Sprintf("%s (%s) before %s (%s)", *before.InferenceProfileId, before.UpdatedAt, *after.InferenceProfileId, after.UpdatedAt)}
		}
	}
	return nil
}

func listPages(ctx context.Context, s *Subject) error {
	all, err := s.listAll(ctx, "")
	if err != nil {
		return err
	}
	var got, want []string
	for _, p := range all {
		want = append(want, aws.ToString(p.InferenceProfileId))
	}
	pages := bedrock.NewListInferenceProfilesPaginator(s.control, &bedrock.ListInferenceProfilesInput{MaxResults: aws.Int32(7)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		if n := len(page.InferenceProfileSummaries); n > 7 {
			return &Mismatch{"page", "at most 7", fmt.Sprint(n)}
		}
		for _, p := range page.InferenceProfileSummaries {
			got = append(got, aws.ToString(p.InferenceProfileId))
		}
	}
	return same("profiles over all pages", strings.Join(want, " "), strings.Join(got, " "))
}

func listNames(ctx context.Context, s *Subject) error {
	list, err := s.listAll(ctx, "")
	if err != nil {
		return err
	}
	for _, p := range list {
		id := aws.ToString(p.InferenceProfileId)
		arn := "arn:" + s.endpoint.Region.Partition() + ":bedrock:" + string(s.endpoint.Region) + ":" + s.facts.account + ":inference-profile/" + id
		_, model, _ := strings.Cut(id, ".")
		errs := errors.Join(same("ARN", arn, aws.ToString(p.InferenceProfileArn)), same("status", types.InferenceProfileStatusActive, p.Status))
		for _, m := range p.Models {
			errs = errors.Join(errs, holds("model of "+id, strings.HasSuffix(aws.ToString(m.ModelArn), "/"+model), model, aws.ToString(m.ModelArn)))
		}
		if errs != nil {
			return errs
		}
	}
	return nil
}

func listDestinations(ctx context.Context, s *Subject) error {
	list, err := s.listAll(ctx, "")
	if err != nil {
		return err
	}
	here := ":bedrock:" + string(s.endpoint.Region) + "::foundation-model/"
	var errs []error
	for _, p := range list {
		id := aws.ToString(p.InferenceProfileId)
		at := slices.IndexFunc(p.Models, func(m types.InferenceProfileModel) bool { return strings.Contains(aws.ToString(m.ModelArn), here) })
		errs = append(errs, holds("destinations of "+id, at >= 0, "the Region called", modelARNs(p.Models)))
		if strings.HasPrefix(id, "global.") {
			errs = append(errs, holds("models of "+id, len(p.Models) == 2 && strings.Contains(aws.ToString(p.Models[0].ModelArn), ":bedrock:::"), "two, the first without a Region", modelARNs(p.Models)))
		}
	}
	return errors.Join(errs...)
}

func listElsewhere(ctx context.Context, s *Subject) error {
	prefix, elsewhere := "eu.", ask{path: "/inference-profiles", auth: inRegion("eu-west-1")}
	if strings.HasPrefix(string(s.endpoint.Region), "eu-") {
		prefix, elsewhere.auth = "us.", inRegion("us-east-1")
	}
	got, err := s.expect(ctx, elsewhere, answer{status: 200})
	if err != nil {
		return err
	}
	list, _ := at(got.object(), "inferenceProfileSummaries").([]any)
	n := 0
	for _, entry := range list {
		switch id := text(entry, "inferenceProfileId"); {
		case id == s.facts.systemID && !strings.HasPrefix(id, "global."):
			return &Mismatch{"profiles of the other Region", "none of this Region's geography", id}
		case strings.HasPrefix(id, prefix):
			n++
		}
	}
	return holds("profiles of the other Region", n > 0, "some that begin with "+prefix, n)
}
