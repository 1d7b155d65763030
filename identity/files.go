package identity

import (
	"strings"

	"outcrop"
)

// How things are filed: their key, and what they lean on.

func (u User) filed() Entry {
	e := Entry{ID: u.ID, Kind: userEntry, Scope: string(u.Account), Key: folded(u.Name), Links: u.links()}
	for _, g := range u.Groups {
		e.Links = append(e.Links, groupLink+g)
	}
	return e
}

func (g Group) filed() Entry {
	return Entry{ID: g.ID, Kind: groupEntry, Scope: string(g.Account), Key: folded(g.Name), Links: g.links()}
}

func (r Role) filed() Entry {
	return Entry{ID: r.ID, Kind: roleEntry, Scope: string(r.Account), Key: folded(r.Name), Links: r.links()}
}

func (p ManagedPolicy) filed() Entry {
	return Entry{ID: p.ID, Kind: policyEntry, Scope: string(p.Account), Key: folded(p.Name), arn: p.ARN()}
}

func (p Provider) filed() Entry {
	return Entry{ID: string(p.ARN()), Kind: providerEntry, Scope: string(p.Account), Key: withoutScheme(p.URL)}
}

func (r Rights) links() []string {
	var links []string
	for _, a := range r.Attached {
		links = append(links, policyLink+folded(string(a)))
	}
	if r.Boundary != "" {
		links = append(links, boundaryLink+folded(string(r.Boundary)))
	}
	return links
}

func withoutScheme(url string) string { return strings.TrimPrefix(url, "https://") }

// A Ref names a user, group or role.
type Ref struct {
	Kind    EntityKind
	Account outcrop.AccountID
	Name    string
}

// An EntityKind is what policies are attached to.
type EntityKind string

// The kinds of entities.
const (
	UserEntity  EntityKind = "user"
	GroupEntity EntityKind = "group"
	RoleEntity  EntityKind = "role"
)

// UserRef names a user.
func UserRef(account outcrop.AccountID, name string) Ref { return Ref{UserEntity, account, name} }

// GroupRef names a group.
func GroupRef(account outcrop.AccountID, name string) Ref { return Ref{GroupEntity, account, name} }

// RoleRef names a role.
func RoleRef(account outcrop.AccountID, name string) Ref { return Ref{RoleEntity, account, name} }

// An entity is a user, group or role in the hands of one who changes it.
type entity interface {
	kept
	rights() *Rights
	tags() *outcrop.Tags // nil for a group, which has none
	guard() error        // nil when it may be changed
}

func (u *User) rights() *Rights      { return &u.Rights }
func (g *Group) rights() *Rights     { return &g.Rights }
func (r *Role) rights() *Rights      { return &r.Rights }
func (u *User) tags() *outcrop.Tags  { return &u.Tags }
func (g *Group) tags() *outcrop.Tags { return nil }
func (r *Role) tags() *outcrop.Tags  { return &r.Tags }
func (u *User) guard() error         { return nil }
func (g *Group) guard() error        { return nil }

func (r *Role) guard() error {
	if r.ServiceLinked {
		return protectedRole(r.Name)
	}
	return nil
}
