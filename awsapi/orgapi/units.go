package orgapi

import (
	"context"
	"strings"

	"outcrop"
	"outcrop/identity"
)

// Types of what stands in the tree.
const (
	rootType    = "ROOT"
	unitType    = "ORGANIZATIONAL_UNIT"
	accountType = "ACCOUNT"
)

// typeOf tells a root, a unit and an account apart by their ids.
func typeOf(id string) string {
	switch {
	case strings.HasPrefix(id, "r-"):
		return rootType
	case strings.HasPrefix(id, "ou-"):
		return unitType
	}
	return accountType
}

func unitOf(o identity.Organization) func(identity.Unit) OrganizationalUnit {
	return func(u identity.Unit) OrganizationalUnit {
		return OrganizationalUnit{Id: u.ID, Arn: string(o.UnitARN(u.ID)), Name: u.Name}
	}
}

func (a *API) createOrganizationalUnit(ctx context.Context, who outcrop.Caller, in *CreateOrganizationalUnitInput) (*CreateOrganizationalUnitOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		return nil, untaggable()
	}
	u, err := a.Identity.CreateUnit(ctx, in.ParentId, in.Name)
	if err != nil {
		return nil, err
	}
	return &CreateOrganizationalUnitOutput{OrganizationalUnit: ptr(unitOf(o)(u))}, nil
}

func (a *API) updateOrganizationalUnit(ctx context.Context, who outcrop.Caller, in *UpdateOrganizationalUnitInput) (*UpdateOrganizationalUnitOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	u, err := a.Identity.Unit(ctx, in.OrganizationalUnitId)
	if err == nil && in.Name != "" {
		u, err = a.Identity.RenameUnit(ctx, in.OrganizationalUnitId, in.Name)
	}
	if err != nil {
		return nil, err
	}
	return &UpdateOrganizationalUnitOutput{OrganizationalUnit: ptr(unitOf(o)(u))}, nil
}

func (a *API) deleteOrganizationalUnit(ctx context.Context, who outcrop.Caller, in *DeleteOrganizationalUnitInput) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.DeleteUnit(ctx, in.OrganizationalUnitId))
}

func (a *API) describeOrganizationalUnit(ctx context.Context, who outcrop.Caller, in *DescribeOrganizationalUnitInput) (*DescribeOrganizationalUnitOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	u, err := a.Identity.Unit(ctx, in.OrganizationalUnitId)
	if err != nil {
		return nil, err
	}
	return &DescribeOrganizationalUnitOutput{OrganizationalUnit: ptr(unitOf(o)(u))}, nil
}

func (a *API) listOrganizationalUnitsForParent(ctx context.Context, who outcrop.Caller, in *ListOrganizationalUnitsForParentInput) (*ListOrganizationalUnitsForParentOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	units, _, err := a.Identity.Children(ctx, in.ParentId)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(each(units, unitOf(o)), page(in.NextToken, in.MaxResults), func(u OrganizationalUnit) string { return u.Id })
	return &ListOrganizationalUnitsForParentOutput{OrganizationalUnits: some, NextToken: next}, err
}

func (a *API) listChildren(ctx context.Context, who outcrop.Caller, in *ListChildrenInput) (*ListChildrenOutput, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	units, accounts, err := a.Identity.Children(ctx, in.ParentId)
	if err != nil {
		return nil, err
	}
	children := each(units, func(u identity.Unit) Child { return Child{u.ID, unitType} })
	if in.ChildType == accountType {
		children = each(accounts, func(m identity.Account) Child { return Child{string(m.ID), accountType} })
	}
	some, next, err := cut(children, page(in.NextToken, in.MaxResults), func(c Child) string { return c.Id })
	return &ListChildrenOutput{Children: some, NextToken: next}, err
}

// listParents finds the one parent that a unit or an account has.
func (a *API) listParents(ctx context.Context, who outcrop.Caller, in *ListParentsInput) (*ListParentsOutput, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	parent := ""
	var err error
	if typeOf(in.ChildId) == unitType {
		var u identity.Unit
		u, err = a.Identity.Unit(ctx, in.ChildId)
		parent = u.Parent
	} else {
		var m identity.Account
		m, err = a.Identity.Account(ctx, outcrop.AccountID(in.ChildId))
		parent = m.Parent
	}
	if outcrop.KindOf(err) == outcrop.NotFound || err == nil && parent == "" {
		err = failure(outcrop.NotFound, "ChildNotFoundException", "You specified a child that doesn't exist.")
	}
	return &ListParentsOutput{Parents: []Parent{{Id: parent, Type: typeOf(parent)}}}, err
}
