package cost

import (
	"time"

	"outcrop"
)

// A Period is the time from Start up to, but not including, End. Both are in
// UTC and on the hour.
type Period struct{ Start, End time.Time }

// A Granularity is the length of the periods in an answer.
type Granularity string

// The granularities, in AWS's spelling.
const (
	Hourly  Granularity = "HOURLY"
	Daily   Granularity = "DAILY"
	Monthly Granularity = "MONTHLY"
)

// Limits of a question.
const (
	hourlyReachDays = 14   // AWS keeps hourly data for 14 days
	maxPeriods      = 1200 // periods in one answer: 38 months of days, AWS's longest history
)

// The two forms of a time in Cost Explorer (shape YearMonthDay).
const (
	dayForm  = "2006-01-02"
	hourForm = "2006-01-02T15:04:05Z"
)

// ParsePeriod reads a TimePeriod. Hourly questions give times, all others
// dates; an empty granularity (GetTags, GetDimensionValues) takes either.
func ParsePeriod(start, end string, g Granularity) (Period, error) {
	s, err := parseTime("Start", start, g)
	if err != nil {
		return Period{}, err
	}
	e, err := parseTime("End", end, g)
	if err != nil {
		return Period{}, err
	}
	return Period{s, e}, nil
}

func parseTime(which, text string, g Granularity) (time.Time, error) {
	want := "yyyy-MM-dd."
	if g == Hourly {
		want = "yyyy-MM-dd'T'HH:mm:ss'Z'."
	}
	t, err := time.Parse(dayForm, text)
	if g == Hourly || err != nil && g == "" {
		t, err = time.Parse(hourForm, text)
	}
	if err != nil || t.Year() < 1 {
		return time.Time{}, outcrop.Errorf(outcrop.Invalid, "%s time %s is invalid. Valid format is: %s", which, text, want)
	}
	if !t.Equal(t.Truncate(time.Hour)) {
		return time.Time{}, outcrop.Errorf(outcrop.Invalid, "%s time %s is invalid. Hourly data begins and ends on the hour.", which, text)
	}
	return t, nil
}

// Format writes both ends the way a question of this granularity gave them.
func (p Period) Format(g Granularity) (start, end string) {
	form := dayForm
	if g == Hourly {
		form = hourForm
	}
	return p.Start.Format(form), p.End.Format(form)
}

// check holds p to AWS's rules as of now.
func (p Period) check(g Granularity, now time.Time) error {
	now = now.UTC()
	today := now.Truncate(24 * time.Hour)
	switch {
	case !p.Start.Before(p.End):
		return outcrop.Errorf(outcrop.Invalid, "Start date (and hour) should be before end date (and hour)")
	case p.Start.After(now):
		return outcrop.Errorf(outcrop.Invalid, "Start date %s is in the future. It must be no later than the current date.", p.Start.Format(dayForm))
	case p.End.After(monthAfter(now)):
		return outcrop.Errorf(outcrop.Invalid, "end date past the beginning of next month")
	case g == Hourly && p.Start.Before(today.AddDate(0, 0, -hourlyReachDays)):
		return outcrop.Errorf(outcrop.Invalid, "Hourly data is kept for the past %d days. Start at or after %s, or ask for DAILY.",
			hourlyReachDays, today.AddDate(0, 0, -hourlyReachDays).Format(hourForm))
	}
	return nil
}

// split cuts p into the periods of an answer; months are clipped to p.
func (p Period) split(g Granularity) ([]Period, error) {
	var out []Period
	for at := p.Start; at.Before(p.End); {
		if len(out) == maxPeriods {
			return nil, outcrop.Errorf(outcrop.Invalid, "The time period has more than %d %s results. Choose a shorter period or a coarser granularity.", maxPeriods, g)
		}
		next := nextPeriod(at, g)
		if next.After(p.End) {
			next = p.End
		}
		out = append(out, Period{at, next})
		at = next
	}
	return out, nil
}

func nextPeriod(t time.Time, g Granularity) time.Time {
	switch g {
	case Hourly:
		return t.Add(time.Hour)
	case Daily:
		return t.Truncate(24*time.Hour).AddDate(0, 0, 1)
	}
	return monthAfter(t)
}

// monthAfter is the first moment of the month after t's.
func monthAfter(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month()+1, 1, 0, 0, 0, 0, time.UTC)
}

// estimated says whether the bill that p is on can still change: AWS closes a
// month as a whole, so every day of the running month is an estimate.
func (p Period) estimated(now time.Time) bool {
	return monthAfter(p.End.Add(-time.Nanosecond)).After(now)
}
