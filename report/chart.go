package report

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"math/big"
	"strconv"
	"time"
)

// The chart's measures, in SVG units.
const (
	chartWidth, chartHeight  = 960, 420
	plotLeft, plotTop        = 64, 56
	plotRight, plotBottom    = 700, 372
	maxSeries                = 9
	legendLeft, legendHeight = 724, 22
)

// colours are told apart by people who see them differently, too (Okabe and
// Ito's, with two more); the last is for all others.
var colours = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a6fbf", "#b3a125", "#5f6b7a", "#b8bec6"}

// SVG draws the report as stacked bars over time.
func (r *Report) SVG() []byte {
	var b bytes.Buffer
	title := fmt.Sprintf("Cost by %s, %s to %s", r.Title, r.Start.Format(time.DateOnly), r.End.Add(-time.Second).Format(time.DateOnly))
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif">`+"\n",
		chartWidth, chartHeight, chartWidth, chartHeight, html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#ffffff"/>`+"\n", chartWidth, chartHeight)
	fmt.Fprintf(&b, `<text x="%d" y="26" font-size="17" font-weight="600" fill="#1c2733">%s</text>`+"\n", plotLeft, html.EscapeString(title))
	fmt.Fprintf(&b, `<text x="%d" y="44" font-size="12" fill="#5b6875">USD %s in all, %s</text>`+"\n", plotLeft, Dollars(r.Total), stepName(r.Step))
	top := 0.0
	for _, t := range r.Totals {
		top = max(top, float(t))
	}
	step, ticks := scale(top)
	y := func(v float64) float64 { return plotBottom - v/(step*float64(ticks))*(plotBottom-plotTop) }
	for i := 0; i <= ticks; i++ {
		v := step * float64(i)
		fmt.Fprintf(&b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="%s"/><text x="%d" y="%.1f" font-size="11" fill="#5b6875" text-anchor="end">%s</text>`+"\n",
			plotLeft, plotRight, y(v), y(v), map[bool]string{true: "#9aa5b1", false: "#e4e8ec"}[i == 0], plotLeft-8, y(v)+4, tick(v, step))
	}
	series := r.top(maxSeries)
	r.bars(&b, series, y)
	r.dates(&b)
	for i, g := range series {
		at := plotTop + 8 + i*legendHeight
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="12" height="12" rx="2" fill="%s"/><text x="%d" y="%d" font-size="12" fill="#1c2733">%s</text><text x="%d" y="%d" font-size="12" fill="#5b6875" text-anchor="end">%s</text>`+"\n",
			legendLeft, at-10, colour(i), legendLeft+20, at, html.EscapeString(clipped(g.Name, 22)), chartWidth-16, at, Beside(r.Total, g.Total))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func colour(i int) string { return colours[min(i, len(colours)-1)] }

// bars stacks each period's groups, the dearest at the bottom.
func (r *Report) bars(b *bytes.Buffer, series []Group, y func(float64) float64) {
	slot := float64(plotRight-plotLeft) / float64(max(len(r.Times), 1))
	width := slot * 0.78
	for i, at := range r.Times {
		sum := new(big.Rat)
		for n, g := range series {
			if g.Amounts[i].Sign() == 0 {
				continue
			}
			bottom := y(float(sum))
			sum.Add(sum, g.Amounts[i])
			up := y(float(sum))
			fmt.Fprintf(b, `<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"><title>%s %s: USD %s</title></rect>`+"\n",
				plotLeft+slot*float64(i)+(slot-width)/2, up, width, bottom-up, colour(n), at.Format(r.form()), html.EscapeString(g.Name), Dollars(g.Amounts[i]))
		}
	}
}

// dates labels as many periods as have room.
func (r *Report) dates(b *bytes.Buffer) {
	slot := float64(plotRight-plotLeft) / float64(max(len(r.Times), 1))
	every := max(1, int(math.Ceil(58/slot)))
	form := map[string]string{"HOURLY": "02 15:04", "DAILY": "2 Jan", "MONTHLY": "Jan 2006"}[r.Step]
	for i := 0; i < len(r.Times); i += every {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" font-size="11" fill="#5b6875" text-anchor="middle">%s</text>`+"\n",
			plotLeft+slot*(float64(i)+0.5), plotBottom+18, r.Times[i].Format(form))
	}
}

// scale finds a round step and how many of them hold top.
func scale(top float64) (step float64, ticks int) {
	if top <= 0 {
		return 1, 1
	}
	raw := top / 5
	magnitude := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, nice := range []float64{1, 2, 2.5, 5, 10} {
		if step = nice * magnitude; step >= raw {
			break
		}
	}
	return step, max(1, int(math.Ceil(top/step-1e-9)))
}

func tick(v, step float64) string {
	digits := max(0, int(math.Ceil(-math.Log10(step)+1e-9)))
	if step == 2.5*math.Pow(10, math.Floor(math.Log10(step))) {
		digits++
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

func float(x *big.Rat) float64 { f, _ := x.Float64(); return f }

func stepName(step string) string {
	return map[string]string{"HOURLY": "by hour (UTC)", "DAILY": "by day (UTC)", "MONTHLY": "by month (UTC)"}[step]
}
