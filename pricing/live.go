package pricing

import (
	"log/slog"

	"outcrop"
	"outcrop/internal/overlay"
)

// A Live holds the current Book and exchanges it when the overlay folder
// changes. Records that were quoted keep the price they were quoted.
type Live struct{ *overlay.Live[Book] }

// NewLive loads the price lists with the overlay folder dir; empty for none.
func NewLive(dir string, log *slog.Logger) (*Live, error) {
	l, err := overlay.NewLive(dir, "price list", log, func() (*Book, error) { return Load(dir) })
	if err != nil {
		return nil, err
	}
	return &Live{l}, nil
}

// Quote is Current().Quote.
func (l *Live) Quote(q Query) outcrop.Quote { return l.Current().Quote(q) }
