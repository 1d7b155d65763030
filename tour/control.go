package tour

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func (g *guide) whoAmI(ctx context.Context) error {
	who, err := g.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return err
	}
	g.say("%s in account %s", aws.ToString(who.Arn), aws.ToString(who.Account))
	return nil
}

func (g *guide) listSystem(ctx context.Context) error {
	list, err := g.bedrock.ListInferenceProfiles(ctx, &bedrock.ListInferenceProfilesInput{})
	if err != nil {
		return err
	}
	for _, p := range list.InferenceProfileSummaries {
		if aws.ToString(p.InferenceProfileId) == g.Model {
			g.source = aws.ToString(p.InferenceProfileArn)
			g.say("%d in %s. We take %s:", len(list.InferenceProfileSummaries), g.Region, g.Model)
			g.say("%s", aws.ToString(p.Description))
			return nil
		}
	}
	return fmt.Errorf("%s is not among the %d profiles of %s: name another with --model", g.Model, len(list.InferenceProfileSummaries), g.Region)
}

func (g *guide) create(ctx context.Context) error {
	made, err := g.bedrock.CreateInferenceProfile(ctx, &bedrock.CreateInferenceProfileInput{
		InferenceProfileName: aws.String(g.tag),
		Description:          aws.String("Made by outcrop tour"),
		ModelSource:          &types.InferenceProfileModelSourceMemberCopyFrom{Value: g.source},
		Tags:                 []types.Tag{{Key: aws.String(tagKey), Value: aws.String(g.tag)}},
	})
	if err != nil {
		return err
	}
	g.profile = aws.ToString(made.InferenceProfileArn)
	g.say("%s\nstatus %s, tag %s=%s", g.profile, made.Status, tagKey, g.tag)
	return nil
}

func (g *guide) look(ctx context.Context) error {
	p, err := g.bedrock.GetInferenceProfile(ctx, &bedrock.GetInferenceProfileInput{InferenceProfileIdentifier: &g.profile})
	if err != nil {
		return err
	}
	tags, err := g.bedrock.ListTagsForResource(ctx, &bedrock.ListTagsForResourceInput{ResourceARN: &g.profile})
	if err != nil {
		return err
	}
	g.say("%s profile %s with %d tag(s) may run in:", p.Type, aws.ToString(p.InferenceProfileName), len(tags.Tags))
	for _, m := range p.Models {
		g.say("  %s", aws.ToString(m.ModelArn))
	}
	return nil
}

func (g *guide) remove(ctx context.Context) error {
	g.title("Tidy up  bedrock:DeleteInferenceProfile")
	if _, err := g.bedrock.DeleteInferenceProfile(ctx, &bedrock.DeleteInferenceProfileInput{InferenceProfileIdentifier: &g.profile}); err != nil {
		return fmt.Errorf("delete %s: %w", g.profile, err)
	}
	g.say("The profile is gone; what it cost stays on its tag.")
	return nil
}
