package iam

import "strings"

// An operator is a condition operator, taken apart.
type operator struct {
	class    class
	relation relation
	negated  bool
	set      set
	ifExists bool
}

// A class is the type that values are compared as.
type class uint8

const (
	equalStrings class = iota // exact
	foldStrings               // case-insensitive
	likeStrings               // with wildcards
	numbers
	dates
	booleans
	binaries
	addresses
	arns
	null
)

// A relation is what a number or date has to be to the policy's.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// A set says how the values of a multi-valued key are taken together.
type set uint8

const (
	noSet set = iota
	forAll
	forAny
)

// operators are those of the policy language, by name. Names are
// case-sensitive.
var operators = map[string]operator{
	"StringEquals":              {class: equalStrings},
	"StringNotEquals":           {class: equalStrings, negated: true},
	"StringEqualsIgnoreCase":    {class: foldStrings},
	"StringNotEqualsIgnoreCase": {class: foldStrings, negated: true},
	"StringLike":                {class: likeStrings},
	"StringNotLike":             {class: likeStrings, negated: true},
	"NumericEquals":             {class: numbers},
	"NumericNotEquals":          {class: numbers, negated: true},
	"NumericLessThan":           {class: numbers, relation: less},
	"NumericLessThanEquals":     {class: numbers, relation: lessOrEqual},
	"NumericGreaterThan":        {class: numbers, relation: greater},
	"NumericGreaterThanEquals":  {class: numbers, relation: greaterOrEqual},
	"DateEquals":                {class: dates},
	"DateNotEquals":             {class: dates, negated: true},
	"DateLessThan":              {class: dates, relation: less},
	"DateLessThanEquals":        {class: dates, relation: lessOrEqual},
	"DateGreaterThan":           {class: dates, relation: greater},
	"DateGreaterThanEquals":     {class: dates, relation: greaterOrEqual},
	"Bool":                      {class: booleans},
	"BinaryEquals":              {class: binaries},
	"IpAddress":                 {class: addresses},
	"NotIpAddress":              {class: addresses, negated: true},
	"ArnEquals":                 {class: arns}, // the same as ArnLike
	"ArnLike":                   {class: arns},
	"ArnNotEquals":              {class: arns, negated: true},
	"ArnNotLike":                {class: arns, negated: true},
	"Null":                      {class: null},
}

// parseOperator takes name apart: a set operator before, IfExists behind. Null
// asks whether the key exists, so it has neither.
func parseOperator(name string) (operator, bool) {
	base, s := name, noSet
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		base, s = rest, forAll
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		base, s = rest, forAny
	}
	base, ifExists := strings.CutSuffix(base, "IfExists")
	op, ok := operators[base]
	op.set, op.ifExists = s, ifExists
	return op, ok && (op.class != null || s == noSet && !ifExists)
}
