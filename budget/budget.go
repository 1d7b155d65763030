// Package budget holds spending to limits: it counts what the ledger records
// against each budget, and reserves what a call may cost before it is made
// (see DESIGN.md).
package budget

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// A Key names a budget.
type Key struct {
	Account outcrop.AccountID
	Name    string
}

// A Budget is a limit for what its filter lets through, per period. It is
// stored as JSON; what is read of it is shared and not changed.
type Budget struct {
	Key
	Type    Type
	Unit    string        // "USD", or what a usage budget counts: see the units
	Limit   outcrop.Money // in Unit
	Planned []Planned     `json:",omitempty"` // limits of single periods, in order of From
	Every   TimeUnit
	Start   time.Time // nothing is counted before
	End     time.Time // nor from here on
	Filter  *Filter   `json:",omitempty"` // nil for everything in the account
	Tags    outcrop.Tags
	Alerts  []Alert  `json:",omitempty"`
	Actions []Action `json:",omitempty"`
	Updated time.Time
}

// A Type says what is counted.
type Type string

// The types that are kept. Reservations and savings plans do not exist here.
const (
	Cost  Type = "COST"
	Usage Type = "USAGE"
)

// The units of usage budgets. AWS's own is that of the usage type.
const (
	UnitDollars   = "USD"
	UnitThousand  = "1K tokens" // as in Cost Explorer
	UnitTokens    = "tokens"
	UnitCalls     = "requests"
	unitsReadable = `"1K tokens", "tokens" or "requests"`
)

// A Planned is the limit of the periods from an instant on.
type Planned struct {
	From  time.Time
	Limit outcrop.Money
}

// Tags by which the AWS API, Terraform and the CLI turn what AWS has no word
// for.
const (
	TagEnforce = "outcrop:enforce" // hard refuses calls, soft (the default) warns
	TagRefusal = "outcrop:refusal" // deny (the default) or throttle: what a refused call is told
	TagWindow  = "outcrop:window"  // such as 24h or 7d: a window that moves instead of the period
)

// Limits of budgets, from AWS's reference.
const (
	maxBudgets     = 1000 // per account
	maxAlerts      = 10
	maxSubscribers = 11
	maxActions     = 5
)

// Hard says whether calls beyond the limit are refused.
func (b *Budget) Hard() bool { return strings.EqualFold(b.Tags[TagEnforce], "hard") }

// throttles says whether refused calls are told to come back, which makes SDKs
// try again, instead of being denied.
func (b *Budget) throttles() bool { return strings.EqualFold(b.Tags[TagRefusal], "throttle") }

// window is how long a moving window is, 0 for a period of the calendar.
func (b *Budget) window() time.Duration {
	d, _ := parseWindow(b.Tags[TagWindow])
	return d
}

var windowForm = regexp.MustCompile(`\A([0-9]{1,5})(h|d)\z`)

func parseWindow(text string) (time.Duration, bool) {
	part := windowForm.FindStringSubmatch(text)
	if part == nil {
		return 0, false
	}
	n, _ := strconv.Atoi(part[1])
	d := time.Duration(n) * time.Hour
	if part[2] == "d" {
		d *= 24
	}
	return d, d > 0 && d <= 366*24*time.Hour
}

// LimitAt is the limit of the period that begins at start.
func (b *Budget) LimitAt(start time.Time) outcrop.Money {
	limit := b.Limit
	for _, p := range b.Planned {
		if !p.From.After(start) {
			limit = p.Limit
		}
	}
	return limit
}

// check holds b to the rules, and fills in what is left out.
func (b *Budget) check(now time.Time) error {
	switch {
	case b.Type == Cost && b.Unit != UnitDollars:
		return invalid("The unit of a COST budget is USD, not %s.", b.Unit)
	case b.Type == Usage && !slices.Contains([]string{UnitThousand, UnitTokens, UnitCalls}, b.Unit):
		return invalid("The unit %q of a USAGE budget is not known. Use %s.", b.Unit, unitsReadable)
	case b.Type != Cost && b.Type != Usage:
		return invalid("Budgets of type %s are not kept here. Use COST or USAGE.", b.Type)
	case !slices.Contains([]TimeUnit{Daily, Monthly, Quarterly, Annually, Custom}, b.Every):
		return invalid("TimeUnit %q is invalid. Use DAILY, MONTHLY, QUARTERLY, ANNUALLY or CUSTOM.", b.Every)
	case len(b.Alerts) > maxAlerts:
		return limited("A budget has at most %d notifications.", maxAlerts)
	}
	if err := checkTags(b.Tags); err != nil {
		return err
	}
	if err := b.fillPeriod(now); err != nil {
		return err
	}
	for i := range b.Alerts {
		if err := b.Alerts[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func checkTags(tags outcrop.Tags) error {
	if e := tags[TagEnforce]; e != "" && !strings.EqualFold(e, "hard") && !strings.EqualFold(e, "soft") {
		return invalid("Tag %s is %q. Use hard, which refuses calls beyond the limit, or soft, which warns.", TagEnforce, e)
	}
	if r := tags[TagRefusal]; r != "" && !strings.EqualFold(r, "deny") && !strings.EqualFold(r, "throttle") {
		return invalid("Tag %s is %q. Use deny or throttle.", TagRefusal, r)
	}
	if w := tags[TagWindow]; w != "" {
		if _, ok := parseWindow(w); !ok {
			return invalid("Tag %s is %q. Use hours or days, such as 24h or 7d, up to 366d.", TagWindow, w)
		}
	}
	return nil
}

// fillPeriod sets AWS's defaults: from the beginning of the running period
// until 2087.
func (b *Budget) fillPeriod(now time.Time) error {
	if b.Every == Custom && (b.Start.IsZero() || b.End.IsZero()) {
		return invalid("A CUSTOM budget needs TimePeriod with Start and End.")
	}
	if b.Start.IsZero() {
		b.Start, _ = b.Every.around(now)
	}
	if b.End.IsZero() {
		b.End = time.Date(2087, 6, 15, 0, 0, 0, 0, time.UTC)
	}
	b.Start, b.End = b.Start.UTC(), b.End.UTC()
	if !b.Start.Before(b.End) {
		return invalid("The start of the time period must be before its end.")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fault("InvalidParameterException", outcrop.Invalid, format, args...)
}

func limited(format string, args ...any) error {
	return fault("CreationLimitExceededException", outcrop.Invalid, format, args...)
}

func missing(format string, args ...any) error {
	return fault("NotFoundException", outcrop.NotFound, format, args...)
}

func duplicate(format string, args ...any) error {
	return fault("DuplicateRecordException", outcrop.Conflict, format, args...)
}

func fault(code string, kind outcrop.Kind, format string, args ...any) error {
	e := outcrop.Errorf(kind, format, args...)
	e.Code = code
	return e
}
