package identity

import (
	"context"
	"slices"

	"outcrop"
)

// A PolicyScope narrows ListPolicies.
type PolicyScope string

// The scopes, in IAM's words.
const (
	AllPolicies   PolicyScope = "All"
	AWSPolicies   PolicyScope = "AWS"
	LocalPolicies PolicyScope = "Local"
)

// A PolicyUsage narrows lists by what a policy is used for.
type PolicyUsage string

// The usages, in IAM's words. The empty one is any.
const (
	AsPermissions PolicyUsage = "PermissionsPolicy"
	AsBoundary    PolicyUsage = "PermissionsBoundary"
)

// A PolicyFilter says which policies ListPolicies lists. Its zero value is all.
type PolicyFilter struct {
	Scope        PolicyScope // empty is AllPolicies
	PathPrefix   string
	OnlyAttached bool
	Usage        PolicyUsage
}

// ListPolicies lists managed policies: AWS's first, then the account's own,
// each in order of name.
func (d *Directory) ListPolicies(ctx context.Context, account outcrop.AccountID, f PolicyFilter, p Page) ([]ManagedPolicy, string, error) {
	var found []ManagedPolicy
	if f.Scope != LocalPolicies {
		found = slices.Clone(AWSManagedPolicies())
	}
	if f.Scope != AWSPolicies {
		own, err := all[ManagedPolicy](ctx, d, policyEntry, string(account))
		if err != nil {
			return nil, "", err
		}
		found = append(found, own...)
	}
	kept := found[:0]
	for _, x := range found {
		ok, err := d.passes(ctx, account, x, f)
		if err != nil {
			return nil, "", err
		}
		if ok {
			kept = append(kept, x)
		}
	}
	return cut(kept, p, func(x ManagedPolicy) string { return string(x.Account) + "/" + folded(x.Name) })
}

func (d *Directory) passes(ctx context.Context, account outcrop.AccountID, x ManagedPolicy, f PolicyFilter) (bool, error) {
	if !underPath(f.PathPrefix, x.Path) {
		return false, nil
	}
	if !f.OnlyAttached && f.Usage == "" {
		return true, nil
	}
	c, err := d.PolicyCounts(ctx, account, x.ARN())
	return (c.Attached > 0 && f.Usage != AsBoundary) || (c.Boundaries > 0 && f.Usage == AsBoundary), err
}

// Counts are how many users, groups and roles of an account use a policy.
type Counts struct {
	Attached   int // AttachmentCount
	Boundaries int // PermissionsBoundaryUsageCount
}

// PolicyCounts counts the uses of a policy in account.
func (d *Directory) PolicyCounts(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (Counts, error) {
	var c Counts
	for _, by := range []struct {
		link string
		n    *int
	}{{policyLink, &c.Attached}, {boundaryLink, &c.Boundaries}} {
		var err error
		if *by.n, err = d.store.CountLinked(ctx, by.link+folded(string(arn)), string(account)); err != nil {
			return c, wrap("count uses", err)
		}
	}
	return c, nil
}

// PolicyEntities are who uses a policy.
type PolicyEntities struct {
	Users  []User
	Groups []Group
	Roles  []Role
}

// EntityFilter narrows EntitiesForPolicy. Its zero value is everything.
type EntityFilter struct {
	Kind       EntityKind // empty is all three
	PathPrefix string
	Usage      PolicyUsage
}

// EntitiesForPolicy lists who in account uses a policy: groups, then roles,
// then users, each in order of name.
func (d *Directory) EntitiesForPolicy(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, f EntityFilter, p Page) (PolicyEntities, string, error) {
	if _, err := d.Policy(ctx, account, arn); err != nil {
		return PolicyEntities{}, "", err
	}
	found, err := d.usersOf(ctx, account, arn, f)
	if err != nil {
		return PolicyEntities{}, "", err
	}
	page, next, err := cut(found, p, func(e Entry) string { return string(e.Kind) + "/" + e.Key })
	if err != nil {
		return PolicyEntities{}, "", err
	}
	var out PolicyEntities
	for _, e := range page {
		if err := out.add(e); err != nil {
			return PolicyEntities{}, "", err
		}
	}
	return out, next, nil
}

// usersOf finds the entries that use a policy, each once.
func (d *Directory) usersOf(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, f EntityFilter) ([]Entry, error) {
	links := map[PolicyUsage][]string{AsPermissions: {policyLink}, AsBoundary: {boundaryLink}, "": {policyLink, boundaryLink}}[f.Usage]
	var found []Entry
	seen := map[string]bool{}
	for _, link := range links {
		some, err := d.followers(ctx, link+folded(string(arn)))
		if err != nil {
			return nil, err
		}
		for _, e := range some {
			if e.Scope != string(account) || seen[e.ID] || f.Kind != "" && string(f.Kind) != string(e.Kind) {
				continue
			}
			x, err := read[struct{ Path string }](e)
			if err != nil {
				return nil, err
			}
			if seen[e.ID] = true; underPath(f.PathPrefix, x.Path) {
				found = append(found, e)
			}
		}
	}
	return found, nil
}

func (out *PolicyEntities) add(e Entry) error {
	var err error
	switch e.Kind {
	case userEntry:
		out.Users, err = appendRead(out.Users, e)
	case groupEntry:
		out.Groups, err = appendRead(out.Groups, e)
	case roleEntry:
		out.Roles, err = appendRead(out.Roles, e)
	}
	return err
}

func appendRead[T any](to []T, e Entry) ([]T, error) {
	x, err := read[T](e)
	return append(to, x), err
}
