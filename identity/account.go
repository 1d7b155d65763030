package identity

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"time"

	"outcrop"
)

// An Account holds identities of its own. One installation has one at first,
// and more when its organisation makes them.
type Account struct {
	ID      outcrop.AccountID
	Name    string
	Email   string
	Alias   string // for sign-in; empty when it has none
	Created time.Time

	// Membership of the organisation; all empty outside it.
	Parent  string // id of the root or unit it is in
	Joined  time.Time
	SCPs    []string // ids of the policies attached to it, in order of attachment
	Request string   // car-…, the CreateAccount request that made it
	Closed  bool     // suspended by CloseAccount
}

func (a Account) filed() Entry {
	e := Entry{ID: "account:" + string(a.ID), Kind: accountEntry, Key: string(a.ID), Links: scpLinks(a.SCPs)}
	if a.Parent != "" {
		e.Links = append(e.Links, parentLink+a.Parent)
	}
	return e
}

// RootARN is the principal of an account's root user.
func RootARN(account outcrop.AccountID) outcrop.ARN {
	return outcrop.ARNParts{Partition: "aws", Service: "iam", Account: account, Resource: "root"}.ARN()
}

// Root is the root user of account as a Caller: only SCPs bind it.
func Root(account outcrop.AccountID) outcrop.Caller {
	return outcrop.Caller{Account: account, Principal: RootARN(account), UserID: string(account)}
}

// Account finds an account.
func (d *Directory) Account(ctx context.Context, id outcrop.AccountID) (Account, error) {
	a, _, err := d.accountAt(ctx, id)
	return a, err
}

func (d *Directory) accountAt(ctx context.Context, id outcrop.AccountID) (Account, int64, error) {
	a, version, err := find[Account](ctx, d, accountEntry, "", string(id))
	return a, version, mustExist(err, orgNotFound("AccountNotFoundException", "an account"))
}

// Accounts lists every account of the installation by its number.
func (d *Directory) Accounts(ctx context.Context, p Page) ([]Account, string, error) {
	return list(ctx, d, accountEntry, "", p, func(Account) bool { return true })
}

// AddAccount makes an account outside the organisation, with the number given.
func (d *Directory) AddAccount(ctx context.Context, id outcrop.AccountID, name, email string) (Account, error) {
	if !accountIDs.MatchString(string(id)) {
		return Account{}, outcrop.Errorf(outcrop.Invalid, "account %q is not a 12-digit account number", id)
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	a := Account{ID: id, Name: name, Email: email, Created: d.stamp()}
	return a, d.add(ctx, a, orgError(outcrop.Conflict, "DuplicateAccountException", "That account is already present in the specified destination."))
}

// newAccountID draws twelve digits; the first is not zero, so that tools which
// take them for a number keep all of them.
func newAccountID() outcrop.AccountID {
	n, err := rand.Int(rand.Reader, big.NewInt(900_000_000_000))
	if err != nil { // never (crypto/rand)
		n = new(big.Int)
	}
	return outcrop.AccountID(fmt.Sprintf("%012d", n.Int64()+100_000_000_000))
}

// SetAlias gives an account its alias in place of an earlier one. Aliases are
// unique in the installation.
func (d *Directory) SetAlias(ctx context.Context, account outcrop.AccountID, alias string) error {
	if !aliases.MatchString(alias) || len(alias) > 63 {
		return constraint(alias, "accountAlias", "Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$")
	}
	return d.changeAccount(ctx, account, func(a *Account) error {
		every, err := all[Account](ctx, d, accountEntry, "")
		if err != nil {
			return err
		}
		if slices.ContainsFunc(every, func(a Account) bool { return a.Alias == alias && a.ID != account }) {
			return clash("EntityAlreadyExists", "The account alias %s already exists.", alias)
		}
		a.Alias = alias
		return nil
	})
}

// RemoveAlias takes an account's alias away.
func (d *Directory) RemoveAlias(ctx context.Context, account outcrop.AccountID, alias string) error {
	return d.changeAccount(ctx, account, func(a *Account) error {
		if a.Alias != alias || alias == "" {
			return noSuch("The Account Alias %s cannot be found.", alias)
		}
		a.Alias = ""
		return nil
	})
}

func (d *Directory) changeAccount(ctx context.Context, id outcrop.AccountID, change func(*Account) error) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	a, version, err := d.accountAt(ctx, id)
	if err != nil {
		return err
	}
	if err := change(&a); err != nil {
		return err
	}
	return d.replace(ctx, a, version)
}

// A Summary counts what an account has, as GetAccountSummary does.
type Summary struct {
	Users, Groups, Roles, Policies, Providers int
}

// Summary counts what account has.
func (d *Directory) Summary(ctx context.Context, account outcrop.AccountID) (Summary, error) {
	var s Summary
	for _, c := range []struct {
		kind EntryKind
		n    *int
	}{{userEntry, &s.Users}, {groupEntry, &s.Groups}, {roleEntry, &s.Roles}, {policyEntry, &s.Policies}, {providerEntry, &s.Providers}} {
		var err error
		if *c.n, err = d.store.Count(ctx, c.kind, string(account)); err != nil {
			return s, wrap("count", err)
		}
	}
	return s, nil
}
