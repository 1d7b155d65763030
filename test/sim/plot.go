package sim

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// The plot's measures, in pixels.
const (
	panelWidth, panelHeight = 400, 220
	marginLeft, marginRight = 58, 22
	marginTop, marginBottom = 34, 44
	legendHeight            = 64
)

// lineColors tell policies apart for colour-blind readers as well (Okabe and
// Ito), and dashes tell them apart in print.
var (
	lineColors = []string{"#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00"}
	lineDashes = []string{"", "6 3", "2 3", "8 3 2 3", "4 2"}
)

// A panel is one figure against load.
type panel struct {
	title string
	unit  string
	value func(*Result) float64
}

var panels = []panel{
	{"Clients throttled or refused", "%", func(r *Result) float64 { return r.Percent(r.Throttled + r.Failed) }},
	{"Time to first byte, 99th percentile", "s", func(r *Result) float64 { return r.FirstByte(99).Seconds() }},
	{"Prompts found in a cache", "%", (*Result).HitPercent},
	{"Cost of 1000 answers", "$", (*Result).CostPerThousand},
}

// WriteSVG draws a sweep: one panel for each figure, one line for each policy.
func WriteSVG(out io.Writer, title string, points []Point) error {
	var b bytes.Buffer
	width, height := 2*panelWidth, legendHeight+2*panelHeight
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="Helvetica, Arial, sans-serif" font-size="12">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="14" y="22" font-size="15" font-weight="bold" fill="#222">%s</text>`+"\n", escape(title))
	legend(&b, points)
	for i, p := range panels {
		p.draw(&b, points, i%2*panelWidth, legendHeight+i/2*panelHeight)
	}
	b.WriteString("</svg>\n")
	_, err := out.Write(b.Bytes())
	return err
}

func legend(b *bytes.Buffer, points []Point) {
	x := 14
	for i, r := range points[0].Results {
		fmt.Fprintf(b, `<line x1="%d" y1="44" x2="%d" y2="44" %s/>`, x, x+28, stroke(i))
		fmt.Fprintf(b, `<text x="%d" y="48" fill="#222">%s</text>`+"\n", x+34, escape(r.Policy))
		x += 56 + 8*len(r.Policy)
	}
}

func stroke(i int) string {
	width := 2.0
	if i == 0 {
		width = 3 // Outcrop's own
	}
	return fmt.Sprintf(`stroke="%s" stroke-width="%g" stroke-dasharray="%s" fill="none"`, lineColors[i%len(lineColors)], width, lineDashes[i%len(lineDashes)])
}

func (p *panel) draw(b *bytes.Buffer, points []Point, left, top int) {
	most, last := 0.0, 0.0
	for _, at := range points {
		last = max(last, at.Load)
		for _, r := range at.Results {
			most = max(most, p.value(r))
		}
	}
	ticks := ticksTo(most)
	most = ticks[len(ticks)-1]
	wide, high := float64(panelWidth-marginLeft-marginRight), float64(panelHeight-marginTop-marginBottom)
	x := func(v float64) float64 { return float64(left+marginLeft) + v/last*wide }
	y := func(v float64) float64 { return float64(top+marginTop) + high - v/most*high }
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold" fill="#222">%s (%s)</text>`+"\n", left+marginLeft, top+20, p.title, p.unit)
	for _, t := range ticks {
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="#ddd"/>`, x(0), y(t), x(last), y(t))
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end" fill="#555">%s</text>`+"\n", x(0)-6, y(t)+4, number(t))
	}
	for _, t := range ticksTo(last) {
		if t <= last {
			fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#555">%s</text>`, x(t), y(0)+16, number(t))
		}
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#555">calls a second</text>`+"\n", x(last/2), y(0)+32)
	for i := range points[0].Results {
		var line strings.Builder
		for _, at := range points {
			fmt.Fprintf(&line, "%.1f,%.1f ", x(at.Load), y(p.value(at.Results[i])))
		}
		fmt.Fprintf(b, `<polyline points="%s" %s/>`+"\n", strings.TrimSpace(line.String()), stroke(i))
	}
}

// ticksTo are round numbers from 0 to at least most.
func ticksTo(most float64) []float64 {
	if most <= 0 {
		return []float64{0, 1}
	}
	step := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, f := range []float64{1, 2, 5, 10} {
		if most/(step*f) <= 5 {
			step *= f
			break
		}
	}
	ticks := []float64{0}
	for ticks[len(ticks)-1] < most*0.999 {
		ticks = append(ticks, float64(len(ticks))*step)
	}
	return ticks
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escape(s string) string { return escaper.Replace(s) }
