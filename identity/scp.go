package identity

import (
	"context"
	"slices"
	"strings"

	"outcrop"
)

// FullAWSAccess is the id of AWS's own SCP, which allows everything and is
// attached to whatever is new.
const FullAWSAccess = "p-FullAWSAccess"

const fullAWSAccessText = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
}`

// An SCP is a service control policy.
type SCP struct {
	ID          string // p- and 8 characters
	Name        string // unique in the organisation
	Description string
	Content     string
	AWSManaged  bool
	Tags        outcrop.Tags
}

func (p SCP) filed() Entry { return Entry{ID: p.ID, Kind: scpEntry, Key: folded(p.Name)} }

// SCPARN is the ARN of a policy in the organisation.
func (o Organization) SCPARN(p SCP) outcrop.ARN {
	if p.AWSManaged {
		return "arn:aws:organizations::aws:policy/service_control_policy/" + outcrop.ARN(p.ID)
	}
	return o.arn("policy/" + o.ID + "/service_control_policy/" + p.ID)
}

func fullAWSAccess() SCP {
	return SCP{ID: FullAWSAccess, Name: "FullAWSAccess", Description: "Allows access to every operation", Content: fullAWSAccessText, AWSManaged: true}
}

// CreateSCP makes a service control policy; attached to nothing it does nothing.
func (d *Directory) CreateSCP(ctx context.Context, p SCP) (SCP, error) {
	p.ID, p.AWSManaged, p.Tags = lowerID("p-", 8), false, p.Tags.Clone()
	if err := goodSCPFields(p); err != nil {
		return SCP{}, err
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if _, err := d.Organization(ctx); err != nil {
		return SCP{}, err
	}
	if n, err := d.store.Count(ctx, scpEntry, ""); err != nil || n >= MaxSCPs {
		return SCP{}, or(wrap("count policies", err), orgLimit("You have exceeded the number of policies that you can have in an organization."))
	}
	return p, d.add(ctx, p, duplicatePolicy())
}

func duplicatePolicy() error {
	return orgError(outcrop.Conflict, "DuplicatePolicyException", "A policy with the same name already exists.")
}

func goodSCPFields(p SCP) error {
	if err := goodOrgName("Name", p.Name); err != nil {
		return err
	}
	if len([]rune(p.Description)) > maxSCPDescription {
		return orgInput("You provided a value for Description that is longer than %d characters.", maxSCPDescription)
	}
	if folded(p.Name) == folded(fullAWSAccess().Name) {
		return duplicatePolicy()
	}
	if err := goodTags(p.Tags); err != nil {
		return orgInput("%s", err)
	}
	return goodSCP(p.Content)
}

// SCP finds a policy by its id.
func (d *Directory) SCP(ctx context.Context, id string) (SCP, error) {
	p, _, err := d.scpAt(ctx, id)
	return p, err
}

func (d *Directory) scpAt(ctx context.Context, id string) (SCP, int64, error) {
	if id == FullAWSAccess {
		return fullAWSAccess(), 0, nil
	}
	absent := orgNotFound("PolicyNotFoundException", "a policy")
	e, err := d.store.EntryByID(ctx, id)
	if err != nil {
		return SCP{}, 0, mustExist(wrap("find policy", err), absent)
	}
	if e.Kind != scpEntry {
		return SCP{}, 0, absent
	}
	p, err := read[SCP](e)
	return p, e.Version, err
}

// ListSCPs lists the organisation's policies in order of name, FullAWSAccess
// among them.
func (d *Directory) ListSCPs(ctx context.Context, p Page) ([]SCP, string, error) {
	if _, err := d.Organization(ctx); err != nil {
		return nil, "", err
	}
	found, err := all[SCP](ctx, d, scpEntry, "")
	if err != nil {
		return nil, "", err
	}
	return cut(append(found, fullAWSAccess()), p, func(p SCP) string { return folded(p.Name) })
}

// An SCPChange is what UpdatePolicy of Organizations takes; nil leaves as it is.
type SCPChange struct {
	Name, Description, Content *string
}

// UpdateSCP changes a policy, wherever it is attached, at once.
func (d *Directory) UpdateSCP(ctx context.Context, id string, c SCPChange) (SCP, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	p, version, err := d.ownSCP(ctx, id)
	if err != nil {
		return SCP{}, err
	}
	was := p.Name
	for _, f := range []struct {
		to   *string
		from *string
	}{{&p.Name, c.Name}, {&p.Description, c.Description}, {&p.Content, c.Content}} {
		if f.from != nil {
			*f.to = *f.from
		}
	}
	if err := goodSCPFields(p); err != nil {
		return SCP{}, err
	}
	return p, d.rename(ctx, scpEntry, p, version, was, duplicatePolicy())
}

// SetSCPTags adds tags to a policy.
func (d *Directory) SetSCPTags(ctx context.Context, id string, tags outcrop.Tags) error {
	return d.changeSCP(ctx, id, func(p *SCP) error { return mergeTags(&p.Tags, tags) })
}

// RemoveSCPTags takes tags off a policy.
func (d *Directory) RemoveSCPTags(ctx context.Context, id string, keys []string) error {
	return d.changeSCP(ctx, id, func(p *SCP) error { return dropTags(&p.Tags, keys) })
}

func (d *Directory) changeSCP(ctx context.Context, id string, change func(*SCP) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	p, version, err := d.ownSCP(ctx, id)
	if err != nil {
		return err
	}
	if err := change(&p); err != nil {
		return orgInput("%s", err)
	}
	return d.replace(ctx, p, version)
}

func (d *Directory) ownSCP(ctx context.Context, id string) (SCP, int64, error) {
	p, version, err := d.scpAt(ctx, id)
	if err == nil && p.AWSManaged {
		err = orgInput("You specified a policy that is managed by AWS and cannot be changed.")
	}
	return p, version, err
}

// DeleteSCP forgets a policy that is attached to nothing.
func (d *Directory) DeleteSCP(ctx context.Context, id string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	p, version, err := d.ownSCP(ctx, id)
	if err != nil {
		return err
	}
	switch inUse, err := d.linked(ctx, scpLink+id); {
	case err != nil:
		return err
	case inUse:
		return orgError(outcrop.Conflict, "PolicyInUseException", "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.")
	}
	return d.remove(ctx, p, version, concurrent())
}

// A Target is what SCPs are attached to: a root, a unit or an account.
type Target struct {
	ID   string
	Type string // ROOT, ORGANIZATIONAL_UNIT or ACCOUNT
	Name string
	ARN  outcrop.ARN
}

// AttachSCP attaches a policy to a root, unit or account, by id.
func (d *Directory) AttachSCP(ctx context.Context, id, target string) error {
	return d.changeTarget(ctx, id, target, func(scps *[]string) error {
		switch {
		case slices.Contains(*scps, id):
			return orgError(outcrop.Conflict, "DuplicatePolicyAttachmentException", "The selected policy is already attached to the specified target.")
		case len(*scps) >= MaxSCPsPerTarget:
			return orgLimit("You have attached the maximum number of policies of this type to the target.")
		}
		*scps = append(*scps, id)
		return nil
	})
}

// DetachSCP takes a policy off again. One always stays.
func (d *Directory) DetachSCP(ctx context.Context, id, target string) error {
	return d.changeTarget(ctx, id, target, func(scps *[]string) error {
		i := slices.Index(*scps, id)
		switch {
		case i < 0:
			return orgError(outcrop.Conflict, "PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.")
		case len(*scps) <= MinSCPsPerTarget:
			return orgLimit("You cannot remove the last policy of this type from the target.")
		}
		*scps = slices.Delete(*scps, i, i+1)
		return nil
	})
}

func (d *Directory) changeTarget(ctx context.Context, id, target string, change func(*[]string) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	o, version, err := d.orgAt(ctx)
	if err != nil {
		return err
	}
	if !o.SCPsOn {
		return policyTypeOff()
	}
	if _, err := d.SCP(ctx, id); err != nil {
		return err
	}
	if target == o.RootID {
		if err := change(&o.SCPs); err != nil {
			return err
		}
		return d.replace(ctx, o, version)
	}
	if strings.HasPrefix(target, "ou-") {
		u, version, err := d.unitAt(ctx, target)
		if err == nil {
			err = change(&u.SCPs)
		}
		if err != nil {
			return targetError(err)
		}
		return d.replace(ctx, u, version)
	}
	a, version, err := d.accountAt(ctx, outcrop.AccountID(target))
	if err == nil && a.Parent == "" {
		err = orgNotFound("AccountNotFoundException", "an account")
	}
	if err == nil {
		err = change(&a.SCPs)
	}
	if err != nil {
		return targetError(err)
	}
	return d.replace(ctx, a, version)
}

func targetError(err error) error {
	return mustExist(err, orgNotFound("TargetNotFoundException", "a root, OU or account"))
}

// TargetsOf lists what a policy is attached to, by id.
func (d *Directory) TargetsOf(ctx context.Context, id string, p Page) ([]Target, string, error) {
	o, err := d.Organization(ctx)
	if err != nil {
		return nil, "", err
	}
	if _, err := d.SCP(ctx, id); err != nil {
		return nil, "", err
	}
	found, err := d.followers(ctx, scpLink+id)
	if err != nil {
		return nil, "", err
	}
	var targets []Target
	for _, e := range found {
		t, err := o.target(e)
		if err != nil {
			return nil, "", err
		}
		targets = append(targets, t)
	}
	return cut(targets, p, func(t Target) string { return t.ID })
}

func (o Organization) target(e Entry) (Target, error) {
	switch e.Kind {
	case orgEntry:
		return Target{o.RootID, "ROOT", "Root", o.RootARN()}, nil
	case unitEntry:
		u, err := read[Unit](e)
		return Target{u.ID, "ORGANIZATIONAL_UNIT", u.Name, o.UnitARN(u.ID)}, err
	default:
		a, err := read[Account](e)
		return Target{string(a.ID), "ACCOUNT", a.Name, o.AccountARN(a.ID)}, err
	}
}

// SCPsOf lists the policies attached to a root, unit or account itself, in
// order of name.
func (d *Directory) SCPsOf(ctx context.Context, target string, p Page) ([]SCP, string, error) {
	ids, err := d.attachedTo(ctx, target)
	if err != nil {
		return nil, "", targetError(err)
	}
	var scps []SCP
	for _, id := range ids {
		s, err := d.SCP(ctx, id)
		if err != nil {
			return nil, "", err
		}
		scps = append(scps, s)
	}
	return cut(scps, p, func(s SCP) string { return folded(s.Name) })
}

func (d *Directory) attachedTo(ctx context.Context, target string) ([]string, error) {
	o, err := d.Organization(ctx)
	switch {
	case err != nil:
		return nil, err
	case target == o.RootID:
		return o.SCPs, nil
	case strings.HasPrefix(target, "ou-"):
		u, err := d.Unit(ctx, target)
		return u.SCPs, err
	}
	a, err := d.Account(ctx, outcrop.AccountID(target))
	if err == nil && a.Parent == "" {
		err = orgNotFound("AccountNotFoundException", "an account")
	}
	return a.SCPs, err
}

// A Level is one step of the way from the root to an account, with what is
// attached there.
type Level struct {
	Target string // id of the root, unit or account
	SCPs   []SCP
}

// EffectiveSCPs are the levels from the root down to account. It is nil for
// an account that no SCP binds: one outside the organisation, the management
// account, or any while SCPs are off.
func (d *Directory) EffectiveSCPs(ctx context.Context, account outcrop.AccountID) ([]Level, error) {
	o, err := d.Organization(ctx)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return nil, nil
	}
	if err != nil || !o.SCPsOn || account == o.Management {
		return nil, err
	}
	a, err := d.Account(ctx, account)
	if outcrop.KindOf(err) == outcrop.NotFound || err == nil && a.Parent == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	path, err := d.pathTo(ctx, o, a.Parent)
	if err != nil {
		return nil, err
	}
	var levels []Level
	for _, target := range append(path, string(account)) {
		scps, _, err := d.SCPsOf(ctx, target, Page{Max: maxPage})
		if err != nil {
			return nil, err
		}
		levels = append(levels, Level{target, scps})
	}
	return levels, nil
}

// detachAll leaves FullAWSAccess alone on every unit and account.
func (d *Directory) detachAll(ctx context.Context) error {
	units, err := all[Unit](ctx, d, unitEntry, "")
	if err != nil {
		return err
	}
	for _, u := range units {
		u, version, err := d.unitAt(ctx, u.ID)
		if err != nil {
			return err
		}
		u.SCPs = []string{FullAWSAccess}
		if err := d.replace(ctx, u, version); err != nil {
			return err
		}
	}
	accounts, err := all[Account](ctx, d, accountEntry, "")
	if err != nil {
		return err
	}
	for _, a := range accounts {
		a, version, err := d.accountAt(ctx, a.ID)
		if err != nil {
			return err
		}
		if a.Parent == "" {
			continue
		}
		a.SCPs = []string{FullAWSAccess}
		if err := d.replace(ctx, a, version); err != nil {
			return err
		}
	}
	return nil
}
