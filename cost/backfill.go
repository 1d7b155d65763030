package cost

import (
	"context"
	"time"

	"outcrop"
)

// backfillReachMonths is how far back a backfill may begin, as on AWS.
const backfillReachMonths = 12

// A Retag says how to read the history's tags anew.
type Retag struct {
	Name  string // of the version to make; empty for one with the time in it
	From  time.Time
	Rules []TagRule // none: the tags that profiles have now
}

// Retag lays a version over the history in which past usage has other tags:
// those that its profile has now, or those that rules give. The history before
// it keeps its name. It is complete when it returns.
func (c *Costs) Retag(ctx context.Context, account outcrop.AccountID, r Retag) (*Version, error) {
	now := c.now().UTC()
	first := monthOf(now)
	if !r.From.Equal(monthOf(r.From)) || r.From.After(first) || r.From.Before(first.AddDate(0, -backfillReachMonths, 0)) {
		return nil, outcrop.Errorf(outcrop.Invalid, "BackfillFrom %s is invalid: it must be the first of a month, 00:00:00Z, at most %d months back", r.From.Format(hourForm), backfillReachMonths)
	}
	if err := c.fresh(ctx); err != nil {
		return nil, err
	}
	have, err := c.Versions(ctx, account)
	if err != nil {
		return nil, err
	}
	v := &Version{Name: r.Name, Kind: Ruled, From: r.From, To: now.Truncate(time.Hour).Add(time.Hour), Created: now, Rules: r.Rules}
	if len(r.Rules) == 0 {
		v.Kind = Retagged
		if v.Tags, err = c.tagsNow(ctx, account, have, v); err != nil {
			return nil, err
		}
	}
	if v.Name == "" {
		v.Name = freeName(have, "backfill", now)
	}
	return v, c.addVersion(ctx, account, v)
}

// tagsNow are the tags of the profiles that the history of v's time names.
// Usage of a profile that is gone keeps its tags.
func (c *Costs) tagsNow(ctx context.Context, account outcrop.AccountID, have history, v *Version) (map[outcrop.ARN]TagSet, error) {
	if c.Settings.ProfileTags == nil {
		return nil, outcrop.Errorf(outcrop.Unavailable, "The tags of inference profiles cannot be read here")
	}
	current, err := c.Settings.ProfileTags(ctx, account)
	if err != nil {
		return nil, err
	}
	tags := map[outcrop.ARN]TagSet{}
	for s, err := range c.walk(ctx, account, have, []Period{{v.From, v.To}}) {
		if err != nil {
			return nil, err
		}
		if set, known := current[s.entry.Profile]; known && s.entry.Profile != "" {
			tags[s.entry.Profile] = NewTagSet(set)
		}
	}
	return tags, nil
}
