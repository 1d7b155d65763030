package profile

import (
	"context"
	"errors"
	"fmt"

	"outcrop"
)

// A Tag is one entry of a request's list, which may wrongly name a key twice.
type Tag struct{ Key, Value string }

// Tag sets tags; a key that exists is overwritten. All are set or none.
func (p *Profiles) Tag(ctx context.Context, account outcrop.AccountID, region outcrop.Region, arn string, tags []Tag) error {
	add, err := collect(tags)
	if err != nil {
		return err
	}
	model, err := p.modelOf(ctx, account, region, arn, add)
	if err != nil {
		return err
	}
	return p.changeTags(ctx, account, region, arn, func(old outcrop.Tags) (outcrop.Tags, error) {
		union := make(outcrop.Tags, len(old)+len(add))
		for _, from := range []outcrop.Tags{old, add} {
			for k, v := range from {
				union[k] = v
			}
		}
		if len(union) > outcrop.MaxTagsPerResource {
			return nil, tooManyTags(arn)
		}
		if model == "" { // no default is being set
			return union, nil
		}
		return union, p.checkDefaults(union, model)
	})
}

// modelOf is the model of a profile that tags are being set on, where some of
// them are defaults for it. A profile's model never changes.
func (p *Profiles) modelOf(ctx context.Context, account outcrop.AccountID, region outcrop.Region, arn string, tags outcrop.Tags) (outcrop.ModelID, error) {
	if len(billable(tags)) == len(tags) {
		return "", nil
	}
	k, err := taggable(account, region, arn)
	if err != nil {
		return "", err
	}
	found, err := p.store.Profile(ctx, k)
	if err != nil {
		return "", absent(err, arn, region)
	}
	return found.Model, nil
}

// Untag removes tags. Keys that do not exist are ignored, as AWS does.
func (p *Profiles) Untag(ctx context.Context, account outcrop.AccountID, region outcrop.Region, arn string, keys []string) error {
	return p.changeTags(ctx, account, region, arn, func(old outcrop.Tags) (outcrop.Tags, error) {
		left := old.Clone()
		for _, k := range keys {
			delete(left, k)
		}
		return left, nil
	})
}

// TagsOf lists a profile's tags.
func (p *Profiles) TagsOf(ctx context.Context, account outcrop.AccountID, region outcrop.Region, arn string) (outcrop.Tags, error) {
	k, err := taggable(account, region, arn)
	if err != nil {
		return nil, err
	}
	found, err := p.store.Profile(ctx, k)
	if err != nil {
		return nil, absent(err, arn, region)
	}
	return found.Tags, nil
}

func (p *Profiles) changeTags(ctx context.Context, account outcrop.AccountID, region outcrop.Region, arn string, change func(outcrop.Tags) (outcrop.Tags, error)) error {
	k, err := taggable(account, region, arn)
	if err != nil {
		return err
	}
	// Forgotten even when the store fails: it may have committed all the same.
	defer p.forget(k)
	return absent(p.store.ChangeProfileTags(ctx, k, change), arn, region)
}

// taggable finds the application profile that a resourceARN names. The
// pattern in the service model is not anchored, so the ARN is parsed.
func taggable(account outcrop.AccountID, region outcrop.Region, arn string) (Key, error) {
	parts, ok := outcrop.ParseARN(arn)
	ref := outcrop.ParseModelRef(arn)
	switch {
	case !ok:
		return Key{}, outcrop.Errorf(outcrop.Invalid, "The resourceARN %s is not an ARN.", arn)
	case ref.Kind == outcrop.RefSystemProfile:
		return Key{}, outcrop.Errorf(outcrop.Invalid, "The inference profile %s is system-defined and cannot be tagged. Create an application inference profile from it, and tag that.", arn)
	case ref.Kind != outcrop.RefApplicationProfile || !owned(parts, account, region):
		return Key{}, notFound(arn, region)
	}
	return Key{account, region, ref.ID}, nil
}

// owned says whether an ARN names a resource of this account and Region.
func owned(p outcrop.ARNParts, account outcrop.AccountID, region outcrop.Region) bool {
	return p.Account == account && p.Region == region && p.Partition == region.Partition()
}

// collect turns a request's list into Tags.
func collect(list []Tag) (outcrop.Tags, error) {
	if len(list) == 0 {
		return nil, nil
	}
	tags := make(outcrop.Tags, len(list))
	for _, t := range list {
		if outcrop.ReservedTagKey(t.Key) {
			return nil, outcrop.Errorf(outcrop.Invalid, "The tag key %s begins with %s, which only AWS may use.", t.Key, outcrop.ReservedTagPrefix)
		}
		if _, twice := tags[t.Key]; twice {
			return nil, outcrop.Errorf(outcrop.Invalid, "The tag key %s occurs more than once in the request.", t.Key)
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

func tooManyTags(resource string) error {
	e := outcrop.Errorf(outcrop.TooManyTags, "The resource would have more than %d tags. Remove some with UntagResource first.", outcrop.MaxTagsPerResource)
	e.Resource = resource
	return e
}

// absent words the store's ErrNotFound for the client.
func absent(err error, identifier string, region outcrop.Region) error {
	var worded *outcrop.Error
	switch {
	case err == nil || errors.As(err, &worded):
		return err
	case errors.Is(err, ErrNotFound):
		return notFound(identifier, region)
	}
	return fmt.Errorf("inference profile %s: %w", identifier, err)
}

func notFound(identifier string, region outcrop.Region) error {
	return outcrop.Errorf(outcrop.NotFound, "The inference profile %s was not found in %s.", identifier, region)
}
