package logsapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
	"outcrop/internal/eventstream"
	"outcrop/logs"
	"outcrop/logs/pattern"
)

// Limits of a live tail.
const (
	tailEvery     = time.Second
	maxTailLife   = 3 * time.Hour
	maxTailEvents = 500 // a second
	maxTailGroups = 10
)

// A session is one live tail.
type session struct {
	api    *API
	in     tailInput
	match  *pattern.Pattern
	groups map[logs.GroupName]func(string) bool
	w      http.ResponseWriter
	flush  func() error
	id     outcrop.InvocationID
}

type tailInput struct {
	Groups   []string `json:"logGroupIdentifiers"`
	Streams  []string `json:"logStreamNames,omitempty"`
	Prefixes []string `json:"logStreamNamePrefixes,omitempty"`
	Filter   string   `json:"logEventFilterPattern,omitempty"`
}

// startLiveTail sends what comes to some groups until the client goes away.
func (a *API) startLiveTail(w http.ResponseWriter, r *awsapi.Request) error {
	s := &session{api: a, w: w, flush: http.NewResponseController(w).Flush, id: r.ID, groups: map[logs.GroupName]func(string) bool{}}
	if err := json.Unmarshal(r.Body, &s.in); err != nil {
		e := outcrop.Errorf(outcrop.Invalid, "The request body is no JSON of this operation.")
		e.Code = "SerializationException"
		return e
	}
	if err := s.prepare(r); err != nil {
		return err
	}
	tail := a.Logs.Tail(s.groups)
	defer tail.Close()
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.WriteHeader(http.StatusOK)
	s.run(r, tail)
	return nil
}

// prepare decides what is tailed, and asks for each group.
func (s *session) prepare(r *awsapi.Request) (err error) {
	in := &s.in
	switch {
	case len(in.Groups) == 0 || len(in.Groups) > maxTailGroups:
		return invalid("logGroupIdentifiers must name 1 to %d log groups, by their ARNs.", maxTailGroups)
	case len(in.Streams) > 0 && len(in.Prefixes) > 0:
		return invalid("logStreamNames and logStreamNamePrefixes are mutually exclusive.")
	case len(in.Streams)+len(in.Prefixes) > 0 && len(in.Groups) > 1:
		return invalid("Streams can be named for one log group only.")
	}
	if s.match, err = pattern.Parse(in.Filter); err != nil {
		return err
	}
	op, _ := iam.OperationOf("logs", "StartLiveTail")
	for i, id := range in.Groups {
		if err := s.api.Policy.Authorize(r.Context(), r.Caller, s.api.onGroup(r.Caller, op, id)...); err != nil {
			return err
		}
		g, err := own(r.Caller, id)
		if err != nil {
			return err
		}
		if _, err := s.api.Logs.Group(g); err != nil {
			return err
		}
		s.groups[g], in.Groups[i] = s.wants(), string(g.ARN())
	}
	return nil
}

func (s *session) wants() func(string) bool {
	switch {
	case len(s.in.Streams) > 0:
		return func(name string) bool { return slices.Contains(s.in.Streams, name) }
	case len(s.in.Prefixes) > 0:
		return func(name string) bool {
			return slices.ContainsFunc(s.in.Prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
		}
	}
	return nil
}

// run sends an update each second, empty or not, as AWS does.
func (s *session) run(r *awsapi.Request, tail *logs.Tail) {
	start := struct {
		RequestID outcrop.InvocationID `json:"requestId"`
		SessionID outcrop.InvocationID `json:"sessionId"`
		tailInput
	}{s.id, s.id, s.in}
	if s.send("initial-response", struct{}{}) != nil || s.send("sessionStart", start) != nil {
		return
	}
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	end := time.NewTimer(maxTailLife)
	defer end.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-end.C:
			s.write(eventstream.ExceptionHeaders("SessionTimeoutException", contentType), []byte(`{"message":"The session has ended after three hours."}`))
			return
		case <-tick.C:
			if s.send("sessionUpdate", s.update(tail)) != nil {
				return // the client has gone
			}
		}
	}
}

const contentType = "application/x-amz-json-1.1"

type update struct {
	Metadata struct {
		Sampled bool `json:"sampled"`
	} `json:"sessionMetadata"`
	Results []tailed `json:"sessionResults"`
}

type tailed struct {
	Stream    string `json:"logStreamName"`
	Group     string `json:"logGroupIdentifier"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"`
	Ingested  int64  `json:"ingestionTime"`
}

func (s *session) update(tail *logs.Tail) (u update) {
	u.Results = []tailed{}
	events, sampled := tail.Take()
	u.Metadata.Sampled = sampled
	for _, e := range events {
		if !s.match.Match(e.Message) {
			continue
		}
		if len(u.Results) == maxTailEvents {
			u.Metadata.Sampled = true
			break
		}
		group := string(e.Group.Account) + ":" + e.Group.Name
		u.Results = append(u.Results, tailed{e.Stream, group, string(e.Message), e.Timestamp, e.Ingested})
	}
	return u
}

func (s *session) send(event string, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.write(eventstream.EventHeaders(event, contentType), payload)
}

func (s *session) write(h eventstream.Headers, payload []byte) error {
	if _, err := s.w.Write(eventstream.AppendFrame(nil, h, payload)); err != nil {
		return err
	}
	return s.flush()
}
