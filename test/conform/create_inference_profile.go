package conform

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
)

const opCreate = "CreateInferenceProfile"

// Words of the service model for the members of CreateInferenceProfile.
const (
	patternName     = `Member must satisfy regular expression pattern: ([0-9a-zA-Z][ _-]?)+`
	patternText     = `Member must satisfy regular expression pattern: ([0-9a-zA-Z:.][ _-]?)+`
	patternToken    = `Member must satisfy regular expression pattern: [a-zA-Z0-9]`
	patternCopyFrom = `Member must satisfy regular expression pattern: arn:aws`
	noSource        = `copyFrom must be a valid inference profile model source ARN.`
)

func createInferenceProfileChecks() []Check {
	return slices.Concat(createStories(), createVectors(), createRefusals(), createTagRefusals())
}

func createStories() []Check {
	return []Check{
		{opCreate, "answers an SDK with the ARN of an ACTIVE profile", "control-plane.md §1.3", Nothing, createBySDK},
		{opCreate, "copies the source's models in their order, and no description", "control-plane.md §1.3", Nothing, createCopies},
		{opCreate, "tracks one Region for a copied model", "control-plane.md §1.4", Nothing, createFromModel},
		{opCreate, "repeats its answer for the same token and parameters", "control-plane.md §1.5", Nothing, createTwice},
		{opCreate, "refuses a token for other parameters", "control-plane.md §1.5 (UNVERIFIED)", Nothing, createOtherwise},
		{opCreate, "makes anew when the token's profile is gone", "control-plane.md §1.5 (UNVERIFIED)", Nothing, createAnew},
		{opCreate, "lets two profiles have one name", "control-plane.md §1.5 (UNVERIFIED)", Nothing, createSameName},
		{opCreate, "takes a profile's ARN without an account for the caller's own", "control-plane.md §1.4 (UNVERIFIED)", Nothing, createWithoutAccount},
		{opCreate, "passes over members it does not know", "runtime-metering-billing.md §10, trap 17", Nothing, func(ctx context.Context, s *Subject) error {
			_, err := s.createRaw(ctx, createBody(`"fromTheFuture":{"a":[1]},`))
			return err
		}},
	}
}

func createBySDK(ctx context.Context, s *Subject) error {
	out, err := s.control.CreateInferenceProfile(ctx, &bedrock.CreateInferenceProfileInput{
		InferenceProfileName: aws.String(runName()), Description: aws.String("Made by a check"),
		ModelSource: &types.InferenceProfileModelSourceMemberCopyFrom{Value: s.facts.systemARN},
		Tags:        []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}},
	})
	if err != nil {
		return err
	}
	arn := aws.ToString(out.InferenceProfileArn)
	s.own(arn)
	return errors.Join(same("status", types.InferenceProfileStatusActive, out.Status), holds("ARN", s.isApplicationARN(arn), "an application profile's", arn))
}

func createCopies(ctx context.Context, s *Subject) error {
	p, err := s.profile(ctx)
	if err != nil {
		return err
	}
	got, err := s.control.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &p.arn})
	if err != nil {
		return err
	}
	return errors.Join(
		same("models", strings.Join(s.facts.destination, " "), modelARNs(got.Models)),
		same("type", types.InferenceProfileTypeApplication, got.Type),
		same("updatedAt", aws.ToTime(got.CreatedAt), aws.ToTime(got.UpdatedAt)),
		holds("description", got.Description == nil, "none", aws.ToString(got.Description)))
}

func modelARNs(models []types.InferenceProfileModel) string {
	var arns []string
	for _, m := range models {
		arns = append(arns, aws.ToString(m.ModelArn))
	}
	return strings.Join(arns, " ")
}

func createFromModel(ctx context.Context, s *Subject) error {
	arn, err := s.fill(ctx, "{modelARN}")
	if err != nil {
		return err
	}
	p, err := s.copyOf(ctx, arn)
	if err != nil {
		return err
	}
	got, err := s.control.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &p.id})
	if err != nil {
		return err
	}
	return same("models", arn, modelARNs(got.Models))
}

// tokened is the input of one request; its token is its name.
func (s *Subject) tokened(name, token string) *bedrock.CreateInferenceProfileInput {
	return &bedrock.CreateInferenceProfileInput{
		InferenceProfileName: &name, ClientRequestToken: &token,
		ModelSource: &types.InferenceProfileModelSourceMemberCopyFrom{Value: s.facts.systemARN},
	}
}

// createBoth sends two requests and hands over the two ARNs.
func (s *Subject) createBoth(ctx context.Context, first, second *bedrock.CreateInferenceProfileInput, between func(arn string) error) (a, b string, err error) {
	one, err := s.control.CreateInferenceProfile(ctx, first)
	if err != nil {
		return "", "", err
	}
	a = aws.ToString(one.InferenceProfileArn)
	s.own(a)
	if err := holds("ARN", s.isApplicationARN(a), "an application profile's", a); err != nil {
		return a, "", err
	}
	if err := between(a); err != nil {
		return a, "", err
	}
	two, err := s.control.CreateInferenceProfile(ctx, second)
	if err != nil {
		return a, "", err
	}
	b = aws.ToString(two.InferenceProfileArn)
	if b != a {
		s.own(b)
	}
	return a, b, nil
}

func nothingBetween(string) error { return nil }

func createTwice(ctx context.Context, s *Subject) error {
	name, token := runName(), runName()
	a, b, err := s.createBoth(ctx, s.tokened(name, token), s.tokened(name, token), nothingBetween)
	return errors.Join(err, same("the second ARN", a, b))
}

func createOtherwise(ctx context.Context, s *Subject) error {
	token := runName()
	_, _, err := s.createBoth(ctx, s.tokened(runName(), token), s.tokened(runName(), token), nothingBetween)
	return sdkRefusal(err, "ConflictException")
}

func createAnew(ctx context.Context, s *Subject) error {
	name, token := runName(), runName()
	a, b, err := s.createBoth(ctx, s.tokened(name, token), s.tokened(name, token), func(arn string) error {
		_, err := s.control.DeleteInferenceProfile(ctx, &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &arn})
		return err
	})
	return errors.Join(err, holds("the second ARN", a != b, "another than the first", b))
}

func createSameName(ctx context.Context, s *Subject) error {
	name := runName()
	a, b, err := s.createBoth(ctx, s.tokened(name, runName()), s.tokened(name, runName()), nothingBetween)
	return errors.Join(err, holds("the second ARN", a != b, "another than the first", b))
}

func createWithoutAccount(ctx context.Context, s *Subject) error {
	p, err := s.copyOf(ctx, strings.Replace(s.facts.systemARN, s.facts.account, "", 1))
	if err != nil {
		return err
	}
	got, err := s.control.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &p.arn})
	if err != nil {
		return err
	}
	return same("models", strings.Join(s.facts.destination, " "), modelARNs(got.Models))
}
