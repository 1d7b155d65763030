package cost

// A memo notes what was found out about an entry in an epoch. Entries are
// numbered, so that a question about days hashes nothing for a cell.
type memo[T any] struct {
	epochs [][]noted[T] // by epoch and the entry's number
}

type noted[T any] struct {
	of   *entry
	what T
}

// at is the place for what is known of e in an epoch; known is false when it
// has to be filled. Numbers are unique among the entries of one walk's source;
// where a question reads two, entries with one number push each other out.
func (m *memo[T]) at(e *entry, epoch int) (place *T, known bool) {
	for epoch >= len(m.epochs) {
		m.epochs = append(m.epochs, nil)
	}
	list := m.epochs[epoch]
	if e.number >= len(list) {
		grown := make([]noted[T], max(e.number+1, 2*len(list)))
		copy(grown, list)
		list, m.epochs[epoch] = grown, grown
	}
	n := &list[e.number]
	if n.of == e {
		return &n.what, true
	}
	*n = noted[T]{of: e}
	return &n.what, false
}

// size is how many entries may be noted.
func (m *memo[T]) size() (n int) {
	for _, list := range m.epochs {
		n += len(list)
	}
	return n
}
