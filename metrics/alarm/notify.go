package alarm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// move puts an alarm into a state, notes it, and tells whom the alarm names.
func (a *Alarms) move(ctx context.Context, x *Alarm, to State, reason, data string) error {
	a.moving.Lock()
	defer a.moving.Unlock()
	was := x.State
	now := a.now()
	x.State, x.Reason, x.ReasonData, x.Updated = to, reason, data, now
	if was != to {
		x.Transitioned = now
	}
	if err := a.store.MoveAlarm(ctx, x); err != nil {
		return err
	}
	if was == to {
		return nil
	}
	err := a.note(ctx, x.Key, "StateUpdate", fmt.Sprintf("Alarm updated from %s to %s", was, to), map[string]any{
		"oldState": map[string]any{"stateValue": was}, "newState": map[string]any{"stateValue": to, "stateReason": reason},
	})
	if x.ActionsEnabled {
		for _, action := range x.Actions[to] {
			a.tell(*x, was, action)
		}
	}
	return err
}

// target is the URL behind an action.
func (s *Settings) target(action string) (url string, err error) {
	if url, ok := s.Webhooks[action]; ok {
		return url, nil
	}
	isURL := strings.HasPrefix(action, "https://") || strings.HasPrefix(action, "http://")
	switch {
	case isURL && s.DirectURLs:
		return action, nil
	case isURL:
		return "", fmt.Errorf("actions that are URLs are turned off (alarms.direct_urls)")
	}
	return "", fmt.Errorf("no webhook is configured for %s (alarms.webhooks)", action)
}

// tell notifies in the background, and notes how that went. Too many at once
// are not told, which is noted too.
func (a *Alarms) tell(x Alarm, was State, action string) {
	select {
	case a.notifying <- struct{}{}:
	default:
		a.told(x, action, fmt.Errorf("too many notifications are under way"))
		return
	}
	a.telling.Go(func() {
		defer func() { <-a.notifying }()
		a.told(x, action, a.notify(&x, was, action))
	})
}

func (a *Alarms) notify(x *Alarm, was State, action string) error {
	url, err := a.settings.target(action)
	if err != nil {
		return err
	}
	body, err := json.Marshal(message(x, was))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(a.ctx, notifyFor)
	defer cancel()
	return a.notifier.Notify(ctx, url, body)
}

func (a *Alarms) told(x Alarm, action string, err error) {
	summary, state := "Successfully executed action "+action, "Succeeded"
	detail := map[string]any{"actionState": state, "stateUpdateTimestamp": x.Updated.UnixMilli(), "notificationResource": action}
	if err != nil {
		summary, detail["actionState"], detail["error"] = "Failed to execute action "+action+". "+err.Error(), "Failed", err.Error()
		a.log.Warn("an alarm's action failed", "alarm", x.Name, "action", action, "err", err)
	}
	if err := a.note(context.WithoutCancel(a.ctx), x.Key, "Action", summary, detail); err != nil {
		a.log.Error("an alarm's action was not noted", "alarm", x.Name, "err", err)
	}
}

// message is what a webhook gets: the words of CloudWatch's notifications.
func message(x *Alarm, was State) map[string]any {
	trigger := map[string]any{
		"Period": x.period(), "EvaluationPeriods": x.Periods, "DatapointsToAlarm": x.ToAlarm, "ComparisonOperator": x.Comparison, "Threshold": x.Threshold,
		"TreatMissingData": x.Missing,
	}
	if x.Plain {
		q := &x.Queries[0]
		dims := []map[string]string{}
		for name, value := range q.Dimensions {
			dims = append(dims, map[string]string{"name": name, "value": value})
		}
		trigger["MetricName"], trigger["Namespace"], trigger["Statistic"], trigger["Dimensions"] = q.Metric, q.Namespace, q.Stat, dims
	} else {
		trigger["Metrics"] = x.Queries
	}
	return map[string]any{
		"AlarmName": x.Name, "AlarmDescription": x.Description, "AWSAccountId": x.Account, "AlarmArn": x.ARN(), "Region": x.Region,
		"AlarmConfigurationUpdatedTimestamp": stamp(x.Configured), "StateChangeTime": stamp(x.Updated),
		"OldStateValue": was, "NewStateValue": x.State, "NewStateReason": x.Reason, "NewStateReasonData": x.ReasonData, "Trigger": trigger,
	}
}
