package identity

import (
	"context"
	"time"

	"outcrop"
)

// An Organization groups the installation's accounts under one root. There is
// at most one.
type Organization struct {
	ID         string            // o- and 10 characters
	Management outcrop.AccountID // SCPs do not bind it
	RootID     string            // r- and 4 characters
	Created    time.Time
	SCPsOn     bool     // whether the policy type is enabled in the root
	SCPs       []string // attached to the root
}

// A Unit is an organisational unit.
type Unit struct {
	ID      string // ou-, the root's 4 characters and 8 more
	Name    string
	Parent  string // id of the root or a unit
	Created time.Time
	SCPs    []string
}

func (o Organization) filed() Entry {
	return Entry{ID: o.ID, Kind: orgEntry, Key: "organization", Links: scpLinks(o.SCPs)}
}

func (u Unit) filed() Entry {
	return Entry{ID: u.ID, Kind: unitEntry, Key: u.Parent + "/" + folded(u.Name), Links: append(scpLinks(u.SCPs), parentLink+u.Parent)}
}

func scpLinks(ids []string) []string {
	var links []string
	for _, id := range ids {
		links = append(links, scpLink+id)
	}
	return links
}

// ARN of the organisation.
func (o Organization) ARN() outcrop.ARN { return o.arn("organization/" + o.ID) }

// RootARN is the ARN of the organisation's root.
func (o Organization) RootARN() outcrop.ARN { return o.arn("root/" + o.ID + "/" + o.RootID) }

// UnitARN is the ARN of one of its units.
func (o Organization) UnitARN(id string) outcrop.ARN { return o.arn("ou/" + o.ID + "/" + id) }

// AccountARN is the ARN of one of its accounts.
func (o Organization) AccountARN(id outcrop.AccountID) outcrop.ARN {
	return o.arn("account/" + o.ID + "/" + string(id))
}

func (o Organization) arn(resource string) outcrop.ARN {
	return outcrop.ARNParts{Partition: "aws", Service: "organizations", Account: o.Management, Resource: resource}.ARN()
}

// CreateOrganization makes the organisation with management as its first
// account. SCPs count for nothing until EnableSCPs, as in AWS.
func (d *Directory) CreateOrganization(ctx context.Context, management outcrop.AccountID) (Organization, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	a, version, err := d.accountAt(ctx, management)
	if err != nil {
		return Organization{}, err
	}
	o := Organization{ID: lowerID("o-", 10), Management: management, RootID: lowerID("r-", 4), Created: d.stamp(), SCPs: []string{FullAWSAccess}}
	taken := orgError(outcrop.Conflict, "AlreadyInOrganizationException", "The provided account is already a member of an organization.")
	if err := d.add(ctx, o, taken); err != nil {
		return Organization{}, err
	}
	a.join(o.RootID, d.stamp())
	return o, d.replace(ctx, a, version)
}

func (a *Account) join(parent string, now time.Time) {
	a.Parent, a.Joined, a.SCPs = parent, now, []string{FullAWSAccess}
}

// Organization finds the organisation.
func (d *Directory) Organization(ctx context.Context) (Organization, error) {
	o, _, err := d.orgAt(ctx)
	return o, err
}

func (d *Directory) orgAt(ctx context.Context) (Organization, int64, error) {
	o, version, err := find[Organization](ctx, d, orgEntry, "", "organization")
	return o, version, mustExist(err, orgError(outcrop.NotFound, "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."))
}

// DeleteOrganization ends it, once only the management account and no unit or
// policy is left.
func (d *Directory) DeleteOrganization(ctx context.Context) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	o, version, err := d.orgAt(ctx)
	if err != nil {
		return err
	}
	inRoot, err := d.followers(ctx, parentLink+o.RootID)
	if err != nil {
		return err
	}
	scps, err := d.store.Count(ctx, scpEntry, "")
	if err != nil {
		return wrap("count policies", err)
	}
	if len(inRoot) > 1 || scps > 0 {
		return orgError(outcrop.Conflict, "OrganizationNotEmptyException", "To delete an organization you must first remove all member accounts (except the master).")
	}
	a, av, err := d.accountAt(ctx, o.Management)
	if err != nil {
		return err
	}
	a.Parent, a.Joined, a.SCPs = "", time.Time{}, nil
	if err := d.replace(ctx, a, av); err != nil {
		return err
	}
	return d.remove(ctx, o, version, concurrent())
}

// EnableSCPs makes attached SCPs hold; DisableSCPs takes all of them off,
// FullAWSAccess excepted.
func (d *Directory) EnableSCPs(ctx context.Context, root string) (Organization, error) {
	return d.switchSCPs(ctx, root, true)
}

// DisableSCPs makes SCPs count for nothing and detaches them all.
func (d *Directory) DisableSCPs(ctx context.Context, root string) (Organization, error) {
	return d.switchSCPs(ctx, root, false)
}

func (d *Directory) switchSCPs(ctx context.Context, root string, on bool) (Organization, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	o, version, err := d.orgAt(ctx)
	switch {
	case err != nil:
		return Organization{}, err
	case root != o.RootID:
		return Organization{}, orgNotFound("RootNotFoundException", "a root")
	case on && o.SCPsOn:
		return Organization{}, orgError(outcrop.Conflict, "PolicyTypeAlreadyEnabledException", "The specified policy type is already enabled in the specified root.")
	case !on && !o.SCPsOn:
		return Organization{}, policyTypeOff()
	}
	if o.SCPsOn = on; !on {
		if err := d.detachAll(ctx); err != nil {
			return Organization{}, err
		}
		o.SCPs = []string{FullAWSAccess}
	}
	return o, d.replace(ctx, o, version)
}

func policyTypeOff() error {
	return orgError(outcrop.Conflict, "PolicyTypeNotEnabledException", "The specified policy type isn't currently enabled in this root.")
}
