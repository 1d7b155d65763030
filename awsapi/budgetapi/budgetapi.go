// Package budgetapi answers AWS Budgets: its shapes in, questions and changes
// to package budget, and answers out.
package budgetapi

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/budget"
	"outcrop/iam"
)

// An API is AWS Budgets for the account of each caller.
type API struct {
	Budgets *budget.Budgets
	// Acting is what a caller has to be allowed to do, to define an action.
	Acting func(context.Context, outcrop.Caller, budget.Definition) []iam.Check
}

// Operations are what is served.
func (a *API) Operations() []awsapi.Handler {
	return slices.Concat(a.budgets(), a.notifications(), a.actions(), a.tags())
}

func (a *API) budgets() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.OpOn("CreateBudget", on(func(in *CreateBudgetInput) (string, string) { return in.AccountId, in.Budget.BudgetName }), a.createBudget),
		awsapi.OpOn("DescribeBudget", on(func(in *DescribeBudgetInput) (string, string) { return in.AccountId, in.BudgetName }), a.describeBudget),
		awsapi.OpOn("DescribeBudgets", on(func(in *DescribeBudgetsInput) (string, string) { return in.AccountId, "*" }), a.describeBudgets),
		awsapi.OpOn("UpdateBudget", on(func(in *UpdateBudgetInput) (string, string) { return in.AccountId, in.NewBudget.BudgetName }), a.updateBudget),
		awsapi.OpOn("DeleteBudget", on(func(in *DeleteBudgetInput) (string, string) { return in.AccountId, in.BudgetName }), a.deleteBudget),
		awsapi.OpOn("DescribeBudgetPerformanceHistory", on(func(in *DescribeBudgetPerformanceHistoryInput) (string, string) { return in.AccountId, in.BudgetName }), a.history),
	}
}

// on asks about the budget that a request names.
func on[In any](of func(*In) (account, name string)) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(_ context.Context, _ outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		account, name := of(in)
		return []iam.Check{{Action: op.Action, Resource: arnOf(outcrop.AccountID(account), name)}}
	}
}

func arnOf(a outcrop.AccountID, name string) outcrop.ARN {
	return outcrop.ARN("arn:aws:budgets::" + string(a) + ":budget/" + name)
}

// key is the budget that a request names, in the caller's own account.
func key(who outcrop.Caller, account, name string) (budget.Key, error) {
	if outcrop.AccountID(account) != who.Account {
		return budget.Key{}, outcrop.Errorf(outcrop.Denied, "Account ID %s is not that of the caller, %s.", account, who.Account)
	}
	return budget.Key{Account: who.Account, Name: name}, nil
}

func (a *API) createBudget(ctx context.Context, who outcrop.Caller, in *CreateBudgetInput) (*CreateBudgetOutput, error) {
	k, err := key(who, in.AccountId, in.Budget.BudgetName)
	if err != nil {
		return nil, err
	}
	d, err := budgetOf(k, &in.Budget)
	if err != nil {
		return nil, err
	}
	d.Tags = outcrop.Tags{}
	for _, t := range in.ResourceTags {
		d.Tags[t.Key] = t.Value
	}
	for i := range in.NotificationsWithSubscribers {
		n := &in.NotificationsWithSubscribers[i]
		alert := budget.Alert{Threshold: thresholdOf(&n.Notification), Subscribers: subscribersOf(n.Subscribers)}
		if findAlert(d.Alerts, alert.Threshold) >= 0 {
			return nil, fault("DuplicateRecordException", outcrop.Conflict, "The notification is given twice.")
		}
		d.Alerts = append(d.Alerts, alert)
	}
	return &CreateBudgetOutput{}, a.Budgets.Create(ctx, d)
}

func (a *API) updateBudget(ctx context.Context, who outcrop.Caller, in *UpdateBudgetInput) (*UpdateBudgetOutput, error) {
	k, err := key(who, in.AccountId, in.NewBudget.BudgetName)
	if err != nil {
		return nil, err
	}
	d, err := budgetOf(k, &in.NewBudget)
	if err != nil {
		return nil, err
	}
	return &UpdateBudgetOutput{}, a.Budgets.Replace(ctx, d)
}

func (a *API) deleteBudget(ctx context.Context, who outcrop.Caller, in *DeleteBudgetInput) (*DeleteBudgetOutput, error) {
	k, err := key(who, in.AccountId, in.BudgetName)
	if err != nil {
		return nil, err
	}
	return &DeleteBudgetOutput{}, a.Budgets.Delete(ctx, k)
}

func (a *API) describeBudget(ctx context.Context, who outcrop.Caller, in *DescribeBudgetInput) (*DescribeBudgetOutput, error) {
	k, err := key(who, in.AccountId, in.BudgetName)
	if err != nil {
		return nil, err
	}
	st, err := a.Budgets.Get(ctx, k)
	if err != nil {
		return nil, err
	}
	shown := describe(&st)
	return &DescribeBudgetOutput{Budget: &shown}, nil
}

func (a *API) describeBudgets(ctx context.Context, who outcrop.Caller, in *DescribeBudgetsInput) (*DescribeBudgetsOutput, error) {
	k, err := key(who, in.AccountId, "")
	if err != nil {
		return nil, err
	}
	list, err := a.Budgets.List(ctx, k.Account)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, in.NextToken, in.MaxResults, 100, func(s budget.Status) string { return s.Name })
	if err != nil {
		return nil, err
	}
	out := &DescribeBudgetsOutput{Budgets: []Budget{}, NextToken: next}
	for i := range some {
		out.Budgets = append(out.Budgets, describe(&some[i]))
	}
	return out, nil
}

func (a *API) history(ctx context.Context, who outcrop.Caller, in *DescribeBudgetPerformanceHistoryInput) (*DescribeBudgetPerformanceHistoryOutput, error) {
	k, err := key(who, in.AccountId, in.BudgetName)
	if err != nil {
		return nil, err
	}
	st, err := a.Budgets.Get(ctx, k)
	if err != nil {
		return nil, err
	}
	within := budget.Period{End: st.Period.End}
	if p := in.TimePeriod; p != nil {
		within.Start = p.Start
		if !p.End.IsZero() {
			within.End = p.End
		}
	}
	past, err := a.Budgets.History(ctx, k, within)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(past, in.NextToken, in.MaxResults, 100, func(p budget.Past) string { return p.Start.Format("20060102T15") })
	if err != nil {
		return nil, err
	}
	shown := describe(&st)
	h := &BudgetPerformanceHistory{BudgetName: st.Name, BudgetType: string(st.Type), TimeUnit: string(st.Every),
		CostFilters: shown.CostFilters, FilterExpression: shown.FilterExpression, Metrics: shown.Metrics, CostTypes: shown.CostTypes, BudgetedAndActualAmountsList: []BudgetedAndActualAmounts{}}
	for _, p := range some {
		limit, spent := spend(p.Limit, st.Unit), spend(p.Spent, st.Unit)
		h.BudgetedAndActualAmountsList = append(h.BudgetedAndActualAmountsList, BudgetedAndActualAmounts{
			BudgetedAmount: &limit, ActualAmount: &spent, TimePeriod: &TimePeriod{Start: p.Start, End: p.End}})
	}
	return &DescribeBudgetPerformanceHistoryOutput{BudgetPerformanceHistory: h, NextToken: next}, nil
}

// cut takes a page of a list: what follows the item that the token names, or,
// when that is gone from a list in order of its keys, would follow it.
func cut[T any](all []T, token string, most *int64, usual int, key func(T) string) (some []T, next string, err error) {
	from := 0
	if token != "" {
		after, err := base64.StdEncoding.DecodeString(token)
		var ok bool
		if from, ok = behind(all, string(after), key); err != nil || !ok {
			return nil, "", fault("InvalidNextTokenException", outcrop.Invalid, "NextToken is invalid. Begin again without it.")
		}
	}
	if most != nil {
		usual = int(*most)
	}
	if some = all[from:]; len(some) > usual {
		some = some[:usual]
		next = base64.StdEncoding.EncodeToString([]byte(key(some[usual-1])))
	}
	return some, next, nil
}

// behind is the place behind the item of a key.
func behind[T any](all []T, last string, key func(T) string) (place int, ok bool) {
	if i := slices.IndexFunc(all, func(x T) bool { return key(x) == last }); i >= 0 {
		return i + 1, true
	}
	if !slices.IsSortedFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) }) {
		return 0, false
	}
	place, _ = slices.BinarySearchFunc(all, last, func(x T, last string) int { return strings.Compare(key(x), last) })
	return place, true
}

func (a *API) tags() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.OpOn("TagResource", onARN(func(in *TagResourceInput) string { return in.ResourceARN }), a.tagResource),
		awsapi.OpOn("UntagResource", onARN(func(in *UntagResourceInput) string { return in.ResourceARN }), a.untagResource),
		awsapi.OpOn("ListTagsForResource", onARN(func(in *ListTagsForResourceInput) string { return in.ResourceARN }), a.listTags),
	}
}

func onARN[In any](of func(*In) string) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(_ context.Context, _ outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		return []iam.Check{{Action: op.Action, Resource: outcrop.ARN(of(in))}}
	}
}

// keyOfARN is the budget of an ARN; an action has the tags of its budget.
func keyOfARN(who outcrop.Caller, arn string) (budget.Key, error) {
	p, ok := outcrop.ParseARN(arn)
	name, isBudget := strings.CutPrefix(p.Resource, "budget/")
	if !ok || p.Service != "budgets" || !isBudget {
		return budget.Key{}, fault("InvalidParameterException", outcrop.Invalid, "%q is not the ARN of a budget, such as %s.", arn, arnOf(who.Account, "NAME"))
	}
	name, _, _ = strings.Cut(name, "/action/")
	return key(who, string(p.Account), name)
}

func (a *API) tagResource(ctx context.Context, who outcrop.Caller, in *TagResourceInput) (*TagResourceOutput, error) {
	k, err := keyOfARN(who, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &TagResourceOutput{}, a.Budgets.Retag(ctx, k, func(tags outcrop.Tags) outcrop.Tags {
		for _, t := range in.ResourceTags {
			tags[t.Key] = t.Value
		}
		return tags
	})
}

func (a *API) untagResource(ctx context.Context, who outcrop.Caller, in *UntagResourceInput) (*UntagResourceOutput, error) {
	k, err := keyOfARN(who, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	return &UntagResourceOutput{}, a.Budgets.Retag(ctx, k, func(tags outcrop.Tags) outcrop.Tags {
		for _, t := range in.ResourceTagKeys {
			delete(tags, t)
		}
		return tags
	})
}

func (a *API) listTags(ctx context.Context, who outcrop.Caller, in *ListTagsForResourceInput) (*ListTagsForResourceOutput, error) {
	k, err := keyOfARN(who, in.ResourceARN)
	if err != nil {
		return nil, err
	}
	st, err := a.Budgets.Get(ctx, k)
	if err != nil {
		return nil, err
	}
	out := &ListTagsForResourceOutput{ResourceTags: []ResourceTag{}}
	for _, name := range st.Tags.Keys() {
		out.ResourceTags = append(out.ResourceTags, ResourceTag{Key: name, Value: st.Tags[name]})
	}
	return out, nil
}

func fault(code string, kind outcrop.Kind, format string, args ...any) error {
	e := outcrop.Errorf(kind, format, args...)
	e.Code = code
	return e
}
