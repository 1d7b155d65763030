package iamapi

import (
	"context"
	"errors"
	"maps"
	"slices"

	"outcrop"
	"outcrop/iam"
	"outcrop/identity"
)

// A principal is a user, role or group whose policies are simulated.
type principal struct {
	account  outcrop.AccountID
	known    bool        // false for a group and for policies of nobody
	arn      outcrop.ARN // of the user or of a session of the role
	role     outcrop.ARN // behind the session
	id       string
	tags     outcrop.Tags
	identity []source
	boundary []source // nil when there is none
}

// principal finds who an ARN means and what policies they have. Policies are
// called as AWS calls them: managed ones by name, inline ones by whose they
// are, such as role_deploy_AllowInvoke.
func (a *API) principal(ctx context.Context, account outcrop.AccountID, arn outcrop.ARN) (*principal, error) {
	p := arn.Parts()
	name := nameOf(p)
	ref := identity.Ref{Kind: identity.EntityKind(p.ResourceType()), Account: account, Name: name}
	if p.Service != "iam" || p.ResourceID() == "" || !slices.Contains([]identity.EntityKind{identity.UserEntity, identity.RoleEntity, identity.GroupEntity}, ref.Kind) {
		return nil, invalidInput("Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	who, found, err := a.who(ctx, ref)
	if err != nil {
		return nil, err
	}
	if found != arn {
		return nil, noSuchEntity("The %s with name %s cannot be found.", ref.Kind, name)
	}
	refs := []identity.Ref{ref}
	if ref.Kind == identity.UserEntity {
		groups, err := everything(identity.MaxGroupsPerUser, func(p identity.Page) ([]identity.Group, string, error) {
			return a.Identity.GroupsOf(ctx, account, name, p)
		})
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			refs = append(refs, identity.GroupRef(account, g.Name))
		}
	}
	return who, a.collect(ctx, who, refs)
}

// who describes a principal, without its policies, and gives its ARN.
func (a *API) who(ctx context.Context, ref identity.Ref) (*principal, outcrop.ARN, error) {
	switch ref.Kind {
	case identity.UserEntity:
		u, err := a.Identity.User(ctx, ref.Account, ref.Name)
		return &principal{account: ref.Account, known: true, arn: u.ARN(), id: u.ID, tags: u.Tags}, u.ARN(), err
	case identity.RoleEntity:
		r, err := a.Identity.Role(ctx, ref.Account, ref.Name)
		return &principal{account: ref.Account, known: true, arn: sessionOf(r.ARN().Parts()), role: r.ARN(), id: r.ID, tags: r.Tags}, r.ARN(), err
	default:
		g, err := a.Identity.Group(ctx, ref.Account, ref.Name)
		return &principal{account: ref.Account}, g.ARN(), err
	}
}

// sessionOf is a session of a role as the policies of others see it.
func sessionOf(role outcrop.ARNParts) outcrop.ARN {
	return outcrop.ARNParts{Partition: role.Partition, Service: "sts", Account: role.Account, Resource: "assumed-role/" + nameOf(role) + "/simulation"}.ARN()
}

// collect reads the policies of a principal and of its groups.
func (a *API) collect(ctx context.Context, who *principal, refs []identity.Ref) error {
	for i, ref := range refs {
		rights, err := a.Identity.Rights(ctx, ref)
		if err != nil {
			return err
		}
		for _, arn := range rights.Attached {
			if who.identity, err = a.appendManaged(ctx, who.identity, ref.Account, arn); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(rights.Inline)) {
			id := string(ref.Kind) + "_" + ref.Name + "_" + name
			s, err := newSource(id, id, rights.Inline[name], iam.IdentityPolicy)
			if err != nil {
				return err
			}
			who.identity = append(who.identity, s)
		}
		if i == 0 && rights.Boundary != "" {
			if who.boundary, err = a.appendManaged(ctx, nil, ref.Account, rights.Boundary); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *API) appendManaged(ctx context.Context, list []source, account outcrop.AccountID, arn outcrop.ARN) ([]source, error) {
	p, err := a.Identity.Policy(ctx, account, arn)
	if err != nil {
		return nil, err
	}
	s, err := newSource(string(p.ARN()), p.Name, p.Document(), iam.IdentityPolicy)
	return append(list, s), err
}

// message is what the client may read of a refusal.
func message(err error) string {
	var e *outcrop.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return "The policy could not be read."
}
