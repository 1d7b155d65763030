package routing

import (
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"

	"outcrop"
	"outcrop/converse"
)

// The lives of a cached prefix (reference/runtime-metering-billing.md §8.5).
const (
	shortLife = 5 * time.Minute
	longLife  = time.Hour
)

const (
	// longPrompt is the size of tools and system text from which a model may
	// cache them by itself: about the least that any model caches, 1024 tokens.
	longPrompt = 4 << 10
	// lookBack is how many ends of messages before the last cache point are
	// compared with what is warm, as Anthropic does with blocks: the cache
	// point of a conversation moves on with each turn.
	lookBack = 20
	maxMarks = lookBack + 4
)

// A reading is a prompt seen as prefixes: tools, system, messages, in the order
// of prompt caching. It keeps the last marks only.
type reading struct {
	hash  xxhash.Digest
	bytes int
	found outcrop.Prefix
	marks [maxMarks]uint64 // ends of messages, and cache points, newest last; a ring
	n     int
}

// read hashes r. It stops behind the last cache point; without any, behind the
// system text. It says whether there is anything to keep together.
func (d *reading) read(r *converse.Request) bool {
	d.hash.Reset()
	d.tools(r.ToolConfig)
	for i := range r.System {
		s := &r.System[i]
		switch {
		case s.CachePoint != nil:
			d.point(s.CachePoint)
		case s.Text != nil:
			d.text(*s.Text)
		}
	}
	last := lastPoint(r.Messages)
	if d.bytes >= longPrompt || d.found.Tip != 0 {
		d.found.Root, d.found.RootLife = d.hash.Sum64(), max(d.found.TipLife, shortLife)
		d.mark(d.found.Root)
	} else if last < 0 {
		return false
	}
	for i := 0; i <= last; i++ {
		d.message(&r.Messages[i])
	}
	return true
}

// lastPoint is the index of the last message with a cache point, -1 for none.
func lastPoint(messages []converse.Message) int {
	for i := len(messages) - 1; i >= 0; i-- {
		for j := range messages[i].Content {
			if messages[i].Content[j].CachePoint != nil {
				return i
			}
		}
	}
	return -1
}

func (d *reading) tools(c *converse.ToolConfiguration) {
	if c == nil {
		return
	}
	for i := range c.Tools {
		t := &c.Tools[i]
		switch {
		case t.CachePoint != nil:
			d.point(t.CachePoint)
		case t.ToolSpec != nil:
			d.text(t.ToolSpec.Name)
			d.text(t.ToolSpec.Description)
			d.raw(t.ToolSpec.InputSchema.Json)
		}
	}
}

func (d *reading) message(m *converse.Message) {
	d.text(m.Role)
	for i := range m.Content {
		d.block(&m.Content[i])
	}
	d.mark(d.hash.Sum64())
}

// block takes in what tells one prompt from another. What is left out, rare
// kinds of media, only makes two prompts look alike: the router keeps them on
// one lane, and the upstream tells them apart.
func (d *reading) block(b *converse.ContentBlock) {
	switch {
	case b.CachePoint != nil:
		d.point(b.CachePoint)
	case b.Text != nil:
		d.text(*b.Text)
	case b.ToolUse != nil:
		d.text(b.ToolUse.ToolUseId)
		d.text(b.ToolUse.Name)
		d.raw(b.ToolUse.Input)
	case b.ToolResult != nil:
		d.text(b.ToolResult.ToolUseId)
		for i := range b.ToolResult.Content {
			if t := b.ToolResult.Content[i].Text; t != nil {
				d.text(*t)
			}
			d.raw(b.ToolResult.Content[i].Json)
		}
	case b.Image != nil:
		d.raw(b.Image.Source.Bytes)
	case b.Document != nil:
		d.text(b.Document.Name)
		d.raw(b.Document.Source.Bytes)
	}
}

func (d *reading) point(c *converse.CachePointBlock) {
	life := shortLife
	if c.Ttl == "1h" {
		life = longLife
	}
	d.found.Tip, d.found.TipLife = d.hash.Sum64(), life
	d.mark(d.found.Tip)
}

func (d *reading) mark(hash uint64) {
	if d.n > 0 && d.marks[(d.n-1)%maxMarks] == hash {
		return
	}
	d.marks[d.n%maxMarks] = hash
	d.n++
}

func (d *reading) text(s string) {
	d.length(len(s))
	d.hash.WriteString(s)
}

func (d *reading) raw(b []byte) {
	d.length(len(b))
	d.hash.Write(b)
}

// length goes before each piece, so that no two prompts run together alike.
func (d *reading) length(n int) {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], uint32(n))
	d.hash.Write(b[:])
	d.bytes += n
}
