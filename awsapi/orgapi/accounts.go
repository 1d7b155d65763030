package orgapi

import (
	"context"
	"slices"

	"outcrop"
	"outcrop/identity"
)

func accountOf(o identity.Organization) func(identity.Account) Account {
	return func(m identity.Account) Account {
		out := Account{
			Id: string(m.ID), Arn: string(o.AccountARN(m.ID)), Email: m.Email, Name: m.Name, Status: "ACTIVE", State: "ACTIVE",
			JoinedMethod: "INVITED", JoinedTimestamp: m.Joined,
		}
		if m.Request != "" {
			out.JoinedMethod = "CREATED"
		}
		if m.Closed {
			out.Status, out.State = "SUSPENDED", "SUSPENDED"
		}
		return out
	}
}

// createAccount is over when it answers, where AWS takes minutes. Clients ask
// for the status all the same.
func (a *API) createAccount(ctx context.Context, who outcrop.Caller, in *CreateAccountInput) (*CreateAccountOutput, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	if len(in.Tags) > 0 {
		return nil, untaggable()
	}
	m, err := a.Identity.CreateAccount(ctx, in.AccountName, in.Email, in.RoleName)
	if err != nil {
		return nil, err
	}
	return &CreateAccountOutput{CreateAccountStatus: ptr(created(m))}, nil
}

const succeeded = "SUCCEEDED"

func created(m identity.Account) CreateAccountStatus {
	return CreateAccountStatus{
		Id: m.Request, AccountName: m.Name, State: succeeded, AccountId: string(m.ID),
		RequestedTimestamp: m.Created, CompletedTimestamp: m.Created,
	}
}

func (a *API) describeCreateAccountStatus(ctx context.Context, who outcrop.Caller, in *DescribeCreateAccountStatusInput) (*DescribeCreateAccountStatusOutput, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	m, err := a.Identity.AccountByRequest(ctx, in.CreateAccountRequestId)
	if err != nil {
		return nil, err
	}
	return &DescribeCreateAccountStatusOutput{CreateAccountStatus: ptr(created(m))}, nil
}

func (a *API) listCreateAccountStatus(ctx context.Context, who outcrop.Caller, in *ListCreateAccountStatusInput) (*ListCreateAccountStatusOutput, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	all, err := a.every(ctx)
	if err != nil {
		return nil, err
	}
	wanted := len(in.States) == 0 || slices.Contains(in.States, succeeded)
	all = slices.DeleteFunc(all, func(m identity.Account) bool { return m.Request == "" || !wanted })
	some, next, err := cut(each(all, created), page(in.NextToken, in.MaxResults), func(s CreateAccountStatus) string { return s.Id })
	return &ListCreateAccountStatusOutput{CreateAccountStatuses: some, NextToken: next}, err
}

// every is all accounts of the organisation: at most identity.MaxAccounts.
func (a *API) every(ctx context.Context) ([]identity.Account, error) {
	var all []identity.Account
	for p := (identity.Page{Max: identity.MaxAccounts}); ; {
		some, next, err := a.Identity.AccountsOfOrganization(ctx, p)
		if all = append(all, some...); err != nil || next == "" {
			return all, err
		}
		p.Marker = next
	}
}

func (a *API) listAccounts(ctx context.Context, who outcrop.Caller, in *ListAccountsInput) (*ListAccountsOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	some, next, err := a.Identity.AccountsOfOrganization(ctx, page(in.NextToken, in.MaxResults))
	return &ListAccountsOutput{Accounts: each(some, accountOf(o)), NextToken: next}, err
}

func (a *API) describeAccount(ctx context.Context, who outcrop.Caller, in *DescribeAccountInput) (*DescribeAccountOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	m, err := a.account(ctx, in.AccountId)
	if err != nil {
		return nil, err
	}
	return &DescribeAccountOutput{Account: ptr(accountOf(o)(m))}, nil
}

// account finds one that is in the organisation.
func (a *API) account(ctx context.Context, id string) (identity.Account, error) {
	m, err := a.Identity.Account(ctx, outcrop.AccountID(id))
	if err == nil && m.Parent == "" {
		err = failure(outcrop.NotFound, "AccountNotFoundException", "You specified an account that doesn't exist.")
	}
	return m, err
}

func (a *API) listAccountsForParent(ctx context.Context, who outcrop.Caller, in *ListAccountsForParentInput) (*ListAccountsForParentOutput, error) {
	o, err := a.manage(ctx, who)
	if err != nil {
		return nil, err
	}
	_, accounts, err := a.Identity.Children(ctx, in.ParentId)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(each(accounts, accountOf(o)), page(in.NextToken, in.MaxResults), func(m Account) string { return m.Id })
	return &ListAccountsForParentOutput{Accounts: some, NextToken: next}, err
}

func (a *API) moveAccount(ctx context.Context, who outcrop.Caller, in *MoveAccountInput) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.MoveAccount(ctx, outcrop.AccountID(in.AccountId), in.SourceParentId, in.DestinationParentId))
}

func (a *API) removeAccountFromOrganization(ctx context.Context, who outcrop.Caller, in *RemoveAccountFromOrganizationInput) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.RemoveAccount(ctx, outcrop.AccountID(in.AccountId)))
}

func (a *API) closeAccount(ctx context.Context, who outcrop.Caller, in *CloseAccountInput) (*nothing, error) {
	if _, err := a.manage(ctx, who); err != nil {
		return nil, err
	}
	return done(a.Identity.CloseAccount(ctx, outcrop.AccountID(in.AccountId)))
}
