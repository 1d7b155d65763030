package metrics

import "outcrop"

// outputTokens is OutputTokenCount's sample.
func outputTokens(u *outcrop.Usage) (outcrop.Tokens, bool) { return u.Get(outcrop.OutputTokens) }

// images counts images made, for models that make them.
func images(*Block, *outcrop.Usage) {}
