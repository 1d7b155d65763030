package conform

import (
	"context"
	"errors"
	"slices"
	"strings"
)

const opUntag = "UntagResource"

func untagResourceChecks() []Check {
	own := func(rest string) ask { return tagAsk("/untagResource", "{profile}", rest) }
	return slices.Concat([]Check{
		{opUntag, "takes key=project for a key's name, which is absent, and removes only stage", "runtime-metering-billing.md §9.1, 11", Nothing, untagGuide},
		asks(opUntag, "passes over keys that are absent and answers 200 with {}", "control-plane.md §1.9", Nothing, own(`,"tagKeys":["never","seen"]`), answer{status: 200, body: "{}"}),
		asks(opUntag, "insists on the keys", "botocore", Nothing, own(""), breaks("tagKeys", "Member must not be null")),
		asks(opUntag, "refuses 201 keys", "botocore", Nothing, own(`,"tagKeys":["a"`+strings.Repeat(`,"a"`, 200)+`]`), breaks("tagKeys", "less than or equal to 200")),
		asks(opUntag, "refuses a key beyond ASCII", "botocore", Nothing, own(`,"tagKeys":["é"]`), breaks("tagKeys", "regular expression")),
	}, tagTargets(opUntag, "/untagResource", `,"tagKeys":["a"]`))
}

func untagGuide(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx, tag("project", "app01"), tag("stage", "uat"))
	if err != nil {
		return err
	}
	return errors.Join(s.untag(ctx, p.arn, "key=project", "stage"), s.tagged(ctx, p.arn, "project=app01"),
		s.untag(ctx, p.arn, "project"), s.tagged(ctx, p.arn, ""))
}
