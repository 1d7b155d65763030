package budgetapi

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/budget"
)

// budgetOf reads a budget. Its rules are package budget's.
func budgetOf(k budget.Key, in *Budget) (d budget.Budget, err error) {
	d = budget.Budget{Key: k, Type: budget.Type(in.BudgetType), Every: budget.TimeUnit(in.TimeUnit)}
	switch {
	case in.AutoAdjustData != nil:
		return d, invalid("AutoAdjustData is not kept here. Give a BudgetLimit.")
	case in.BudgetLimit == nil && len(in.PlannedBudgetLimits) == 0:
		return d, invalid("A budget needs a BudgetLimit or PlannedBudgetLimits.")
	case in.CostFilters != nil && in.FilterExpression != nil:
		return d, invalid("Give CostFilters or FilterExpression, not both.")
	case in.BudgetLimit != nil && len(in.PlannedBudgetLimits) > 0:
		return d, invalid("Give BudgetLimit or PlannedBudgetLimits, not both.")
	}
	if l := in.BudgetLimit; l != nil {
		d.Unit = l.Unit
		if d.Limit, err = money(l.Amount); err != nil {
			return d, err
		}
	}
	if err := planned(&d, in.PlannedBudgetLimits); err != nil {
		return d, err
	}
	if p := in.TimePeriod; p != nil {
		d.Start, d.End = p.Start, p.End
	}
	if in.FilterExpression != nil {
		d.Filter, err = filterOf(in.FilterExpression)
	} else {
		d.Filter, err = costFilters(in.CostFilters)
	}
	return d, err
}

func money(amount string) (outcrop.Money, error) {
	m, err := outcrop.ParseMoney(amount)
	if err != nil {
		return m, invalid("%s.", err)
	}
	return m, nil
}

// planned reads limits of single periods by the Unix time that each begins at.
func planned(d *budget.Budget, in map[string]Spend) error {
	for _, at := range slices.Sorted(maps.Keys(in)) {
		seconds, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return invalid("A key of PlannedBudgetLimits is the start of a period as Unix seconds, not %q.", at)
		}
		limit, err := money(in[at].Amount)
		if err != nil {
			return err
		}
		d.Unit = in[at].Unit
		d.Planned = append(d.Planned, budget.Planned{From: time.Unix(seconds, 0).UTC(), Limit: limit})
	}
	slices.SortFunc(d.Planned, func(x, y budget.Planned) int { return x.From.Compare(y.From) })
	return nil
}

// filterOf reads an Expression.
func filterOf(e *Expression) (*budget.Filter, error) {
	if e == nil {
		return nil, nil
	}
	if e.CostCategories != nil {
		return nil, invalid("Budgets do not filter by cost category here. Filter by Tags or Dimensions.")
	}
	var f budget.Filter
	var err error
	if f.And, err = filtersOf(e.And); err != nil {
		return nil, err
	}
	if f.Or, err = filtersOf(e.Or); err != nil {
		return nil, err
	}
	if f.Not, err = filterOf(e.Not); err != nil {
		return nil, err
	}
	if d := e.Dimensions; d != nil {
		f.Dimension = &budget.Match{Key: d.Key, Values: d.Values, Options: d.MatchOptions}
	}
	if t := e.Tags; t != nil {
		f.Tag = &budget.Match{Key: t.Key, Values: t.Values, Options: t.MatchOptions}
	}
	return &f, nil
}

func filtersOf(list []Expression) ([]budget.Filter, error) {
	if list == nil {
		return nil, nil
	}
	out := make([]budget.Filter, len(list))
	for i := range list {
		f, err := filterOf(&list[i])
		if err != nil {
			return nil, err
		}
		out[i] = *f
	}
	return out, nil
}

// filterNames are the keys of CostFilters, in AWS's spelling, and the
// dimensions they mean. Those of Outcrop's own follow.
var filterNames = map[string]string{
	"Service": "SERVICE", "Region": "REGION", "LinkedAccount": "LINKED_ACCOUNT", "UsageType": "USAGE_TYPE", "UsageTypeGroup": "USAGE_TYPE_GROUP",
	"Operation": "OPERATION", "PurchaseType": "PURCHASE_TYPE", "BillingEntity": "BILLING_ENTITY", "LegalEntityName": "LEGAL_ENTITY_NAME", "RecordType": "RECORD_TYPE",
	"InvoicingEntity": "INVOICING_ENTITY", "Profile": budget.DimProfile, "Principal": budget.DimPrincipal, "AccessKey": budget.DimAccessKey, "Model": budget.DimModel,
}

const (
	tagFilter = "TagKeyValue"
	tagPrefix = "user:"
)

// costFilters reads the older form: every key must match, one value of each is
// enough. A tag is written user:key$value, or key$value.
func costFilters(in map[string][]string) (*budget.Filter, error) {
	var all []budget.Filter
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if name != tagFilter {
			d := cmp.Or(filterNames[name], name)
			all = append(all, budget.Filter{Dimension: &budget.Match{Key: d, Values: in[name]}})
			continue
		}
		tags, err := tagFilters(in[name])
		if err != nil {
			return nil, err
		}
		all = append(all, tags...)
	}
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return &all[0], nil
	}
	return &budget.Filter{And: all}, nil
}

func tagFilters(values []string) ([]budget.Filter, error) {
	byKey := map[string][]string{}
	for _, v := range values {
		k, value, ok := strings.Cut(strings.TrimPrefix(v, tagPrefix), "$")
		if !ok || k == "" {
			return nil, invalid("TagKeyValue %q is invalid. Write user:KEY$VALUE, such as user:project$app01.", v)
		}
		byKey[k] = append(byKey[k], value)
	}
	var all []budget.Filter
	for _, k := range slices.Sorted(maps.Keys(byKey)) {
		all = append(all, budget.Filter{Tag: &budget.Match{Key: k, Values: byKey[k]}})
	}
	return all, nil
}

// describe shows a budget with both forms of its filter, as far as it has
// both.
func describe(st *budget.Status) Budget {
	limit := spend(st.Limit, st.Unit)
	shown := Budget{BudgetName: st.Name, BudgetType: string(st.Type), TimeUnit: string(st.Every), BudgetLimit: &limit,
		TimePeriod: &TimePeriod{Start: st.Start, End: st.End}, LastUpdatedTime: st.Updated,
		CalculatedSpend: &CalculatedSpend{ActualSpend: spend(st.Spent, st.Unit)}, CostTypes: costTypes(),
		HealthStatus: &HealthStatus{Status: "HEALTHY", LastUpdatedTime: st.Updated}}
	if st.Alive {
		forecast := spend(st.Forecast, st.Unit)
		shown.CalculatedSpend.ForecastedSpend = &forecast
	}
	for _, p := range st.Planned {
		if shown.PlannedBudgetLimits == nil {
			shown.PlannedBudgetLimits = map[string]Spend{}
		}
		shown.PlannedBudgetLimits[strconv.FormatInt(p.From.Unix(), 10)] = spend(p.Limit, st.Unit)
	}
	if filters, ok := older(st.Filter); ok {
		shown.CostFilters = filters
	} else {
		shown.FilterExpression = expression(st.Filter)
	}
	shown.Metrics = []string{"UnblendedCost"}
	if st.Type == budget.Usage {
		shown.Metrics = []string{"UsageQuantity"}
	}
	return shown
}

// older writes a filter as CostFilters, when it can be said so: of values
// under one name, one is enough.
func older(f *budget.Filter) (map[string][]string, bool) {
	filters := map[string][]string{}
	if f == nil {
		return filters, true
	}
	list := f.And
	if list == nil {
		list = []budget.Filter{*f}
	}
	said := map[string]bool{}
	for i := range list {
		switch d, t := list[i].Dimension, list[i].Tag; {
		case d != nil && len(d.Options) == 0 && len(d.Values) > 0 && !said[d.Key]:
			said[d.Key] = true
			filters[nameOf(d.Key)] = d.Values
		case t != nil && len(t.Options) == 0 && len(t.Values) > 0 && !said[tagPrefix+t.Key]:
			said[tagPrefix+t.Key] = true
			for _, v := range t.Values {
				filters[tagFilter] = append(filters[tagFilter], tagPrefix+t.Key+"$"+v)
			}
		default:
			return nil, false
		}
	}
	return filters, true
}

func nameOf(dimension string) string {
	for name, d := range filterNames {
		if d == dimension {
			return name
		}
	}
	return dimension
}

func expression(f *budget.Filter) *Expression {
	if f == nil {
		return nil
	}
	e := &Expression{Not: expression(f.Not)}
	for i := range f.And {
		e.And = append(e.And, *expression(&f.And[i]))
	}
	for i := range f.Or {
		e.Or = append(e.Or, *expression(&f.Or[i]))
	}
	if d := f.Dimension; d != nil {
		e.Dimensions = &ExpressionDimensionValues{Key: d.Key, Values: d.Values, MatchOptions: d.Options}
	}
	if t := f.Tag; t != nil {
		e.Tags = &TagValues{Key: t.Key, Values: t.Values, MatchOptions: t.Options}
	}
	return e
}

// costTypes are AWS's defaults: there is nothing here but usage, so that none
// of them changes a figure.
func costTypes() *CostTypes {
	yes, no := true, false
	return &CostTypes{IncludeTax: &yes, IncludeSubscription: &yes, UseBlended: &no, IncludeRefund: &yes, IncludeCredit: &yes, IncludeUpfront: &yes,
		IncludeRecurring: &yes, IncludeOtherSubscription: &yes, IncludeSupport: &yes, IncludeDiscount: &yes, UseAmortized: &no}
}

func spend(m outcrop.Money, unit string) Spend { return Spend{Amount: m.String(), Unit: unit} }

func invalid(format string, args ...any) error {
	return fault("InvalidParameterException", outcrop.Invalid, format, args...)
}
