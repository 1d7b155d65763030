package budgetapi

import (
	"slices"
	"testing"

	"outcrop"
	"outcrop/budget"
)

func input(change func(*Budget)) *Budget {
	b := &Budget{BudgetName: "x", BudgetType: "COST", TimeUnit: "MONTHLY", BudgetLimit: &Spend{Amount: "100", Unit: "USD"}}
	change(b)
	return b
}

func TestFiltersOfBothFormsAreRead(t *testing.T) {
	d, err := budgetOf(budget.Key{}, input(func(b *Budget) {
		b.CostFilters = map[string][]string{"TagKeyValue": {"user:project$app01", "project$app02", "stage$"}, "Region": {"us-east-1"}, "Principal": {"arn"}}
	}))
	if err != nil || len(d.Filter.And) != 4 {
		t.Fatalf("%+v %v", d.Filter, err)
	}
	shown, ok := older(d.Filter)
	if !ok || len(shown["TagKeyValue"]) != 3 || shown["TagKeyValue"][0] != "user:project$app01" || shown["Region"][0] != "us-east-1" || shown["Principal"][0] != "arn" {
		t.Errorf("shown as %v", shown)
	}
	e := &Expression{Not: &Expression{Tags: &TagValues{Key: "project", Values: []string{"app"}, MatchOptions: []string{"STARTS_WITH"}}}}
	d, err = budgetOf(budget.Key{}, input(func(b *Budget) { b.FilterExpression = e }))
	if err != nil || d.Filter.Not.Tag.Options[0] != "STARTS_WITH" {
		t.Fatalf("%+v %v", d.Filter, err)
	}
	back := describe(&budget.Status{Budget: d})
	if back.CostFilters != nil || back.FilterExpression.Not.Tags.Key != "project" {
		t.Errorf("shown as %+v", back)
	}
}

func TestPlannedLimitsAreInOrder(t *testing.T) {
	d, err := budgetOf(budget.Key{}, input(func(b *Budget) {
		b.BudgetLimit = nil
		b.PlannedBudgetLimits = map[string]Spend{"1796083200": {Amount: "20", Unit: "USD"}, "1793491200": {Amount: "10", Unit: "USD"}}
	}))
	if err != nil || d.LimitAt(d.Planned[0].From).String() != "10" || d.LimitAt(d.Planned[1].From).String() != "20" {
		t.Errorf("%+v %v", d.Planned, err)
	}
}

func TestMistakesAreInvalidParameters(t *testing.T) {
	for name, change := range map[string]func(*Budget){
		"no limit": func(b *Budget) { b.BudgetLimit = nil }, "amount": func(b *Budget) { b.BudgetLimit.Amount = "1e3" },
		"tag":          func(b *Budget) { b.CostFilters = map[string][]string{"TagKeyValue": {"project=app01"}} },
		"both filters": func(b *Budget) { b.CostFilters, b.FilterExpression = map[string][]string{}, &Expression{} },
		"auto":         func(b *Budget) { b.AutoAdjustData = &AutoAdjustData{} },
		"category":     func(b *Budget) { b.FilterExpression = &Expression{CostCategories: &CostCategoryValues{}} },
	} {
		if _, err := budgetOf(budget.Key{}, input(change)); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBudgetsOfOtherAccountsAreDenied(t *testing.T) {
	who := outcrop.Caller{Account: "111122223333"}
	if _, err := key(who, "444455556666", "x"); outcrop.KindOf(err) != outcrop.Denied {
		t.Errorf("%v", err)
	}
	if k, err := keyOfARN(who, "arn:aws:budgets::111122223333:budget/team a/action/1"); err != nil || k.Name != "team a" {
		t.Errorf("%+v %v", k, err)
	}
	if _, err := keyOfARN(who, "arn:aws:iam::111122223333:user/x"); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("%v", err)
	}
}

// Promise: pages put together are the list.
func TestPagesNeitherLoseNorRepeat(t *testing.T) {
	all, token, seen := []string{"a", "b", "c", "d", "e"}, "", ""
	two := int64(2)
	for range 3 {
		some, next, err := cut(all, token, &two, 100, func(s string) string { return s })
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range some {
			seen += s
		}
		token = next
	}
	if seen != "abcde" || token != "" {
		t.Errorf("%q, then %q", seen, token)
	}
	if _, _, err := cut(all, "?", nil, 100, func(s string) string { return s }); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("%v", err)
	}
}

func TestDefinitionsAreOfOneKind(t *testing.T) {
	iam, scp := &IamActionDefinition{PolicyArn: "p", Users: []string{"ann"}}, &ScpActionDefinition{PolicyId: "p-12345678", TargetIds: []string{"1"}}
	for _, bad := range []*Definition{{}, {IamActionDefinition: iam, ScpActionDefinition: scp}, {SsmActionDefinition: &SsmActionDefinition{}}, {IamActionDefinition: &IamActionDefinition{PolicyArn: "p"}}} {
		if _, err := definitionOf(bad); outcrop.KindOf(err) != outcrop.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	d, err := definitionOf(&Definition{ScpActionDefinition: scp})
	if err != nil || typeFits("APPLY_SCP_POLICY", d) != nil || typeFits("APPLY_IAM_POLICY", d) == nil {
		t.Errorf("%+v %v", d, err)
	}
}

// Promise: a page goes on behind what was shown, though the last of it is gone.
func TestAPageGoesOnThoughItsLastIsGone(t *testing.T) {
	two := int64(2)
	name := func(s string) string { return s }
	some, token, err := cut([]string{"a", "b", "c", "d"}, "", &two, 100, name)
	if err != nil || len(some) != 2 {
		t.Fatal(some, err)
	}
	if some, _, err = cut([]string{"a", "c", "d"}, token, &two, 100, name); err != nil || !slices.Equal(some, []string{"c", "d"}) {
		t.Errorf("%v %v", some, err)
	}
	if _, _, err = cut([]string{"c", "a", "d"}, token, &two, 100, name); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("in no order, nobody knows where to go on, and yet %v", err)
	}
}

// Promise: what is shown as CostFilters means what the budget's filter means.
func TestFiltersThatCostFiltersCannotSayAreShownAsExpressions(t *testing.T) {
	tag := func(value string) budget.Filter {
		return budget.Filter{Tag: &budget.Match{Key: "project", Values: []string{value}}}
	}
	region := func(value string) budget.Filter {
		return budget.Filter{Dimension: &budget.Match{Key: "REGION", Values: []string{value}}}
	}
	for _, twice := range [][]budget.Filter{{tag("a"), tag("b")}, {region("us-east-1"), region("us-west-2")}} {
		if shown, ok := older(&budget.Filter{And: twice}); ok {
			t.Errorf("%+v is shown as %v, of which one value is enough", twice, shown)
		}
	}
	if shown, ok := older(&budget.Filter{And: []budget.Filter{tag("a"), region("us-east-1")}}); !ok || len(shown) != 2 {
		t.Errorf("%v %v", shown, ok)
	}
}
