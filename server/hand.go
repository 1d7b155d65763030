package server

import (
	"context"
	"errors"

	"outcrop"
	"outcrop/awsapi/iamapi"
	"outcrop/awsapi/orgapi"
	"outcrop/budget"
	"outcrop/iam"
	"outcrop/identity"
)

// A hand attaches the policies of budget actions.
type hand struct{ identity *identity.Directory }

// Apply implements budget.Hand.
func (h hand) Apply(ctx context.Context, a outcrop.AccountID, d budget.Definition) error {
	return h.each(ctx, a, d, func(who identity.Ref) error { return h.identity.AttachPolicy(ctx, who, d.Policy) },
		func(target string) error {
			return but("DuplicatePolicyAttachmentException", h.identity.AttachSCP(ctx, d.SCP, target))
		})
}

// Revert implements budget.Hand.
func (h hand) Revert(ctx context.Context, a outcrop.AccountID, d budget.Definition) error {
	return h.each(ctx, a, d, func(who identity.Ref) error { return but("NoSuchEntity", h.identity.DetachPolicy(ctx, who, d.Policy)) },
		func(target string) error {
			return but("PolicyNotAttachedException", h.identity.DetachSCP(ctx, d.SCP, target))
		})
}

func (h hand) each(ctx context.Context, a outcrop.AccountID, d budget.Definition, attach func(identity.Ref) error, scp func(string) error) error {
	var errs []error
	for _, name := range d.Users {
		errs = append(errs, attach(identity.UserRef(a, name)))
	}
	for _, name := range d.Roles {
		errs = append(errs, attach(identity.RoleRef(a, name)))
	}
	for _, name := range d.Groups {
		errs = append(errs, attach(identity.GroupRef(a, name)))
	}
	if len(d.Targets) > 0 {
		o, err := h.identity.Organization(ctx)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if o.Management != a { // it may have joined since the action was made
			return errors.Join(append(errs, outcrop.Errorf(outcrop.Denied, "Only the organization's management account attaches its policies."))...)
		}
	}
	for _, t := range d.Targets {
		errs = append(errs, scp(t))
	}
	return errors.Join(errs...)
}

// but forgives one code: what was to be done is done.
func but(code string, err error) error {
	var e *outcrop.Error
	if errors.As(err, &e) && e.Code == code {
		return nil
	}
	return err
}

// checks are what who has to be allowed to do to have it done by an action: it
// is carried out with nobody's permissions, so that who defines it must have
// them. Else leave to make budgets would be leave to do anything.
func (h hand) checks(ctx context.Context, who outcrop.Caller, d budget.Definition) (all []iam.Check) {
	i, o := iamapi.New(iamapi.Config{Identity: h.identity}), orgapi.New(orgapi.Config{Identity: h.identity})
	for kind, names := range map[string][]string{"User": d.Users, "Role": d.Roles, "Group": d.Groups} {
		for _, name := range names {
			in := map[string]any{kind + "Name": name, "PolicyArn": string(d.Policy)}
			all = append(all, i.Checks(ctx, who, "Attach"+kind+"Policy", in)...)
			all = append(all, i.Checks(ctx, who, "Detach"+kind+"Policy", in)...)
		}
	}
	for _, target := range d.Targets {
		in := map[string]any{"PolicyId": d.SCP, "TargetId": target}
		all = append(all, o.Checks(ctx, "AttachPolicy", in)...)
		all = append(all, o.Checks(ctx, "DetachPolicy", in)...)
	}
	return all
}
