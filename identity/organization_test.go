package identity_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"outcrop"
	"outcrop/identity"
)

// org is a house with an organisation whose SCPs hold.
func org(t *testing.T) (*house, identity.Organization) {
	t.Helper()
	h := newHouse(t)
	h.bootstrap(t)
	o, err := h.CreateOrganization(t.Context(), account)
	h.must(t)(err)
	o, err = h.EnableSCPs(t.Context(), o.RootID)
	h.must(t)(err)
	return h, o
}

// TestOrganizationForms: identifiers and ARNs look as AWS's do (organizations
// service model).
func TestOrganizationForms(t *testing.T) {
	h, o := org(t)
	ctx, ok := t.Context(), h.must(t)
	u, err := h.CreateUnit(ctx, o.RootID, "Sandbox")
	ok(err)
	p, err := h.CreateSCP(ctx, identity.SCP{Name: "p", Content: deny("s3:*")})
	ok(err)
	a, err := h.CreateAccount(ctx, "team", "team@example.com", "")
	ok(err)
	for pattern, s := range map[string]string{
		`^o-[a-z0-9]{10,32}$`:                   o.ID,
		`^r-[0-9a-z]{4,32}$`:                    o.RootID,
		`^ou-[0-9a-z]{4,32}-[a-z0-9]{8,32}$`:    u.ID,
		`^p-[0-9a-zA-Z_]{8,128}$`:               p.ID,
		`^[1-9][0-9]{11}$`:                      string(a.ID),
		`^car-[a-z0-9]{8,32}$`:                  a.Request,
		`^arn:aws:organizations::123456789012:`: string(o.UnitARN(u.ID)),
	} {
		if !regexp.MustCompile(pattern).MatchString(s) {
			t.Errorf("%q is not %s", s, pattern)
		}
	}
	if got, want := string(o.SCPARN(p)), "arn:aws:organizations::123456789012:policy/"+o.ID+"/service_control_policy/"+p.ID; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	full, err := h.SCP(ctx, identity.FullAWSAccess)
	if err != nil || o.SCPARN(full) != "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess" {
		t.Error(o.SCPARN(full), err)
	}
	if found, err := h.AccountByRequest(ctx, a.Request); err != nil || found.ID != a.ID {
		t.Error(found, err)
	}
	r, err := h.Role(ctx, a.ID, identity.AccessRole)
	if err != nil || !strings.Contains(r.Trust, "arn:aws:iam::123456789012:root") || len(r.Attached) != 1 {
		t.Errorf("access role %+v, %v", r, err)
	}
}

func TestOrganizationRefusals(t *testing.T) {
	h := newHouse(t)
	h.bootstrap(t)
	ctx, ok := t.Context(), h.must(t)
	_, err := h.CreateUnit(ctx, "r-none", "x")
	wantAnswer(t, err, "AWSOrganizationsNotInUseException", 404, "")
	o, err := h.CreateOrganization(ctx, account)
	ok(err)
	p, err := h.CreateSCP(ctx, identity.SCP{Name: "p", Content: deny("s3:*")})
	ok(err)
	wantAnswer(t, h.AttachSCP(ctx, p.ID, o.RootID), "PolicyTypeNotEnabledException", 400, "")
	_, err = h.EnableSCPs(ctx, o.RootID)
	ok(err)
	u, err := h.CreateUnit(ctx, o.RootID, "Unit")
	ok(err)
	a, err := h.CreateAccount(ctx, "team", "team@example.com", "Door")
	ok(err)
	ok(or(h.AttachSCP(ctx, p.ID, u.ID), h.MoveAccount(ctx, a.ID, o.RootID, u.ID)))
	second := func(_ any, err error) error { return err }
	for name, c := range map[string]struct {
		err  error
		code string
	}{
		"a second organisation": {second(h.CreateOrganization(ctx, account)), "AlreadyInOrganizationException"},
		"enabled twice":         {second(h.EnableSCPs(ctx, o.RootID)), "PolicyTypeAlreadyEnabledException"},
		"no root":               {second(h.EnableSCPs(ctx, "r-none")), "RootNotFoundException"},
		"a unit twice":          {second(h.CreateUnit(ctx, o.RootID, "UNIT")), "DuplicateOrganizationalUnitException"},
		"no parent":             {second(h.CreateUnit(ctx, "ou-none-12345678", "x")), "ParentNotFoundException"},
		"no unit":               {h.DeleteUnit(ctx, "ou-none-12345678"), "OrganizationalUnitNotFoundException"},
		"a full unit":           {h.DeleteUnit(ctx, u.ID), "OrganizationalUnitNotEmptyException"},
		"a policy twice":        {second(h.CreateSCP(ctx, identity.SCP{Name: "P", Content: deny("*")})), "DuplicatePolicyException"},
		"AWS's name":            {second(h.CreateSCP(ctx, identity.SCP{Name: "FullAWSAccess", Content: deny("*")})), "DuplicatePolicyException"},
		"a bad policy":          {second(h.CreateSCP(ctx, identity.SCP{Name: "q", Content: "{}"})), "MalformedPolicyDocumentException"},
		"AWS's policy":          {h.DeleteSCP(ctx, identity.FullAWSAccess), "InvalidInputException"},
		"no policy":             {h.AttachSCP(ctx, "p-nonenone", o.RootID), "PolicyNotFoundException"},
		"no target":             {h.AttachSCP(ctx, p.ID, "ou-none-12345678"), "TargetNotFoundException"},
		"no account":            {h.AttachSCP(ctx, p.ID, "999999999999"), "TargetNotFoundException"},
		"attached twice":        {h.AttachSCP(ctx, p.ID, u.ID), "DuplicatePolicyAttachmentException"},
		"not attached":          {h.DetachSCP(ctx, p.ID, o.RootID), "PolicyNotAttachedException"},
		"the last one":          {h.DetachSCP(ctx, identity.FullAWSAccess, o.RootID), "ConstraintViolationException"},
		"in use":                {h.DeleteSCP(ctx, p.ID), "PolicyInUseException"},
		"moved from elsewhere":  {h.MoveAccount(ctx, a.ID, o.RootID, u.ID), "SourceParentNotFoundException"},
		"moved nowhere":         {h.MoveAccount(ctx, a.ID, u.ID, "ou-none-12345678"), "DestinationParentNotFoundException"},
		"moved in place":        {h.MoveAccount(ctx, a.ID, u.ID, u.ID), "DuplicateAccountException"},
		"no such account":       {h.MoveAccount(ctx, "999999999999", u.ID, o.RootID), "AccountNotFoundException"},
		"the manager leaves":    {h.RemoveAccount(ctx, account), "MasterCannotLeaveOrganizationException"},
		"not empty":             {h.DeleteOrganization(ctx), "OrganizationNotEmptyException"},
	} {
		t.Run(name, func(t *testing.T) {
			status := 400
			if outcrop.KindOf(c.err) == outcrop.NotFound {
				status = 404 // on the wire 400, as every refusal of a JSON service
			}
			wantAnswer(t, c.err, c.code, status, "")
		})
	}
	ok(or(h.RemoveAccount(ctx, a.ID), h.DeleteUnit(ctx, u.ID), h.DeleteSCP(ctx, p.ID), h.DeleteOrganization(ctx)))
}

// TestEffectiveSCPs: levels from the root down, by what is attached where.
func TestEffectiveSCPs(t *testing.T) {
	h, o := org(t)
	ctx, ok := t.Context(), h.must(t)
	a, err := h.CreateAccount(ctx, "team", "team@example.com", "")
	ok(err)
	parent, want := o.RootID, []string{o.RootID}
	for i := range identity.MaxUnitDepth {
		u, err := h.CreateUnit(ctx, parent, fmt.Sprint("level ", i))
		ok(err)
		parent, want = u.ID, append(want, u.ID)
	}
	_, err = h.CreateUnit(ctx, parent, "too deep")
	wantAnswer(t, err, "ConstraintViolationException", 400, "depth")
	p, err := h.CreateSCP(ctx, identity.SCP{Name: "p", Content: deny("s3:*")})
	ok(err)
	ok(or(h.MoveAccount(ctx, a.ID, o.RootID, parent), h.AttachSCP(ctx, p.ID, parent)))
	levels, err := h.EffectiveSCPs(ctx, a.ID)
	ok(err)
	var got []string
	for _, l := range levels {
		got = append(got, l.Target)
	}
	if fmt.Sprint(got) != fmt.Sprint(append(want, string(a.ID))) {
		t.Errorf("levels %v", got)
	}
	if deep := levels[len(levels)-2].SCPs; len(deep) != 2 || deep[1].ID != p.ID {
		t.Errorf("at the unit %v", deep)
	}
	targets, _, err := h.TargetsOf(ctx, p.ID, identity.Page{})
	if err != nil || len(targets) != 1 || targets[0].Type != "ORGANIZATIONAL_UNIT" || targets[0].ID != parent {
		t.Errorf("targets %v, %v", targets, err)
	}
	if levels, err := h.EffectiveSCPs(ctx, account); err != nil || levels != nil {
		t.Errorf("the management account: %v, %v", levels, err)
	}
	renamed, err := h.RenameUnit(ctx, parent, "LEVEL 4")
	if err != nil || renamed.Name != "LEVEL 4" {
		t.Error(renamed, err)
	}
	units, accounts, err := h.Children(ctx, o.RootID)
	if err != nil || len(units) != 1 || len(accounts) != 1 || accounts[0].ID != account {
		t.Errorf("children %v, %v, %v", units, accounts, err)
	}
}
