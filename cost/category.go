package cost

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"outcrop"
)

// A Category is a cost category: rules that give each line of a bill a value.
// It changes by revisions, each of which holds from the first of a month.
type Category struct {
	Name, ID  string
	Revisions []CategoryRevision // in order of Start, never empty
}

// A CategoryRevision is a category's rules from Start on.
type CategoryRevision struct {
	Start   time.Time
	Rules   []CategoryRule
	Default string        `json:",omitempty"` // of lines that no rule fits
	Split   []SplitCharge `json:",omitempty"`
}

// A CategoryRule gives its Value to the lines that pass its Filter, or what it
// inherits. The first rule that gives a value counts.
type CategoryRule struct {
	Value    string
	Filter   *Filter   `json:",omitempty"`
	Inherits *Grouping `json:",omitempty"` // LINKED_ACCOUNT_NAME, or a tag key

	fits predicate
}

// A SplitCharge divides the cost of one value among others: of lines that have
// none, when Source is empty.
type SplitCharge struct {
	Source  string
	Targets []string
	Method  string   // of the methods
	Percent []string // of FIXED: one for each target
}

// Limits of cost categories, from the service model and its quotas page.
const (
	maxCategories    = 50
	maxCategoryRules = 500
	maxSplitCharges  = 10
	maxSplitTargets  = 500
	maxCategoryDepth = 10 // of categories that ask for one another
	maxCategoryValue = 50 // characters
	categoryKind     = "category"
)

func (c *Category) ready(s Settings) error {
	for i := range c.Revisions {
		for j := range c.Revisions[i].Rules {
			rule := &c.Revisions[i].Rules[j]
			if rule.Inherits != nil {
				continue
			}
			var err error
			if rule.fits, err = s.compile(rule.Filter); err != nil {
				return err
			}
		}
	}
	return nil
}

// On is the revision that holds at a time, nil before the first.
func (c *Category) On(at time.Time) *CategoryRevision {
	for i := range slices.Backward(c.Revisions) {
		if !at.Before(c.Revisions[i].Start) {
			return &c.Revisions[i]
		}
	}
	return nil
}

// value is what c gives x; ok is false when it gives nothing.
func (c *Category) value(x *fact) (value string, ok bool) {
	r := c.On(x.at)
	if r == nil {
		return "", false
	}
	for i := range r.Rules {
		if value := r.Rules[i].value(x); value != "" {
			return value, true
		}
	}
	return r.Default, r.Default != ""
}

func (r *CategoryRule) value(x *fact) (value string) {
	switch {
	case r.Inherits == nil:
		if r.fits(x) {
			value = r.Value
		}
	case r.Inherits.Type == ByTag:
		value, _ = x.tag(r.Inherits.Key)
	default:
		value, _ = x.view.Value(&x.entry.Line, Dimension(r.Inherits.Key))
	}
	return value
}

// addCategories gives v the account's categories, and refuses questions about
// those that do not exist.
func (c *Costs) addCategories(ctx context.Context, account outcrop.AccountID, v *view, f *Filter) error {
	all, err := c.Categories(ctx, account)
	if err != nil {
		return err
	}
	v.categories = make(map[string]*Category, len(all))
	names := make([]string, len(all))
	for i, category := range all {
		v.categories[category.Name], names[i] = category, category.Name
		for _, r := range category.Revisions {
			v.epochs = append(v.epochs, r.Start)
		}
	}
	slices.SortFunc(v.epochs, time.Time.Compare)
	v.epochs = slices.CompactFunc(v.epochs, time.Time.Equal)
	asked := map[string]bool{}
	f.names(asked)
	for _, g := range v.groupBy {
		if g.Type == ByCategory {
			asked[g.Key] = true
		}
	}
	for name := range asked {
		if v.categories[name] == nil {
			return outcrop.Errorf(outcrop.Invalid, "Cost category %s does not exist. There are: %s", name, listOr(names, "none; make one with CreateCostCategoryDefinition"))
		}
	}
	v.asked = slices.Sorted(maps.Keys(asked))
	return nil
}

func listOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Categories lists an account's cost categories in the order they were made.
func (c *Costs) Categories(ctx context.Context, account outcrop.AccountID) ([]*Category, error) {
	return read(ctx, c, account, categoryKind, func(x *Category) error { return x.ready(c.Settings) })
}

// CategoryByID finds one.
func (c *Costs) CategoryByID(ctx context.Context, account outcrop.AccountID, id string) (*Category, error) {
	all, err := c.Categories(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if x.ID == id {
			return x, nil
		}
	}
	return nil, outcrop.Errorf(outcrop.NotFound, "Cost category %s not found", id)
}

// CreateCategory adds one. A revision without a Start holds from the first of
// this month.
func (c *Costs) CreateCategory(ctx context.Context, account outcrop.AccountID, name string, r CategoryRevision) (*Category, error) {
	all, err := c.Categories(ctx, account)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(x *Category) bool { return x.Name == name }) {
		return nil, outcrop.Errorf(outcrop.Invalid, "Failed to create Cost Category: a cost category named %s already exists", name)
	}
	if len(all) >= maxCategories {
		return nil, outcrop.Errorf(outcrop.QuotaExceeded, "Failed to create Cost Category: an account has at most %d", maxCategories)
	}
	x := &Category{Name: name, ID: newID(), Revisions: []CategoryRevision{r}}
	return x, c.putCategory(ctx, account, x, all)
}

// UpdateCategory makes r hold from its Start on, in place of whatever held
// then or later.
func (c *Costs) UpdateCategory(ctx context.Context, account outcrop.AccountID, id string, r CategoryRevision) (*Category, error) {
	all, err := c.Categories(ctx, account)
	if err != nil {
		return nil, err
	}
	old, err := c.CategoryByID(ctx, account, id)
	if err != nil {
		return nil, err
	}
	if r.Start.IsZero() {
		r.Start = monthOf(c.now())
	}
	x := &Category{Name: old.Name, ID: old.ID}
	for _, have := range old.Revisions {
		if have.Start.Before(r.Start) {
			x.Revisions = append(x.Revisions, have)
		}
	}
	x.Revisions = append(x.Revisions, r)
	return x, c.putCategory(ctx, account, x, all)
}

func (c *Costs) putCategory(ctx context.Context, account outcrop.AccountID, x *Category, all []*Category) error {
	r := &x.Revisions[len(x.Revisions)-1]
	if r.Start.IsZero() {
		r.Start = monthOf(c.now())
	}
	if err := r.check(c.now()); err != nil {
		return err
	}
	if err := x.ready(c.Settings); err != nil {
		return err
	}
	if err := x.circular(all); err != nil {
		return err
	}
	return write(ctx, c, account, categoryKind, x.ID, x)
}

// DeleteCategory removes one, for all of history.
func (c *Costs) DeleteCategory(ctx context.Context, account outcrop.AccountID, id string) error {
	ok, err := c.store.DeleteDocument(ctx, account, categoryKind, id)
	if err == nil && !ok {
		return outcrop.Errorf(outcrop.NotFound, "Cost category %s not found", id)
	}
	return err
}

func (r *CategoryRevision) check(now time.Time) error {
	first := monthOf(now)
	switch {
	case !r.Start.Equal(monthOf(r.Start)):
		return outcrop.Errorf(outcrop.Invalid, "EffectiveStart %s is invalid: a cost category begins on the first of a month, 00:00 UTC", r.Start.Format(hourForm))
	case r.Start.After(first) || r.Start.Before(first.AddDate(-1, 0, 0)):
		return outcrop.Errorf(outcrop.Invalid, "EffectiveStart %s is invalid: it must lie in the past twelve months", r.Start.Format(hourForm))
	case len(r.Rules) == 0 || len(r.Rules) > maxCategoryRules:
		return outcrop.Errorf(outcrop.Invalid, "A cost category has 1 to %d rules, not %d", maxCategoryRules, len(r.Rules))
	case len(r.Split) > maxSplitCharges:
		return outcrop.Errorf(outcrop.Invalid, "A cost category has at most %d split charge rules", maxSplitCharges)
	}
	for i := range r.Rules {
		if err := r.Rules[i].check(i); err != nil {
			return err
		}
	}
	for i := range r.Split {
		if err := r.Split[i].check(r.Split[:i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *CategoryRule) check(i int) error {
	switch in := r.Inherits; {
	case in == nil && (r.Value == "" || r.Filter == nil):
		return outcrop.Errorf(outcrop.Invalid, "Rules[%d]: a regular rule needs a Value and a Rule", i)
	case in == nil && len([]rune(r.Value)) > maxCategoryValue:
		return outcrop.Errorf(outcrop.Invalid, "Rules[%d]: Value has more than %d characters", i, maxCategoryValue)
	case in == nil:
		return nil
	case r.Filter != nil || r.Value != "":
		return outcrop.Errorf(outcrop.Invalid, "Rules[%d]: an inherited value has neither Value nor Rule", i)
	case in.Type == ByTag && in.Key == "":
		return outcrop.Errorf(outcrop.Invalid, "Rules[%d]: InheritedValue of DimensionName TAG needs the tag key as DimensionKey", i)
	}
	return nil
}

func (s *SplitCharge) check(earlier []SplitCharge) error {
	switch {
	case len(s.Targets) == 0 || len(s.Targets) > maxSplitTargets:
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %q has 1 to %d targets, not %d", s.Source, maxSplitTargets, len(s.Targets))
	case slices.Contains(s.Targets, ""):
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %q: a target is the name of a value", s.Source)
	case len(slices.Compact(slices.Sorted(slices.Values(s.Targets)))) < len(s.Targets):
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %q: a target is given twice", s.Source)
	case !slices.Contains([]string{splitFixed, splitEven, splitProportional}, s.Method):
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %q: Method %q is invalid. Valid values are FIXED, PROPORTIONAL, EVEN", s.Source, s.Method)
	case slices.Contains(s.Targets, s.Source):
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %s: its source cannot be one of its targets", s.Source)
	case s.Method != splitFixed && len(s.Percent) > 0:
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %s: Parameters belong to the method FIXED", s.Source)
	case s.Method == splitFixed && len(s.Percent) != len(s.Targets):
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %s: FIXED needs one ALLOCATION_PERCENTAGES value for each target", s.Source)
	}
	for _, e := range earlier {
		if e.Source == s.Source || slices.Contains(e.Targets, s.Source) || slices.Contains(s.Targets, e.Source) {
			return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %s: a value is the source of one rule, and no source is another rule's target", s.Source)
		}
	}
	if s.Method == splitFixed {
		return s.checkPercent()
	}
	return nil
}

// checkPercent adds up percentages in millionths of a per cent.
func (s *SplitCharge) checkPercent() error {
	var sum outcrop.Rate
	for _, p := range s.Percent {
		n, err := outcrop.ParseRate(p)
		if err != nil {
			return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %s: %q is not a percentage", s.Source, p)
		}
		sum += n
	}
	if sum != 100_000_000 {
		return outcrop.Errorf(outcrop.Invalid, "Split charge rule of %s: its percentages add up to %s, not to 100", s.Source, sum)
	}
	return nil
}

// circular refuses rules that would ask for their own category.
func (c *Category) circular(all []*Category) error {
	asks := map[string]map[string]bool{}
	for _, x := range append(slices.DeleteFunc(slices.Clone(all), func(x *Category) bool { return x.ID == c.ID }), c) {
		asks[x.Name] = map[string]bool{}
		for _, r := range x.Revisions {
			for _, rule := range r.Rules {
				rule.Filter.names(asks[x.Name])
			}
		}
	}
	for name := range asks[c.Name] {
		if asks[name] == nil {
			return outcrop.Errorf(outcrop.Invalid, "Cost category %s, which a rule names, does not exist", name)
		}
	}
	return c.reach(c.Name, asks, 0)
}

func (c *Category) reach(from string, asks map[string]map[string]bool, depth int) error {
	for name := range asks[from] {
		if name == c.Name {
			return outcrop.Errorf(outcrop.Invalid, "Cost category %s would depend on itself", c.Name)
		}
		if depth == maxCategoryDepth {
			return outcrop.Errorf(outcrop.Invalid, "Cost category %s: more than %d categories that depend on one another", c.Name, maxCategoryDepth)
		}
		if err := c.reach(name, asks, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// monthOf is the first moment of t's month.
func monthOf(t time.Time) time.Time {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// newID is a random UUID.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
