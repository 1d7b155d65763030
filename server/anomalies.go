package server

import (
	"context"
	"encoding/json"

	"outcrop"
	"outcrop/budget"
	"outcrop/cost"
	"outcrop/identity"
)

// runAnomalies has those who subscribed told of cost anomalies. Messages wait
// beside those of budgets and are sent and tried again as they are.
func (e *engines) runAnomalies(ctx context.Context) {
	w := &cost.Watch{Costs: e.costs, Accounts: e.allAccounts, Tell: e.tellOfAnomalies, Log: e.log}
	e.running.Go(func() { w.Run(ctx) })
}

func (e *engines) allAccounts(ctx context.Context) (ids []outcrop.AccountID, err error) {
	for page := (identity.Page{}); ; {
		accounts, next, err := e.identity.Accounts(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, a := range accounts {
			ids = append(ids, a.ID)
		}
		if page.Marker = next; next == "" {
			return ids, nil
		}
	}
}

// tellOfAnomalies queues one message for each subscriber.
func (e *engines) tellOfAnomalies(ctx context.Context, n cost.Notice) error {
	body, err := json.Marshal(struct {
		Subject      string                `json:"subject"`
		Text         string                `json:"text"`
		Account      outcrop.AccountID     `json:"accountId"`
		Subscription string                `json:"subscriptionName"`
		Anomalies    []cost.NoticedAnomaly `json:"anomalies"`
	}{n.Subject, n.Text, n.Account, n.Subscription, n.Anomalies})
	if err != nil {
		return err
	}
	messages := make([]budget.Delivery, len(n.Subscribers))
	for i, s := range n.Subscribers {
		messages[i] = budget.Delivery{Subscriber: budget.Subscriber{Type: s.Type, Address: s.Address}, Subject: n.Subject, Text: n.Text, Body: body}
	}
	return e.budgets.Tell(ctx, messages)
}
