package cost

import (
	"context"
	"math"
	"strconv"
	"time"

	"outcrop"
)

// A Forecasting asks what a metric will come to.
type Forecasting struct {
	Period      Period
	Granularity Granularity // Daily or Monthly
	Metric      Metric
	Filter      *Filter
	Version     string
	Level       int // of the prediction interval in per cent, 51 to 99; 0 for none
}

// A Forecast is an estimate: its amounts are rounded, unlike those of the past.
type Forecast struct {
	Total  string
	Unit   string
	Points []ForecastPoint
}

// A ForecastPoint is one period's mean, with the interval that holds the real
// value in Level per cent of cases; empty when none was asked for.
type ForecastPoint struct {
	Period          Period
	Mean, Low, High string
}

// What a forecast learns from.
const (
	forecastDays      = 90 // complete days before today, at most
	forecastMinDays   = 3  // since the first that had any usage
	weekdayMinDays    = 14 // below which days of the week are taken for alike
	forecastMaxMonths = 18
)

// Forecast extends the past. The model, over the complete days of the past 90
// since the first usage: a straight line by least squares, times how each day
// of the week differs from it (when two weeks are known), and for the interval
// the spread of what the model missed. Days are taken for independent, so the
// spread of a month grows with the root of its days. Nothing is below zero.
func (c *Costs) Forecast(ctx context.Context, account outcrop.AccountID, f Forecasting) (*Forecast, error) {
	if err := f.check(c.now()); err != nil {
		return nil, err
	}
	days, unit, err := c.pastDays(ctx, account, f)
	if err != nil {
		return nil, err
	}
	if len(days) < forecastMinDays {
		return nil, &outcrop.Error{Kind: outcrop.Invalid, Code: "DataUnavailableException",
			Message: "Insufficient amount of historical data to generate forecast: it needs usage that is at least " + strconv.Itoa(forecastMinDays) + " days old"}
	}
	periods, err := f.Period.split(f.Granularity)
	if err != nil {
		return nil, err
	}
	m := learn(days)
	out, total := &Forecast{Unit: unit}, 0.0
	today := c.now().UTC().Truncate(24 * time.Hour)
	for _, p := range periods {
		mean, variance := m.sum(p, today)
		total += mean
		out.Points = append(out.Points, f.point(p, mean, math.Sqrt(variance)))
	}
	out.Total = amountOf(total)
	return out, nil
}

func (f Forecasting) check(now time.Time) error {
	today := now.UTC().Truncate(24 * time.Hour)
	switch {
	case f.Granularity != Daily && f.Granularity != Monthly:
		return outcrop.Errorf(outcrop.Invalid, "Granularity %s is not available for forecasts. Valid values are DAILY, MONTHLY", f.Granularity)
	case !f.Period.Start.Before(f.Period.End):
		return outcrop.Errorf(outcrop.Invalid, "Start date (and hour) should be before end date (and hour)")
	case f.Period.Start.Before(today):
		return outcrop.Errorf(outcrop.Invalid, "Start date %s is in the past. A forecast begins today (%s) or later", f.Period.Start.Format(dayForm), today.Format(dayForm))
	case f.Period.End.After(today.AddDate(0, forecastMaxMonths, 0)):
		return outcrop.Errorf(outcrop.Invalid, "A forecast reaches at most %d months into the future", forecastMaxMonths)
	}
	return nil
}

func (f Forecasting) point(p Period, mean, spread float64) ForecastPoint {
	point := ForecastPoint{Period: p, Mean: amountOf(mean)}
	if f.Level > 0 {
		z := math.Sqrt2 * math.Erfinv(float64(f.Level)/100)
		point.Low, point.High = amountOf(mean-z*spread), amountOf(mean+z*spread)
	}
	return point
}

// amountOf writes an estimate; nothing costs less than nothing.
func amountOf(x float64) string {
	return trimZeros(strconv.FormatFloat(max(x, 0), 'f', 10, 64))
}

func trimZeros(s string) string {
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}

// A dayValue is a complete day in the past.
type dayValue struct {
	day   time.Time
	value float64
}

// pastDays are the complete days since the first with usage, and their unit.
func (c *Costs) pastDays(ctx context.Context, account outcrop.AccountID, f Forecasting) (days []dayValue, unit string, err error) {
	today := c.now().UTC().Truncate(24 * time.Hour)
	view, err := c.view(ctx, account, f.Version, f.Filter, nil)
	if err != nil {
		return nil, "", err
	}
	periods, err := Period{today.AddDate(0, 0, -forecastDays), today}.split(Daily)
	if err != nil {
		return nil, "", err
	}
	t, err := c.tabulate(ctx, view, account, periods)
	if err != nil {
		return nil, "", err
	}
	if f.Metric != UsageQuantity && f.Metric != NormalizedUsageAmount {
		unit = "USD"
	}
	for i, v := range t.totals {
		if len(days) == 0 && v.Tokens == 0 {
			continue
		}
		amount, of := v.Metric(f.Metric)
		if v.Tokens > 0 && unit != "USD" {
			unit = commonUnit(unit, of)
		}
		x, _ := strconv.ParseFloat(amount, 64) // a decimal that we wrote
		days = append(days, dayValue{periods[i].Start, x})
	}
	if unit == unitMixed && f.Metric == UsageQuantity {
		return nil, "", &outcrop.Error{Kind: outcrop.Invalid, Code: "UnresolvableUsageUnitException",
			Message: "The usage has several units. Filter by USAGE_TYPE or USAGE_TYPE_GROUP, so that one is left"}
	}
	return days, unit, nil
}

// A trend is what a forecast has learnt.
type trend struct {
	origin         time.Time
	level, slope   float64 // at origin, and per day
	weekday        [7]float64
	variance       float64 // of what a day misses the model by
	n, meanX, sumX float64 // how many days, their mean, the sum of their squared distances from it
}

func learn(days []dayValue) *trend {
	m := &trend{origin: days[0].day, n: float64(len(days))}
	var sumY, sumXY float64
	for i, d := range days {
		m.meanX += float64(i) / m.n
		sumY += d.value
	}
	for i, d := range days {
		dx := float64(i) - m.meanX
		m.sumX += dx * dx
		sumXY += dx * (d.value - sumY/m.n)
	}
	m.slope = sumXY / m.sumX
	m.level = sumY/m.n - m.slope*m.meanX
	m.learnWeek(days)
	for i, d := range days {
		miss := d.value - m.at(float64(i), d.day)
		m.variance += miss * miss / max(m.n-2, 1)
	}
	return m
}

// learnWeek compares each day of the week with the line.
func (m *trend) learnWeek(days []dayValue) {
	var real, line [7]float64
	for i, d := range days {
		real[d.day.Weekday()] += d.value
		line[d.day.Weekday()] += max(m.level+m.slope*float64(i), 0)
	}
	for day := range m.weekday {
		m.weekday[day] = 1
		if len(days) >= weekdayMinDays && line[day] > 0 {
			m.weekday[day] = real[day] / line[day]
		}
	}
}

func (m *trend) at(x float64, day time.Time) float64 {
	return max(m.level+m.slope*x, 0) * m.weekday[day.Weekday()]
}

// sum is the mean and the variance of the days of p that begin today or later.
func (m *trend) sum(p Period, today time.Time) (mean, variance float64) {
	for day := p.Start; day.Before(p.End); day = day.AddDate(0, 0, 1) {
		if day.Before(today) {
			continue
		}
		x := day.Sub(m.origin).Hours() / 24
		mean += m.at(x, day)
		variance += m.variance * (1 + 1/m.n + (x-m.meanX)*(x-m.meanX)/m.sumX)
	}
	return mean, variance
}
