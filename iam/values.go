package iam

import (
	"cmp"
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// equalsTest is StringEquals and its case-insensitive and negated kin.
type equalsTest struct {
	operator
	fixed    []string   // without variables
	variable []template // with
}

func compileEquals(op operator, values []string, variables bool) test {
	t := equalsTest{operator: op}
	for _, v := range values {
		if tpl := parseTemplate(v, variables); tpl.static() {
			plain, _ := tpl.plain(nil)
			t.fixed = append(t.fixed, plain)
		} else {
			t.variable = append(t.variable, tpl)
		}
	}
	return t
}

func (t equalsTest) satisfied(value string, e *evaluation) bool {
	return t.matches(value, e) != t.negated
}

func (t equalsTest) matches(value string, e *evaluation) bool {
	for _, want := range t.fixed {
		e.steps += 1 + min(len(want), len(value))
		if t.same(want, value) {
			return true
		}
	}
	for _, tpl := range t.variable {
		want, ok := tpl.plain(&e.req.Context)
		e.steps += 1 + len(want)
		if ok && t.same(want, value) {
			return true
		}
	}
	return false
}

func (t equalsTest) same(a, b string) bool {
	return a == b || t.class == foldStrings && strings.EqualFold(a, b)
}

// likeTest is StringLike and StringNotLike.
type likeTest struct {
	negated bool
	texts   []text
}

func compileLike(op operator, values []string, variables bool) test {
	t := likeTest{negated: op.negated}
	for _, v := range values {
		t.texts = append(t.texts, compileText(v, variables))
	}
	return t
}

func (t likeTest) satisfied(value string, e *evaluation) bool {
	return anyText(t.texts, value, e) != t.negated
}

// arnTest is ArnEquals, ArnLike and their negations.
type arnTest struct {
	negated bool
	texts   []arnText
}

func compileARNs(op operator, values []string, variables bool) test {
	t := arnTest{negated: op.negated}
	for _, v := range values {
		t.texts = append(t.texts, compileARN(v, variables))
	}
	return t
}

func (t arnTest) satisfied(value string, e *evaluation) bool {
	for i := range t.texts {
		if t.texts[i].match(value, e) {
			return !t.negated
		}
	}
	return t.negated
}

// typedTest compares numbers, dates, booleans and bytes.
type typedTest[T any] struct {
	operator
	want    []T
	parse   func(string) (T, bool)
	compare func(a, b T) int
}

func (t typedTest[T]) satisfied(value string, e *evaluation) bool {
	got, ok := t.parse(value)
	if !ok {
		return false
	}
	for _, want := range t.want {
		e.steps++
		if t.relation.holds(t.compare(got, want)) {
			return !t.negated
		}
	}
	return t.negated
}

func (r relation) holds(c int) bool {
	switch r {
	case less:
		return c < 0
	case lessOrEqual:
		return c <= 0
	case greater:
		return c > 0
	case greaterOrEqual:
		return c >= 0
	}
	return c == 0
}

// addressTest is IpAddress and NotIpAddress.
type addressTest struct {
	negated bool
	want    []netip.Prefix
}

func (t addressTest) satisfied(value string, e *evaluation) bool {
	got, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	got = got.Unmap().WithZone("")
	for _, p := range t.want {
		e.steps++
		if p.Contains(got) {
			return !t.negated
		}
	}
	return t.negated
}

// mappedBits is how long the prefix is by which IPv6 has the addresses of IPv4.
const mappedBits = 96

// parsePrefix reads a CIDR block or one address.
func parsePrefix(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().Is4In6() && p.Bits() >= mappedBits { // addresses are compared as IPv4
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits)
		}
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Prefix{}, false
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), true
}

// parseNumber reads an integer or a decimal, and none of the other spellings
// that Go knows (hexadecimal, underscores, infinities).
func parseNumber(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

func compareNumbers(a, b float64) int { return cmp.Compare(a, b) }

func parseBool(s string) (bool, bool) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, true
	case strings.EqualFold(s, "false"):
		return false, true
	}
	return false, false
}

// compareBools only tells equal from unequal.
func compareBools(a, b bool) int {
	if a == b {
		return 0
	}
	return 1
}

// parseBinary reads base64 and gives the bytes.
func parseBinary(s string) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	return string(b), err == nil
}

// A date is an instant.
type date = time.Time

func compareDates(a, b date) int { return a.Compare(b) }

// dateLayouts are the forms of ISO 8601 that the W3C's note on dates and times
// allows, which is what the policy language refers to; the zone may be absent
// and is UTC then.
var dateLayouts = []string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
	"2006-01-02T15Z07:00", "2006-01-02T15", "2006-01-02", "2006-01",
}

// parseDate reads ISO 8601 or seconds since 1970. Four digits alone are
// seconds: IAM takes text without - and T for a number.
func parseDate(s string) (date, bool) {
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil && seconds >= 0 {
		return time.Unix(seconds, 0).UTC(), true
	}
	upper := strings.ToUpper(s)
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, upper); err == nil {
			return t.UTC(), true
		}
	}
	return date{}, false
}
