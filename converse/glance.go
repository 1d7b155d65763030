package converse

import (
	"strings"

	"outcrop/internal/jsonlex"
)

// A Glimpse is what a meter has to know of an answer that passes by, found by
// scanning its text: nothing is built of the rest.
type Glimpse struct {
	Output     int         // bytes of text, reasoning and tool input
	StopReason string      // empty where the text does not say
	Usage      *TokenUsage // nil where the text does not say
	Message    bool        // a message of the model is in it
	Images     int         // pictures made

	ServiceTier       *ServiceTier              // served, where the text says
	PerformanceConfig *PerformanceConfiguration // likewise
}

// GlanceResponse scans a whole answer. Its error is about the text's form.
func GlanceResponse(body []byte) (g Glimpse, err error) {
	var d decoder
	d.reset(body)
	for d.Object(); d.Member(); {
		switch d.Name() {
		case "output":
			g.output(&d)
		default:
			g.member(&d)
		}
	}
	return g, d.done()
}

// GlanceEvent scans the payload of the event called name.
func GlanceEvent(name string, payload []byte) (Glimpse, error) {
	var s Glancer
	return s.Event(name, payload)
}

// A Glancer scans the events of one stream. Most of them say the same but for a
// piece of text and the padding, which it sees without walking them.
type Glancer struct {
	mold jsonlex.Mold // of the last delta that was walked, if it was such
	text int          // which of its holes is the text
}

// Event scans the payload of the event called name.
func (s *Glancer) Event(name string, payload []byte) (g Glimpse, err error) {
	if name == "contentBlockDelta" {
		return s.delta(payload)
	}
	var d decoder
	d.reset(payload)
	for d.Object(); d.Member(); {
		g.member(&d)
	}
	return g, d.done()
}

func (s *Glancer) delta(payload []byte) (g Glimpse, err error) {
	if holes, fits := s.mold.Fit(payload); fits {
		return Glimpse{Output: len(holes[s.text])}, nil
	}
	var d decoder
	var padding jsonlex.Span
	d.reset(payload)
	for d.Object(); d.Member(); {
		switch name := d.Name(); {
		case name == "delta" && d.Peek() == jsonlex.ObjectValue:
			g.block(&d)
		case name == "p" && d.Peek() == jsonlex.StringValue:
			padding.From = d.Offset() + 1
			d.Skip()
			padding.To = d.End() - 1
		default:
			d.Skip()
		}
	}
	if err = d.done(); err == nil && d.texts == 1 && d.inside.To-d.inside.From == g.Output { // without escapes, which are longer than what they mean
		s.remember(payload, d.inside, padding)
	}
	return g, err
}

func (s *Glancer) remember(payload []byte, text, padding jsonlex.Span) {
	switch s.text = 0; {
	case padding.From == 0:
		s.mold.Make(payload, text)
	case padding.From < text.From:
		s.text = 1
		s.mold.Make(payload, padding, text)
	default:
		s.mold.Make(payload, text, padding)
	}
}

// member reads what stands at the top of answers and of closing events.
func (g *Glimpse) member(d *decoder) {
	switch d.Name() {
	case "stopReason":
		if !d.Null() {
			g.StopReason = d.Text()
		}
	case "usage":
		if !d.Null() {
			g.Usage = new(TokenUsage)
			g.Usage.decode(d)
		}
	case "serviceTier":
		if !d.Null() {
			g.ServiceTier = new(ServiceTier)
			g.ServiceTier.decode(d)
			g.ServiceTier.Type = strings.Clone(g.ServiceTier.Type)
		}
	case "performanceConfig":
		if !d.Null() {
			g.PerformanceConfig = new(PerformanceConfiguration)
			g.PerformanceConfig.decode(d)
			g.PerformanceConfig.Latency = strings.Clone(g.PerformanceConfig.Latency)
		}
	default:
		d.Skip()
	}
}

func (g *Glimpse) output(d *decoder) {
	eachMember(d, "message", func() {
		g.Message = true
		eachMember(d, "content", func() {
			for d.Array(); d.Element(); {
				g.block(d)
			}
		})
	})
}

// eachMember reads an object, and with read the members of one name.
func eachMember(d *decoder, name string, read func()) {
	if d.Null() {
		return
	}
	for d.Object(); d.Member(); {
		if d.Name() == name && !d.Null() {
			read()
		} else if d.Name() != name {
			d.Skip()
		}
	}
}

// block adds up a content block, or the delta of one: they have the same
// members, but that the parts of a tool's input are strings.
func (g *Glimpse) block(d *decoder) {
	for d.Object(); d.Member(); {
		switch d.Name() {
		case "text":
			if !d.Null() {
				g.text(d)
			}
		case "toolUse":
			eachMember(d, "input", func() { g.text(d) })
		case "reasoningContent", "reasoningText":
			if !d.Null() {
				g.block(d)
			}
		default:
			d.Skip()
		}
	}
}

// text adds up a string, or a document as it is written.
func (g *Glimpse) text(d *decoder) {
	d.texts++
	if d.Peek() == jsonlex.StringValue {
		d.inside.From = d.Offset() + 1
		g.Output += len(d.String())
		d.inside.To = d.End() - 1
		return
	}
	g.Output += len(d.Raw())
}
