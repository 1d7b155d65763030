package o200k

// merge joins the bytes of a piece to tokens as the vocabulary was made: of
// all neighbours that make a token together, those of the least rank first,
// and of these the leftmost. It takes n log n steps for n bytes, since people
// who mean no good send long words.
func (v *vocabulary) merge(p string, yield func(end int)) {
	m := &merging{vocabulary: v, text: p, parts: make([]part, len(p))}
	for i := range m.parts {
		m.parts[i] = part{before: i - 1, end: i + 1, rank: none}
	}
	for i := range m.parts {
		m.offer(i)
	}
	for len(m.offers) > 0 {
		o := m.offers.pop()
		if m.parts[o.at].rank == o.rank { // else one of the two was joined since
			m.join(o.at)
		}
	}
	for at := 0; at < len(p); at = m.parts[at].end {
		yield(m.parts[at].end)
	}
}

type merging struct {
	*vocabulary
	text   string
	parts  []part // by where they begin; those that were joined to another stay unused
	offers offers
}

// A part of the piece is a token already.
type part struct {
	before int // where the part before it begins
	end    int
	rank   uint32 // of the token that it makes with the next one
}

// offer finds what the part at i makes with the next one.
func (m *merging) offer(i int) {
	a := &m.parts[i]
	if a.rank = none; a.end == len(m.text) {
		return
	}
	if a.rank = m.rank(m.text[i:m.parts[a.end].end]); a.rank != none {
		m.offers.push(offer{a.rank, i})
	}
}

// join makes one part of the one at i and the next.
func (m *merging) join(i int) {
	next := m.parts[i].end
	end := m.parts[next].end
	m.parts[next].rank = none
	m.parts[i].end = end
	if end < len(m.text) {
		m.parts[end].before = i
	}
	m.offer(i)
	if before := m.parts[i].before; before >= 0 {
		m.offer(before)
	}
}

// An offer is a pair of parts that make a token, by where the first begins.
type offer struct {
	rank uint32
	at   int
}

// offers are a heap, the first to be taken up at the root. container/heap
// would make a value on the heap of each, and ask an interface to compare.
type offers []offer

func (o offer) before(other offer) bool {
	return o.rank < other.rank || o.rank == other.rank && o.at < other.at
}

func (o *offers) push(x offer) {
	h := append(*o, x)
	i := len(h) - 1
	for ; i > 0 && x.before(h[(i-1)/2]); i = (i - 1) / 2 {
		h[i] = h[(i-1)/2]
	}
	h[i] = x
	*o = h
}

func (o *offers) pop() offer {
	h := *o
	first, x := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	i := 0
	for child := 1; child < len(h); child = 2*i + 1 {
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(x) {
			break
		}
		h[i] = h[child]
		i = child
	}
	if len(h) > 0 {
		h[i] = x
	}
	*o = h
	return first
}
