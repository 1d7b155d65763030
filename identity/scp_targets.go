package identity

import (
	"context"
	"slices"
	"strings"

	"outcrop"
)

// A Target is what SCPs are attached to: a root, a unit or an account.
type Target struct {
	ID   string
	Type string // ROOT, ORGANIZATIONAL_UNIT or ACCOUNT
	Name string
	ARN  outcrop.ARN
}

// AttachSCP attaches a policy to a root, unit or account, by id.
func (d *Directory) AttachSCP(ctx context.Context, id, target string) error {
	return d.changeTarget(ctx, id, target, func(scps *[]string) error {
		switch {
		case slices.Contains(*scps, id):
			return orgError(outcrop.Conflict, "DuplicatePolicyAttachmentException", "The selected policy is already attached to the specified target.")
		case len(*scps) >= MaxSCPsPerTarget:
			return orgLimit("You have attached the maximum number of policies of this type to the target.")
		}
		*scps = append(*scps, id)
		return nil
	})
}

// DetachSCP takes a policy off again. One always stays.
func (d *Directory) DetachSCP(ctx context.Context, id, target string) error {
	return d.changeTarget(ctx, id, target, func(scps *[]string) error {
		i := slices.Index(*scps, id)
		switch {
		case i < 0:
			return orgError(outcrop.Conflict, "PolicyNotAttachedException", "The policy isn't attached to the specified target in the specified root.")
		case len(*scps) <= MinSCPsPerTarget:
			return orgLimit("You cannot remove the last policy of this type from the target.")
		}
		*scps = slices.Delete(*scps, i, i+1)
		return nil
	})
}

func (d *Directory) changeTarget(ctx context.Context, id, target string, change func(*[]string) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	o, version, err := d.orgAt(ctx)
	if err != nil {
		return err
	}
	if !o.SCPsOn {
		return policyTypeOff()
	}
	if _, err := d.SCP(ctx, id); err != nil {
		return err
	}
	if target == o.RootID {
		if err := change(&o.SCPs); err != nil {
			return err
		}
		return d.replace(ctx, o, version)
	}
	if strings.HasPrefix(target, "ou-") {
		u, version, err := d.unitAt(ctx, target)
		if err == nil {
			err = change(&u.SCPs)
		}
		if err != nil {
			return targetError(err)
		}
		return d.replace(ctx, u, version)
	}
	a, version, err := d.accountAt(ctx, outcrop.AccountID(target))
	if err == nil && a.Parent == "" {
		err = orgNotFound("AccountNotFoundException", "an account")
	}
	if err == nil {
		err = change(&a.SCPs)
	}
	if err != nil {
		return targetError(err)
	}
	return d.replace(ctx, a, version)
}

func targetError(err error) error {
	return mustExist(err, orgNotFound("TargetNotFoundException", "a root, OU or account"))
}

// TargetsOf lists what a policy is attached to, by id.
func (d *Directory) TargetsOf(ctx context.Context, id string, p Page) ([]Target, string, error) {
	o, err := d.Organization(ctx)
	if err != nil {
		return nil, "", err
	}
	if _, err := d.SCP(ctx, id); err != nil {
		return nil, "", err
	}
	found, err := d.followers(ctx, scpLink+id)
	if err != nil {
		return nil, "", err
	}
	var targets []Target
	for _, e := range found {
		t, err := o.target(e)
		if err != nil {
			return nil, "", err
		}
		targets = append(targets, t)
	}
	return cut(targets, p, func(t Target) string { return t.ID })
}

func (o Organization) target(e Entry) (Target, error) {
	switch e.Kind {
	case orgEntry:
		return Target{o.RootID, "ROOT", "Root", o.RootARN()}, nil
	case unitEntry:
		u, err := read[Unit](e)
		return Target{u.ID, "ORGANIZATIONAL_UNIT", u.Name, o.UnitARN(u.ID)}, err
	default:
		a, err := read[Account](e)
		return Target{string(a.ID), "ACCOUNT", a.Name, o.AccountARN(a.ID)}, err
	}
}

// SCPsOf lists the policies attached to a root, unit or account itself, in
// order of name.
func (d *Directory) SCPsOf(ctx context.Context, target string, p Page) ([]SCP, string, error) {
	ids, err := d.attachedTo(ctx, target)
	if err != nil {
		return nil, "", targetError(err)
	}
	var scps []SCP
	for _, id := range ids {
		s, err := d.SCP(ctx, id)
		if err != nil {
			return nil, "", err
		}
		scps = append(scps, s)
	}
	return cut(scps, p, func(s SCP) string { return folded(s.Name) })
}

func (d *Directory) attachedTo(ctx context.Context, target string) ([]string, error) {
	o, err := d.Organization(ctx)
	switch {
	case err != nil:
		return nil, err
	case target == o.RootID:
		return o.SCPs, nil
	case strings.HasPrefix(target, "ou-"):
		u, err := d.Unit(ctx, target)
		return u.SCPs, err
	}
	a, err := d.Account(ctx, outcrop.AccountID(target))
	if err == nil && a.Parent == "" {
		err = orgNotFound("AccountNotFoundException", "an account")
	}
	return a.SCPs, err
}

// A Level is one step of the way from the root to an account, with what is
// attached there.
type Level struct {
	Target string // id of the root, unit or account
	SCPs   []SCP
}

// EffectiveSCPs are the levels from the root down to account. It is nil for
// an account that no SCP binds: one outside the organisation, the management
// account, or any while SCPs are off.
func (d *Directory) EffectiveSCPs(ctx context.Context, account outcrop.AccountID) ([]Level, error) {
	o, err := d.Organization(ctx)
	if outcrop.KindOf(err) == outcrop.NotFound {
		return nil, nil
	}
	if err != nil || !o.SCPsOn || account == o.Management {
		return nil, err
	}
	a, err := d.Account(ctx, account)
	if outcrop.KindOf(err) == outcrop.NotFound || err == nil && a.Parent == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	path, err := d.pathTo(ctx, o, a.Parent)
	if err != nil {
		return nil, err
	}
	var levels []Level
	for _, target := range append(path, string(account)) {
		scps, _, err := d.SCPsOf(ctx, target, Page{Max: maxPage})
		if err != nil {
			return nil, err
		}
		levels = append(levels, Level{target, scps})
	}
	return levels, nil
}

// detachAll leaves FullAWSAccess alone on every unit and account.
func (d *Directory) detachAll(ctx context.Context) error {
	units, err := all[Unit](ctx, d, unitEntry, "")
	if err != nil {
		return err
	}
	for _, u := range units {
		u, version, err := d.unitAt(ctx, u.ID)
		if err != nil {
			return err
		}
		u.SCPs = []string{FullAWSAccess}
		if err := d.replace(ctx, u, version); err != nil {
			return err
		}
	}
	accounts, err := all[Account](ctx, d, accountEntry, "")
	if err != nil {
		return err
	}
	for _, a := range accounts {
		a, version, err := d.accountAt(ctx, a.ID)
		if err != nil {
			return err
		}
		if a.Parent == "" {
			continue
		}
		a.SCPs = []string{FullAWSAccess}
		if err := d.replace(ctx, a, version); err != nil {
			return err
		}
	}
	return nil
}
