package identity

import (
	"context"
	"slices"
	"strings"
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

// CreateUnit makes a unit in a root or another unit.
func (d *Directory) CreateUnit(ctx context.Context, parent, name string) (Unit, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := goodOrgName("Name", name); err != nil {
		return Unit{}, err
	}
	o, err := d.Organization(ctx)
	if err != nil {
		return Unit{}, err
	}
	above, err := d.pathTo(ctx, o, parent)
	if err != nil {
		return Unit{}, mustExist(err, orgNotFound("ParentNotFoundException", "a parent"))
	}
	n, err := d.store.Count(ctx, unitEntry, "")
	switch {
	case err != nil:
		return Unit{}, wrap("count units", err)
	case n >= MaxUnits:
		return Unit{}, orgLimit("You have exceeded the number of organizational units that you can have in an organization.")
	case len(above) > MaxUnitDepth:
		return Unit{}, orgLimit("You have exceeded the allowed maximum depth of the organization's tree.")
	}
	u := Unit{ID: lowerID("ou-"+strings.TrimPrefix(o.RootID, "r-")+"-", 8), Name: name, Parent: parent, Created: d.stamp(), SCPs: []string{FullAWSAccess}}
	return u, d.add(ctx, u, duplicateUnit())
}

func duplicateUnit() error {
	return orgError(outcrop.Conflict, "DuplicateOrganizationalUnitException", "An organizational unit with the same name already exists in this parent.")
}

func goodOrgName(field, name string) error {
	if n := len([]rune(name)); n < 1 || n > maxOrgNameRunes {
		return orgInput("You provided a value for %s that is not between 1 and %d characters long.", field, maxOrgNameRunes)
	}
	return nil
}

// Unit finds an organisational unit.
func (d *Directory) Unit(ctx context.Context, id string) (Unit, error) {
	u, _, err := d.unitAt(ctx, id)
	return u, err
}

func (d *Directory) unitAt(ctx context.Context, id string) (Unit, int64, error) {
	absent := orgNotFound("OrganizationalUnitNotFoundException", "an organizational unit")
	e, err := d.store.EntryByID(ctx, id)
	if err != nil {
		return Unit{}, 0, mustExist(wrap("find unit", err), absent)
	}
	if e.Kind != unitEntry {
		return Unit{}, 0, absent
	}
	u, err := read[Unit](e)
	return u, e.Version, err
}

// RenameUnit gives a unit another name.
func (d *Directory) RenameUnit(ctx context.Context, id, name string) (Unit, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := goodOrgName("Name", name); err != nil {
		return Unit{}, err
	}
	u, version, err := d.unitAt(ctx, id)
	if err != nil {
		return Unit{}, err
	}
	was := u.filed().Key
	u.Name = name
	return u, d.rename(ctx, unitEntry, u, version, was, duplicateUnit())
}

// DeleteUnit forgets a unit without accounts and units.
func (d *Directory) DeleteUnit(ctx context.Context, id string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	u, version, err := d.unitAt(ctx, id)
	if err != nil {
		return err
	}
	switch inUse, err := d.linked(ctx, parentLink+id); {
	case err != nil:
		return err
	case inUse:
		return orgError(outcrop.Conflict, "OrganizationalUnitNotEmptyException", "The specified organizational unit is not empty. Move all accounts to another root or to other OUs, remove all child OUs, and try the operation again.")
	}
	return d.remove(ctx, u, version, concurrent())
}

// Children are the units and accounts right below a root or unit, in order
// of name and of number.
func (d *Directory) Children(ctx context.Context, parent string) (units []Unit, accounts []Account, err error) {
	o, err := d.Organization(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err := d.pathTo(ctx, o, parent); err != nil {
		return nil, nil, mustExist(err, orgNotFound("ParentNotFoundException", "a parent"))
	}
	found, err := d.followers(ctx, parentLink+parent)
	if err != nil {
		return nil, nil, err
	}
	slices.SortFunc(found, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	for _, e := range found {
		if e.Kind == unitEntry {
			units, err = appendRead(units, e)
		} else {
			accounts, err = appendRead(accounts, e)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return units, accounts, nil
}

// pathTo lists a root or unit and what is above it, root first.
func (d *Directory) pathTo(ctx context.Context, o Organization, id string) ([]string, error) {
	var path []string
	for range MaxUnitDepth + 2 {
		path = append(path, id)
		if id == o.RootID {
			slices.Reverse(path)
			return path, nil
		}
		u, err := d.Unit(ctx, id)
		if err != nil {
			return nil, err
		}
		id = u.Parent
	}
	return nil, orgLimit("You have exceeded the allowed maximum depth of the organization's tree.")
}
