package bedrock

import "time"

// Forget lets the pause before the chain is read again pass at once.
func (u *Upstream) Forget() {
	c := u.keys.(*chain)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded = time.Time{}
}
