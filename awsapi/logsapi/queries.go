package logsapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/iam"
	"outcrop/internal/mishap"
	"outcrop/logs"
	"outcrop/logs/insights"
)

// Limits of Insights queries, as CloudWatch Logs has them, but for the first.
const (
	maxKeptQueries    = 1000
	maxRunningQueries = 30
	maxQueryTime      = time.Hour
	maxQueryGroups    = 50
)

// A query is one question, asked or answered.
type query struct {
	id      string
	who     outcrop.Caller
	text    string
	groups  []logs.GroupName
	created time.Time
	cancel  context.CancelFunc

	mu      sync.Mutex
	status  string
	ended   time.Time
	results [][]insights.Field
	stats   logs.Stats
}

func (q *query) end(status string, results [][]insights.Field, stats logs.Stats) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.status == "Running" {
		q.status, q.ended, q.results, q.stats = status, time.Now(), results, stats
	}
}

// queries are kept in memory: like AWS's, they are gone after a while.
type queries struct {
	mu  sync.Mutex
	all []*query // oldest first
}

func (k *queries) find(who outcrop.Caller, id string) (*query, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, q := range k.all {
		if q.id == id && q.who.Account == who.Account && q.who.Region == who.Region {
			return q, nil
		}
	}
	e := outcrop.Errorf(outcrop.NotFound, "Query %s does not exist.", id)
	e.Code = "ResourceNotFoundException"
	return nil, e
}

func (k *queries) add(q *query) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	running := 0
	for _, other := range k.all {
		other.mu.Lock()
		if other.status == "Running" && other.who.Account == q.who.Account {
			running++
		}
		other.mu.Unlock()
	}
	if running >= maxRunningQueries {
		e := outcrop.Errorf(outcrop.QuotaExceeded, "At most %d queries of an account run at once.", maxRunningQueries)
		e.Code = "LimitExceededException"
		return e
	}
	if k.all = append(k.all, q); len(k.all) > maxKeptQueries {
		k.all[0].cancel()
		k.all = slices.Delete(k.all, 0, 1)
	}
	return nil
}

func queryGroups(who outcrop.Caller, in *StartQueryInput) []logs.GroupName {
	var all []logs.GroupName
	for _, id := range append(append([]string{in.LogGroupName}, in.LogGroupNames...), in.LogGroupIdentifiers...) {
		if g := groupOf(who, id); id != "" && !slices.Contains(all, g) {
			all = append(all, g)
		}
	}
	return all
}

func (a *API) onStartQuery(_ context.Context, who outcrop.Caller, op iam.Operation, in *StartQueryInput) (checks []iam.Check) {
	for _, g := range queryGroups(who, in) {
		checks = append(checks, a.onGroup(who, op, string(g.ARN()))...)
	}
	if len(checks) == 0 {
		checks = a.onGroup(who, op, "*")
	}
	return checks
}

func (a *API) startQuery(_ context.Context, who outcrop.Caller, in *StartQueryInput) (*StartQueryOutput, error) {
	groups := queryGroups(who, in)
	switch {
	case len(groups) == 0:
		return nil, invalid("One of logGroupName, logGroupNames and logGroupIdentifiers must be given.")
	case len(groups) > maxQueryGroups:
		return nil, invalid("A query asks at most %d log groups.", maxQueryGroups)
	case in.QueryLanguage != "" && in.QueryLanguage != "CWLI":
		return nil, invalid("Outcrop reads the query language CWLI, and not %s.", in.QueryLanguage)
	}
	for _, g := range groups {
		if _, err := own(who, string(g.ARN())); err != nil {
			return nil, err
		}
		if _, err := a.Logs.Group(g); err != nil {
			return nil, err
		}
	}
	parsed, err := insights.Parse(in.QueryString)
	if err != nil {
		return nil, err
	}
	from, to := epochMillis(in.StartTime), epochMillis(in.EndTime)
	if from > to {
		return nil, invalid("startTime must not be after endTime.")
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxQueryTime)
	q := &query{id: string(awsapi.NewInvocationID()), who: who, text: in.QueryString, groups: groups, created: a.Now(), cancel: cancel, status: "Running"}
	if err := a.queries.add(q); err != nil {
		cancel()
		return nil, err
	}
	limit := 0
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	go func() {
		defer cancel()
		a.answer(ctx, q, parsed, logs.Query{Start: from, End: to + 1000, Backward: true}, limit)
	}()
	return &StartQueryOutput{QueryId: q.id}, nil
}

// epochMillis reads seconds, and tolerates milliseconds.
func epochMillis(n int64) int64 {
	if n > 100_000_000_000 {
		return n
	}
	return n * 1000
}

// answer runs a query. Whatever happens to it happens to nobody else.
func (a *API) answer(ctx context.Context, q *query, parsed *insights.Query, scan logs.Query, limit int) {
	err := mishap.Caught(func() error {
		a.run(ctx, q, parsed, scan, limit)
		return nil
	})
	if err != nil {
		a.Log.Error("a query of logs panicked", "query", q.id, "err", err)
		q.end("Failed", nil, logs.Stats{})
	}
}

func (a *API) run(ctx context.Context, q *query, parsed *insights.Query, scan logs.Query, limit int) {
	run := parsed.Run()
	var total logs.Stats
	for _, g := range q.groups {
		stats, _, err := a.Logs.Scan(ctx, g, scan, func(e *logs.Event) bool {
			return run.Add(&insights.Event{
				Group: string(g.Account) + ":" + g.Name, Stream: e.Stream, Timestamp: e.Timestamp, Ingested: e.Ingested,
				Pointer: pointer(g, e), Message: slices.Clone(e.Message),
			})
		})
		total.Scanned, total.Bytes = total.Scanned+stats.Scanned, total.Bytes+stats.Bytes
		if err != nil {
			status := "Failed"
			if ctx.Err() != nil {
				status = "Timeout"
			}
			q.end(status, nil, total)
			return
		}
	}
	results, err := run.Results(limit)
	total.Matched = run.Matched
	if err != nil {
		q.end("Failed", nil, total)
		return
	}
	q.end("Complete", results, total)
}

// pointer names an event, as @ptr does.
func pointer(g logs.GroupName, e *logs.Event) string {
	return token('p', logs.Cursor{Timestamp: e.Timestamp, Seq: e.Seq})
}

func (a *API) onQueryResults(_ context.Context, who outcrop.Caller, op iam.Operation, in *GetQueryResultsInput) []iam.Check {
	q, err := a.queries.find(who, in.QueryId)
	if err != nil {
		return a.onGroup(who, op, "*")
	}
	var checks []iam.Check
	for _, g := range q.groups {
		checks = append(checks, a.onGroup(who, op, string(g.ARN()))...)
	}
	return checks
}

func (a *API) getQueryResults(_ context.Context, who outcrop.Caller, in *GetQueryResultsInput) (*GetQueryResultsOutput, error) {
	q, err := a.queries.find(who, in.QueryId)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	number := func(n int64) *float64 { f := float64(n); return &f }
	out := &GetQueryResultsOutput{
		QueryLanguage: "CWLI", Status: q.status, Results: [][]ResultField{},
		Statistics: &QueryStatistics{RecordsMatched: number(q.stats.Matched), RecordsScanned: number(q.stats.Scanned), BytesScanned: number(q.stats.Bytes)},
	}
	for _, row := range q.results {
		fields := make([]ResultField, len(row))
		for i, f := range row {
			fields[i] = ResultField{Field: f.Name, Value: f.Value}
		}
		out.Results = append(out.Results, fields)
	}
	return out, nil
}

func (a *API) stopQuery(_ context.Context, who outcrop.Caller, in *StopQueryInput) (*StopQueryOutput, error) {
	q, err := a.queries.find(who, in.QueryId)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	running := q.status == "Running"
	q.mu.Unlock()
	if !running {
		return nil, invalid("Query %s is not running.", in.QueryId)
	}
	q.end("Cancelled", nil, logs.Stats{})
	q.cancel()
	stopped := true
	return &StopQueryOutput{Success: &stopped}, nil
}

func (a *API) describeQueries(_ context.Context, who outcrop.Caller, in *DescribeQueriesInput) (*DescribeQueriesOutput, error) {
	a.queries.mu.Lock()
	defer a.queries.mu.Unlock()
	out := &DescribeQueriesOutput{Queries: []QueryInfo{}}
	for _, q := range slices.Backward(a.queries.all) {
		q.mu.Lock()
		status := q.status
		q.mu.Unlock()
		named := slices.ContainsFunc(q.groups, func(g logs.GroupName) bool { return g.Name == in.LogGroupName })
		if q.who.Account != who.Account || q.who.Region != who.Region || in.Status != "" && in.Status != status || in.LogGroupName != "" && !named {
			continue
		}
		out.Queries = append(out.Queries, QueryInfo{
			QueryLanguage: "CWLI", QueryId: q.id, QueryString: q.text, Status: status, CreateTime: millis(q.created.UnixMilli()), LogGroupName: q.groups[0].Name,
		})
	}
	return out, nil
}

// maxFieldEvents is how many events are looked at for the fields of a group.
const maxFieldEvents = 1000

func (a *API) getLogGroupFields(ctx context.Context, who outcrop.Caller, in *GetLogGroupFieldsInput) (*GetLogGroupFieldsOutput, error) {
	g, err := own(who, either(in.LogGroupName, in.LogGroupIdentifier))
	if err != nil {
		return nil, err
	}
	seen, events := map[string]int{}, 0
	if _, _, err := a.Logs.Scan(ctx, g, logs.Query{Backward: true}, func(e *logs.Event) bool {
		events++
		for _, name := range []string{"@timestamp", "@ingestionTime", "@message", "@logStream", "@log"} {
			seen[name]++
		}
		var v any
		if json.Unmarshal(e.Message, &v) == nil {
			name(seen, "", v)
		}
		return events < maxFieldEvents
	}); err != nil {
		return nil, err
	}
	out := &GetLogGroupFieldsOutput{LogGroupFields: []LogGroupField{}}
	for n, count := range seen {
		out.LogGroupFields = append(out.LogGroupFields, LogGroupField{Name: n, Percent: millis(int64(count * 100 / events))})
	}
	slices.SortFunc(out.LogGroupFields, func(x, y LogGroupField) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

// maxFields is how many fields a group is said to have.
const maxFields = 1000

// name counts the dotted names of a JSON message.
func name(seen map[string]int, at string, v any) {
	object, ok := v.(map[string]any)
	if !ok {
		if list, ok := v.([]any); ok && len(list) > 0 {
			for i, x := range list[:min(len(list), 5)] {
				name(seen, fmt.Sprintf("%s.%d", at, i), x)
			}
			return
		}
		if _, known := seen[at]; at != "" && (known || len(seen) < maxFields) {
			seen[at]++
		}
		return
	}
	for k, x := range object {
		if at != "" {
			k = at + "." + k
		}
		name(seen, k, x)
	}
}
