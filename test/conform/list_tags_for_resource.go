package conform

import (
	"context"
	"slices"
)

const opListTags = "ListTagsForResource"

func listTagsForResourceChecks() []Check {
	return slices.Concat([]Check{
		{opListTags, "lists the tags that a profile was created with", "control-plane.md §1.9", Nothing, listTagsOfCreation},
		asks(opListTags, "lists none as an empty list", "control-plane.md §1.9", Nothing, tagAsk("/listTagsForResource", "{profile}", ""), answer{status: 200, body: `{"tags":[]}`}),
	}, tagTargets(opListTags, "/listTagsForResource", ""))
}

func listTagsOfCreation(ctx context.Context, s *Subject) error {
	p, err := s.create(ctx, tag("project", "app01"), tag("a b._:/=+@-", "c d"))
	if err != nil {
		return err
	}
	return s.tagged(ctx, p.arn, "a b._:/=+@-=c d project=app01")
}
