package access

import (
	"context"
	"fmt"
	"strings"

	"outcrop"
	"outcrop/profile"
)

// Defaults are what an application profile says where calls are silent; nil
// when it says nothing.
func (c *Client) Defaults(ctx context.Context, id string) (outcrop.ARN, *outcrop.Defaults, error) {
	t, err := c.Target(ctx, id)
	if err != nil {
		return "", nil, err
	}
	if t.Profile.Kind != outcrop.Application {
		return "", nil, fmt.Errorf("%s is system-defined: create an application inference profile from it, which can have defaults", t.Profile.ARN)
	}
	d, err := profile.DefaultsOf(t.Profile.Tags)
	return t.Profile.ARN, d, err
}

// SetDefaults sets what set says and forgets the settings named in unset.
func (c *Client) SetDefaults(ctx context.Context, id string, set *outcrop.Defaults, unset []string) error {
	t, err := c.Target(ctx, id)
	if err != nil {
		return err
	}
	want, err := profile.DefaultTags(set)
	if err != nil {
		return err
	}
	var stale []string // of what is replaced, too: a shorter list leaves no rest
	for key := range t.Profile.Tags {
		rest, ours := strings.CutPrefix(key, profile.DefaultPrefix)
		name, _, _ := strings.Cut(rest, ":")
		_, kept := want[key]
		_, replaced := want[profile.DefaultPrefix+name]
		if ours && !kept && (replaced || contains(unset, name)) {
			stale = append(stale, key)
		}
	}
	if len(want) > 0 {
		tags := make([]map[string]string, 0, len(want))
		for _, k := range want.Keys() {
			tags = append(tags, map[string]string{"key": k, "value": want[k]})
		}
		if err := c.bedrock(ctx, "POST", "/tagResource", map[string]any{"resourceARN": t.Profile.ARN, "tags": tags}, nil); err != nil {
			return err
		}
	}
	if len(stale) == 0 {
		return nil
	}
	return c.bedrock(ctx, "POST", "/untagResource", map[string]any{"resourceARN": t.Profile.ARN, "tagKeys": stale}, nil)
}

func contains(list []string, name string) bool {
	for _, one := range list {
		if strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}
