package identity

import (
	"context"

	"outcrop"
)

// CreateGroup makes a group; an empty path is /.
func (d *Directory) CreateGroup(ctx context.Context, account outcrop.AccountID, name, path string) (Group, error) {
	path, err := nameAndPath(account, "groupName", name, path, groupNames.MatchString)
	if err != nil {
		return Group{}, err
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if err := d.room(ctx, groupEntry, account, MaxGroupsPerAccount, "GroupsPerAccount"); err != nil {
		return Group{}, err
	}
	g := Group{ID: newID("AGPA", 17), Account: account, Name: name, Path: path, Created: d.stamp()}
	return g, d.add(ctx, g, alreadyExists("Group", name))
}

// Group finds a group by name, whatever the case.
func (d *Directory) Group(ctx context.Context, account outcrop.AccountID, name string) (Group, error) {
	g, _, err := d.groupAt(ctx, account, name)
	return g, err
}

func (d *Directory) groupAt(ctx context.Context, account outcrop.AccountID, name string) (Group, int64, error) {
	g, version, err := find[Group](ctx, d, groupEntry, string(account), folded(name))
	return g, version, mustExist(err, notFound("group", name))
}

func (d *Directory) groupByID(ctx context.Context, id string) (Group, error) {
	e, err := d.store.EntryByID(ctx, id)
	if err != nil {
		return Group{}, wrap("find group", err)
	}
	return read[Group](e)
}

// ListGroups lists the groups below pathPrefix (empty: all) in order of name.
func (d *Directory) ListGroups(ctx context.Context, account outcrop.AccountID, pathPrefix string, p Page) ([]Group, string, error) {
	return list(ctx, d, groupEntry, string(account), p, func(g Group) bool { return underPath(pathPrefix, g.Path) })
}

// Members lists a group's users in order of name.
func (d *Directory) Members(ctx context.Context, account outcrop.AccountID, group string, p Page) ([]User, string, error) {
	g, err := d.Group(ctx, account, group)
	if err != nil {
		return nil, "", err
	}
	found, err := d.followers(ctx, groupLink+g.ID)
	if err != nil {
		return nil, "", err
	}
	users := make([]User, len(found))
	for i, e := range found {
		if users[i], err = read[User](e); err != nil {
			return nil, "", err
		}
	}
	return cut(users, p, func(u User) string { return folded(u.Name) })
}

// RenameGroup changes a group's name and path; an empty one stays.
func (d *Directory) RenameGroup(ctx context.Context, account outcrop.AccountID, name, newName, newPath string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	g, version, err := d.groupAt(ctx, account, name)
	if err != nil {
		return err
	}
	if newName != "" {
		g.Name = newName
	}
	if newPath != "" {
		g.Path = newPath
	}
	if g.Path, err = nameAndPath(account, "groupName", g.Name, g.Path, groupNames.MatchString); err != nil {
		return err
	}
	return d.rename(ctx, groupEntry, g, version, name, alreadyExists("Group", g.Name))
}

// DeleteGroup forgets a group that has no members or policies left.
func (d *Directory) DeleteGroup(ctx context.Context, account outcrop.AccountID, name string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	g, version, err := d.groupAt(ctx, account, name)
	if err != nil {
		return err
	}
	switch inUse, err := d.linked(ctx, groupLink+g.ID); {
	case err != nil:
		return err
	case inUse:
		return deleteConflict("Cannot delete entity, must remove users from group first.")
	}
	if err := g.bare(); err != nil {
		return err
	}
	return d.remove(ctx, g, version, concurrent())
}
