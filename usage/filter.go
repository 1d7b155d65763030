package usage

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"outcrop"
)

// A Filter says which records are wanted: those that match all that is set.
type Filter struct {
	From, To   time.Time         // begun in this period; zero is open
	Account    outcrop.AccountID // the caller's
	Profile    string            // ARN, or the id at its end
	Model      string            // model id, or what the client called it
	Principal  string            // ARN, or what follows its account: user/NAME
	Operation  string
	Upstream   string
	Region     string // source or served in
	Status     string // 200, 4xx, ok, error
	SDKAttempt string // of all tries of one call
	Tags       map[string]string
	Estimated  bool // only those whose usage is estimated
}

// Check refuses what no record could match.
func (f *Filter) Check() error {
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return outcrop.Errorf(outcrop.Invalid, "The period ends at %s, before it begins at %s.", f.To.Format(time.RFC3339), f.From.Format(time.RFC3339))
	}
	switch s := f.Status; {
	case s == "" || s == "ok" || s == "error":
	case len(s) == 3 && s[0] >= '1' && s[0] <= '5' && s[1:] == "xx":
	default:
		if n, err := strconv.Atoi(s); err != nil || n < 100 || n > 599 {
			return outcrop.Errorf(outcrop.Invalid, "Status %q is none: use a status such as 200, a class such as 4xx, ok or error.", s)
		}
	}
	return nil
}

// Match says whether r is wanted. From and To are left to who reads the store.
func (f *Filter) Match(r *outcrop.UsageRecord) bool {
	return (f.Account == "" || r.Account == f.Account) &&
		(f.Profile == "" || named(string(r.Profile), f.Profile) || r.Binding == f.Profile) &&
		(f.Model == "" || string(r.Model) == f.Model || r.ModelRef == f.Model || r.MetricID == f.Model) &&
		(f.Principal == "" || named(string(r.Principal), f.Principal)) &&
		(f.Operation == "" || string(r.Operation) == f.Operation) &&
		(f.Upstream == "" || r.Upstream == f.Upstream) &&
		(f.Region == "" || string(r.Region) == f.Region || string(r.ServedIn) == f.Region) &&
		(f.SDKAttempt == "" || r.SDKAttempt == f.SDKAttempt) &&
		(!f.Estimated || r.Usage.Estimated) &&
		f.status(r.Outcome.Status) && f.tagged(r)
}

// named says whether arn is what a person wrote: all of it, its resource or
// the last part of that.
func named(arn, text string) bool {
	if arn == text {
		return true
	}
	rest, ok := strings.CutSuffix(arn, text)
	return ok && rest != "" && (rest[len(rest)-1] == '/' || rest[len(rest)-1] == ':')
}

func (f *Filter) status(n int) bool {
	switch f.Status {
	case "":
		return true
	case "ok":
		return n/100 == 2
	case "error":
		return n/100 != 2
	}
	if len(f.Status) == 3 && f.Status[1:] == "xx" {
		return n/100 == int(f.Status[0]-'0')
	}
	return strconv.Itoa(n) == f.Status
}

func (f *Filter) tagged(r *outcrop.UsageRecord) bool {
	for key, value := range f.Tags {
		have, ok := r.Tags[key]
		if !ok {
			have, ok = r.SessionTags[key]
		}
		if !ok || have != value {
			return false
		}
	}
	return true
}

// ParseTags reads KEY=VALUE texts.
func ParseTags(texts []string) (map[string]string, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	tags := make(map[string]string, len(texts))
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("tag %q is not KEY=VALUE", text)
		}
		tags[key] = value
	}
	return tags, nil
}
