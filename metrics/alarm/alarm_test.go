package alarm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// Property: the tables of CloudWatch's guide, "How alarm state is evaluated
// when data is missing". X breaches, 0 does not, - is missing; newest last.
func TestMissingDataIsTreatedAsTheGuideSays(t *testing.T) {
	for _, c := range []struct {
		periods, toAlarm                       int
		data                                   string
		missing, ignored, breaching, notBreach State
	}{
		{3, 3, "0-X-X", OK, OK, OK, OK},
		{3, 3, "----0", OK, OK, OK, OK},
		{3, 3, "-----", InsufficientData, "was", InAlarm, OK},
		{3, 3, "0XX-X", InAlarm, InAlarm, InAlarm, InAlarm},
		{3, 3, "--X--", InAlarm, "was", InAlarm, OK},
		{3, 2, "0-X-X", InAlarm, InAlarm, InAlarm, InAlarm},
		{3, 2, "00X0X", InAlarm, InAlarm, InAlarm, InAlarm},
		{3, 2, "0-X--", OK, "was", InAlarm, OK},
		{3, 2, "----0", OK, "was", InAlarm, OK},
		{3, 2, "---X-", InAlarm, "was", InAlarm, OK},
	} {
		for missing, want := range map[string]State{"missing": c.missing, "": c.missing, "ignore": c.ignored, "breaching": c.breaching, "notBreaching": c.notBreach} {
			d := Definition{Periods: c.periods, ToAlarm: c.toAlarm, Threshold: 1, Comparison: "GreaterThanThreshold", Missing: missing}
			var points []point
			for i, r := range c.data {
				switch r {
				case 'X':
					points = append(points, point{time.Unix(int64(i)*60, 0), 5})
				case '0':
					points = append(points, point{time.Unix(int64(i)*60, 0), 0})
				}
			}
			if got, reason := d.decide("was", points); got != want {
				t.Errorf("%d of %d, %s, %q: %s (%s), want %s", c.toAlarm, c.periods, c.data, missing, got, reason, want)
			}
		}
	}
}

// memory is a Store in memory.
type memory struct {
	mu      sync.Mutex
	alarms  map[Key]Alarm
	entries []Entry
}

func (m *memory) PutAlarm(_ context.Context, a *Alarm) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.alarms[a.Key] = *a
	return nil
}

func (m *memory) MoveAlarm(_ context.Context, a *Alarm) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	have, ok := m.alarms[a.Key]
	if ok {
		have.State, have.Reason, have.ReasonData, have.Updated, have.Transitioned = a.State, a.Reason, a.ReasonData, a.Updated, a.Transitioned
		m.alarms[a.Key] = have
	}
	return nil
}

func (m *memory) DeleteAlarms(_ context.Context, account outcrop.AccountID, region outcrop.Region, names []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, n := range names {
		delete(m.alarms, Key{account, region, n})
	}
	return nil
}

func (m *memory) Alarms(context.Context, outcrop.AccountID, outcrop.Region) (all []Alarm, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.alarms {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Alarm) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

func (m *memory) Note(_ context.Context, e Entry, _ time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, e)
	return nil
}

func (m *memory) History(context.Context, HistoryQuery) ([]Entry, []int64, error) {
	return nil, nil, nil
}

func (m *memory) history() (all []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		all = append(all, e.Summary)
	}
	return all
}

// A feed answers with one value for each minute there is.
type feed struct{ values map[int64]float64 }

func (f *feed) Data(_ context.Context, _ metrics.Viewer, queries []metrics.DataQuery, start, end time.Time) ([]metrics.DataResult, error) {
	r := metrics.DataResult{ID: queries[0].ID}
	for at := start.Unix(); at < end.Unix(); at += 60 {
		if v, ok := f.values[at]; ok {
			r.Times, r.Values = append(r.Times, at), append(r.Values, v)
		}
	}
	return []metrics.DataResult{r}, nil
}

// A hook notes what it is told.
type hook struct {
	mu   sync.Mutex
	told []string
	fail error
}

func (h *hook) Notify(_ context.Context, url string, body []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	h.told = append(h.told, url+" "+m["OldStateValue"].(string)+" "+m["NewStateValue"].(string))
	return h.fail
}

func definition(actions ...string) Definition {
	return Definition{
		ActionsEnabled: true, Plain: true, Periods: 1, ToAlarm: 1, Threshold: 10, Comparison: "GreaterThanThreshold", Missing: "notBreaching",
		Actions: map[State][]string{InAlarm: actions, OK: actions},
		Queries: []Query{{ID: "m", Namespace: metrics.Namespace, Metric: metrics.InvocationThrottles, Stat: "Sum", Period: 60, Return: true}},
	}
}

var key = Key{"111122223333", "us-east-1", "throttles"}

func TestAnAlarmFollowsItsMetric(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, h, f := &memory{alarms: map[Key]Alarm{}}, &hook{}, &feed{map[int64]float64{}}
		a := New(store, f, h, Settings{Webhooks: map[string]string{"arn:aws:sns:us-east-1:1:ops": "http://ops/"}, DirectURLs: true}, time.Now, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		if err := a.Put(ctx, key, definition("https://hook/", "arn:aws:sns:us-east-1:1:ops", "arn:aws:sns:us-east-1:1:other")); err != nil {
			t.Fatal(err)
		}
		state := func() State {
			all, _ := store.Alarms(ctx, "", "")
			return all[0].State
		}
		if state() != InsufficientData {
			t.Errorf("a new alarm is in %s", state())
		}
		time.Sleep(time.Minute + settle + 2*look)
		synctest.Wait()
		if state() != OK {
			t.Errorf("without throttles the alarm is in %s", state())
		}
		minute := time.Now().Truncate(time.Minute)
		f.values[minute.Unix()] = 11
		time.Sleep(time.Minute)
		synctest.Wait()
		if state() != InAlarm {
			t.Errorf("after 11 throttles the alarm is in %s", state())
		}
		time.Sleep((morePeriods + 1) * time.Minute) // until then the newest data there is decides, as on AWS
		synctest.Wait()
		if state() != OK {
			t.Errorf("after the throttles the alarm is in %s", state())
		}
		want := []string{"http://ops/ ALARM OK", "http://ops/ INSUFFICIENT_DATA OK", "http://ops/ OK ALARM", "https://hook/ ALARM OK", "https://hook/ INSUFFICIENT_DATA OK", "https://hook/ OK ALARM"}
		if got := slices.Sorted(slices.Values(h.told)); !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
		if all := strings.Join(store.history(), "\n"); !strings.Contains(all, "Alarm updated from OK to ALARM") || !strings.Contains(all, "no webhook is configured for arn:aws:sns:us-east-1:1:other") {
			t.Errorf("history:\n%s", all)
		}
		cancel()
		running.Wait()
		a.Close()
	})
}

func TestActionsAreToldOnceAndOnlyWhenEnabled(t *testing.T) {
	store, h := &memory{alarms: map[Key]Alarm{}}, &hook{fail: errors.New("refused")}
	a := New(store, &feed{}, h, Settings{DirectURLs: false}, time.Now, slog.New(slog.DiscardHandler))
	d := definition("https://hook/")
	if err := a.Put(t.Context(), key, d); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := a.Set(t.Context(), key, InAlarm, "by hand", ""); err != nil {
			t.Fatal(err)
		}
	}
	a.telling.Wait()
	if len(h.told) > 0 || !strings.Contains(strings.Join(store.history(), "\n"), "alarms.direct_urls") {
		t.Errorf("a URL was told though they are off: %q, %q", h.told, store.history())
	}
	a.settings.DirectURLs = true
	for _, s := range []State{OK, OK, InAlarm} {
		if err := a.Set(t.Context(), key, s, "by hand", ""); err != nil {
			t.Fatal(err)
		}
	}
	a.telling.Wait()
	if len(h.told) != 2 {
		t.Errorf("told %q, want each change once", h.told)
	}
	if err := a.Enable(t.Context(), key.Account, key.Region, []string{"throttles", "gone"}, false); err != nil {
		t.Fatal(err)
	}
	if err := a.Set(t.Context(), key, OK, "by hand", ""); err != nil {
		t.Fatal(err)
	}
	a.telling.Wait()
	if len(h.told) != 2 {
		t.Errorf("told %q though actions are off", h.told)
	}
	if err := a.Delete(t.Context(), key.Account, key.Region, []string{"throttles", "gone"}); outcrop.KindOf(err) != outcrop.NotFound {
		t.Errorf("err = %v", err)
	}
	if all, _ := store.Alarms(t.Context(), "", ""); len(all) != 1 {
		t.Error("deleted, though one of the names was not there")
	}
	a.Close()
}

func TestDefinitionsAreChecked(t *testing.T) {
	a := New(&memory{alarms: map[Key]Alarm{}}, &feed{}, &hook{}, Settings{}, time.Now, slog.New(slog.DiscardHandler))
	defer a.Close()
	for want, change := range map[string]func(*Definition){
		"anomaly detection":     func(d *Definition) { d.Comparison = "LessThanLowerThreshold" },
		"DatapointsToAlarm":     func(d *Definition) { d.ToAlarm = 2 },
		"Exactly one element":   func(d *Definition) { d.Queries[0].Return = false },
		"not a valid statistic": func(d *Definition) { d.Queries[0].Stat = "p1000" },
		"more than 604800":      func(d *Definition) { d.Periods, d.ToAlarm = 20_000, 1 },
	} {
		d := definition()
		change(&d)
		if err := a.Put(t.Context(), key, d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
