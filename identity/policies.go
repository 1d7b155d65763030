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
