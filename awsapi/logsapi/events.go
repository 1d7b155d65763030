package logsapi

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/logs"
	"outcrop/logs/pattern"
)

// Limits of PutLogEvents and of what reads.
const (
	maxBatch      = 10_000
	maxBatchBytes = 1 << 20
	eventOverhead = 26
	maxEventBytes = 1 << 20
	maxBatchSpan  = 24 * time.Hour
	maxRead       = 10_000
	maxReadBytes  = 1 << 20
	maxScanBytes  = 256 << 20 // read from disk before a page ends, with or without events
)

func (a *API) putLogEvents(_ context.Context, who outcrop.Caller, in *PutLogEventsInput) (*PutLogEventsOutput, error) {
	g, err := own(who, in.LogGroupName)
	if err != nil {
		return nil, err
	}
	events, err := batch(in.LogEvents)
	if err != nil {
		return nil, err
	}
	rejected, err := a.Logs.Put(g, in.LogStreamName, events)
	if err != nil {
		return nil, err
	}
	out := &PutLogEventsOutput{NextSequenceToken: fmt.Sprintf("%056d", a.Now().UnixNano())}
	if !rejected.None() {
		out.RejectedLogEventsInfo = &RejectedLogEventsInfo{
			TooNewLogEventStartIndex: index(rejected.New), TooOldLogEventEndIndex: end(rejected.Old), ExpiredLogEventEndIndex: end(rejected.Expired),
		}
	}
	return out, nil
}

func index(i int) *int64 {
	if i < 0 {
		return nil
	}
	return millis(int64(i))
}

// end is an index that is told as the first that is not meant.
func end(i int) *int64 {
	if i < 0 {
		return nil
	}
	return millis(int64(i) + 1)
}

func batch(in []InputLogEvent) ([]logs.Put, error) {
	if len(in) > maxBatch {
		return nil, invalid("The batch of log events may have at most %d events.", maxBatch)
	}
	size := 0
	out := make([]logs.Put, len(in))
	for i, e := range in {
		n := len(e.Message) + eventOverhead
		if n > maxEventBytes {
			return nil, invalid("Log event too large: %d bytes exceeds limit of %d", n, maxEventBytes)
		}
		if size += n; size > maxBatchBytes {
			return nil, invalid("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes)
		}
		if i > 0 && e.Timestamp < in[i-1].Timestamp {
			return nil, invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		out[i] = logs.Put{Timestamp: e.Timestamp, Message: e.Message}
	}
	if n := len(in); n > 0 && in[n-1].Timestamp-in[0].Timestamp > maxBatchSpan.Milliseconds() {
		return nil, invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return out, nil
}

// A place is written into tokens: which way, and behind which event.
func token(way byte, at logs.Cursor) string {
	return string(way) + "/" + base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at.Timestamp, 36)+"."+strconv.FormatUint(at.Seq, 36)))
}

func readToken(text string) (way byte, at logs.Cursor, err error) {
	head, tail, _ := strings.Cut(text, "/")
	raw, err := base64.RawURLEncoding.DecodeString(tail)
	stamp, seq, _ := strings.Cut(string(raw), ".")
	if err == nil {
		at.Timestamp, err = strconv.ParseInt(stamp, 36, 64)
	}
	if err == nil {
		at.Seq, err = strconv.ParseUint(seq, 36, 64)
	}
	if err != nil || len(head) != 1 {
		return 0, at, invalid("The specified nextToken is invalid.")
	}
	return head[0], at, nil
}

func between(q *logs.Query, start, end *int64) error {
	if start != nil {
		q.Start = *start
	}
	if end != nil {
		q.End = *end
	}
	if start != nil && end != nil && *start > *end {
		return invalid("startTime must not be after endTime.")
	}
	return nil
}

// A reading collects events up to a page's limits.
type reading struct {
	limit int
	bytes int
	full  bool
	last  logs.Cursor
	any   bool
}

func limited(limit *int64) *reading {
	r := &reading{limit: maxRead}
	if limit != nil {
		r.limit = min(int(*limit), maxRead)
	}
	return r
}

// takes says whether an event fits into the page.
func (r *reading) takes(e *logs.Event) bool {
	if r.limit == 0 || r.any && r.bytes+len(e.Message) > maxReadBytes {
		r.full = true
		return false
	}
	r.limit--
	r.bytes += len(e.Message)
	r.last, r.any = logs.Cursor{Timestamp: e.Timestamp, Seq: e.Seq}, true
	return true
}

func (a *API) filterLogEvents(ctx context.Context, who outcrop.Caller, in *FilterLogEventsInput) (*FilterLogEventsOutput, error) {
	g, err := own(who, either(in.LogGroupName, in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	q := logs.Query{MaxBytes: maxScanBytes}
	if err := between(&q, in.StartTime, in.EndTime); err != nil {
		return nil, err
	}
	if q.End > 0 {
		q.End++ // FilterLogEvents includes what is at endTime
	}
	if err := a.chooseStreams(&q, g, in.LogStreamNames, in.LogStreamNamePrefix); err != nil {
		return nil, err
	}
	p, err := pattern.Parse(in.FilterPattern)
	if err != nil {
		return nil, err
	}
	if !p.All() {
		q.Match = p.Match
	}
	if in.NextToken != "" {
		if _, q.After, err = readToken(in.NextToken); err != nil {
			return nil, err
		}
		q.HasAfter = true
	}
	out := &FilterLogEventsOutput{Events: []FilteredLogEvent{}, SearchedLogStreams: []SearchedLogStream{}}
	r := limited(in.Limit)
	_, paused, err := a.Logs.Scan(ctx, g, q, func(e *logs.Event) bool {
		if !r.takes(e) {
			return false
		}
		out.Events = append(out.Events, FilteredLogEvent{
			LogStreamName: e.Stream, Timestamp: millis(e.Timestamp), IngestionTime: millis(e.Ingested), Message: string(e.Message), EventId: eventID(e),
		})
		return true
	})
	if err != nil {
		return nil, err
	}
	switch {
	case r.full:
		out.NextToken = token('f', r.last)
	case paused != nil:
		out.NextToken = token('f', *paused)
	}
	return out, nil
}

// eventID names an event within its group, in 56 digits as AWS's have.
func eventID(e *logs.Event) string {
	return fmt.Sprintf("%020d%036d", e.Timestamp, e.Seq)
}

// chooseStreams narrows a question to named streams, which have to exist.
func (a *API) chooseStreams(q *logs.Query, g logs.GroupName, names []string, prefix string) error {
	switch {
	case len(names) > 0 && prefix != "":
		return invalid("logStreamNames and logStreamNamePrefix are mutually exclusive.")
	case prefix != "":
		q.Streams = func(s string) bool { return strings.HasPrefix(s, prefix) }
	case len(names) > 0:
		have, err := a.Logs.Streams(g)
		if err != nil {
			return err
		}
		for _, name := range names {
			if !slices.ContainsFunc(have, func(s logs.Stream) bool { return s.Name == name }) {
				return missingStream()
			}
		}
		q.Streams = func(s string) bool { return slices.Contains(names, s) }
	}
	return nil
}

func missingStream() error {
	e := outcrop.Errorf(outcrop.NotFound, "The specified log stream does not exist.")
	e.Code = "ResourceNotFoundException"
	return e
}

func (a *API) getLogEvents(ctx context.Context, who outcrop.Caller, in *GetLogEventsInput) (*GetLogEventsOutput, error) {
	g, err := own(who, either(in.LogGroupName, in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	q := logs.Query{Backward: in.StartFromHead == nil || !*in.StartFromHead}
	if err := between(&q, in.StartTime, in.EndTime); err != nil {
		return nil, err
	}
	if err := a.chooseStreams(&q, g, []string{in.LogStreamName}, ""); err != nil {
		return nil, err
	}
	if in.NextToken != "" {
		way, at, err := readToken(in.NextToken)
		if err != nil {
			return nil, err
		}
		q.After, q.HasAfter, q.Backward = at, true, way == 'b'
	}
	r := limited(in.Limit)
	var found []logs.Event
	if _, _, err := a.Logs.Scan(ctx, g, q, func(e *logs.Event) bool {
		if !r.takes(e) {
			return false
		}
		found = append(found, *e)
		return true
	}); err != nil {
		return nil, err
	}
	if q.Backward {
		slices.Reverse(found)
	}
	return a.eventPage(&q, found), nil
}

// eventPage is a page with a token for each way. One that finds nothing more
// gives back the token that it was asked with: that is how clients see the end.
func (a *API) eventPage(q *logs.Query, found []logs.Event) *GetLogEventsOutput {
	out := &GetLogEventsOutput{Events: []OutputLogEvent{}}
	for _, e := range found {
		out.Events = append(out.Events, OutputLogEvent{Timestamp: millis(e.Timestamp), Message: string(e.Message), IngestionTime: millis(e.Ingested)})
	}
	first, last := q.After, q.After
	switch n := len(found); {
	case n > 0:
		first, last = cursor(&found[0]), cursor(&found[n-1])
	case !q.HasAfter && q.Backward: // an empty stream: what comes is behind this place
		first, last = logs.Cursor{Timestamp: q.Start}, logs.Cursor{Timestamp: q.Start}
	case !q.HasAfter:
		first, last = logs.Cursor{Timestamp: q.Start}, logs.Cursor{Timestamp: q.Start}
	}
	out.NextForwardToken, out.NextBackwardToken = token('f', last), token('b', first)
	return out
}

func cursor(e *logs.Event) logs.Cursor { return logs.Cursor{Timestamp: e.Timestamp, Seq: e.Seq} }
