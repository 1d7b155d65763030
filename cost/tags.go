package cost

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"outcrop"
)

// A TagType is AWS's CostAllocationTagType.
type TagType string

// The types. Keys that begin with "aws:" are AWS's own.
const (
	UserDefined  TagType = "UserDefined"
	AWSGenerated TagType = "AWSGenerated"
)

// Limits of cost allocation tags, from the service model and its quotas page.
const (
	maxTagUpdates  = 20
	maxTagsListed  = 1000
	maxTagFilter   = 100
	defaultListed  = 100
	maxActiveTags  = 500
	codeTagMissing = "TagKeysNotFoundException"
	codeTagLimit   = "LimitExceededException"
)

// A CostAllocationTag is a tag key as billing sees it.
type CostAllocationTag struct {
	TagState
	Type TagType
}

// A TagQuery chooses cost allocation tags. Empty members choose all.
type TagQuery struct {
	Status TagStatus
	Keys   []string
	Type   TagType
	Max    int // tags on a page; 0 is 100
	Page   string
}

// A TagList is one page of tags in order of key.
type TagList struct {
	Tags []CostAllocationTag
	Next string
}

// A TagUpdate sets one key's status.
type TagUpdate struct {
	Key    string
	Status TagStatus
}

// A TagRefusal is why one key was left as it was.
type TagRefusal struct{ Key, Code, Message string }

// ListTags lists an account's cost allocation tags: every key that a record
// or (with Settings.TagsInUse) a resource carries.
func (c *Costs) ListTags(ctx context.Context, account outcrop.AccountID, q TagQuery) (*TagList, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	query := q.digest(account)
	after := ""
	if q.Page != "" {
		var err error
		if after, err = decodeToken[string](q.Page, query); err != nil {
			return nil, err
		}
	}
	tags, err := c.tags(ctx, account)
	if err != nil {
		return nil, err
	}
	tags = slices.DeleteFunc(tags, func(t CostAllocationTag) bool { return q.Page != "" && t.Key <= after || !q.wants(t) })
	list := &TagList{Tags: tags[:min(len(tags), cmp.Or(q.Max, defaultListed))]}
	if len(list.Tags) < len(tags) {
		list.Next = encodeToken(query, list.Tags[len(list.Tags)-1].Key)
	}
	return list, nil
}

func (q TagQuery) check() error {
	switch {
	case q.Status != "" && q.Status != Active && q.Status != Inactive:
		return outcrop.Errorf(outcrop.Invalid, "Status %q is invalid. Valid values are Active, Inactive", q.Status)
	case q.Type != "" && q.Type != UserDefined && q.Type != AWSGenerated:
		return outcrop.Errorf(outcrop.Invalid, "Type %q is invalid. Valid values are AWSGenerated, UserDefined", q.Type)
	case q.Max < 0 || q.Max > maxTagsListed:
		return outcrop.Errorf(outcrop.Invalid, "MaxResults must be between 1 and %d", maxTagsListed)
	case len(q.Keys) > maxTagFilter:
		return outcrop.Errorf(outcrop.Invalid, "TagKeys must have at most %d members", maxTagFilter)
	}
	return nil
}

func (q TagQuery) wants(t CostAllocationTag) bool {
	return (q.Status == "" || q.Status == t.Status) && (q.Type == "" || q.Type == t.Type) &&
		(len(q.Keys) == 0 || slices.Contains(q.Keys, t.Key))
}

func (q TagQuery) digest(account outcrop.AccountID) []byte {
	q.Page = ""
	return digest(account, q)
}

// UpdateTags activates and deactivates keys. It takes effect at once, and for
// all of history: every rollup keeps the tags of its records, so that a status
// only decides whether they are shown. Keys that nothing uses are refused one
// by one; the others change together.
func (c *Costs) UpdateTags(ctx context.Context, account outcrop.AccountID, updates []TagUpdate) ([]TagRefusal, error) {
	if err := checkUpdates(updates); err != nil {
		return nil, err
	}
	tags, err := c.tags(ctx, account)
	if err != nil {
		return nil, err
	}
	set, refused := decide(tags, updates, c.now().UTC().Truncate(time.Second))
	if len(set) == 0 {
		return refused, nil
	}
	if err := c.store.SetTags(ctx, account, set); err != nil {
		return nil, fmt.Errorf("set cost allocation tags: %w", err)
	}
	return refused, nil
}

func checkUpdates(updates []TagUpdate) error {
	if n := len(updates); n == 0 || n > maxTagUpdates {
		return outcrop.Errorf(outcrop.Invalid, "Failed to update Cost Allocation Tag: between 1 and %d tag keys can be updated at a time, not %d", maxTagUpdates, n)
	}
	seen := map[string]bool{}
	for _, u := range updates {
		if u.Status != Active && u.Status != Inactive {
			return outcrop.Errorf(outcrop.Invalid, "Failed to update Cost Allocation Tag: Status %q is invalid. Valid values are Active, Inactive", u.Status)
		}
		if seen[u.Key] {
			return outcrop.Errorf(outcrop.Invalid, "Failed to update Cost Allocation Tag: tag key %s is given twice", u.Key)
		}
		seen[u.Key] = true
	}
	return nil
}

// decide says which updates to write and which to refuse.
func decide(tags []CostAllocationTag, updates []TagUpdate, now time.Time) (set []TagState, refused []TagRefusal) {
	state, active := map[string]TagState{}, 0
	for _, t := range tags {
		state[t.Key] = t.TagState
		if t.Status == Active {
			active++
		}
	}
	updates = slices.Clone(updates) // keys given up first, so that they make room
	slices.SortStableFunc(updates, func(a, b TagUpdate) int { return strings.Compare(string(b.Status), string(a.Status)) })
	for _, u := range updates {
		old, known := state[u.Key]
		switch {
		case !known:
			refused = append(refused, TagRefusal{u.Key, codeTagMissing, "Tag keys not found: " + u.Key})
			continue
		case old.Status == u.Status:
			continue
		case u.Status == Inactive:
			active--
		case active >= maxActiveTags:
			refused = append(refused, TagRefusal{u.Key, codeTagLimit, fmt.Sprintf("At most %d tag keys can be active", maxActiveTags)})
			continue
		default:
			active++
		}
		set = append(set, TagState{Key: u.Key, Status: u.Status, Updated: now})
	}
	return set, refused
}

// tags are all that is known, in order of key.
func (c *Costs) tags(ctx context.Context, account outcrop.AccountID) ([]CostAllocationTag, error) {
	if err := c.fresh(ctx); err != nil {
		return nil, err
	}
	states, err := c.store.Tags(ctx, account)
	if err != nil {
		return nil, fmt.Errorf("read cost allocation tags: %w", err)
	}
	if c.Settings.TagsInUse != nil {
		keys, err := c.Settings.TagsInUse(ctx, account)
		if err != nil {
			return nil, fmt.Errorf("read tag keys in use: %w", err)
		}
		states = merge(states, keys)
	}
	tags := make([]CostAllocationTag, len(states))
	for i, state := range states {
		tags[i] = CostAllocationTag{state, UserDefined}
		if outcrop.ReservedTagKey(state.Key) {
			tags[i].Type = AWSGenerated
		}
	}
	return tags, nil
}

// merge adds keys that have no state yet, as inactive ones.
func merge(states []TagState, keys []string) []TagState {
	known := map[string]bool{}
	for _, s := range states {
		known[s.Key] = true
	}
	for _, key := range keys {
		if !known[key] {
			known[key] = true
			states = append(states, TagState{Key: key, Status: Inactive})
		}
	}
	slices.SortFunc(states, func(a, b TagState) int { return strings.Compare(a.Key, b.Key) })
	return states
}
