package openai

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// Check asks the server whether it is alive: at path, from the root of its
// address on, or, when path is empty, by its list of models. missing says that
// the server has no such path.
func (u *Upstream) Check(ctx context.Context, path string, limit time.Duration) (missing bool, err error) {
	at, err := url.Parse(u.chat)
	if err != nil {
		return true, nil // New has read it before
	}
	if path != "" {
		at.Path, at.RawPath, at.RawQuery = path, "", ""
	} else {
		at.Path, at.RawPath = strings.TrimSuffix(at.Path, "/chat/completions")+"/models", ""
	}
	return u.host.Check(ctx, at, limit)
}
