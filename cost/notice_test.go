package cost_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

// spent settles one call of so many dollars, now.
func (l *ledger) spent(dollars int) {
	l.settle(call(time.Now(), func(r *outcrop.UsageRecord) {
		r.Usage.Set(outcrop.InputTokens, outcrop.Tokens(dollars)*1_000_000)
		r.Quote.Rates.Set(outcrop.InputTokens, 1_000_000)
	}))
}

// A monitor of everything has three subscriptions. Three weeks of one dollar a
// day are followed by a dear day.
func TestSubscribersAreToldOfAnomalies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		c := cost.New(l, costtest.NewMemory(), time.Now, slog.New(slog.DiscardHandler))
		m := &cost.Monitor{Name: "services", By: &cost.Grouping{Type: cost.ByDimension, Key: "SERVICE"}}
		if err := c.PutMonitor(t.Context(), account, m); err != nil {
			t.Fatal(err)
		}
		for name, s := range map[string]cost.Subscription{
			"at once":   {Frequency: "IMMEDIATE", Threshold: new(10.0)},
			"too small": {Frequency: "IMMEDIATE", Threshold: new(1000.0)},
			"daily":     {Frequency: "DAILY", Expression: []byte(`{"And":[{"Dimensions":{"Key":"ANOMALY_TOTAL_IMPACT_ABSOLUTE","MatchOptions":["GREATER_THAN_OR_EQUAL"],"Values":["10"]}},{"Dimensions":{"Key":"ANOMALY_TOTAL_IMPACT_PERCENTAGE","MatchOptions":["GREATER_THAN_OR_EQUAL"],"Values":["50"]}}]}`)},
			"weekly":    {Frequency: "WEEKLY"},
		} {
			s.Name, s.Monitors, s.Subscribers = name, []string{m.ID}, []cost.Subscriber{{Address: "ops@example.com", Type: "EMAIL"}}
			if err := c.PutSubscription(t.Context(), account, &s); err != nil {
				t.Fatal(err)
			}
		}
		type heard struct {
			at     time.Time
			notice cost.Notice
		}
		got := map[string][]heard{}
		down := false
		w := &cost.Watch{Costs: c, Log: slog.New(slog.DiscardHandler), Accounts: func(context.Context) ([]outcrop.AccountID, error) { return []outcrop.AccountID{account}, nil },
			Tell: func(_ context.Context, n cost.Notice) error {
				if down {
					return errors.New("down")
				}
				got[n.Subscription] = append(got[n.Subscription], heard{time.Now(), n})
				return nil
			}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		defer func() { cancel(); <-done }()
		for range 21 {
			l.spent(1)
			time.Sleep(24 * time.Hour)
		}
		if synctest.Wait(); len(got) != 0 {
			t.Fatalf("ordinary days are told: %v", got)
		}
		dear := time.Now()
		down = true
		l.spent(40)
		time.Sleep(time.Hour)
		down = false
		time.Sleep(time.Hour)
		if n := got["at once"]; len(n) != 1 || n[0].at.Sub(dear) > 2*time.Hour || !strings.Contains(n[0].notice.Text, "Amazon Bedrock (monitor services)") || n[0].notice.Anomalies[0].Impact < 38 {
			t.Errorf("at once: %+v", n)
		}
		if len(got["daily"])+len(got["weekly"]) != 0 {
			t.Errorf("summaries came before their day was over: %v", got)
		}
		time.Sleep(24 * time.Hour)
		if n := got["daily"]; len(n) != 1 || !n[0].at.Truncate(24*time.Hour).Equal(dear.Truncate(24*time.Hour).AddDate(0, 0, 1)) {
			t.Errorf("daily: %+v", n)
		}
		for range 10 {
			l.spent(1)
			time.Sleep(24 * time.Hour)
		}
		if n := got["weekly"]; len(n) != 1 || n[0].at.Weekday() != time.Monday {
			t.Errorf("weekly: %+v", n)
		}
		if len(got["at once"]) != 1 || len(got["daily"]) != 1 || len(got["too small"]) != 0 {
			t.Errorf("told again, or too little told: %v", got)
		}
	})
}

func TestThresholdsThatSayNothingAreRefused(t *testing.T) {
	c := newCosts(&ledger{}, costtest.NewMemory())
	for _, expression := range []string{
		`{}`, `{"Dimensions":{"Key":"SERVICE","Values":["1"],"MatchOptions":["GREATER_THAN_OR_EQUAL"]}}`,
		`{"Dimensions":{"Key":"ANOMALY_TOTAL_IMPACT_ABSOLUTE","Values":["much"],"MatchOptions":["GREATER_THAN_OR_EQUAL"]}}`,
		`{"Dimensions":{"Key":"ANOMALY_TOTAL_IMPACT_ABSOLUTE","Values":["1"]}}`,
	} {
		s := &cost.Subscription{Name: "s", Frequency: "DAILY", Expression: []byte(expression)}
		if err := c.PutSubscription(t.Context(), account, s); !isKind(err, outcrop.Invalid) {
			t.Errorf("%s: %v", expression, err)
		}
	}
}
