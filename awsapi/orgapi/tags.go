package orgapi

import (
	"context"
	"strings"

	"outcrop"
	"outcrop/identity"
)

func toTags(list []Tag) (outcrop.Tags, error) {
	tags := make(outcrop.Tags, len(list))
	for _, t := range list {
		if _, twice := tags[t.Key]; twice {
			return nil, invalidInput("You specified the tag key %s twice.", t.Key)
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

// untaggable: tags of roots, units and accounts have no use here, and what is
// not kept is not taken.
func untaggable() error {
	return invalidInput("Outcrop keeps tags of policies, and not of roots, organizational units and accounts.")
}

// exists says whether id is in the organisation.
func (a *API) exists(ctx context.Context, o identity.Organization, id string) error {
	var err error
	switch {
	case id == o.RootID:
		return nil
	case strings.HasPrefix(id, "ou-"):
		_, err = a.Identity.Unit(ctx, id)
	case strings.HasPrefix(id, "p-"):
		_, err = a.Identity.SCP(ctx, id)
	default:
		_, err = a.account(ctx, id)
	}
	if outcrop.KindOf(err) == outcrop.NotFound {
		return failure(outcrop.NotFound, "TargetNotFoundException", "You specified a target that doesn't exist.")
	}
	return err
}

// taggable is nil when id may be given tags.
func (a *API) taggable(ctx context.Context, who outcrop.Caller, id string) error {
	o, err := a.manage(ctx, who)
	if err != nil {
		return err
	}
	if err := a.exists(ctx, o, id); err != nil {
		return err
	}
	if !strings.HasPrefix(id, "p-") {
		return untaggable()
	}
	return nil
}

func (a *API) tagResource(ctx context.Context, who outcrop.Caller, in *TagResourceInput) (*nothing, error) {
	if err := a.taggable(ctx, who, in.ResourceId); err != nil {
		return nil, err
	}
	tags, err := toTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return done(a.Identity.SetSCPTags(ctx, in.ResourceId, tags))
}

func (a *API) untagResource(ctx context.Context, who outcrop.Caller, in *UntagResourceInput) (*nothing, error) {
	if err := a.taggable(ctx, who, in.ResourceId); err != nil {
		return nil, err
	}
	return done(a.Identity.RemoveSCPTags(ctx, in.ResourceId, in.TagKeys))
}

func (a *API) listTagsForResource(ctx context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	out := &ListTagsForResourceOutput{Tags: []Tag{}}
	if err := a.exists(ctx, o, in.ResourceId); err != nil || !strings.HasPrefix(in.ResourceId, "p-") {
		return out, err
	}
	p, err := a.Identity.SCP(ctx, in.ResourceId)
	for _, k := range p.Tags.Keys() {
		out.Tags = append(out.Tags, Tag{k, p.Tags[k]})
	}
	return out, err
}
