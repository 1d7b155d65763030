package identity

import (
	"context"
	"strings"
	"time"

	"outcrop"
)

// A RoleSpec is what CreateRole of IAM takes.
type RoleSpec struct {
	Name          string
	Path          string // empty is /
	Trust         string // AssumeRolePolicyDocument
	Description   string
	MaxSession    time.Duration // zero is MinSessionDuration
	Boundary      outcrop.ARN
	Tags          outcrop.Tags
	ServiceLinked bool
}

// CreateRole makes a role without policies.
func (d *Directory) CreateRole(ctx context.Context, account outcrop.AccountID, s RoleSpec) (Role, error) {
	r, err := d.newRole(account, s)
	if err != nil {
		return Role{}, err
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.knownBoundary(ctx, account, &r.Boundary); err != nil {
		return Role{}, err
	}
	if err := d.room(ctx, roleEntry, account, MaxRolesPerAccount, "RolesPerAccount"); err != nil {
		return Role{}, err
	}
	return r, d.add(ctx, r, alreadyExists("Role", r.Name))
}

func (d *Directory) newRole(account outcrop.AccountID, s RoleSpec) (Role, error) {
	path, err := nameAndPath(account, "roleName", s.Name, s.Path, userNames.MatchString)
	if err != nil {
		return Role{}, err
	}
	if err := goodTags(s.Tags); err != nil {
		return Role{}, err
	}
	if err := goodTrust(s.Trust); err != nil {
		return Role{}, err
	}
	r := Role{ID: newID("AROA", 17), Account: account, Name: s.Name, Path: path, Created: d.stamp(), Trust: s.Trust,
		MaxSession: MinSessionDuration, ServiceLinked: s.ServiceLinked, Tags: s.Tags.Clone(), Rights: Rights{Boundary: s.Boundary}}
	change := RoleChange{Description: &s.Description}
	if s.MaxSession != 0 {
		change.MaxSession = &s.MaxSession
	}
	return r, change.apply(&r)
}

// A RoleChange is what UpdateRole takes; nil leaves as it is.
type RoleChange struct {
	Description *string
	MaxSession  *time.Duration
}

func (c RoleChange) apply(r *Role) error {
	if c.Description != nil {
		if !descriptions.MatchString(*c.Description) {
			return constraint(*c.Description, "description", "Member must satisfy regular expression pattern: [\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*")
		}
		r.Description = *c.Description
	}
	if c.MaxSession == nil {
		return nil
	}
	seconds := int64(*c.MaxSession / time.Second)
	switch {
	case *c.MaxSession < MinSessionDuration:
		return constraint(seconds, "maxSessionDuration", "Member must have value greater than or equal to 3600")
	case *c.MaxSession > MaxSessionDuration:
		return constraint(seconds, "maxSessionDuration", "Member must have value less than or equal to 43200")
	}
	r.MaxSession = *c.MaxSession
	return nil
}

// Role finds a role by name, whatever the case.
func (d *Directory) Role(ctx context.Context, account outcrop.AccountID, name string) (Role, error) {
	r, _, err := d.roleAt(ctx, account, name)
	return r, err
}

// RoleByARN finds a role by its ARN, which must have the role's exact path
// and name. It is what AssumeRole is asked for.
func (d *Directory) RoleByARN(ctx context.Context, arn outcrop.ARN) (Role, error) {
	p := arn.Parts()
	name := p.Resource[strings.LastIndexByte(p.Resource, '/')+1:]
	r, err := d.Role(ctx, p.Account, name)
	if err == nil && r.ARN() != arn {
		return Role{}, notFound("role", name)
	}
	return r, err
}

func (d *Directory) roleAt(ctx context.Context, account outcrop.AccountID, name string) (Role, int64, error) {
	r, version, err := find[Role](ctx, d, roleEntry, string(account), folded(name))
	return r, version, mustExist(err, notFound("role", name))
}

// ListRoles lists the roles below pathPrefix (empty: all) in order of name.
func (d *Directory) ListRoles(ctx context.Context, account outcrop.AccountID, pathPrefix string, p Page) ([]Role, string, error) {
	return list(ctx, d, roleEntry, string(account), p, func(r Role) bool { return underPath(pathPrefix, r.Path) })
}

// UpdateRole changes a role's description and longest session.
func (d *Directory) UpdateRole(ctx context.Context, account outcrop.AccountID, name string, c RoleChange) (Role, error) {
	return d.changeRole(ctx, account, name, c.apply)
}

// SetTrust replaces the policy that says who may assume a role.
func (d *Directory) SetTrust(ctx context.Context, account outcrop.AccountID, name, document string) error {
	if err := goodTrust(document); err != nil {
		return err
	}
	_, err := d.changeRole(ctx, account, name, func(r *Role) error {
		r.Trust = document
		return nil
	})
	return err
}

func (d *Directory) changeRole(ctx context.Context, account outcrop.AccountID, name string, change func(*Role) error) (Role, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	r, version, err := d.roleAt(ctx, account, name)
	if err != nil {
		return Role{}, err
	}
	if err := r.guard(); err != nil {
		return Role{}, err
	}
	if err := change(&r); err != nil {
		return Role{}, err
	}
	return r, d.replace(ctx, r, version)
}

// DeleteRole forgets a role that has no policies left. A service-linked one
// goes by DeleteServiceLinkedRole alone.
func (d *Directory) DeleteRole(ctx context.Context, account outcrop.AccountID, name string) error {
	return d.deleteRole(ctx, account, name, func(r *Role) error { return r.guard() })
}

// DeleteServiceLinkedRole forgets a role of AWS's own.
func (d *Directory) DeleteServiceLinkedRole(ctx context.Context, account outcrop.AccountID, name string) error {
	return d.deleteRole(ctx, account, name, func(r *Role) error {
		if !r.ServiceLinked {
			return invalidInput("The role %s is not a service-linked role.", r.Name)
		}
		r.Attached, r.Inline = nil, nil
		return nil
	})
}

func (d *Directory) deleteRole(ctx context.Context, account outcrop.AccountID, name string, may func(*Role) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	r, version, err := d.roleAt(ctx, account, name)
	if err != nil {
		return err
	}
	if err := may(&r); err != nil {
		return err
	}
	if err := r.bare(); err != nil {
		return err
	}
	return d.remove(ctx, r, version, concurrent())
}
