package conform

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrock/types"
)

const opTag = "TagResource"

func tagResourceChecks() []Check {
	const source = "control-plane.md §1.9"
	own := func(tags string) ask { return tagAsk("/tagResource", "{profile}", `,"tags":[`+tags+`]`) }
	return slices.Concat([]Check{
		{opTag, "adds tags and overwrites those that exist", "runtime-metering-billing.md §9.1, 8 and 10", Nothing, tagOverwrites},
		{opTag, "counts the union: 50 tags stay 50 when one is overwritten, a 51st is refused with the resource's name and changes nothing", "control-plane.md §1.5", Nothing, tagLimit},
		{opTag, "answers 200 with {}", "control-plane.md §0", Nothing, tagAnswer},
		asks(opTag, "refuses a key that begins with aws:", source, Nothing, own(`{"key":"aws:cost","value":"v"}`), invalid("aws:")),
		asks(opTag, "refuses a key beyond ASCII, naming its place", "control-plane.md §1.3", Nothing, own(`{"key":"é","value":"v"}`), breaks("tags.1.member.key", "regular expression")),
		asks(opTag, "refuses a value beyond ASCII", "control-plane.md §1.3", Nothing, own(`{"key":"k","value":"é"}`), breaks("tags.1.member.value", "regular expression")),
		asks(opTag, "refuses a key of 129 characters", "botocore", Nothing, own(`{"key":"`+fmt.Sprintf("%0129d", 1)+`","value":"v"}`), breaks("tags.1.member.key", "less than or equal to 128")),
		asks(opTag, "insists on the tags", "botocore", Nothing, tagAsk("/tagResource", "{profile}", ""), breaks("tags", "Member must not be null")),
	}, tagTargets(opTag, "/tagResource", `,"tags":[{"key":"a","value":"b"}]`))
}

func tagOverwrites(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		s.tag(ctx, p.arn, tag("project", "app01"), tag("stage", "test")), s.tagged(ctx, p.arn, "project=app01 stage=test"),
		s.tag(ctx, p.arn, tag("stage", "uat"), tag("empty", "")), s.tagged(ctx, p.arn, "empty= project=app01 stage=uat"))
}

func tagLimit(ctx context.Context, s *Subject) error {
	var fifty []types.Tag
	for i := range 50 {
		fifty = append(fifty, tag(fmt.Sprintf("key-%02d", i), "v"))
	}
	p, err := s.create(ctx, fifty...)
	if err != nil {
		return err
	}
	if err := s.tag(ctx, p.arn, tag("key-00", "w")); err != nil {
		return err
	}
	_, err = s.expect(ctx, tagAsk("/tagResource", p.arn, `,"tags":[{"key":"key-01","value":"w"},{"key":"one-more","value":"v"}]`),
		answer{status: 400, code: "TooManyTagsException", members: []string{"message", "resourceName"}})
	got, listed := s.expect(ctx, tagAsk("/listTagsForResource", p.arn, ""), answer{status: 200})
	if listed != nil {
		return errors.Join(err, listed)
	}
	list, _ := at(got.object(), "tags").([]any)
	changed := slices.ContainsFunc(list, func(t any) bool { return text(t, "key") == "key-01" && text(t, "value") != "v" })
	return errors.Join(err, same("tags", 50, len(list)), same("a tag of the refused request was set", false, changed))
}

func tagAnswer(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx)
	if err != nil {
		return err
	}
	return s.steps(ctx,
		step{tagAsk("/tagResource", p.arn, `,"tags":[{"key":"a","value":"b"}]`), answer{status: 200, body: "{}"}, ""},
		step{tagAsk("/listTagsForResource", p.arn, ""), answer{status: 200, body: `{"tags":[{"key":"a","value":"b"}]}`}, ""})
}
