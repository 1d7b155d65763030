package cost_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"outcrop"
	"outcrop/cost"
	"outcrop/cost/costtest"
)

// listed writes tags as "key status".
func listed(t *testing.T, c *cost.Costs, q cost.TagQuery) (out []string) {
	t.Helper()
	for {
		list, err := c.ListTags(t.Context(), account, q)
		if err != nil {
			t.Fatal(err)
		}
		for _, tag := range list.Tags {
			out = append(out, fmt.Sprint(tag.Key, " ", tag.Status))
		}
		if q.Page = list.Next; q.Page == "" {
			return out
		}
	}
}

func TestTagsAreDiscoveredInactive(t *testing.T) {
	l := &ledger{}
	c := newCosts(l, costtest.NewMemory())
	if got := listed(t, c, cost.TagQuery{}); len(got) != 0 {
		t.Errorf("tags = %v", got)
	}
	l.settle(call(now), call(now.AddDate(0, -2, 0), tagged(outcrop.Tags{"aws:made": "x", "stage": "x"})))
	for _, want := range []struct {
		q    cost.TagQuery
		tags string
	}{
		{cost.TagQuery{}, "aws:made Inactive,project Inactive,stage Inactive"},
		{cost.TagQuery{Max: 1}, "aws:made Inactive,project Inactive,stage Inactive"},
		{cost.TagQuery{Type: cost.AWSGenerated}, "aws:made Inactive"},
		{cost.TagQuery{Type: cost.UserDefined, Keys: []string{"stage", "other", "aws:made"}}, "stage Inactive"},
		{cost.TagQuery{Status: cost.Active}, ""},
	} {
		if got := strings.Join(listed(t, c, want.q), ","); got != want.tags {
			t.Errorf("%+v: %s, want %s", want.q, got, want.tags)
		}
	}
	list, err := c.ListTags(t.Context(), account, cost.TagQuery{Keys: []string{"stage"}})
	if err != nil || !list.Tags[0].Used.Equal(at("2026-11-21T15:00:00Z")) || !list.Tags[0].Updated.IsZero() {
		t.Errorf("stage = %+v, %v", list, err)
	}
}

func TestUpdatesAreDecidedKeyByKey(t *testing.T) {
	l := &ledger{}
	l.settle(call(now))
	c := newCosts(l, costtest.NewMemory())
	refused, err := c.UpdateTags(t.Context(), account, []cost.TagUpdate{{"project", cost.Active}, {"Project", cost.Active}, {"stage", cost.Inactive}})
	want := []cost.TagRefusal{{"Project", "TagKeysNotFoundException", "Tag keys not found: Project"}}
	if err != nil || !slices.Equal(refused, want) {
		t.Errorf("refused = %v, %v, want %v", refused, err, want)
	}
	list, err := c.ListTags(t.Context(), account, cost.TagQuery{})
	if err != nil || len(list.Tags) != 2 || !list.Tags[0].Updated.Equal(now) || list.Tags[0].Status != cost.Active || !list.Tags[1].Updated.IsZero() {
		t.Errorf("tags = %+v, %v", list, err)
	}
	for name, updates := range map[string][]cost.TagUpdate{
		"none": nil, "too many": make([]cost.TagUpdate, 21), "twice": {{"stage", cost.Active}, {"stage", cost.Inactive}}, "status": {{"stage", "On"}},
	} {
		if _, err := c.UpdateTags(t.Context(), account, updates); !isKind(err, outcrop.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key on a resource can be activated before anybody is billed for it.
func TestKeysInUseAreKnownBeforeTheFirstRecord(t *testing.T) {
	l := &ledger{}
	c := newCosts(l, costtest.NewMemory())
	c.Settings.TagsInUse = func(_ context.Context, a outcrop.AccountID) ([]string, error) {
		return []string{"project", "b", "a", "a"}, nil
	}
	activate(t, c, "project")
	if got := strings.Join(listed(t, c, cost.TagQuery{}), ","); got != "a Inactive,b Inactive,project Active" {
		t.Errorf("tags = %s", got)
	}
	l.settle(call(now))
	if got := groupsOf(ask(t, c, monthly(byTag("project")))); !slices.Equal(got, []string{"project$app01=0.000084"}) {
		t.Errorf("groups = %v", got)
	}
}

func TestAtMost500KeysAreActive(t *testing.T) {
	c := newCosts(&ledger{}, costtest.NewMemory())
	var keys []string
	for i := range 502 {
		keys = append(keys, fmt.Sprintf("k%03d", i))
	}
	c.Settings.TagsInUse = func(context.Context, outcrop.AccountID) ([]string, error) { return keys, nil }
	for chunk := range slices.Chunk(keys[:500], 20) {
		activate(t, c, chunk...)
	}
	refused, err := c.UpdateTags(t.Context(), account, []cost.TagUpdate{{"k500", cost.Active}, {"k501", cost.Active}, {"k000", cost.Inactive}})
	if err != nil || len(refused) != 1 || refused[0].Key != "k501" || refused[0].Code != "LimitExceededException" {
		t.Errorf("refused = %v, %v", refused, err)
	}
}

func found(t *testing.T, c *cost.Costs, l cost.Lookup) (out []string) {
	t.Helper()
	if l.Period == (cost.Period{}) {
		l.Period = november()
	}
	for {
		f, err := c.Find(t.Context(), account, l)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range f.Values {
			out = append(out, v.Text)
		}
		if l.Page = f.Next; l.Page == "" {
			if l.Sort == nil && f.Total != len(out) {
				t.Errorf("total = %d for %v", f.Total, out)
			}
			return out
		}
	}
}

func TestFindValues(t *testing.T) {
	l := &ledger{}
	l.settle(call(now), call(now), call(now, tagged(outcrop.Tags{"project": "App02"})), call(now, tagged(nil)), call(now.AddDate(0, -3, 0), tagged(outcrop.Tags{"project": "old"})))
	c := newCosts(l, costtest.NewMemory())
	activate(t, c, "project")
	byCost := &cost.Sort{By: cost.UnblendedCost, Descending: true}
	for _, want := range []struct {
		l      cost.Lookup
		values string
	}{
		{cost.Lookup{Of: byTag("")}, "project"},
		{cost.Lookup{Of: byTag("project")}, ",App02,app01"},
		{cost.Lookup{Of: byTag("project"), Max: 1}, ",App02,app01"},
		{cost.Lookup{Of: byTag("project"), Search: "PP0"}, "App02,app01"},
		{cost.Lookup{Of: byTag("project"), Sort: byCost}, "app01,,App02"},
		{cost.Lookup{Of: byTag("project"), Sort: byCost, Max: 1}, "app01"},
		{cost.Lookup{Of: byTag("project"), Filter: dimFilter(cost.DimRegion, []string{"x"})}, ""},
		{cost.Lookup{Of: byTag("stage")}, ""},
		{cost.Lookup{Of: byDim(cost.DimService)}, "Amazon Bedrock"},
		{cost.Lookup{Of: byDim("AZ")}, ""},
	} {
		if got := strings.Join(found(t, c, want.l), ","); got != want.values {
			t.Errorf("%+v: %q, want %q", want.l, got, want.values)
		}
	}
	for name, wrong := range map[string]cost.Lookup{
		"sort and search": {Of: byTag("project"), Sort: byCost, Search: "x"}, "sort and page": {Of: byTag("project"), Sort: byCost, Page: "x"},
		"dimension": {Of: byDim("COLOR")}, "max": {Of: byTag("project"), Max: 1001},
	} {
		wrong.Period = november()
		if _, err := c.Find(t.Context(), account, wrong); !isKind(err, outcrop.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
