package report

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

// A forecaster is a bill with history enough to tell what is to come.
type forecaster struct{ bill }

func (f *forecaster) CostExplorer(ctx context.Context, operation string, in, out any) error {
	if operation != "GetCostForecast" {
		return f.bill.CostExplorer(ctx, operation, in, out)
	}
	return json.Unmarshal([]byte(`{"ForecastResultsByTime": [{"MeanValue": "812.5", "PredictionIntervalLowerBound": "700.25", "PredictionIntervalUpperBound": "1015.125"}]}`), out)
}

// nobody is a Server where nothing was ever spent.
type nobody struct{}

func (nobody) CostExplorer(_ context.Context, _ string, _, out any) error {
	return json.Unmarshal([]byte(`{"ResultsByTime": [{"TimePeriod": {"Start": "2026-11-16"}, "Groups": []}]}`), out)
}

func page(t testing.TB, s Server) *Page {
	t.Helper()
	p, err := MakePage(t.Context(), s, "tag:project", monday.AddDate(0, 0, 14), made)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func written(t testing.TB, p *Page) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPages(t *testing.T) {
	golden(t, "week.html", written(t, page(t, new(bill))))
	golden(t, "quiet.html", written(t, page(t, nobody{})))
	named := page(t, new(forecaster))
	rename(named, hostile[0])
	golden(t, "named.html", written(t, named))
}

// hostile are names that would be more than text where they are not escaped.
var hostile = []string{
	`</td></title></style><script>alert("1")</script><b class='x'>&amp;`,
	`" onload="alert(1)" x="`, `' onload='alert(1)' x='`, "` onload=`alert(1)", `javascript:alert(1)`, `<!-- `, `--> `, `]]>`, `<![CDATA[`, `<svg><style>`,
	`width:expression(alert(1));}</style>`, `&lt;script&gt;`, `{{.}}`, "\x00<\x00script>", "\xff\xfe<b>", "+ADw-script+AD4-", "\u2028<p>\u202e", "\r\n", "",
}

// rename has everything on a page that somebody else chose be a name.
func rename(p *Page, name string) {
	for _, r := range append([]*Report{p.This}, p.Others...) {
		r.Title = name
		for i := range r.Groups {
			r.Groups[i].Name = name
		}
	}
	for i := range p.This.NoPrice {
		p.This.NoPrice[i] = NoPrice{name, name, name}
	}
	for i := range p.Movers {
		p.Movers[i].Name, p.Movers[i].Change = name, name
	}
	p.Forecast = &Expected{name, name, name, name}
	p.Chart = p.This.SVG()
}

// shape is a page without its text: its elements and their attributes, but for
// the chart's label.
func shape(t testing.TB, page []byte) (out []string) {
	t.Helper()
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			return
		}
		one := fmt.Sprint(n.Type, " ", n.Namespace, " ", n.Data)
		for _, a := range n.Attr {
			if a.Key != "aria-label" {
				one += fmt.Sprintf(" %s=%q", a.Key, a.Val)
			}
		}
		out = append(out, one)
		for child := range n.ChildNodes() {
			walk(child)
		}
		out = append(out, "end")
	}
	doc, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	walk(doc)
	return out
}

// texts are a page's texts and labels.
func texts(t testing.TB, page []byte) string {
	t.Helper()
	var b strings.Builder
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			return b.String()
		case html.TextToken:
			b.WriteString(z.Token().Data + "\n")
		case html.StartTagToken:
			for _, a := range z.Token().Attr {
				b.WriteString(a.Val + "\n")
			}
		}
	}
}

func TestNamesAreTextAndNothingElse(t *testing.T) {
	p := page(t, new(forecaster))
	rename(p, "plain")
	want := shape(t, written(t, p))
	for _, name := range hostile {
		rename(p, name)
		got := written(t, p)
		if there := shape(t, got); !slices.Equal(there, want) {
			t.Errorf("named %q the page has other elements: %s", name, cmp.Diff(want, there))
		}
		if shown := strings.ReplaceAll(name, "\x00", "\ufffd"); !strings.Contains(name, "\r") && !strings.Contains(texts(t, got), shown) {
			t.Errorf("the page does not show %q", name)
		}
	}
}

// Whatever things are called, the page has the same elements.
func FuzzNames(f *testing.F) {
	for _, name := range hostile {
		f.Add(name)
	}
	p := page(f, new(forecaster))
	rename(p, "plain")
	want := shape(f, written(f, p))
	f.Fuzz(func(t *testing.T, name string) {
		p := *p
		rename(&p, name)
		if got := shape(t, written(t, &p)); !slices.Equal(got, want) {
			t.Errorf("named %q the page has other elements: %s", name, cmp.Diff(want, got))
		}
	})
}

// What stands in styles is digits, whatever was spent.
func TestWidthsAreNumbers(t *testing.T) {
	for _, x := range []*big.Rat{new(big.Rat), big.NewRat(1, 3), big.NewRat(-7, 2), big.NewRat(1<<62, 1)} {
		for _, whole := range []*big.Rat{new(big.Rat), big.NewRat(3, 1), big.NewRat(1, 1<<62)} {
			if got := ratio(x, whole); got == "" || strings.Trim(got, "-0123456789.") != "" {
				t.Errorf("%v of %v is %q wide", x, whole, got)
			}
		}
	}
}
