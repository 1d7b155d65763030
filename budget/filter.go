package budget

import (
	"slices"
	"strings"

	"outcrop"
)

// A Filter chooses what a budget counts, as Cost Explorer's expressions do.
// Exactly one member of each Filter is set.
type Filter struct {
	And       []Filter `json:",omitempty"`
	Or        []Filter `json:",omitempty"`
	Not       *Filter  `json:",omitempty"`
	Dimension *Match   `json:",omitempty"`
	Tag       *Match   `json:",omitempty"`
}

// A Match compares the value under Key. Values are alternatives.
type Match struct {
	Key     string
	Values  []string
	Options []string `json:",omitempty"` // of AWS's MatchOption; none means EQUALS and CASE_SENSITIVE
}

// Dimensions that AWS has none for. CostFilters take them by these names.
const (
	DimPrincipal = "PRINCIPAL"  // ARN of the caller
	DimAccessKey = "ACCESS_KEY" // id of the access key or Bedrock API key
	DimModel     = "MODEL"      // Bedrock's model id
	DimProfile   = "PROFILE"    // ARN or id of the inference profile
)

// PrincipalTag is the tag key under which Cost Explorer shows the caller's ARN;
// other keys with its prefix are tags of the caller's session.
const (
	principalTagPrefix = "iamPrincipal/"
	PrincipalTag       = principalTagPrefix + "aws:PrincipalArn"
)

// Bill says what a bill shows for a dimension of the tokens of one kind: when
// there is nothing present, the text that stands for that. known is false for a dimension that bills do not have. Whatever else a record has,
// it says the same of those with the same traits and tags.
type Bill func(r *outcrop.UsageRecord, k outcrop.TokenKind, dimension string) (value string, present, known bool)

const (
	maxFilterDepth  = 20
	maxFilterValues = 1000
)

// A compiled filter. perKind says that it tells token kinds of one record
// apart.
type compiled struct {
	match   func(r *outcrop.UsageRecord, k outcrop.TokenKind) bool
	perKind bool
}

// kinds are kinds of token, a bit for each.
type kinds uint32

// allKinds also stand for a record that has none.
const allKinds = ^kinds(0)

func (s kinds) has(k outcrop.TokenKind) bool   { return s&(1<<k) != 0 }
func (s kinds) with(k outcrop.TokenKind) kinds { return s | 1<<k }

// kinds are those that pass for records like r, whether r used them or not.
func (f *compiled) kinds(r *outcrop.UsageRecord) (pass kinds) {
	if !f.perKind {
		return f.whole(r)
	}
	for k := range outcrop.Kinds() {
		if f.match(r, k) {
			pass = pass.with(k)
		}
	}
	return pass
}

// kindsUsed are those of r that pass.
func (f *compiled) kindsUsed(r *outcrop.UsageRecord) (pass kinds) {
	if !f.perKind {
		return f.whole(r)
	}
	for k, n := range r.Usage.All() {
		if n > 0 && f.match(r, k) {
			pass = pass.with(k)
		}
	}
	return pass
}

func (f *compiled) whole(r *outcrop.UsageRecord) kinds {
	if f.match(r, outcrop.InputTokens) {
		return allKinds
	}
	return 0
}

// A compiler turns filters into functions.
type compiler struct {
	bill        Bill
	sessionTags bool // a tag of the session counts where the profile has none
	values      int
	perKind     bool
}

type matcher = func(*outcrop.UsageRecord, outcrop.TokenKind) bool

func (o *Options) compile(f *Filter) (compiled, error) {
	if f == nil {
		return compiled{match: func(*outcrop.UsageRecord, outcrop.TokenKind) bool { return true }}, nil
	}
	c := compiler{bill: o.Bill, sessionTags: o.SessionTags}
	m, err := c.compile(f, 1)
	return compiled{m, c.perKind}, err
}

func (c *compiler) compile(f *Filter, depth int) (matcher, error) {
	if depth > maxFilterDepth {
		return nil, invalid("FilterExpression is nested more than %d levels deep.", maxFilterDepth)
	}
	switch {
	case f.roots() != 1:
		return nil, invalid("FilterExpression must have exactly one root of And, Or, Not, Dimensions, Tags.")
	case f.And != nil:
		return c.all(f.And, depth, true)
	case f.Or != nil:
		return c.all(f.Or, depth, false)
	case f.Not != nil:
		inner, err := c.compile(f.Not, depth+1)
		return func(r *outcrop.UsageRecord, k outcrop.TokenKind) bool { return !inner(r, k) }, err
	case f.Tag != nil:
		return c.tag(f.Tag)
	}
	return c.dimension(f.Dimension)
}

func (f *Filter) roots() (n int) {
	for _, set := range []bool{f.And != nil, f.Or != nil, f.Not != nil, f.Dimension != nil, f.Tag != nil} {
		if set {
			n++
		}
	}
	return n
}

func (c *compiler) all(filters []Filter, depth int, every bool) (matcher, error) {
	inner := make([]matcher, len(filters))
	for i := range filters {
		var err error
		if inner[i], err = c.compile(&filters[i], depth+1); err != nil {
			return nil, err
		}
	}
	return func(r *outcrop.UsageRecord, k outcrop.TokenKind) bool {
		for _, m := range inner {
			if m(r, k) != every {
				return !every
			}
		}
		return every
	}, nil
}

func (c *compiler) tag(m *Match) (matcher, error) {
	same, err := c.compare(m)
	if err != nil {
		return nil, err
	}
	key := strings.TrimPrefix(m.Key, "user:")
	if key == "" {
		return nil, invalid("A Tags filter needs a Key.")
	}
	session, principal := strings.CutPrefix(key, principalTagPrefix)
	return func(r *outcrop.UsageRecord, _ outcrop.TokenKind) bool {
		switch {
		case key == PrincipalTag:
			return same(string(r.Principal), r.Principal != "")
		case principal:
			value, ok := r.SessionTags[session]
			return same(value, ok)
		}
		value, ok := r.Tags[key]
		if !ok && c.sessionTags {
			value, ok = r.SessionTags[key]
		}
		return same(value, ok)
	}, nil
}

func (c *compiler) dimension(m *Match) (matcher, error) {
	same, err := c.compare(m)
	if err != nil {
		return nil, err
	}
	if own := ownDimension(m.Key); own != nil {
		return func(r *outcrop.UsageRecord, _ outcrop.TokenKind) bool {
			for _, value := range own(r) {
				if same(value, value != "") {
					return true
				}
			}
			return false
		}, nil
	}
	if _, _, known := c.bill(new(outcrop.UsageRecord), outcrop.InputTokens, m.Key); !known {
		return nil, invalid("Dimension %q is not known. Use those of Cost Explorer, or in CostFilters also %s, %s, %s, %s.", m.Key, DimProfile, DimPrincipal, DimAccessKey, DimModel)
	}
	c.perKind = c.perKind || strings.HasPrefix(m.Key, "USAGE_TYPE")
	return func(r *outcrop.UsageRecord, k outcrop.TokenKind) bool {
		value, present, _ := c.bill(r, k, m.Key)
		return same(value, present)
	}, nil
}

// ownDimension reads what needs no bill. Several values are names of the same
// thing.
func ownDimension(key string) func(*outcrop.UsageRecord) []string {
	one := func(of func(*outcrop.UsageRecord) string) func(*outcrop.UsageRecord) []string {
		return func(r *outcrop.UsageRecord) []string { return []string{of(r)} }
	}
	switch key {
	case DimPrincipal:
		return one(func(r *outcrop.UsageRecord) string { return string(r.Principal) })
	case DimAccessKey:
		return one(func(r *outcrop.UsageRecord) string { return r.AccessKey })
	case DimModel:
		return one(func(r *outcrop.UsageRecord) string { return string(r.Model) })
	case DimProfile:
		return func(r *outcrop.UsageRecord) []string {
			return []string{string(r.Profile), r.Profile.Parts().ResourceID()}
		}
	}
	return nil
}

// compare reads m's options. Several comparisons are alternatives; without
// values ABSENT is implied. What is not present has the text that bills show for
// it, which for a tag is empty.
func (c *compiler) compare(m *Match) (func(value string, present bool) bool, error) {
	if c.values += len(m.Values); c.values > maxFilterValues {
		return nil, invalid("The filter has more than %d values.", maxFilterValues)
	}
	absent := len(m.Values) == 0 || slices.Contains(m.Options, "ABSENT")
	fold := slices.Contains(m.Options, "CASE_INSENSITIVE")
	var tests []func(value, want string) bool
	for _, o := range m.Options {
		switch o {
		case "EQUALS":
			tests = append(tests, func(value, want string) bool { return value == want })
		case "STARTS_WITH":
			tests = append(tests, strings.HasPrefix)
		case "ENDS_WITH":
			tests = append(tests, strings.HasSuffix)
		case "CONTAINS":
			tests = append(tests, strings.Contains)
		case "ABSENT", "CASE_SENSITIVE", "CASE_INSENSITIVE":
		default:
			return nil, invalid("MatchOptions value %q is invalid. Use EQUALS, ABSENT, STARTS_WITH, ENDS_WITH, CONTAINS, CASE_SENSITIVE, CASE_INSENSITIVE.", o)
		}
	}
	if len(tests) == 0 {
		tests = append(tests, func(value, want string) bool { return value == want })
	}
	wants := slices.Clone(m.Values)
	if fold {
		for i := range wants {
			wants[i] = strings.ToLower(wants[i])
		}
	}
	return func(value string, present bool) bool {
		if absent && !present {
			return true
		}
		if fold {
			value = strings.ToLower(value)
		}
		for _, want := range wants {
			for _, test := range tests {
				if test(value, want) {
					return true
				}
			}
		}
		return false
	}, nil
}

// required is a tag that every counted record must have one of the values of:
// by it most budgets are passed over without a look. ok is false when there is
// none.
func (f *Filter) required() (key string, values []string, ok bool) {
	switch {
	case f == nil:
	case f.Tag != nil && len(f.Tag.Values) > 0 && !slices.Contains(f.Tag.Values, "") && (len(f.Tag.Options) == 0 || slices.Equal(f.Tag.Options, []string{"EQUALS"})):
		key = strings.TrimPrefix(f.Tag.Key, "user:")
		return key, f.Tag.Values, !strings.HasPrefix(key, principalTagPrefix)
	case f.And != nil:
		for i := range f.And {
			if key, values, ok = f.And[i].required(); ok {
				return key, values, true
			}
		}
	}
	return "", nil, false
}
