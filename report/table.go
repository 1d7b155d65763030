package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"
)

// maxRows is how many groups a table and a page show by name.
const maxRows = 25

// Table writes a report for a terminal: a bar for what each group's share is,
// and a spark line for how it went.
func (r *Report) Table(w io.Writer) error {
	p := &printer{w: w}
	p.line("%s, %s to %s (UTC)%s", "Cost by "+r.Title, r.Start.Format(time.DateOnly), r.End.Add(-time.Second).Format(time.DateOnly), map[bool]string{true: ", still open", false: ""}[r.Open])
	p.line("")
	rows := append(r.top(maxRows), Group{Name: "total", Amounts: r.Totals, Total: r.Total})
	name, amount := len(r.Title), len("USD")
	for _, g := range rows {
		name, amount = max(name, utf8.RuneCountInString(g.Name)), max(amount, len(Beside(r.Total, g.Total)))
	}
	name = min(name, 48)
	p.line("%-*s  %*s  %7s  %-*s  %s", name, strings.ToUpper(r.Title), amount, "USD", "SHARE", sparkWidth(len(r.Times)), "TREND", "")
	for i, g := range rows {
		if i == len(rows)-1 {
			p.line("%s", strings.Repeat("─", name+2+amount+2+7+2+sparkWidth(len(r.Times))))
		}
		p.line("%s  %*s  %7s  %s  %s", padded(clipped(g.Name, name), name), amount, Beside(r.Total, g.Total), share(g.Total, r.Total), spark(g.Amounts), bar(g, r, i == len(rows)-1))
	}
	for i, n := range r.NoPrice {
		if i == 0 {
			p.line("\nNo price: cost unknown, and in no amount above. Add prices with: outcrop price import")
		}
		p.line("  %s  %s %s", n.UsageType, n.Quantity, n.Unit)
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

// top are the n dearest groups, and what the others come to.
func (r *Report) top(n int) []Group {
	if len(r.Groups) <= n {
		return append([]Group(nil), r.Groups...)
	}
	rest := Group{Name: fmt.Sprintf("(%d others)", len(r.Groups)-n), Total: new(big.Rat)}
	for range r.Times {
		rest.Amounts = append(rest.Amounts, new(big.Rat))
	}
	for _, g := range r.Groups[n:] {
		rest.Total.Add(rest.Total, g.Total)
		for i, a := range g.Amounts {
			rest.Amounts[i].Add(rest.Amounts[i], a)
		}
	}
	return append(append([]Group(nil), r.Groups[:n]...), rest)
}

func share(part, whole *big.Rat) string {
	if whole.Sign() == 0 {
		return "-"
	}
	f, _ := new(big.Rat).Quo(part, whole).Float64()
	return fmt.Sprintf("%.1f %%", f*100)
}

const barWidth = 24

// bar draws a group's size beside the largest, in eighths of a character.
func bar(g Group, r *Report, total bool) string {
	if total || len(r.Groups) == 0 || r.Groups[0].Total.Sign() == 0 {
		return ""
	}
	f, _ := new(big.Rat).Quo(g.Total, r.Groups[0].Total).Float64()
	eighths := int(f*barWidth*8 + 0.5)
	if eighths == 0 && g.Total.Sign() > 0 {
		eighths = 1
	}
	text := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return text
}

const maxSpark = 31

func sparkWidth(n int) int { return max(min(n, maxSpark), len("TREND")) }

// spark draws amounts as a line of blocks, several to a block when there are
// many.
func spark(amounts []*big.Rat) string {
	n := min(len(amounts), maxSpark)
	values := make([]float64, n)
	top := 0.0
	for i, a := range amounts {
		f, _ := a.Float64()
		values[i*n/len(amounts)] += f
	}
	for _, v := range values {
		top = max(top, v)
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case v == 0:
			b.WriteRune('·')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(int(v/top*8), 7)])
		}
	}
	return padded(b.String(), sparkWidth(len(amounts)))
}

func padded(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(s)))
}

func clipped(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// CSV writes every group and period in full.
func (r *Report) CSV(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"start", r.Title, "usd"}}
	for i, at := range r.Times {
		for _, g := range r.Groups {
			if g.Amounts[i].Sign() > 0 {
				rows = append(rows, []string{at.Format(r.form()), g.Name, Exact(g.Amounts[i])})
			}
		}
	}
	return out.WriteAll(rows)
}

func (r *Report) form() string {
	if r.Step == "HOURLY" {
		return time.RFC3339
	}
	return time.DateOnly
}

// JSON writes every group and period in full; amounts are text, because they
// are exact.
func (r *Report) JSON(w io.Writer) error {
	type group struct {
		Name    string            `json:"name"`
		Total   string            `json:"usd"`
		Periods map[string]string `json:"periods"`
	}
	doc := struct {
		By      string    `json:"by"`
		Start   string    `json:"start"`
		End     string    `json:"end"`
		Step    string    `json:"granularity"`
		Open    bool      `json:"estimated"`
		Total   string    `json:"usd"`
		Groups  []group   `json:"groups"`
		NoPrice []NoPrice `json:"noPrice"`
	}{r.By, r.Start.Format(r.form()), r.End.Format(r.form()), r.Step, r.Open, Exact(r.Total), []group{}, r.NoPrice}
	for _, g := range r.Groups {
		one := group{g.Name, Exact(g.Total), map[string]string{}}
		for i, at := range r.Times {
			if g.Amounts[i].Sign() > 0 {
				one.Periods[at.Format(r.form())] = Exact(g.Amounts[i])
			}
		}
		doc.Groups = append(doc.Groups, one)
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(doc)
}
