package identity

import (
	"context"

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
