package identity

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// A PolicySpec is what CreatePolicy of IAM takes.
type PolicySpec struct {
	Name        string
	Path        string // empty is /
	Description string
	Document    string
	Tags        outcrop.Tags
}

// CreatePolicy makes a customer managed policy with v1 as its default.
func (d *Directory) CreatePolicy(ctx context.Context, account outcrop.AccountID, s PolicySpec) (ManagedPolicy, error) {
	p, err := d.newPolicy(account, s)
	if err != nil {
		return ManagedPolicy{}, err
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.room(ctx, policyEntry, account, MaxPoliciesPerAccount, "PoliciesPerAccount"); err != nil {
		return ManagedPolicy{}, err
	}
	return p, d.add(ctx, p, policyExists(p.Name))
}

func (d *Directory) newPolicy(account outcrop.AccountID, s PolicySpec) (ManagedPolicy, error) {
	path, err := nameAndPath(account, "policyName", s.Name, s.Path, groupNames.MatchString)
	if err != nil {
		return ManagedPolicy{}, err
	}
	if !policyPaths.MatchString(path) {
		return ManagedPolicy{}, badPath()
	}
	if len([]rune(s.Description)) > 1000 {
		return ManagedPolicy{}, constraint(s.Description, "description", "Member must have length less than or equal to 1000")
	}
	if err := goodTags(s.Tags); err != nil {
		return ManagedPolicy{}, err
	}
	if err := goodManagedPolicy(s.Document); err != nil {
		return ManagedPolicy{}, err
	}
	p := ManagedPolicy{ID: newID("ANPA", 17), Account: account, Name: s.Name, Path: path, Description: s.Description, Created: d.stamp(), Tags: s.Tags.Clone()}
	p.push(s.Document, p.Created.UTC())
	p.Default = p.Versions[0].ID
	return p, nil
}

// Policy finds a managed policy by its ARN, as account sees it: its own or
// one of AWS's.
func (d *Directory) Policy(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (ManagedPolicy, error) {
	p, err := d.policyNamed(ctx, account, arn)
	return p, mustExist(err, noSuch("Policy %s was not found.", arn))
}

// policyNamed keeps the bare outcrop.NotFound: each operation has words of its own.
func (d *Directory) policyNamed(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (ManagedPolicy, error) {
	if p, ok := awsManaged(arn); ok {
		return p, nil
	}
	p, _, err := d.policyAt(ctx, account, arn)
	return p, err
}

func (d *Directory) policyAt(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (ManagedPolicy, int64, error) {
	part := arn.Parts()
	if part.Account != account || part.Service != "iam" || part.ResourceType() != "policy" {
		return ManagedPolicy{}, 0, outcrop.Errorf(outcrop.NotFound, "policy is unknown")
	}
	name := part.Resource[strings.LastIndexByte(part.Resource, '/')+1:]
	p, version, err := find[ManagedPolicy](ctx, d, policyEntry, string(account), folded(name))
	if err == nil && !sameARN(p.ARN(), arn) {
		err = outcrop.Errorf(outcrop.NotFound, "policy is unknown")
	}
	return p, version, err
}

// sameARN compares as IAM's names are compared, whatever the case.
func sameARN(a, b outcrop.ARN) bool { return strings.EqualFold(string(a), string(b)) }

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

// CreatePolicyVersion adds a version, and makes it the default if asked.
func (d *Directory) CreatePolicyVersion(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, document string, setDefault bool) (PolicyVersion, error) {
	var made PolicyVersion
	err := d.changePolicy(ctx, account, arn, func(p *ManagedPolicy) error {
		if err := goodManagedPolicy(document); err != nil {
			return err
		}
		if len(p.Versions) >= MaxPolicyVersions {
			return limit("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", MaxPolicyVersions)
		}
		made = p.push(document, d.stamp())
		if setDefault {
			p.Default = made.ID
		}
		p.Updated = made.Created
		return nil
	})
	return made, err
}

// SetDefaultPolicyVersion chooses the version that holds.
func (d *Directory) SetDefaultPolicyVersion(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, version string) error {
	return d.changePolicy(ctx, account, arn, func(p *ManagedPolicy) error {
		if _, ok := p.Version(version); !ok {
			return noVersion(arn, version)
		}
		p.Default, p.Updated = version, d.stamp()
		return nil
	})
}

// DeletePolicyVersion forgets a version that is not the default.
func (d *Directory) DeletePolicyVersion(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, version string) error {
	return d.changePolicy(ctx, account, arn, func(p *ManagedPolicy) error {
		if _, ok := p.Version(version); !ok {
			return noVersion(arn, version)
		}
		if version == p.Default {
			return deleteConflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(v PolicyVersion) bool { return v.ID == version })
		return nil
	})
}

// PolicyVersion finds one version of a policy.
func (d *Directory) PolicyVersion(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, version string) (PolicyVersion, error) {
	p, err := d.Policy(ctx, account, arn)
	if err != nil {
		return PolicyVersion{}, err
	}
	v, ok := p.Version(version)
	if !ok {
		return PolicyVersion{}, noVersion(arn, version)
	}
	return v, nil
}

// SetPolicyTags adds tags to a customer managed policy.
func (d *Directory) SetPolicyTags(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, tags outcrop.Tags) error {
	return d.changePolicy(ctx, account, arn, func(p *ManagedPolicy) error { return mergeTags(&p.Tags, tags) })
}

// RemovePolicyTags takes tags off a customer managed policy.
func (d *Directory) RemovePolicyTags(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, keys []string) error {
	return d.changePolicy(ctx, account, arn, func(p *ManagedPolicy) error { return dropTags(&p.Tags, keys) })
}

// DeletePolicy forgets a policy that nobody uses and that has one version left.
func (d *Directory) DeletePolicy(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	p, version, err := d.ownPolicy(ctx, account, arn)
	if err != nil {
		return err
	}
	used, err := d.usersOf(ctx, account, arn, EntityFilter{})
	switch {
	case err != nil:
		return err
	case len(used) > 0:
		return deleteConflict("Cannot delete a policy attached to entities.")
	case len(p.Versions) > 1:
		return deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	return d.remove(ctx, p, version, concurrent())
}

// ownPolicy is a policy that its account may change.
func (d *Directory) ownPolicy(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (ManagedPolicy, int64, error) {
	if _, aws := awsManaged(arn); aws {
		return ManagedPolicy{}, 0, denied("Cannot modify the AWS managed policy %s.", arn)
	}
	p, version, err := d.policyAt(ctx, account, arn)
	return p, version, mustExist(err, noSuch("Policy %s was not found.", arn))
}

func (d *Directory) changePolicy(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN, change func(*ManagedPolicy) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	p, version, err := d.ownPolicy(ctx, account, arn)
	if err != nil {
		return err
	}
	if err := change(&p); err != nil {
		return err
	}
	return d.replace(ctx, p, version)
}

func noVersion(arn outcrop.ARN, version string) error {
	return noSuch("Policy %s version %s does not exist or is not attachable.", arn, version)
}

func policyExists(name string) error {
	return clash("EntityAlreadyExists", "A policy called %s already exists. Duplicate names are not allowed.", name)
}

// number of a version id, such as 3 of v3.
func number(version string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(version, "v"))
	if err != nil {
		return 0
	}
	return n
}

// VersionsNewestFirst are the policy's versions as ListPolicyVersions shows them.
func (p ManagedPolicy) VersionsNewestFirst() []PolicyVersion {
	sorted := slices.Clone(p.Versions)
	slices.SortFunc(sorted, func(a, b PolicyVersion) int { return number(b.ID) - number(a.ID) })
	return sorted
}

func versionID(n int) string { return fmt.Sprintf("v%d", n) }

// push adds the next version; numbers are never used again.
func (p *ManagedPolicy) push(document string, now time.Time) PolicyVersion {
	p.Latest++
	v := PolicyVersion{ID: versionID(p.Latest), Document: document, Created: now}
	p.Versions, p.Updated = append(p.Versions, v), now
	return v
}
