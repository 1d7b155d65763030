package budgetapi

import (
	"context"
	"fmt"
	"slices"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/budget"
)

func (a *API) notifications() []awsapi.Handler {
	return []awsapi.Handler{
		awsapi.OpOn("CreateNotification", on(func(in *CreateNotificationInput) (string, string) { return in.AccountId, in.BudgetName }), a.createNotification),
		awsapi.OpOn("UpdateNotification", on(func(in *UpdateNotificationInput) (string, string) { return in.AccountId, in.BudgetName }), a.updateNotification),
		awsapi.OpOn("DeleteNotification", on(func(in *DeleteNotificationInput) (string, string) { return in.AccountId, in.BudgetName }), a.deleteNotification),
		awsapi.OpOn("DescribeNotificationsForBudget", on(func(in *DescribeNotificationsForBudgetInput) (string, string) { return in.AccountId, in.BudgetName }), a.describeNotifications),
		awsapi.OpOn("DescribeBudgetNotificationsForAccount", on(func(in *DescribeBudgetNotificationsForAccountInput) (string, string) { return in.AccountId, "*" }), a.describeAllNotifications),
		awsapi.OpOn("CreateSubscriber", on(func(in *CreateSubscriberInput) (string, string) { return in.AccountId, in.BudgetName }), a.createSubscriber),
		awsapi.OpOn("UpdateSubscriber", on(func(in *UpdateSubscriberInput) (string, string) { return in.AccountId, in.BudgetName }), a.updateSubscriber),
		awsapi.OpOn("DeleteSubscriber", on(func(in *DeleteSubscriberInput) (string, string) { return in.AccountId, in.BudgetName }), a.deleteSubscriber),
		awsapi.OpOn("DescribeSubscribersForNotification", on(func(in *DescribeSubscribersForNotificationInput) (string, string) { return in.AccountId, in.BudgetName }), a.describeSubscribers),
	}
}

func thresholdOf(n *Notification) budget.Threshold {
	return budget.Threshold{Kind: n.NotificationType, Operator: n.ComparisonOperator, Value: n.Threshold, Absolute: n.ThresholdType == "ABSOLUTE_VALUE"}
}

func subscribersOf(in []Subscriber) (out []budget.Subscriber) {
	for _, s := range in {
		out = append(out, budget.Subscriber{Type: s.SubscriptionType, Address: s.Address})
	}
	return out
}

func subscribers(in []budget.Subscriber) []Subscriber {
	out := []Subscriber{}
	for _, s := range in {
		out = append(out, Subscriber{SubscriptionType: s.Type, Address: s.Address})
	}
	return out
}

func notification(a *budget.Alert) Notification {
	n := Notification{NotificationType: a.Kind, ComparisonOperator: a.Operator, Threshold: a.Value, ThresholdType: "PERCENTAGE", NotificationState: "OK"}
	if a.Absolute {
		n.ThresholdType = "ABSOLUTE_VALUE"
	}
	if !a.Fired.IsZero() {
		n.NotificationState = "ALARM"
	}
	return n
}

// findAlert finds the notification that another is equal to, its state aside.
func findAlert(all []budget.Alert, t budget.Threshold) int {
	return slices.IndexFunc(all, func(a budget.Alert) bool { return a.Threshold == t })
}

// edit changes a budget's notifications.
func (a *API) edit(ctx context.Context, who outcrop.Caller, account, name string, fn func(*budget.Budget) error) error {
	k, err := key(who, account, name)
	if err != nil {
		return err
	}
	return a.Budgets.Change(ctx, k, fn)
}

// editAlert changes one of them.
func (a *API) editAlert(ctx context.Context, who outcrop.Caller, account, name string, n *Notification, fn func(*budget.Alert) error) error {
	return a.edit(ctx, who, account, name, func(d *budget.Budget) error {
		i := findAlert(d.Alerts, thresholdOf(n))
		if i < 0 {
			return noNotification(name)
		}
		return fn(&d.Alerts[i])
	})
}

func noNotification(name string) error {
	return fault("NotFoundException", outcrop.NotFound, "Budget %s has no such notification. DescribeNotificationsForBudget lists those that it has.", name)
}

func (a *API) createNotification(ctx context.Context, who outcrop.Caller, in *CreateNotificationInput) (*CreateNotificationOutput, error) {
	return &CreateNotificationOutput{}, a.edit(ctx, who, in.AccountId, in.BudgetName, func(d *budget.Budget) error {
		t := thresholdOf(&in.Notification)
		if findAlert(d.Alerts, t) >= 0 {
			return fault("DuplicateRecordException", outcrop.Conflict, "Budget %s has that notification already.", d.Name)
		}
		d.Alerts = append(d.Alerts, budget.Alert{Threshold: t, Subscribers: subscribersOf(in.Subscribers)})
		return nil
	})
}

func (a *API) updateNotification(ctx context.Context, who outcrop.Caller, in *UpdateNotificationInput) (*UpdateNotificationOutput, error) {
	return &UpdateNotificationOutput{}, a.edit(ctx, who, in.AccountId, in.BudgetName, func(d *budget.Budget) error {
		from, to := findAlert(d.Alerts, thresholdOf(&in.OldNotification)), findAlert(d.Alerts, thresholdOf(&in.NewNotification))
		switch {
		case from < 0:
			return noNotification(d.Name)
		case to >= 0 && to != from:
			return fault("DuplicateRecordException", outcrop.Conflict, "Budget %s has that notification already.", d.Name)
		}
		d.Alerts[from] = budget.Alert{Threshold: thresholdOf(&in.NewNotification), Subscribers: d.Alerts[from].Subscribers}
		return nil
	})
}

func (a *API) deleteNotification(ctx context.Context, who outcrop.Caller, in *DeleteNotificationInput) (*DeleteNotificationOutput, error) {
	return &DeleteNotificationOutput{}, a.edit(ctx, who, in.AccountId, in.BudgetName, func(d *budget.Budget) error {
		i := findAlert(d.Alerts, thresholdOf(&in.Notification))
		if i < 0 {
			return noNotification(d.Name)
		}
		d.Alerts = slices.Delete(d.Alerts, i, i+1)
		return nil
	})
}

func (a *API) describeNotifications(ctx context.Context, who outcrop.Caller, in *DescribeNotificationsForBudgetInput) (*DescribeNotificationsForBudgetOutput, error) {
	st, err := a.get(ctx, who, in.AccountId, in.BudgetName)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(listed(&st), in.NextToken, in.MaxResults, 100, func(n Notification) string { return fmt.Sprint(n) })
	return &DescribeNotificationsForBudgetOutput{Notifications: some, NextToken: next}, err
}

func (a *API) get(ctx context.Context, who outcrop.Caller, account, name string) (budget.Status, error) {
	k, err := key(who, account, name)
	if err != nil {
		return budget.Status{}, err
	}
	return a.Budgets.Get(ctx, k)
}

func listed(st *budget.Status) []Notification {
	list := []Notification{}
	for i := range st.Alerts {
		list = append(list, notification(&st.Alerts[i]))
	}
	return list
}

func (a *API) describeAllNotifications(ctx context.Context, who outcrop.Caller, in *DescribeBudgetNotificationsForAccountInput) (*DescribeBudgetNotificationsForAccountOutput, error) {
	k, err := key(who, in.AccountId, "")
	if err != nil {
		return nil, err
	}
	all, err := a.Budgets.List(ctx, k.Account)
	if err != nil {
		return nil, err
	}
	list := []BudgetNotificationsForAccount{}
	for i := range all {
		if n := listed(&all[i]); len(n) > 0 {
			list = append(list, BudgetNotificationsForAccount{BudgetName: all[i].Name, Notifications: n})
		}
	}
	some, next, err := cut(list, in.NextToken, in.MaxResults, 50, func(n BudgetNotificationsForAccount) string { return n.BudgetName })
	return &DescribeBudgetNotificationsForAccountOutput{BudgetNotificationsForAccount: some, NextToken: next}, err
}

func (a *API) createSubscriber(ctx context.Context, who outcrop.Caller, in *CreateSubscriberInput) (*CreateSubscriberOutput, error) {
	return &CreateSubscriberOutput{}, a.editAlert(ctx, who, in.AccountId, in.BudgetName, &in.Notification, func(alert *budget.Alert) error {
		alert.Subscribers = append(alert.Subscribers, subscribersOf([]Subscriber{in.Subscriber})...)
		return nil
	})
}

func (a *API) updateSubscriber(ctx context.Context, who outcrop.Caller, in *UpdateSubscriberInput) (*UpdateSubscriberOutput, error) {
	return &UpdateSubscriberOutput{}, a.editAlert(ctx, who, in.AccountId, in.BudgetName, &in.Notification, func(alert *budget.Alert) error {
		i := slices.Index(alert.Subscribers, subscribersOf([]Subscriber{in.OldSubscriber})[0])
		if i < 0 {
			return noSubscriber(in.BudgetName)
		}
		alert.Subscribers[i] = subscribersOf([]Subscriber{in.NewSubscriber})[0]
		return nil
	})
}

func (a *API) deleteSubscriber(ctx context.Context, who outcrop.Caller, in *DeleteSubscriberInput) (*DeleteSubscriberOutput, error) {
	return &DeleteSubscriberOutput{}, a.editAlert(ctx, who, in.AccountId, in.BudgetName, &in.Notification, func(alert *budget.Alert) error {
		i := slices.Index(alert.Subscribers, subscribersOf([]Subscriber{in.Subscriber})[0])
		if i < 0 {
			return noSubscriber(in.BudgetName)
		}
		alert.Subscribers = slices.Delete(alert.Subscribers, i, i+1)
		return nil
	})
}

func noSubscriber(name string) error {
	return fault("NotFoundException", outcrop.NotFound, "The notification of budget %s has no such subscriber.", name)
}

func (a *API) describeSubscribers(ctx context.Context, who outcrop.Caller, in *DescribeSubscribersForNotificationInput) (*DescribeSubscribersForNotificationOutput, error) {
	st, err := a.get(ctx, who, in.AccountId, in.BudgetName)
	if err != nil {
		return nil, err
	}
	i := findAlert(st.Alerts, thresholdOf(&in.Notification))
	if i < 0 {
		return nil, noNotification(in.BudgetName)
	}
	some, next, err := cut(subscribers(st.Alerts[i].Subscribers), in.NextToken, in.MaxResults, 100, func(s Subscriber) string { return s.SubscriptionType + s.Address })
	return &DescribeSubscribersForNotificationOutput{Subscribers: some, NextToken: next}, err
}
