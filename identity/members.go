package identity

import (
	"context"
	"fmt"
	"strings"
	"time"

	"outcrop"
)

// AccessRole is the role that CreateAccount leaves in a new account for the
// management account to enter by.
const AccessRole = "OrganizationAccountAccessRole"

// CreateAccount makes an account in the organisation's root, with a role that
// its management account may assume. roleName empty is AccessRole.
func (d *Directory) CreateAccount(ctx context.Context, name, email, roleName string) (Account, error) {
	if err := goodOrgName("AccountName", name); err != nil {
		return Account{}, err
	}
	if !emails.MatchString(email) || len(email) < 6 || len(email) > 64 {
		return Account{}, orgInput("You provided a value that does not match the required pattern for Email.")
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	o, err := d.Organization(ctx)
	if err != nil {
		return Account{}, err
	}
	if n, err := d.store.Count(ctx, accountEntry, ""); err != nil || n >= MaxAccounts {
		return Account{}, or(wrap("count accounts", err), orgLimit("You have exceeded the number of accounts that you can have in an organization."))
	}
	a := Account{ID: newAccountID(), Name: name, Email: email, Created: d.stamp(), Request: lowerID("car-", 32)}
	a.join(o.RootID, d.stamp())
	if roleName == "" {
		roleName = AccessRole
	}
	r, err := d.newRole(a.ID, RoleSpec{Name: roleName, Trust: trustIn(o.Management)})
	if err != nil {
		return Account{}, err
	}
	r.Attached = []outcrop.ARN{AdministratorAccess}
	return a, d.addBoth(ctx, a, r)
}

func (d *Directory) addBoth(ctx context.Context, a Account, r Role) error {
	account, err := entryOf(a, 0)
	if err != nil {
		return err
	}
	role, err := entryOf(r, 0)
	if err != nil {
		return err
	}
	return wrap("add account", d.store.Add(ctx, Batch{Entries: []Entry{account, role}}))
}

func trustIn(account outcrop.AccountID) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole"}]}`, RootARN(account))
}

// or is the first error, or the second when there is no first.
func or(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// AccountByRequest finds the account that a CreateAccount request made.
func (d *Directory) AccountByRequest(ctx context.Context, request string) (Account, error) {
	every, err := all[Account](ctx, d, accountEntry, "")
	if err != nil {
		return Account{}, err
	}
	for _, a := range every {
		if a.Request == request && strings.HasPrefix(request, "car-") {
			return a, nil
		}
	}
	return Account{}, orgNotFound("CreateAccountStatusNotFoundException", "a create account request ID")
}

// AccountsOfOrganization lists its accounts by number.
func (d *Directory) AccountsOfOrganization(ctx context.Context, p Page) ([]Account, string, error) {
	if _, err := d.Organization(ctx); err != nil {
		return nil, "", err
	}
	return list(ctx, d, accountEntry, "", p, func(a Account) bool { return a.Parent != "" })
}

// MoveAccount moves an account from one root or unit to another. What it may
// do follows at once.
func (d *Directory) MoveAccount(ctx context.Context, id outcrop.AccountID, from, to string) error {
	return d.changeMember(ctx, id, func(o Organization, a *Account) error {
		if a.Parent != from {
			return orgNotFound("SourceParentNotFoundException", "a source root or OU")
		}
		if _, err := d.pathTo(ctx, o, to); err != nil {
			return mustExist(err, orgNotFound("DestinationParentNotFoundException", "a destination root or OU"))
		}
		if from == to {
			return orgError(outcrop.Conflict, "DuplicateAccountException", "That account is already present in the specified destination.")
		}
		a.Parent = to
		return nil
	})
}

// InviteAccount takes an account of this installation into the organisation's
// root.
func (d *Directory) InviteAccount(ctx context.Context, id outcrop.AccountID) error {
	o, err := d.Organization(ctx)
	if err != nil {
		return err
	}
	return d.changeAccount(ctx, id, func(a *Account) error {
		if a.Parent != "" {
			return orgError(outcrop.Conflict, "DuplicateAccountException", "That account is already present in the specified destination.")
		}
		a.join(o.RootID, d.stamp())
		return nil
	})
}

// RemoveAccount takes an account out of the organisation; it stays in the
// installation.
func (d *Directory) RemoveAccount(ctx context.Context, id outcrop.AccountID) error {
	return d.changeMember(ctx, id, func(o Organization, a *Account) error {
		if a.ID == o.Management {
			return orgError(outcrop.Invalid, "MasterCannotLeaveOrganizationException", "You can't remove a management account from an organization.")
		}
		a.Parent, a.Joined, a.SCPs = "", time.Time{}, nil
		return nil
	})
}

// CloseAccount suspends an account: its principals are refused.
func (d *Directory) CloseAccount(ctx context.Context, id outcrop.AccountID) error {
	return d.changeMember(ctx, id, func(o Organization, a *Account) error {
		switch {
		case a.ID == o.Management:
			return orgLimit("You cannot close the management account of an organization.")
		case a.Closed:
			return orgError(outcrop.Conflict, "AccountAlreadyClosedException", "You attempted to close an account that is already closed.")
		}
		a.Closed = true
		return nil
	})
}

// changeMember changes an account that is in the organisation.
func (d *Directory) changeMember(ctx context.Context, id outcrop.AccountID, change func(Organization, *Account) error) error {
	o, err := d.Organization(ctx)
	if err != nil {
		return err
	}
	return d.changeAccount(ctx, id, func(a *Account) error {
		if a.Parent == "" {
			return orgNotFound("AccountNotFoundException", "an account")
		}
		return change(o, a)
	})
}
