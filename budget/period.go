package budget

import "time"

// A TimeUnit is the length of a budget's periods, in AWS's spelling. Periods
// begin at midnight UTC.
type TimeUnit string

// The time units.
const (
	Daily     TimeUnit = "DAILY"
	Monthly   TimeUnit = "MONTHLY"
	Quarterly TimeUnit = "QUARTERLY"
	Annually  TimeUnit = "ANNUALLY"
	Custom    TimeUnit = "CUSTOM" // one period, from the budget's start to its end
)

// A Period is the time from Start up to, but not including, End.
type Period struct{ Start, End time.Time }

func (p Period) runs(at time.Time) bool { return !at.Before(p.Start) && at.Before(p.End) }

// around is the period of the calendar that t lies in.
func (u TimeUnit) around(t time.Time) (start, end time.Time) {
	t = t.UTC()
	date := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	switch u {
	case Daily:
		start = date(t.Year(), t.Month(), t.Day())
		return start, start.AddDate(0, 0, 1)
	case Quarterly:
		start = date(t.Year(), (t.Month()-1)/3*3+1, 1)
		return start, start.AddDate(0, 3, 0)
	case Annually:
		start = date(t.Year(), 1, 1)
		return start, start.AddDate(1, 0, 0)
	}
	start = date(t.Year(), t.Month(), 1)
	return start, start.AddDate(0, 1, 0)
}

// lives says whether the budget counts at t.
func (b *Budget) lives(t time.Time) bool { return !t.Before(b.Start) && t.Before(b.End) }

// until is t, or the last moment of a budget that is over.
func (b *Budget) until(t time.Time) time.Time {
	if t.Before(b.End) {
		return t
	}
	return b.End.Add(-time.Nanosecond)
}

// PeriodAt is the period that counts at t, within the budget's life. A moving
// window is cut to whole hours, the running one included, so that it ends when
// the next hour begins. ok is false outside the budget's life.
func (b *Budget) PeriodAt(t time.Time) (p Period, ok bool) {
	if !b.lives(t) {
		return Period{}, false
	}
	switch w := b.window(); {
	case w > 0:
		p.End = t.UTC().Truncate(time.Hour).Add(time.Hour)
		p.Start = p.End.Add(-w)
	case b.Every == Custom:
		p = Period{b.Start, b.End}
	default:
		p.Start, p.End = b.Every.around(t)
	}
	if p.Start.Before(b.Start) {
		p.Start = b.Start
	}
	if p.End.After(b.End) {
		p.End = b.End
	}
	return p, true
}

// before is the period before p, of the same kind.
func (b *Budget) before(p Period) (Period, bool) {
	if w := b.window(); w > 0 {
		return b.PeriodAt(p.End.Add(-time.Hour - time.Nanosecond))
	}
	return b.PeriodAt(p.Start.Add(-time.Nanosecond))
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// holds says whether an hour belongs to the period. Periods of the calendar
// begin on the hour; a budget that starts within one counts that hour whole, as
// bills have no smaller unit.
func (p Period) holds(hour int64) bool {
	return hour >= hourOf(p.Start) && time.Unix(hour*3600, 0).Before(p.End)
}
