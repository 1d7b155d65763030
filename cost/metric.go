package cost

import (
	"strconv"
	"strings"

	"outcrop"
)

// A Metric is a Cost Explorer metric as answers spell it.
type Metric string

// The metrics. Without discounts, reservations and a payer of its own, all
// costs are the same amount.
const (
	AmortizedCost         Metric = "AmortizedCost"
	BlendedCost           Metric = "BlendedCost"
	NetAmortizedCost      Metric = "NetAmortizedCost"
	NetUnblendedCost      Metric = "NetUnblendedCost"
	NormalizedUsageAmount Metric = "NormalizedUsageAmount"
	UnblendedCost         Metric = "UnblendedCost"
	UsageQuantity         Metric = "UsageQuantity"
)

var metrics = []Metric{AmortizedCost, BlendedCost, NetAmortizedCost, NetUnblendedCost, NormalizedUsageAmount, UnblendedCost, UsageQuantity}

// ParseMetric reads either spelling: UnblendedCost or UNBLENDED_COST.
func ParseMetric(text string) (Metric, error) {
	for _, m := range metrics {
		if text == string(m) || strings.EqualFold(strings.ReplaceAll(text, "_", ""), string(m)) && text == strings.ToUpper(text) {
			return m, nil
		}
	}
	return "", outcrop.Errorf(outcrop.Invalid, "Metrics value %q is invalid. Valid values are %s", text, metricNames())
}

func metricNames() string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = string(m)
	}
	return strings.Join(names, ", ")
}

// unitMixed is AWS's unit for usage that has none in common.
const unitMixed = "N/A"

// Units of UsageQuantity.
const (
	unitTokens   = "1K tokens"
	unitMarket   = "Units"
	unitImages   = "Images"
	unitSearches = "Search Units"
	unitSeconds  = "Seconds"
)

// unitOf is the unit that a kind is billed in.
func unitOf(k outcrop.TokenKind) string {
	switch k {
	case outcrop.InputImages, outcrop.OutputImages:
		return unitImages
	case outcrop.SearchUnits:
		return unitSearches
	case outcrop.ComputeMillis:
		return unitSeconds
	}
	return unitTokens
}

// Thousandths is how many thousandths of its unit n of a kind are: a token is
// one of a thousand tokens, a millisecond one of a second, a picture all
// thousand of a picture.
func Thousandths(k outcrop.TokenKind, n outcrop.Tokens) outcrop.Tokens {
	switch k {
	case outcrop.InputImages, outcrop.OutputImages, outcrop.SearchUnits:
		return n * 1000
	}
	return n
}

// A Value is what lines add up to.
type Value struct {
	Cost        outcrop.Money  // of the tokens that have a price
	Tokens      outcrop.Tokens // all, also those without a price
	Thousandths outcrop.Tokens // the quantity used, in thousandths of its units
	Unpriced    outcrop.Tokens // those whose cost is unknown
	Estimated   outcrop.Tokens // those that were derived, not reported
	Invocations uint64         // records whose first line is among these
	Unit        string         // of UsageQuantity; "N/A" when mixed, empty when nothing was used
}

// A worth is what a line's tokens add to a Value.
type worth struct {
	rate              outcrop.Rate
	priced, estimated bool
	thousandths       outcrop.Tokens // of the unit, in one of the kind
	unit              string
}

func (s Settings) worth(l *Line) worth {
	return worth{l.Rate, l.Priced, l.Estimated, Thousandths(l.Kind, 1), s.Unit(l)}
}

// add counts an amount of a line. Tokens are added up before they are priced,
// and prices are exact: no order of adding changes a total.
func (v *Value) add(a Amount, w *worth) {
	if w.priced {
		v.Cost = v.Cost.Add(w.rate.For(a.Tokens))
	} else {
		v.Unpriced += a.Tokens
	}
	if w.estimated {
		v.Estimated += a.Tokens
	}
	v.Tokens += a.Tokens
	v.Thousandths += w.thousandths * a.Tokens
	v.Invocations += a.Invocations
	v.Unit = commonUnit(v.Unit, w.unit)
}

// plus adds another value.
func (v *Value) plus(w *Value) {
	v.Cost = v.Cost.Add(w.Cost)
	v.Tokens += w.Tokens
	v.Thousandths += w.Thousandths
	v.Unpriced += w.Unpriced
	v.Estimated += w.Estimated
	v.Invocations += w.Invocations
	v.Unit = commonUnit(v.Unit, w.Unit)
}

func commonUnit(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return unitMixed
}

// Metric is v as Cost Explorer writes it: an exact decimal and its unit.
func (v Value) Metric(m Metric) (amount, unit string) {
	switch m {
	case UsageQuantity:
		return thousands(v.Thousandths), pick(v.Unit == "", unitMixed, v.Unit)
	case NormalizedUsageAmount:
		return "0", unitMixed // instances have sizes to normalise by; tokens do not
	}
	return v.Cost.String(), "USD"
}

// thousands writes n/1000 exactly.
func thousands(n outcrop.Tokens) string {
	whole, rest := strconv.FormatUint(uint64(n/1000), 10), n%1000
	if rest == 0 {
		return whole
	}
	frac := strconv.FormatUint(uint64(1000+rest), 10)[1:]
	return whole + "." + strings.TrimRight(frac, "0")
}
