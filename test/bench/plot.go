package main

import (
	"fmt"
	"html"
	"strings"
)

// Sizes in the plot, in pixels.
const (
	plotWidth, plotLeft, plotScale = 860, 330, 150 // plotScale is a ratio of 1
	barHeight, barGap              = 18, 10
)

// plot draws the CPU time on each path by the bare proxy's, which is the line
// at 1, with a mark for what is aimed at.
func (r *report) plot() string {
	var b strings.Builder
	y := 46
	var base float64
	for _, row := range r.Rows {
		cpu := row.total().cpuMicros
		if row.Target.Base {
			base = cpu
		}
		if !row.Target.Records {
			continue
		}
		got, aim := cpu/base, row.Target.Path.Most
		colour := "#2f7d4f"
		if got > aim {
			colour = "#b8632b"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, plotLeft-10, y+13, html.EscapeString(row.Target.Path.Name))
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="%.0f" height="%d" fill="%s"/>`, plotLeft, y, min(got*plotScale, plotWidth-plotLeft-60), barHeight, colour)
		fmt.Fprintf(&b, `<text x="%.0f" y="%d">%.2f</text>`, plotLeft+min(got*plotScale, plotWidth-plotLeft-60)+6, y+13, got)
		fmt.Fprintf(&b, `<path d="M%.0f %dv%d" stroke="#222" stroke-width="2"/>`+"\n", plotLeft+aim*plotScale, y-3, barHeight+6)
		y += barHeight + barGap
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="10" y="20" font-size="14">CPU time on each path, by that of httputil.ReverseProxy (1). Black marks: what is aimed at.</text>
%s<path d="M%d 34V%d" stroke="#888" stroke-dasharray="3 3"/>
</svg>
`, plotWidth, y+10, b.String(), plotLeft+plotScale, y)
}
