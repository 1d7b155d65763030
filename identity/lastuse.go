package identity

import (
	"context"
	"maps"
	"sync"

	"outcrop"
)

// maxUses bounds the uses that wait to be written: as many ids as are
// remembered at all.
const maxUses = maxCacheEntries

// uses remembers when keys were last used until Flush writes it, so that a
// request costs no write.
type uses struct {
	mu   sync.Mutex
	last map[string]Use
}

// Touch notes that an access key signed a request to service, or that a role
// was assumed. It touches memory only; Flush makes it last.
func (d *Directory) Touch(id, service string, region outcrop.Region) {
	now := d.now().Unix()
	d.uses.mu.Lock()
	defer d.uses.mu.Unlock()
	have, known := d.uses.last[id]
	if known && have.At.Unix() == now && have.Service == service && have.Region == region {
		return
	}
	if !known && len(d.uses.last) >= maxUses {
		return // a lost use is one that the next request makes up for
	}
	d.uses.last[id] = Use{At: d.stamp(), Service: service, Region: region}
}

// Flush writes the uses noted since the last time. The server calls it every
// minute or so and before it stops.
func (d *Directory) Flush(ctx context.Context) error {
	d.uses.mu.Lock()
	last := maps.Clone(d.uses.last)
	d.uses.mu.Unlock()
	if len(last) == 0 {
		return nil
	}
	if err := d.store.Used(ctx, last); err != nil {
		return wrap("write last uses", err)
	}
	d.uses.mu.Lock()
	defer d.uses.mu.Unlock()
	for id, u := range last {
		if d.uses.last[id] == u { // not used again meanwhile
			delete(d.uses.last, id)
		}
	}
	return nil
}

// LastUse of an access key or role id; the zero Use when there was none.
func (d *Directory) LastUse(ctx context.Context, id string) (Use, error) {
	d.uses.mu.Lock()
	u, ok := d.uses.last[id]
	d.uses.mu.Unlock()
	if ok {
		return u, nil
	}
	u, err := d.store.LastUse(ctx, id)
	return u, wrap("find last use", err)
}
