package cost

import (
	"context"
	"slices"
	"time"

	"outcrop"
)

// A Subscription says who wants to know of a monitor's anomalies: of each when
// it is found, or of those of a day or a week together. A Watch has them told.
type Subscription struct {
	ID, Name    string
	Monitors    []string // ids
	Subscribers []Subscriber
	Frequency   string   // DAILY, IMMEDIATE or WEEKLY
	Threshold   *float64 `json:",omitempty"` // dollars of total impact
	Expression  []byte   `json:",omitempty"` // the other form of a threshold, as it was given
}

// A Subscriber is an address.
type Subscriber struct{ Address, Type string }

// Limits of anomaly detection, from AWS's quotas page.
const (
	maxMonitors      = 500
	maxSubscriptions = 1000
	monitorKind      = "monitor"
	subscriptionKind = "subscription"
	feedbackKind     = "feedback"
	tagsKind         = "tags"
)

// Monitors lists an account's monitors in the order they were made.
func (c *Costs) Monitors(ctx context.Context, account outcrop.AccountID) ([]*Monitor, error) {
	return read[Monitor](ctx, c, account, monitorKind, nil)
}

// PutMonitor adds a monitor without an ID, or changes the one with it.
func (c *Costs) PutMonitor(ctx context.Context, account outcrop.AccountID, m *Monitor) error {
	if m.By != nil {
		if err := m.By.check(); err != nil {
			return err
		}
	}
	if _, err := c.view(ctx, account, "", m.Filter, nil); err != nil {
		return err
	}
	m.Updated = c.now().UTC().Truncate(time.Second)
	if m.ID == "" {
		have, err := c.Monitors(ctx, account)
		if err != nil {
			return err
		}
		if len(have) >= maxMonitors {
			return limit("An account has at most 500 anomaly monitors")
		}
		m.ID, m.Created = newID(), m.Updated
	}
	return write(ctx, c, account, monitorKind, m.ID, m)
}

func limit(message string) error {
	return &outcrop.Error{Kind: outcrop.Invalid, Code: "LimitExceededException", Message: message}
}

// DeleteMonitor removes one, also from subscriptions; ok is false when there is
// none.
func (c *Costs) DeleteMonitor(ctx context.Context, account outcrop.AccountID, id string) (ok bool, err error) {
	if ok, err = c.store.DeleteDocument(ctx, account, monitorKind, id); err != nil || !ok {
		return ok, err
	}
	all, err := c.Subscriptions(ctx, account)
	if err != nil {
		return true, err
	}
	for _, s := range all {
		if rest := slices.DeleteFunc(slices.Clone(s.Monitors), func(m string) bool { return m == id }); len(rest) < len(s.Monitors) {
			less := *s
			less.Monitors = rest
			if err := write(ctx, c, account, subscriptionKind, s.ID, &less); err != nil {
				return true, err
			}
		}
	}
	return true, nil
}

// Subscriptions lists an account's subscriptions in the order they were made.
func (c *Costs) Subscriptions(ctx context.Context, account outcrop.AccountID) ([]*Subscription, error) {
	return read[Subscription](ctx, c, account, subscriptionKind, nil)
}

// PutSubscription adds a subscription without an ID, or changes the one with
// it.
func (c *Costs) PutSubscription(ctx context.Context, account outcrop.AccountID, s *Subscription) error {
	if _, err := s.beyond(); err != nil {
		return err
	}
	if s.ID == "" {
		have, err := c.Subscriptions(ctx, account)
		if err != nil {
			return err
		}
		if len(have) >= maxSubscriptions {
			return limit("An account has at most 1000 anomaly subscriptions")
		}
		s.ID = newID()
	}
	return write(ctx, c, account, subscriptionKind, s.ID, s)
}

// DeleteSubscription removes one; ok is false when there is none.
func (c *Costs) DeleteSubscription(ctx context.Context, account outcrop.AccountID, id string) (ok bool, err error) {
	if _, err := c.store.DeleteDocument(ctx, account, toldKind, id); err != nil {
		return false, err
	}
	return c.store.DeleteDocument(ctx, account, subscriptionKind, id)
}

// feedback is what somebody said about an anomaly.
type feedback struct{ ID, Says string }

// SayOfAnomaly keeps what somebody said: YES, NO or PLANNED_ACTIVITY.
func (c *Costs) SayOfAnomaly(ctx context.Context, account outcrop.AccountID, id, says string) error {
	return write(ctx, c, account, feedbackKind, id, feedback{id, says})
}

// Said is what was said, by anomaly id.
func (c *Costs) Said(ctx context.Context, account outcrop.AccountID) (map[string]string, error) {
	all, err := read[feedback](ctx, c, account, feedbackKind, nil)
	said := make(map[string]string, len(all))
	for _, f := range all {
		said[f.ID] = f.Says
	}
	return said, err
}

// resourceTags are the tags of one of Cost Explorer's own resources.
type resourceTags struct {
	ARN  string
	Tags outcrop.Tags
}

// ResourceTags are the tags of a cost category, a monitor or a subscription.
func (c *Costs) ResourceTags(ctx context.Context, account outcrop.AccountID, arn string) (outcrop.Tags, error) {
	all, err := read[resourceTags](ctx, c, account, tagsKind, nil)
	for _, r := range all {
		if r.ARN == arn {
			return r.Tags, err
		}
	}
	return nil, err
}

// SetResourceTags replaces them.
func (c *Costs) SetResourceTags(ctx context.Context, account outcrop.AccountID, arn string, tags outcrop.Tags) error {
	if len(tags) == 0 {
		_, err := c.store.DeleteDocument(ctx, account, tagsKind, arn)
		return err
	}
	if len(tags) > outcrop.MaxTagsPerResource {
		return &outcrop.Error{Kind: outcrop.TooManyTags, Resource: arn, Message: "A resource has at most 50 tags"}
	}
	return write(ctx, c, account, tagsKind, arn, resourceTags{arn, tags})
}
