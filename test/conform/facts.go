package conform

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"outcrop"
)

// facts are what the checks need to know of an endpoint.
type facts struct {
	account     string
	principal   string
	systemID    string // of a system-defined profile with a cheap model
	systemARN   string
	systemModel string
	destination []string // its models, in AWS's order
	model       string   // a text model that answers by its own id; may be empty
	profileOnly string   // one that answers behind a profile only; may be empty
	foreign     string   // a system-defined profile of another geography
}

// Cheap text models come first: on AWS every token is paid for.
var (
	likedProfiles = []string{".amazon.nova-micro-v1:0", ".amazon.nova-lite-v1:0", ".amazon.nova-2-lite-v1:0", ".anthropic.claude-haiku-4-5-20251001-v1:0"}
	likedModels   = []string{"openai.gpt-oss-20b-1:0", "amazon.nova-micro-v1:0", "amazon.nova-lite-v1:0", "meta.llama3-8b-instruct-v1:0"}
)

func (s *Subject) lookAround(ctx context.Context) (f facts, err error) {
	who, err := s.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return f, err
	}
	f.account, f.principal = aws.ToString(who.Account), aws.ToString(who.Arn)
	profiles, err := s.control.ListInferenceProfiles(ctx, &bedrock.ListInferenceProfilesInput{})
	if err != nil {
		return f, err
	}
	if err := f.chooseProfile(profiles.InferenceProfileSummaries); err != nil {
		return f, err
	}
	models, err := s.control.ListFoundationModels(ctx, &bedrock.ListFoundationModelsInput{})
	if err != nil {
		return f, err
	}
	f.chooseModels(models.ModelSummaries)
	f.foreign = "eu.amazon.nova-lite-v1:0"
	if strings.HasPrefix(string(s.endpoint.Region), "eu-") {
		f.foreign = "us.amazon.nova-lite-v1:0"
	}
	return f, nil
}

func (f *facts) chooseProfile(list []types.InferenceProfileSummary) error {
	for _, liked := range likedProfiles {
		at := slices.IndexFunc(list, func(p types.InferenceProfileSummary) bool {
			id := aws.ToString(p.InferenceProfileId)
			return strings.HasSuffix(id, liked) && !strings.HasPrefix(id, "global.")
		})
		if at < 0 {
			continue
		}
		f.systemID, f.systemARN = aws.ToString(list[at].InferenceProfileId), aws.ToString(list[at].InferenceProfileArn)
		_, f.systemModel, _ = strings.Cut(f.systemID, ".")
		for _, m := range list[at].Models {
			f.destination = append(f.destination, aws.ToString(m.ModelArn))
		}
		return nil
	}
	return fmt.Errorf("none of the profiles %v is offered: choose a Region that has one", likedProfiles)
}

func (f *facts) chooseModels(list []types.FoundationModelSummary) {
	for _, m := range list {
		id := aws.ToString(m.ModelId)
		onDemand := slices.Contains(m.InferenceTypesSupported, types.InferenceTypeOnDemand)
		if slices.Contains(likedModels, id) && onDemand && (f.model == "" || slices.Index(likedModels, id) < slices.Index(likedModels, f.model)) {
			f.model = id
		}
		if !onDemand && slices.Contains(m.InferenceTypesSupported, "INFERENCE_PROFILE") && f.profileOnly == "" {
			f.profileOnly = id
		}
	}
}

// A madeProfile is an application profile that a check made.
type madeProfile struct{ arn, id string }

// runName makes names that no other run has.
func runName() string {
	var b [6]byte
	rand.Read(b[:])
	return "outcrop-conform-" + hex.EncodeToString(b[:])
}

// create makes an application profile of the chosen system-defined one. It is
// deleted at the end at the latest.
func (s *Subject) create(ctx context.Context, tags ...types.Tag) (madeProfile, error) {
	return s.copyOf(ctx, s.facts.systemARN, tags...)
}

func (s *Subject) copyOf(ctx context.Context, source string, tags ...types.Tag) (madeProfile, error) {
	out, err := s.control.CreateInferenceProfile(ctx, &bedrock.CreateInferenceProfileInput{
		InferenceProfileName: aws.String(runName()), Tags: tags,
		ModelSource: &types.InferenceProfileModelSourceMemberCopyFrom{Value: source},
	})
	if err != nil {
		return madeProfile{}, err
	}
	arn := aws.ToString(out.InferenceProfileArn)
	s.own(arn)
	if err := holds("ARN", s.isApplicationARN(arn), "an application profile's", arn); err != nil {
		return madeProfile{}, err
	}
	return madeProfile{arn, arn[strings.LastIndex(arn, "/")+1:]}, nil
}

// profile is the application profile that checks share; none of them changes
// it.
func (s *Subject) profile(ctx context.Context) (madeProfile, error) {
	s.once.Do(func() { s.shared, s.failure = s.create(ctx) })
	return s.shared, s.failure
}

// fill puts facts into a text: {systemARN} as it is, {%systemARN} with every
// reserved character percent-encoded, as SDKs put it into a path.
func (s *Subject) fill(ctx context.Context, text string) (string, error) {
	if !strings.ContainsRune(text, '{') {
		return text, nil
	}
	f := &s.facts
	region := s.endpoint.Region
	model := func(id string) string {
		if id == "" {
			return ""
		}
		return string(outcrop.FoundationModelARN(region.Partition(), region, outcrop.ModelID(id)))
	}
	values := map[string]string{
		"account": f.account, "region": string(region), "systemID": f.systemID, "systemARN": f.systemARN, "systemModel": f.systemModel,
		"model": f.model, "modelARN": model(f.model), "profileOnly": f.profileOnly, "profileOnlyARN": model(f.profileOnly),
		"foreign": f.foreign, "name": runName(),
		"body:model": nativeBody(f.model), "body:systemModel": nativeBody(f.systemModel), "body:profileOnly": nativeBody(f.profileOnly),
	}
	if strings.Contains(text, "{profile}") || strings.Contains(text, "{profileID}") || strings.Contains(text, "{%profile}") {
		p, err := s.profile(ctx)
		if err != nil {
			return "", err
		}
		values["profile"], values["profileID"] = p.arn, p.id
	}
	var pairs []string
	for name, value := range values {
		if value == "" && (strings.Contains(text, "{"+name+"}") || strings.Contains(text, "{%"+name+"}")) {
			return "", skipped("no model of this kind is offered in the Region")
		}
		pairs = append(pairs, "{"+name+"}", value, "{%"+name+"}", label(value))
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

// label encodes a path label as SDKs do: the colon too.
func label(text string) string { return strings.ReplaceAll(url.PathEscape(text), ":", "%3A") }

// codeOf is the AWS error code of an SDK's error.
func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	return ""
}
