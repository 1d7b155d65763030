package identity

import (
	"context"
	"slices"
	"strings"

	"outcrop"
)

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
