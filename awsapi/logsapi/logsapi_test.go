package logsapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
	"outcrop/internal/eventstream"
	"outcrop/logs"
	"outcrop/logs/insights"
)

var (
	noon = time.Date(2026, 1, 16, 12, 0, 0, 0, time.UTC)
	me   = outcrop.Caller{Account: "123456789012", Region: "us-east-1"}
)

type anything struct{}

func (anything) Authorize(context.Context, outcrop.Caller, ...iam.Check) error { return nil }

type world struct {
	*API
	now time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{now: noon}
	store, err := logs.Open(t.TempDir(), logs.Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w.API = New(Config{Logs: store, Policy: anything{}, Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler)})
	if _, err := w.createLogGroup(t.Context(), me, &CreateLogGroupInput{LogGroupName: "/g"}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) put(t *testing.T, stream string, messages ...string) {
	t.Helper()
	w.createLogStream(t.Context(), me, &CreateLogStreamInput{LogGroupName: "/g", LogStreamName: stream}) // it may be there
	in := &PutLogEventsInput{LogGroupName: "/g", LogStreamName: stream}
	for _, m := range messages {
		in.LogEvents = append(in.LogEvents, InputLogEvent{Timestamp: w.now.UnixMilli(), Message: m})
	}
	if _, err := w.putLogEvents(t.Context(), me, in); err != nil {
		t.Fatal(err)
	}
}

// tail does what `aws logs tail --follow` of version 2 does: it asks with
// FilterLogEvents, interleaved, page by page; remembers the events of the newest
// timestamp, and asks again from there.
type tailer struct {
	start int64
	seen  map[string]bool
}

func (c *tailer) poll(t *testing.T, w *world) (got []string) {
	t.Helper()
	interleaved := true
	in := &FilterLogEventsInput{LogGroupName: "/g", Interleaved: &interleaved, StartTime: &c.start}
	for {
		out, err := w.filterLogEvents(t.Context(), me, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range out.Events {
			if c.seen[e.EventId] {
				continue
			}
			if *e.Timestamp > c.start {
				c.start, c.seen = *e.Timestamp, map[string]bool{}
			}
			if *e.Timestamp == c.start {
				c.seen[e.EventId] = true
			}
			got = append(got, e.LogStreamName+":"+e.Message)
		}
		if in.NextToken = out.NextToken; out.NextToken == "" {
			return got
		}
	}
}

func TestTailFollow(t *testing.T) {
	w := newWorld(t)
	w.put(t, "old", "too old")
	w.now = w.now.Add(time.Hour)
	c := &tailer{start: w.now.Add(-10 * time.Minute).UnixMilli(), seen: map[string]bool{}}
	w.put(t, "a", "1")
	w.put(t, "b", "2")
	if got := c.poll(t, w); !slices.Equal(got, []string{"a:1", "b:2"}) {
		t.Errorf("%q", got)
	}
	w.put(t, "a", "3 of the same millisecond")
	if got := c.poll(t, w); !slices.Equal(got, []string{"a:3 of the same millisecond"}) {
		t.Errorf("%q", got)
	}
	if got := c.poll(t, w); len(got) != 0 {
		t.Errorf("again: %q", got)
	}
	w.now = w.now.Add(time.Second)
	w.put(t, "b", "4")
	if got := c.poll(t, w); !slices.Equal(got, []string{"b:4"}) {
		t.Errorf("%q", got)
	}
}

// GetLogEvents pages both ways; at an end it gives back the token it was asked
// with, which is how clients see it.
func TestGetLogEvents(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.put(t, "s", fmt.Sprint(i))
		w.now = w.now.Add(time.Second)
	}
	limit, head := int64(2), true
	ask := func(token string, fromHead *bool) *GetLogEventsOutput {
		t.Helper()
		out, err := w.getLogEvents(t.Context(), me, &GetLogEventsInput{LogGroupName: "/g", LogStreamName: "s", Limit: &limit, NextToken: token, StartFromHead: fromHead})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	text := func(o *GetLogEventsOutput) (s string) {
		for _, e := range o.Events {
			s += e.Message
		}
		return s
	}
	newest := ask("", nil)
	if text(newest) != "34" {
		t.Errorf("newest: %q", text(newest))
	}
	back := ask(newest.NextBackwardToken, nil)
	if text(back) != "12" || text(ask(back.NextBackwardToken, nil)) != "0" || text(ask(back.NextForwardToken, nil)) != "34" {
		t.Errorf("back: %q", text(back))
	}
	all, token := "", ""
	for {
		o := ask(token, &head)
		all += text(o)
		if o.NextForwardToken == token {
			break
		}
		token = o.NextForwardToken
	}
	if all != "01234" {
		t.Errorf("from the head: %q", all)
	}
	w.put(t, "s", "5")
	if got := text(ask(token, nil)); got != "5" {
		t.Errorf("what came later: %q", got)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.put(t, "s", "x")
	one, big := int64(1), strings.Repeat("x", 1<<20)
	group := func(name string) *FilterLogEventsInput { return &FilterLogEventsInput{LogGroupName: name} }
	second := func(_ any, err error) error { return err }
	for name, v := range map[string]struct {
		err  error
		code string
	}{
		"twice":             {second(w.createLogGroup(t.Context(), me, &CreateLogGroupInput{LogGroupName: "/g"})), "ResourceAlreadyExistsException"},
		"no group":          {second(w.filterLogEvents(t.Context(), me, group("/none"))), "ResourceNotFoundException"},
		"another Region":    {second(w.filterLogEvents(t.Context(), me, group("arn:aws:logs:eu-west-1:123456789012:log-group:/g"))), "InvalidParameterException"},
		"a bad pattern":     {second(w.filterLogEvents(t.Context(), me, &FilterLogEventsInput{LogGroupName: "/g", FilterPattern: "{"})), "InvalidParameterException"},
		"a bad token":       {second(w.filterLogEvents(t.Context(), me, &FilterLogEventsInput{LogGroupName: "/g", NextToken: "x"})), "InvalidParameterException"},
		"no such stream":    {second(w.getLogEvents(t.Context(), me, &GetLogEventsInput{LogGroupName: "/g", LogStreamName: "none"})), "ResourceNotFoundException"},
		"out of order":      {second(w.putLogEvents(t.Context(), me, &PutLogEventsInput{LogGroupName: "/g", LogStreamName: "s", LogEvents: []InputLogEvent{{2, "x"}, {1, "x"}}})), "InvalidParameterException"},
		"over a day":        {second(w.putLogEvents(t.Context(), me, &PutLogEventsInput{LogGroupName: "/g", LogStreamName: "s", LogEvents: []InputLogEvent{{1, "x"}, {86400002, "x"}}})), "InvalidParameterException"},
		"a large event":     {second(w.putLogEvents(t.Context(), me, &PutLogEventsInput{LogGroupName: "/g", LogStreamName: "s", LogEvents: []InputLogEvent{{1, big}}})), "InvalidParameterException"},
		"odd retention":     {second(w.putRetentionPolicy(t.Context(), me, &PutRetentionPolicyInput{LogGroupName: "/g", RetentionInDays: 2})), "InvalidParameterException"},
		"a reserved tag":    {second(w.tagLogGroup(t.Context(), me, &TagLogGroupInput{LogGroupName: "/g", Tags: map[string]string{"aws:x": "y"}})), "InvalidParameterException"},
		"a malformed query": {second(w.startQuery(t.Context(), me, &StartQueryInput{LogGroupName: "/g", StartTime: 1, EndTime: one, QueryString: "what"})), "MalformedQueryException"},
		"no such query":     {second(w.getQueryResults(t.Context(), me, &GetQueryResultsInput{QueryId: "x"})), "ResourceNotFoundException"},
	} {
		var e *outcrop.Error
		if !errors.As(v.err, &e) || e.Code != v.code {
			t.Errorf("%s: %v, want %s", name, v.err, v.code)
		}
	}
}

func TestQueryResults(t *testing.T) {
	w := newWorld(t)
	w.put(t, "s", `{"input":{"inputTokenCount":3},"identity":{"arn":"a"}}`, `{"input":{"inputTokenCount":4},"identity":{"arn":"a"}}`)
	started, err := w.startQuery(t.Context(), me, &StartQueryInput{
		LogGroupName: "/g", StartTime: noon.Unix() - 60, EndTime: noon.Unix(), QueryString: "stats sum(input.inputTokenCount) as tokens by identity.arn",
	})
	if err != nil {
		t.Fatal(err)
	}
	for { // until the query is over, however busy the machine is
		out, err := w.getQueryResults(t.Context(), me, &GetQueryResultsInput{QueryId: started.QueryId})
		if err != nil {
			t.Fatal(err)
		}
		if out.Status == "Running" {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if out.Status != "Complete" || len(out.Results) != 1 || out.Results[0][1] != (ResultField{"tokens", "7"}) || *out.Statistics.RecordsScanned != 2 {
			t.Errorf("%+v", out)
		}
		break
	}
	if other := (outcrop.Caller{Account: "999999999999", Region: "us-east-1"}); func() bool { _, err := w.queries.find(other, started.QueryId); return err == nil }() {
		t.Error("another account sees the query")
	}
}

// A live tail opens with initial-response and sessionStart, and tells each
// second what came.
func TestLiveTail(t *testing.T) {
	w := newWorld(t)
	w.put(t, "s", "before")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		answer := httptest.NewRecorder()
		body := `{"logGroupIdentifiers":["arn:aws:logs:us-east-1:123456789012:log-group:/g"],"logEventFilterPattern":"wanted"}`
		r := &awsapi.Request{HTTP: httptest.NewRequest("POST", "/", nil).WithContext(ctx), Caller: me, ID: "id", Body: []byte(body)}
		go func() {
			time.Sleep(1500 * time.Millisecond)
			w.put(t, "s", "wanted", "other")
		}()
		if err := w.startLiveTail(answer, r); err != nil {
			t.Fatal(err)
		}
		var names, texts []string
		for rest := answer.Body.Bytes(); len(rest) > 0; {
			m, more, err := eventstream.Decode(rest)
			if err != nil {
				t.Fatal(err)
			}
			names, texts, rest = append(names, m.Headers.Text(eventstream.EventType)), append(texts, string(m.Payload)), more
		}
		if !slices.Equal(names, []string{"initial-response", "sessionStart", "sessionUpdate", "sessionUpdate"}) ||
			!strings.Contains(texts[2], `"sessionResults":[]`) || !strings.Contains(texts[3], `"message":"wanted"`) || strings.Contains(texts[3], "other") {
			t.Errorf("%q\n%q", names, texts)
		}
	})
}

// A query that panics has failed, and the server goes on.
func TestAQueryThatPanicsHasFailed(t *testing.T) {
	a := &API{Config: Config{Log: slog.New(slog.DiscardHandler)}} // without logs to look into
	parsed, err := insights.Parse("fields @message")
	if err != nil {
		t.Fatal(err)
	}
	q := &query{groups: []logs.GroupName{{}}, status: "Running"}
	if a.answer(t.Context(), q, parsed, logs.Query{}, 0); q.status != "Failed" {
		t.Errorf("the query is %s", q.status)
	}
}
