package budgetapi

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/budget"
	"outcrop/iam"
)

func (a *API) actions() []awsapi.Handler {
	act := func(name, id string) string { return name + "/action/" + id }
	return []awsapi.Handler{
		awsapi.OpOn("CreateBudgetAction", defining(a, func(in *CreateBudgetActionInput) (string, string, *Definition) {
			return in.AccountId, act(in.BudgetName, "*"), &in.Definition
		}), a.createAction),
		awsapi.OpOn("DescribeBudgetAction", on(func(in *DescribeBudgetActionInput) (string, string) {
			return in.AccountId, act(in.BudgetName, in.ActionId)
		}), a.describeAction),
		awsapi.OpOn("DescribeBudgetActionsForBudget", on(func(in *DescribeBudgetActionsForBudgetInput) (string, string) { return in.AccountId, in.BudgetName }), a.describeActions),
		awsapi.Op("DescribeBudgetActionsForAccount", a.describeAllActions),
		awsapi.OpOn("UpdateBudgetAction", defining(a, func(in *UpdateBudgetActionInput) (string, string, *Definition) {
			return in.AccountId, act(in.BudgetName, in.ActionId), in.Definition
		}), a.updateAction),
		awsapi.OpOn("DeleteBudgetAction", on(func(in *DeleteBudgetActionInput) (string, string) {
			return in.AccountId, act(in.BudgetName, in.ActionId)
		}), a.deleteAction),
		awsapi.OpOn("ExecuteBudgetAction", on(func(in *ExecuteBudgetActionInput) (string, string) {
			return in.AccountId, act(in.BudgetName, in.ActionId)
		}), a.executeAction),
		awsapi.OpOn("DescribeBudgetActionHistories", on(func(in *DescribeBudgetActionHistoriesInput) (string, string) {
			return in.AccountId, act(in.BudgetName, in.ActionId)
		}), a.actionHistories),
	}
}

// defining is on for a request that may define what an action does: it asks for
// that as well.
func defining[In any](a *API, of func(*In) (account, name string, d *Definition)) func(context.Context, outcrop.Caller, iam.Operation, *In) []iam.Check {
	return func(ctx context.Context, who outcrop.Caller, op iam.Operation, in *In) []iam.Check {
		account, name, d := of(in)
		checks := []iam.Check{{Action: op.Action, Resource: arnOf(outcrop.AccountID(account), name)}}
		if d == nil {
			return checks
		}
		def, err := definitionOf(d)
		if err != nil {
			return checks // which the operation reports
		}
		return append(checks, a.Acting(ctx, who, def)...)
	}
}

func definitionOf(in *Definition) (d budget.Definition, err error) {
	switch i, s := in.IamActionDefinition, in.ScpActionDefinition; {
	case in.SsmActionDefinition != nil:
		return d, invalid("There are no instances to stop here. Use an IAM or SCP definition.")
	case (i == nil) == (s == nil):
		return d, invalid("A definition is either IamActionDefinition or ScpActionDefinition.")
	case i != nil:
		d = budget.Definition{Policy: outcrop.ARN(i.PolicyArn), Users: i.Users, Roles: i.Roles, Groups: i.Groups}
		if len(d.Users)+len(d.Roles)+len(d.Groups) == 0 {
			return d, invalid("IamActionDefinition needs Users, Roles or Groups to attach the policy to.")
		}
	default:
		d = budget.Definition{SCP: s.PolicyId, Targets: s.TargetIds}
	}
	return d, nil
}

func (a *API) createAction(ctx context.Context, who outcrop.Caller, in *CreateBudgetActionInput) (*CreateBudgetActionOutput, error) {
	def, err := definitionOf(&in.Definition)
	if err != nil {
		return nil, err
	}
	if err := typeFits(in.ActionType, def); err != nil {
		return nil, err
	}
	made := budget.Action{ID: newID(), Threshold: actionThreshold(in.NotificationType, in.ActionThreshold), Definition: def,
		Role: outcrop.ARN(in.ExecutionRoleArn), Manual: in.ApprovalModel == "MANUAL", Subscribers: subscribersOf(in.Subscribers), Status: budget.Standby}
	err = a.edit(ctx, who, in.AccountId, in.BudgetName, func(d *budget.Budget) error {
		d.Actions = append(d.Actions, made)
		return nil
	})
	return &CreateBudgetActionOutput{AccountId: in.AccountId, BudgetName: in.BudgetName, ActionId: made.ID}, err
}

func typeFits(actionType string, d budget.Definition) error {
	if (actionType == "APPLY_SCP_POLICY") != (d.SCP != "") {
		return invalid("ActionType %s does not fit the definition.", actionType)
	}
	return nil
}

func actionThreshold(kind string, t ActionThreshold) budget.Threshold {
	return budget.Threshold{Kind: kind, Operator: "GREATER_THAN", Value: t.ActionThresholdValue, Absolute: t.ActionThresholdType == "ABSOLUTE_VALUE"}
}

func describeAction(name string, x *budget.Action) Action {
	shown := Action{ActionId: x.ID, BudgetName: name, NotificationType: x.Threshold.Kind, ActionType: "APPLY_IAM_POLICY",
		ActionThreshold:  ActionThreshold{ActionThresholdValue: x.Threshold.Value, ActionThresholdType: "PERCENTAGE"},
		ExecutionRoleArn: string(x.Role), ApprovalModel: "AUTOMATIC", Status: x.Status, Subscribers: subscribers(x.Subscribers)}
	if x.Threshold.Absolute {
		shown.ActionThreshold.ActionThresholdType = "ABSOLUTE_VALUE"
	}
	if x.Manual {
		shown.ApprovalModel = "MANUAL"
	}
	if d := x.Definition; d.SCP != "" {
		shown.ActionType = "APPLY_SCP_POLICY"
		shown.Definition.ScpActionDefinition = &ScpActionDefinition{PolicyId: d.SCP, TargetIds: d.Targets}
	} else {
		shown.Definition.IamActionDefinition = &IamActionDefinition{PolicyArn: string(d.Policy), Users: d.Users, Roles: d.Roles, Groups: d.Groups}
	}
	return shown
}

func (a *API) action(ctx context.Context, who outcrop.Caller, account, name, id string) (budget.Action, error) {
	st, err := a.get(ctx, who, account, name)
	if err != nil {
		return budget.Action{}, err
	}
	i := indexOf(st.Actions, id)
	if i < 0 {
		return budget.Action{}, noAction(name, id)
	}
	return st.Actions[i], nil
}

func indexOf(all []budget.Action, id string) int {
	return slices.IndexFunc(all, func(x budget.Action) bool { return x.ID == id })
}

func noAction(name, id string) error {
	return fault("NotFoundException", outcrop.NotFound, "Unable to find action %s of budget %s.", id, name)
}

func (a *API) describeAction(ctx context.Context, who outcrop.Caller, in *DescribeBudgetActionInput) (*DescribeBudgetActionOutput, error) {
	x, err := a.action(ctx, who, in.AccountId, in.BudgetName, in.ActionId)
	if err != nil {
		return nil, err
	}
	return &DescribeBudgetActionOutput{AccountId: in.AccountId, BudgetName: in.BudgetName, Action: describeAction(in.BudgetName, &x)}, nil
}

func (a *API) describeActions(ctx context.Context, who outcrop.Caller, in *DescribeBudgetActionsForBudgetInput) (*DescribeBudgetActionsForBudgetOutput, error) {
	st, err := a.get(ctx, who, in.AccountId, in.BudgetName)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(actionsOf(&st), in.NextToken, in.MaxResults, 100, func(x Action) string { return x.ActionId })
	return &DescribeBudgetActionsForBudgetOutput{Actions: some, NextToken: next}, err
}

func actionsOf(st *budget.Status) []Action {
	list := []Action{}
	for i := range st.Actions {
		list = append(list, describeAction(st.Name, &st.Actions[i]))
	}
	return list
}

func (a *API) describeAllActions(ctx context.Context, who outcrop.Caller, in *DescribeBudgetActionsForAccountInput) (*DescribeBudgetActionsForAccountOutput, error) {
	k, err := key(who, in.AccountId, "")
	if err != nil {
		return nil, err
	}
	all, err := a.Budgets.List(ctx, k.Account)
	if err != nil {
		return nil, err
	}
	list := []Action{}
	for i := range all {
		list = append(list, actionsOf(&all[i])...)
	}
	some, next, err := cut(list, in.NextToken, in.MaxResults, 100, func(x Action) string { return x.ActionId })
	return &DescribeBudgetActionsForAccountOutput{Actions: some, NextToken: next}, err
}

func (a *API) updateAction(ctx context.Context, who outcrop.Caller, in *UpdateBudgetActionInput) (*UpdateBudgetActionOutput, error) {
	var was, is Action
	err := a.edit(ctx, who, in.AccountId, in.BudgetName, func(d *budget.Budget) error {
		i := indexOf(d.Actions, in.ActionId)
		if i < 0 {
			return noAction(in.BudgetName, in.ActionId)
		}
		x := &d.Actions[i]
		if x.Status == budget.Executed {
			return fault("ResourceLockedException", outcrop.Conflict, "Action %s is carried out. Reverse it first.", x.ID)
		}
		was = describeAction(d.Name, x)
		err := change(x, in)
		is = describeAction(d.Name, x)
		return err
	})
	return &UpdateBudgetActionOutput{AccountId: in.AccountId, BudgetName: in.BudgetName, OldAction: was, NewAction: is}, err
}

func change(x *budget.Action, in *UpdateBudgetActionInput) (err error) {
	if t := in.ActionThreshold; t != nil {
		x.Threshold = actionThreshold(x.Threshold.Kind, *t)
	}
	if in.NotificationType != "" {
		x.Threshold.Kind = in.NotificationType
	}
	if in.Definition != nil {
		if x.Definition, err = definitionOf(in.Definition); err != nil {
			return err
		}
	}
	if in.ExecutionRoleArn != "" {
		x.Role = outcrop.ARN(in.ExecutionRoleArn)
	}
	if in.ApprovalModel != "" {
		x.Manual = in.ApprovalModel == "MANUAL"
	}
	if in.Subscribers != nil {
		x.Subscribers = subscribersOf(in.Subscribers)
	}
	return nil
}

func (a *API) deleteAction(ctx context.Context, who outcrop.Caller, in *DeleteBudgetActionInput) (*DeleteBudgetActionOutput, error) {
	var was Action
	err := a.edit(ctx, who, in.AccountId, in.BudgetName, func(d *budget.Budget) error {
		i := indexOf(d.Actions, in.ActionId)
		if i < 0 {
			return noAction(in.BudgetName, in.ActionId)
		}
		if d.Actions[i].Status == budget.Executed {
			return fault("ResourceLockedException", outcrop.Conflict, "Action %s is carried out. Reverse it first.", in.ActionId)
		}
		was = describeAction(d.Name, &d.Actions[i])
		d.Actions = slices.Delete(d.Actions, i, i+1)
		return nil
	})
	return &DeleteBudgetActionOutput{AccountId: in.AccountId, BudgetName: in.BudgetName, Action: was}, err
}

func (a *API) executeAction(ctx context.Context, who outcrop.Caller, in *ExecuteBudgetActionInput) (*ExecuteBudgetActionOutput, error) {
	k, err := key(who, in.AccountId, in.BudgetName)
	if err != nil {
		return nil, err
	}
	err = a.Budgets.Execute(ctx, k, in.ActionId, in.ExecutionType)
	return &ExecuteBudgetActionOutput{AccountId: in.AccountId, BudgetName: in.BudgetName, ActionId: in.ActionId, ExecutionType: in.ExecutionType}, err
}

func (a *API) actionHistories(ctx context.Context, who outcrop.Caller, in *DescribeBudgetActionHistoriesInput) (*DescribeBudgetActionHistoriesOutput, error) {
	x, err := a.action(ctx, who, in.AccountId, in.BudgetName, in.ActionId)
	if err != nil {
		return nil, err
	}
	list := []ActionHistory{}
	for _, e := range x.History {
		if p := in.TimePeriod; p != nil && (e.At.Before(p.Start) || !p.End.IsZero() && !e.At.Before(p.End)) {
			continue
		}
		shown := describeAction(in.BudgetName, &x)
		shown.Status = e.Status
		list = append(list, ActionHistory{Timestamp: e.At, Status: e.Status, EventType: e.Event, ActionHistoryDetails: ActionHistoryDetails{Message: e.Detail, Action: shown}})
	}
	some, next, err := cut(list, in.NextToken, in.MaxResults, 100, func(h ActionHistory) string { return h.Timestamp.String() + h.Status })
	return &DescribeBudgetActionHistoriesOutput{ActionHistories: some, NextToken: next}, err
}

// newID is a UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
