package cost

import (
	"context"
	"sync"
	"time"

	"outcrop"
)

// unpriced counts usage that no price list had a price for. It is said aloud,
// once an hour for each model, because a bill cannot show what it omits.
type unpriced struct {
	mu     sync.Mutex
	seen   map[outcrop.ModelID]time.Time // last warning; bounded by the models in use
	tokens outcrop.Tokens
}

// maxModelsRemembered bounds unpriced.seen; models beyond it are warned about
// again.
const maxModelsRemembered = 10_000

// Unpriced is how many tokens without a price were folded since the start.
func (c *Costs) Unpriced() outcrop.Tokens {
	c.unpriced.mu.Lock()
	defer c.unpriced.mu.Unlock()
	return c.unpriced.tokens
}

// report warns about what in b has no price, or cannot be right.
func (c *Costs) report(ctx context.Context, b Batch) {
	if b.damaged > 0 {
		c.log.ErrorContext(ctx, "cost: records with impossible token counts were cut", "counts", b.damaged,
			"after", uint64(b.From), "to", uint64(b.To), "limit", uint64(maxTokensPerKind))
	}
	byModel := map[outcrop.ModelID]outcrop.Tokens{}
	for key, sum := range b.Rollups {
		if !key.Line.Priced {
			byModel[key.Line.Model] += sum.Tokens
		}
	}
	now := c.now()
	for model, n := range byModel {
		if c.unpriced.note(model, n, now) {
			c.log.WarnContext(ctx, "cost: usage without a price; tokens are counted, their cost is unknown",
				"model", model, "tokens", uint64(n))
		}
	}
}

// note counts n and says whether a warning about model is due.
func (u *unpriced) note(model outcrop.ModelID, n outcrop.Tokens, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.tokens += n
	if last, ok := u.seen[model]; ok && now.Sub(last) < time.Hour {
		return false
	}
	if len(u.seen) >= maxModelsRemembered {
		clear(u.seen)
	}
	u.seen[model] = now
	return true
}
