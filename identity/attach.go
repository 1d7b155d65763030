package identity

import (
	"context"
	"maps"
	"path"
	"slices"

	"outcrop"
)

// An AttachedPolicy is a managed policy on a user, group or role.
type AttachedPolicy struct {
	Name string
	ARN  outcrop.ARN
}

// AttachPolicy attaches a managed policy to who; twice is once.
func (d *Directory) AttachPolicy(ctx context.Context, who Ref, policy outcrop.ARN) error {
	return d.alter(ctx, who, func(x entity) error {
		p, err := d.policyNamed(ctx, who.Account, policy)
		if err != nil {
			return mustExist(err, notAttachable(policy))
		}
		r := x.rights()
		switch {
		case slices.Contains(r.Attached, p.ARN()):
		case len(r.Attached) >= MaxAttachedPolicies:
			return quota("PoliciesPer"+title(who.Kind), MaxAttachedPolicies)
		default:
			r.Attached = append(r.Attached, p.ARN())
		}
		return nil
	})
}

// DetachPolicy takes a managed policy away again.
func (d *Directory) DetachPolicy(ctx context.Context, who Ref, policy outcrop.ARN) error {
	return d.alter(ctx, who, func(x entity) error {
		r := x.rights()
		i := slices.IndexFunc(r.Attached, func(a outcrop.ARN) bool { return sameARN(a, policy) })
		if i < 0 {
			return noSuch("Policy %s was not found.", policy)
		}
		r.Attached = slices.Delete(r.Attached, i, i+1)
		return nil
	})
}

// AttachedPolicies lists the managed policies below pathPrefix (empty: all)
// that are attached to who, in order of name.
func (d *Directory) AttachedPolicies(ctx context.Context, who Ref, pathPrefix string, p Page) ([]AttachedPolicy, string, error) {
	r, err := d.Rights(ctx, who)
	if err != nil {
		return nil, "", err
	}
	var attached []AttachedPolicy
	for _, arn := range r.Attached {
		dir, name := path.Split(arn.Parts().Resource)
		if underPath(pathPrefix, dir[len("policy"):]) {
			attached = append(attached, AttachedPolicy{name, arn})
		}
	}
	return cut(attached, p, func(a AttachedPolicy) string { return folded(a.Name) + " " + string(a.ARN.Parts().Account) })
}

// PutInlinePolicy writes an inline policy, in place of one with its name.
func (d *Directory) PutInlinePolicy(ctx context.Context, who Ref, name, document string) error {
	if !groupNames.MatchString(name) {
		return badName("policyName")
	}
	if err := goodIdentityPolicy(document); err != nil {
		return err
	}
	return d.alter(ctx, who, func(x entity) error {
		r := x.rights()
		if r.Inline == nil {
			r.Inline = map[string]string{}
		}
		r.Inline[name] = document
		return goodInline(who, r.Inline)
	})
}

// InlinePolicy is the document of an inline policy.
func (d *Directory) InlinePolicy(ctx context.Context, who Ref, name string) (string, error) {
	r, err := d.Rights(ctx, who)
	if err != nil {
		return "", err
	}
	document, ok := r.Inline[name]
	if !ok {
		return "", noInline(who, name)
	}
	return document, nil
}

// InlinePolicies lists the names of who's inline policies.
func (d *Directory) InlinePolicies(ctx context.Context, who Ref, p Page) ([]string, string, error) {
	r, err := d.Rights(ctx, who)
	if err != nil {
		return nil, "", err
	}
	return cut(slices.Collect(maps.Keys(r.Inline)), p, func(name string) string { return name })
}

// DeleteInlinePolicy forgets an inline policy.
func (d *Directory) DeleteInlinePolicy(ctx context.Context, who Ref, name string) error {
	return d.alter(ctx, who, func(x entity) error {
		r := x.rights()
		if _, ok := r.Inline[name]; !ok {
			return noInline(who, name)
		}
		delete(r.Inline, name)
		return nil
	})
}

// SetBoundary sets or replaces the permissions boundary of a user or role.
func (d *Directory) SetBoundary(ctx context.Context, who Ref, policy outcrop.ARN) error {
	return d.alter(ctx, who, func(x entity) error {
		p, err := d.policyNamed(ctx, who.Account, policy)
		if err != nil {
			return mustExist(err, noBoundary(policy))
		}
		x.rights().Boundary = p.ARN()
		return nil
	})
}

// RemoveBoundary lets a user or role do again what its policies allow.
func (d *Directory) RemoveBoundary(ctx context.Context, who Ref) error {
	return d.alter(ctx, who, func(x entity) error {
		if x.rights().Boundary == "" {
			return noSuch("No permissions boundary is set on the %s %s.", who.Kind, who.Name)
		}
		x.rights().Boundary = ""
		return nil
	})
}

// knownBoundary says whether the policy of a boundary exists, if there is one,
// and spells it as it is itself: names are the same in any case, and what
// refers to them is compared.
func (d *Directory) knownBoundary(ctx context.Context, account outcrop.AccountID, policy *outcrop.ARN) error {
	if *policy == "" {
		return nil
	}
	p, err := d.policyNamed(ctx, account, *policy)
	if err != nil {
		return mustExist(err, noBoundary(*policy))
	}
	*policy = p.ARN()
	return nil
}

// SetTags adds tags to a user or role, or gives tags it has other values.
func (d *Directory) SetTags(ctx context.Context, who Ref, tags outcrop.Tags) error {
	return d.alter(ctx, who, func(x entity) error { return mergeTags(x.tags(), tags) })
}

// RemoveTags takes tags off a user or role; those it has not are passed over.
func (d *Directory) RemoveTags(ctx context.Context, who Ref, keys []string) error {
	return d.alter(ctx, who, func(x entity) error { return dropTags(x.tags(), keys) })
}

// Rights are who's policies as they are kept.
func (d *Directory) Rights(ctx context.Context, who Ref) (Rights, error) {
	x, _, err := d.entityAt(ctx, who)
	if err != nil {
		return Rights{}, err
	}
	return *x.rights(), nil
}

// alter changes a user, group or role.
func (d *Directory) alter(ctx context.Context, who Ref, change func(entity) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	x, version, err := d.entityAt(ctx, who)
	if err != nil {
		return err
	}
	if err := x.guard(); err != nil {
		return err
	}
	if err := change(x); err != nil {
		return err
	}
	return d.replace(ctx, x, version)
}

func (d *Directory) entityAt(ctx context.Context, who Ref) (entity, int64, error) {
	switch who.Kind {
	case UserEntity:
		u, version, err := d.userAt(ctx, who.Account, who.Name)
		return &u, version, err
	case GroupEntity:
		g, version, err := d.groupAt(ctx, who.Account, who.Name)
		return &g, version, err
	default:
		r, version, err := d.roleAt(ctx, who.Account, who.Name)
		return &r, version, err
	}
}
