package simulator

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"outcrop"
	"outcrop/converse"
)

// ScriptKey is the requestMetadata key, and the beginning of the system line,
// that tells the simulator what to play:
//
//	"requestMetadata": {"outcrop.simulate": "ttft=200ms,pace=10ms,cut=5"}
//	"system": [{"text": "outcrop.simulate: throttle, attempts=1"}]
//
// The line counts and is answered like any other system text. The words, set
// apart by commas:
//
//	throttle or throttle=2s   refuse with ThrottlingException, and Retry-After
//	error                     break before the first byte (503)
//	status=500                refuse as an upstream that answers with this status
//	slow or slow=3s           wait before the first event; ttft=3s is the same
//	pace=50ms                 wait before each piece of text
//	cut=5                     break off after five events
//	tokens=200                make the text about this long
//	nousage                   leave the usage out, as some servers do
//	attempts=1                let only attempts up to this number go wrong
const ScriptKey = "outcrop.simulate"

// Bounds of a script.
const (
	maxScriptWait   = 10 * time.Minute
	maxScriptTokens = 1 << 15
	slowWait        = 5 * time.Second
	defaultRetry    = time.Second
)

// A Script says what goes wrong. The zero value: nothing.
type Script struct {
	Throttle    time.Duration // > 0: refuse with ThrottlingException and this Retry-After
	Status      int           // > 0: refuse as an upstream that answers with this HTTP status
	TimeToFirst time.Duration // wait before the first event, in place of Options.TimeToFirst
	Pace        time.Duration // wait before each piece, in place of Options.Pace
	Cut         int           // > 0: break off after this many events
	Tokens      int           // > 0: length of the text
	NoUsage     bool          // leave the usage out
	Attempts    int           // > 0: later attempts go well
}

// A Fault is a Script for some of the calls. Empty members fit every call.
type Fault struct {
	Model  outcrop.ModelID
	Region outcrop.Region
	Share  float64 // of the invocations, 0 to 1, chosen by their id; 0 means all
	Script Script

	From, For time.Duration // since the simulator began, and for how long; 0 for always
}

func (f *Fault) fits(a outcrop.Attempt, since time.Duration) bool {
	if since < f.From || f.For > 0 && since >= f.From+f.For {
		return false
	}
	if f.Model != "" && f.Model != a.Destination.Model || f.Region != "" && f.Region != a.Destination.Region {
		return false
	}
	return f.Share <= 0 || float64(xxhash.Sum64String(string(a.Invocation)))/math.MaxUint64 < f.Share
}

// script finds what to play: the request's own script before Options.Faults.
func (s *Simulator) script(a outcrop.Attempt, r *converse.Request) (Script, error) {
	var script Script
	text, ok := scriptText(r)
	if ok {
		var err error
		if script, err = ParseScript(text); err != nil {
			return script, err
		}
	} else {
		for i := range s.options.Faults {
			if s.options.Faults[i].fits(a, time.Since(s.began)) {
				script = s.options.Faults[i].Script
				break
			}
		}
	}
	if script.Attempts > 0 && a.Number > script.Attempts {
		script.Throttle, script.Status, script.Cut = 0, 0, 0
	}
	return script, nil
}

// scriptText finds a script in the request's metadata or on a system line.
func scriptText(r *converse.Request) (string, bool) {
	if text, ok := r.RequestMetadata[ScriptKey]; ok {
		return text, true
	}
	for i := range r.System {
		text := r.System[i].Text
		if text == nil {
			continue
		}
		_, rest, ok := strings.Cut(*text, ScriptKey+":")
		if ok {
			line, _, _ := strings.Cut(rest, "\n")
			return line, true
		}
	}
	return "", false
}

// ParseScript reads the words described at ScriptKey.
func ParseScript(text string) (Script, error) {
	var s Script
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		if word == "" {
			continue
		}
		name, value, _ := strings.Cut(word, "=")
		if !s.set(name, value) {
			return Script{}, outcrop.Errorf(outcrop.Invalid,
				"The simulator does not understand %q in %s. Use throttle, error, status, slow, ttft, pace, cut, tokens, nousage or attempts.", word, ScriptKey)
		}
	}
	return s, nil
}

func (s *Script) set(name, value string) bool {
	switch name {
	case "throttle":
		return duration(value, defaultRetry, &s.Throttle)
	case "slow", "ttft":
		return duration(value, slowWait, &s.TimeToFirst)
	case "pace":
		return duration(value, 0, &s.Pace)
	case "error":
		s.Status = 503
		return value == ""
	case "status":
		return number(value, 400, 599, &s.Status)
	case "cut":
		return number(value, 1, maxScriptTokens, &s.Cut)
	case "tokens":
		return number(value, 1, maxScriptTokens, &s.Tokens)
	case "attempts":
		return number(value, 1, 1000, &s.Attempts)
	case "nousage":
		s.NoUsage = true
		return value == ""
	}
	return false
}

func duration(text string, fallback time.Duration, out *time.Duration) bool {
	if text == "" && fallback > 0 {
		*out = fallback
		return true
	}
	d, err := time.ParseDuration(text)
	*out = d
	return err == nil && d >= 0 && d <= maxScriptWait
}

func number(text string, low, high int, out *int) bool {
	n, err := strconv.Atoi(text)
	*out = n
	return err == nil && n >= low && n <= high
}

func (s *Script) wait(fallback time.Duration) time.Duration {
	if s.TimeToFirst > 0 {
		return s.TimeToFirst
	}
	return fallback
}

func (s *Script) pace(fallback time.Duration) time.Duration {
	if s.Pace > 0 {
		return s.Pace
	}
	return fallback
}

// refusal is the error that comes in place of an answer, or nil. The kinds are
// those of reference/runtime-metering-billing.md §1.9.
func (s *Script) refusal(a outcrop.Attempt) error {
	if s.Throttle > 0 {
		e := outcrop.Errorf(outcrop.Throttled, "Too many requests, please wait before trying again.")
		e.RetryAfter = s.Throttle
		return e
	}
	if s.Status == 0 {
		return nil
	}
	e := outcrop.Errorf(kindOfStatus(s.Status), "The simulator answers with status %d, as the request asked.", s.Status)
	if e.Kind == outcrop.ModelFailed {
		e.Status, e.Resource = s.Status, string(a.Destination.Model)
	}
	return e
}

func kindOfStatus(status int) outcrop.Kind {
	switch status {
	case 400:
		return outcrop.Invalid
	case 403:
		return outcrop.Denied
	case 404:
		return outcrop.NotFound
	case 408, 504:
		return outcrop.ModelTimeout
	case 429:
		return outcrop.Throttled
	case 502, 503, 529:
		return outcrop.Unavailable
	}
	return outcrop.ModelFailed
}
