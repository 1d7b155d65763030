package identity

import (
	"context"
	"slices"
	"strings"
	"sync"

	"outcrop"
	"outcrop/iam"
)

// Grants are everything a decision about one caller needs, compiled. They are
// shared between requests: nobody changes them.
type Grants struct {
	Policies iam.Policies
	Tags     outcrop.Tags // of the user or role, session tags over them
	UserID   string       // aws:userid
	UserName string       // aws:username; empty unless the caller is a user
	Role     outcrop.ARN  // behind a session; empty for a user

	session *outcrop.Session // what they were gathered for
	leans   []string         // ids of what they were concluded from

	once     sync.Once
	compiled *iam.Compiled // made by the first question
}

// PoliciesOf gathers what holds for a caller: identity policies of the user
// and its groups or of the role, permissions boundary, session policies, and
// the SCPs above the account. It answers from memory until something that it
// leans on changes. A caller who is no longer there is refused.
func (d *Directory) PoliciesOf(ctx context.Context, who outcrop.Caller) (*Grants, error) {
	key := who.UserID
	if who.Session != nil {
		key = who.AccessKey // temporary credentials have one for themselves
	}
	return d.grants.get(key, who, func() (*Grants, error) { return d.gather(ctx, who) })
}

func (d *Directory) gather(ctx context.Context, who outcrop.Caller) (*Grants, error) {
	if a, err := d.Account(ctx, who.Account); err == nil && a.Closed {
		return nil, unrecognized()
	} else if err != nil && outcrop.KindOf(err) != outcrop.NotFound {
		return nil, err
	}
	g := &Grants{UserID: who.UserID, session: who.Session}
	var err error
	switch {
	case who.Session != nil && who.Session.Role != "":
		err = d.gatherRole(ctx, g, who)
	case who.Principal == RootARN(who.Account):
		g.Policies.Root = true
		err = d.gatherSCPs(ctx, g, who.Account)
	default:
		err = d.gatherUser(ctx, g, who)
	}
	if err == nil && who.Session != nil {
		err = d.gatherSession(ctx, g, who.Session)
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (d *Directory) gatherUser(ctx context.Context, g *Grants, who outcrop.Caller) error {
	id, _, _ := strings.Cut(who.UserID, ":") // a federated user's id ends with its name
	e, err := d.store.EntryByID(ctx, id)
	if err != nil {
		return mustExist(wrap("find user", err), unrecognized())
	}
	u, err := read[User](e)
	if err != nil {
		return err
	}
	if e.Kind != userEntry || u.Account != who.Account {
		return unrecognized()
	}
	g.UserName, g.Tags = u.Name, u.Tags
	if err := d.gatherRights(ctx, g, u.Account, u.ID, u.Rights); err != nil {
		return err
	}
	groups, err := d.groupsOf(ctx, u)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if err := d.gatherRights(ctx, g, u.Account, group.ID, group.Rights); err != nil {
			return err
		}
	}
	return d.gatherSCPs(ctx, g, u.Account)
}

// gatherRole takes the role as it is now. A role of the same name that was
// made after the session's is another: its id does not begin the session's.
func (d *Directory) gatherRole(ctx context.Context, g *Grants, who outcrop.Caller) error {
	r, err := d.RoleByARN(ctx, who.Session.Role)
	if err != nil {
		return mustExist(err, unrecognized())
	}
	if id, _, _ := strings.Cut(who.UserID, ":"); id != r.ID {
		return unrecognized()
	}
	g.Role, g.Tags = r.ARN(), r.Tags
	if err := d.gatherRights(ctx, g, r.Account, r.ID, r.Rights); err != nil {
		return err
	}
	if r.ServiceLinked { // SCPs do not bind these (control-plane.md §6.5)
		return nil
	}
	return d.gatherSCPs(ctx, g, r.Account)
}

// gatherRights adds what hangs on one user, group or role.
func (d *Directory) gatherRights(ctx context.Context, g *Grants, account outcrop.AccountID, id string, r Rights) error {
	g.leans = append(g.leans, id)
	policies, err := d.compileRights(ctx, account, r)
	if err != nil {
		return err
	}
	g.Policies.Identity = append(g.Policies.Identity, policies...)
	for _, arn := range append(slices.Clone(r.Attached), r.Boundary) {
		if arn != "" {
			g.leans = append(g.leans, policyLean(arn))
		}
	}
	if r.Boundary == "" {
		return nil
	}
	boundary, err := d.compileManaged(ctx, account, r.Boundary, iam.IdentityPolicy)
	g.Policies.Boundary = []*iam.Policy{boundary}
	return err
}

// gatherSession narrows g to the session policies, of which several together
// allow what any of them does, and lays session tags over the principal's.
func (d *Directory) gatherSession(ctx context.Context, g *Grants, s *outcrop.Session) error {
	for _, text := range s.Policies {
		p, err := d.compileSession(ctx, text)
		if err != nil {
			return err
		}
		g.Policies.Session = append(g.Policies.Session, p)
	}
	if len(s.Tags) == 0 {
		return nil
	}
	tags := outcrop.Tags{}
	for k, v := range g.Tags {
		tags[k] = v
	}
	for k, v := range s.Tags {
		dropTag(tags, k)
		tags[k] = v
	}
	g.Tags = tags
	return nil
}

// compileSession reads a policy passed inline and, failing that, a copy of a
// managed one, which may be longer. Both were checked when the session began.
func (d *Directory) compileSession(ctx context.Context, text string) (*iam.Policy, error) {
	p, err := d.compile(ctx, "session policy", text, iam.SessionPolicy)
	if err != nil {
		return d.compile(ctx, "session policy", text, iam.IdentityPolicy)
	}
	return p, nil
}

func (d *Directory) gatherSCPs(ctx context.Context, g *Grants, account outcrop.AccountID) error {
	levels, err := d.EffectiveSCPs(ctx, account)
	if err != nil || levels == nil {
		return err
	}
	o, err := d.Organization(ctx)
	if err != nil {
		return err
	}
	for _, l := range levels {
		level := []*iam.Policy{}
		for _, s := range l.SCPs {
			p, err := d.compile(ctx, string(o.SCPARN(s)), s.Content, iam.ServiceControlPolicy)
			if err != nil {
				return err
			}
			level = append(level, p)
		}
		g.Policies.SCPs = append(g.Policies.SCPs, level)
	}
	return nil
}

func policyLean(arn outcrop.ARN) string { return policyLink + folded(string(arn)) }
