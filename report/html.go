package report

import (
	"bytes"
	_ "embed"
	"io"
	"time"

	node "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

//go:embed page.css
var style string

// HTML writes the page: one file that needs nothing else.
//
// What others chose is text on it and nowhere else: Raw is for the stylesheet
// and the chart, and attributes hold words and numbers of ours.
func (p *Page) HTML(w io.Writer) error {
	var b bytes.Buffer
	if err := h.Doctype(lines(h.HTML(h.Lang("en"), lines(p.head(), p.body())))).Render(&b); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (p *Page) head() node.Node {
	return h.Head(lines(
		h.Meta(h.Charset("utf-8")),
		h.Meta(h.Name("viewport"), h.Content("width=device-width, initial-scale=1")),
		h.TitleEl(node.Text("Cost of the week to "+day(p.Last()))),
		h.StyleEl(node.Raw("\n"+style)),
	))
}

func (p *Page) body() node.Node {
	open := ""
	if p.This.Open {
		open = "; the month's bill is still open"
	}
	return h.Body(lines(
		h.H1(node.Textf("What it cost: %s to %s", day(p.This.Start), day(p.Last()))),
		h.P(h.Class("sub"), node.Textf("By %s, in USD, days in UTC%s.", p.This.Title, open)),
		h.Div(h.Class("tiles"), p.tiles()),
		h.Div(h.Class("card"), node.Raw(string(p.Chart))),
		p.unpriced(),
		heading("What changed most"), p.changes(),
		p.This.table(),
		node.Map(p.Others, (*Report).table),
		h.Footer(node.Textf("Made by Outcrop on %s UTC from the answers of its Cost Explorer. Amounts are exact; they are rounded on this page only.", p.Made.Format("2 Jan 2006 15:04"))),
	))
}

func (p *Page) tiles() node.Node {
	largest, part := "-", "nothing was spent"
	if len(p.This.Groups) > 0 {
		largest, part = p.This.Groups[0].Name, share(p.This.Groups[0].Total, p.This.Total)+" of the week"
	}
	return lines(
		tile("This week", Dollars(p.This.Total), p.Change()),
		node.Iff(p.Forecast != nil, p.Forecast.tile),
		tile("Largest "+p.This.Title, largest, part),
	)
}

func (e *Expected) tile() node.Node {
	return tile(e.Month+", expected", e.Amount, "between "+e.Low+" and "+e.High+" with 80 % likelihood")
}

func tile(about, what, beside string) node.Node {
	return h.Div(h.Class("tile"), h.Span(node.Text(about)), h.B(node.Text(what)), h.Span(node.Text(beside)))
}

// unpriced warns of usage that is in no amount.
func (p *Page) unpriced() node.Node {
	if len(p.This.NoPrice) == 0 {
		return nil
	}
	return node.Group{
		heading("Usage without a price"),
		h.Div(h.Class("card warn"), h.P(node.Text("Its cost is unknown and is in no amount on this page.")), h.Table(lines(
			h.Tr(h.Th(node.Text("Usage type")), number(h.Th, "Quantity"), h.Th(node.Text("Unit"))),
			node.Map(p.This.NoPrice, func(n NoPrice) node.Node {
				return h.Tr(name(n.UsageType), number(h.Td, n.Quantity), h.Td(node.Text(n.Unit)))
			}),
		))),
	}
}

func (p *Page) changes() node.Node {
	rows := node.Map(p.Movers, Mover.row)
	if len(rows) == 0 {
		rows = none("Nothing: both weeks cost the same.")
	}
	return h.Div(h.Class("card"), h.Table(lines(
		h.Tr(h.Th(node.Text(p.This.Title)), number(h.Th, "Week before"), number(h.Th, "This week"), number(h.Th, "Change")),
		rows,
	)))
}

func (m Mover) row() node.Node {
	way := "n down"
	if m.Up {
		way = "n up"
	}
	return h.Tr(name(m.Name), number(h.Td, Beside(m.Top, m.Before)), number(h.Td, Beside(m.Top, m.Now)), h.Td(h.Class(way), node.Text(m.Change)))
}

// table shows the dearest groups, with a bar for what each is of the whole.
func (r *Report) table() node.Node {
	rows := node.Map(r.Rows(), r.row)
	if len(rows) == 0 {
		rows = none("Nothing was spent.")
	}
	return node.Group{
		heading("By " + r.Title),
		h.Div(h.Class("card"), h.Table(lines(
			h.Tr(h.Th(node.Text(r.Title)), h.Th(), number(h.Th, "USD"), number(h.Th, "Share")),
			rows,
		))),
	}
}

func (r *Report) row(g Group) node.Node {
	bar := h.I(h.Style("width:" + ratio(g.Total, r.Total) + "%"))
	return h.Tr(name(g.Name), h.Td(h.Class("bar"), bar), number(h.Td, Beside(r.Total, g.Total)), number(h.Td, share(g.Total, r.Total)))
}

func heading(text string) node.Node { return h.H2(node.Text(text)) }

func name(text string) node.Node { return h.Td(h.Class("name"), node.Text(text)) }

// number is a cell whose digits stand below each other.
func number(cell func(...node.Node) node.Node, text string) node.Node {
	return cell(h.Class("n"), node.Text(text))
}

// none is the row of a table that has no others.
func none(why string) node.Group {
	return node.Group{h.Tr(h.Td(h.ColSpan("4"), node.Text(why)))}
}

func day(t time.Time) string { return t.Format("Mon 2 Jan 2006") }

// lines ends a line after each node, and each of a group's, for those who read
// the source.
func lines(nodes ...node.Node) node.Node {
	return node.NodeFunc(func(w io.Writer) (err error) {
		for _, n := range nodes {
			group, several := n.(node.Group)
			switch {
			case several:
				err = lines(group...).Render(w)
			case n != nil:
				err = node.Group{n, node.Raw("\n")}.Render(w)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
