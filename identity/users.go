package identity

import (
	"context"
	"slices"

	"outcrop"
)

// A UserSpec is what CreateUser of IAM takes.
type UserSpec struct {
	Name     string
	Path     string // empty is /
	Boundary outcrop.ARN
	Tags     outcrop.Tags
}

// CreateUser makes a user without credentials.
func (d *Directory) CreateUser(ctx context.Context, account outcrop.AccountID, name string) (User, error) {
	return d.CreateUserWith(ctx, account, UserSpec{Name: name})
}

// CreateUserWith makes a user with a path, tags and boundary of its own.
func (d *Directory) CreateUserWith(ctx context.Context, account outcrop.AccountID, s UserSpec) (User, error) {
	u, err := d.newUser(account, s)
	if err != nil {
		return User{}, err
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.knownBoundary(ctx, account, &u.Boundary); err != nil {
		return User{}, err
	}
	if err := d.room(ctx, userEntry, account, MaxUsersPerAccount, "UsersPerAccount"); err != nil {
		return User{}, err
	}
	return u, d.add(ctx, u, alreadyExists("User", u.Name))
}

func (d *Directory) newUser(account outcrop.AccountID, s UserSpec) (User, error) {
	path, err := nameAndPath(account, "userName", s.Name, s.Path, userNames.MatchString)
	if err != nil {
		return User{}, err
	}
	if err := goodTags(s.Tags); err != nil {
		return User{}, err
	}
	return User{ID: newID("AIDA", 17), Account: account, Name: s.Name, Path: path, Created: d.stamp(),
		Tags: s.Tags.Clone(), Rights: Rights{Boundary: s.Boundary}}, nil
}

// User finds a user by name, whatever the case.
func (d *Directory) User(ctx context.Context, account outcrop.AccountID, name string) (User, error) {
	u, _, err := d.userAt(ctx, account, name)
	return u, err
}

func (d *Directory) userAt(ctx context.Context, account outcrop.AccountID, name string) (User, int64, error) {
	u, version, err := find[User](ctx, d, userEntry, string(account), folded(name))
	return u, version, mustExist(err, notFound("user", name))
}

// ListUsers lists the users below pathPrefix (empty: all) in order of name.
func (d *Directory) ListUsers(ctx context.Context, account outcrop.AccountID, pathPrefix string, p Page) ([]User, string, error) {
	return list(ctx, d, userEntry, string(account), p, func(u User) bool { return underPath(pathPrefix, u.Path) })
}

// RenameUser changes a user's name and path; an empty one stays. The user
// keeps its id, keys, groups and policies.
func (d *Directory) RenameUser(ctx context.Context, account outcrop.AccountID, name, newName, newPath string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	u, version, err := d.userAt(ctx, account, name)
	if err != nil {
		return err
	}
	if newName != "" {
		u.Name = newName
	}
	if newPath != "" {
		u.Path = newPath
	}
	if u.Path, err = nameAndPath(account, "userName", u.Name, u.Path, userNames.MatchString); err != nil {
		return err
	}
	return d.rename(ctx, userEntry, u, version, name, alreadyExists("User", u.Name))
}

// rename replaces a thing under what may be another key.
func (d *Directory) rename(ctx context.Context, kind EntryKind, x kept, version int64, from string, taken error) error {
	e := x.filed()
	if e.Key != folded(from) {
		_, err := d.store.Entry(ctx, kind, e.Scope, e.Key)
		if err == nil {
			return taken
		}
		if outcrop.KindOf(err) != outcrop.NotFound {
			return wrap("find "+string(kind), err)
		}
	}
	return d.replace(ctx, x, version)
}

// DeleteUser forgets a user that has no keys, groups or policies left.
func (d *Directory) DeleteUser(ctx context.Context, account outcrop.AccountID, name string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	u, version, err := d.userAt(ctx, account, name)
	if err != nil {
		return err
	}
	access, err := d.store.AccessKeysOf(ctx, u.ID)
	if err != nil {
		return wrap("list access keys", err)
	}
	api, err := d.store.APIKeysOf(ctx, u.ID)
	switch {
	case err != nil:
		return wrap("list API keys", err)
	case len(access) > 0:
		return deleteConflict("Cannot delete entity, must delete access keys first.")
	case len(api) > 0:
		return deleteConflict("Cannot delete entity, must delete service specific credentials first.")
	case len(u.Groups) > 0:
		return deleteConflict("Cannot delete entity, must remove users from group first.")
	}
	if err := u.bare(); err != nil {
		return err
	}
	return d.remove(ctx, u, version, deleteConflict("Cannot delete entity, must delete access keys first."))
}

// bare says what policies still hang on an entity that is to go.
func (r Rights) bare() error {
	switch {
	case len(r.Attached) > 0:
		return deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(r.Inline) > 0:
		return deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}

// GroupsOf lists a user's groups in order of name.
func (d *Directory) GroupsOf(ctx context.Context, account outcrop.AccountID, userName string, p Page) ([]Group, string, error) {
	u, err := d.User(ctx, account, userName)
	if err != nil {
		return nil, "", err
	}
	groups, err := d.groupsOf(ctx, u)
	if err != nil {
		return nil, "", err
	}
	return cut(groups, p, func(g Group) string { return folded(g.Name) })
}

func (d *Directory) groupsOf(ctx context.Context, u User) ([]Group, error) {
	var groups []Group
	for _, id := range u.Groups {
		g, err := d.groupByID(ctx, id)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// AddToGroup makes a user a member; twice is once.
func (d *Directory) AddToGroup(ctx context.Context, account outcrop.AccountID, group, user string) error {
	return d.membership(ctx, account, group, user, func(u *User, id string) error {
		switch {
		case slices.Contains(u.Groups, id):
		case len(u.Groups) >= MaxGroupsPerUser:
			return quota("GroupsPerUser", MaxGroupsPerUser)
		default:
			u.Groups = append(u.Groups, id)
		}
		return nil
	})
}

// RemoveFromGroup ends a membership.
func (d *Directory) RemoveFromGroup(ctx context.Context, account outcrop.AccountID, group, user string) error {
	return d.membership(ctx, account, group, user, func(u *User, id string) error {
		u.Groups = slices.DeleteFunc(u.Groups, func(g string) bool { return g == id })
		return nil
	})
}

func (d *Directory) membership(ctx context.Context, account outcrop.AccountID, group, user string, change func(*User, string) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	g, _, err := d.groupAt(ctx, account, group)
	if err != nil {
		return err
	}
	u, version, err := d.userAt(ctx, account, user)
	if err != nil {
		return err
	}
	if err := change(&u, g.ID); err != nil {
		return err
	}
	return d.replace(ctx, u, version)
}

// room says whether an account may have another of kind.
func (d *Directory) room(ctx context.Context, kind EntryKind, account outcrop.AccountID, limit int, name string) error {
	n, err := d.store.Count(ctx, kind, string(account))
	if err == nil && n >= limit {
		return quota(name, limit)
	}
	return wrap("count "+string(kind), err)
}

// nameAndPath checks both; the path comes back whole.
func nameAndPath(account outcrop.AccountID, field, name, path string, good func(string) bool) (string, error) {
	if !accountIDs.MatchString(string(account)) {
		return "", outcrop.Errorf(outcrop.Invalid, "account %q is not a 12-digit account number", account)
	}
	if !good(name) {
		return "", badName(field)
	}
	if path == "" {
		path = "/"
	}
	if !paths.MatchString(path) {
		return "", badPath()
	}
	return path, nil
}
