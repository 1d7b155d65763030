package iam

import "strings"

// A condition is one key under one operator, ready to be asked.
type condition struct {
	operator
	key  string // lower case
	test test   // nil for Null
	null nullTest
}

// A test says whether one value of the request satisfies the operator for the
// values in the policy, negation included. A value that is not of the
// operator's type satisfies nothing (reference/control-plane.md §6.5).
type test interface {
	satisfied(value string, e *evaluation) bool
}

// A nullTest holds the two answers of Null.
type nullTest struct{ absent, present bool }

func compileCondition(c Condition, variables bool) condition {
	op, _ := parseOperator(c.Operator)
	compiled := condition{operator: op, key: conditionKey(c.Key)}
	switch op.class {
	case equalStrings, foldStrings:
		compiled.test = compileEquals(op, c.Values, variables)
	case likeStrings:
		compiled.test = compileLike(op, c.Values, variables)
	case arns:
		compiled.test = compileARNs(op, c.Values, variables)
	case numbers:
		compiled.test = typedTest[float64]{op, parseAll(c.Values, parseNumber), parseNumber, compareNumbers}
	case dates:
		compiled.test = typedTest[date]{op, parseAll(c.Values, parseDate), parseDate, compareDates}
	case booleans:
		compiled.test = typedTest[bool]{op, parseAll(c.Values, parseBool), parseBool, compareBools}
	case binaries:
		compiled.test = typedTest[string]{op, parseAll(c.Values, parseBinary), parseBinary, strings.Compare}
	case addresses:
		compiled.test = addressTest{op.negated, parseAll(c.Values, parsePrefix)}
	case null:
		for _, v := range parseAll(c.Values, parseBool) {
			compiled.null.absent = compiled.null.absent || v
			compiled.null.present = compiled.null.present || !v
		}
	}
	return compiled
}

// parseAll keeps the values that are of the type; the others match nothing.
func parseAll[T any](values []string, parse func(string) (T, bool)) []T {
	var all []T
	for _, s := range values {
		if v, ok := parse(s); ok {
			all = append(all, v)
		}
	}
	return all
}

// holds asks the condition (reference/control-plane.md §6.5, table of
// operators).
func (c *condition) holds(e *evaluation) bool {
	entry := e.req.Context.find(c.key)
	e.steps++
	if c.class == null {
		return entry == nil && c.null.absent || entry != nil && c.null.present
	}
	if entry == nil {
		return c.ifExists || c.set == forAll || c.negated && c.set == noSet
	}
	return c.over(entry.values(), e)
}

// over takes the request's values together. Without a set operator a
// multi-valued key is matched when one of its values is, and a negated
// operator is the opposite of that.
func (c *condition) over(values []string, e *evaluation) bool {
	all := c.set == forAll || c.set == noSet && c.negated
	for _, v := range values {
		if c.test.satisfied(v, e) != all {
			return !all
		}
	}
	return all
}
