package insights

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 16, 12, 0, 0, 0, time.UTC)

// events are five invocation records, newest first.
func events() (all []*Event) {
	for i, v := range []struct {
		arn    string
		tokens int
		team   string
	}{{"arn:aws:iam::1:user/a", 10, "blue"}, {"arn:aws:iam::1:user/b", 20, "red"}, {"arn:aws:iam::1:user/a", 30, "blue"}, {"arn:aws:iam::1:user/a", 40, ""}} {
		message := fmt.Sprintf(`{"identity":{"arn":%q},"input":{"inputTokenCount":%d},"requestMetadata":{"team":%q},"list":[{"x":%d}],"ok":true,"a.b":"dotted"}`, v.arn, v.tokens, v.team, i)
		all = append(all, &Event{Group: "1:g", Stream: "s", Timestamp: noon.Add(-time.Duration(i) * time.Minute).UnixMilli(), Pointer: fmt.Sprint("p", i), Message: []byte(message)})
	}
	return append(all, &Event{Group: "1:g", Stream: "plain", Timestamp: noon.Add(-time.Hour).UnixMilli(), Pointer: "p4", Message: []byte("GET /index.html took 15 ms for user=[bob]")})
}

func run(t *testing.T, text string) string {
	t.Helper()
	q, err := Parse(text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return ""
	}
	r := q.Run()
	for _, e := range events() {
		if !r.Add(e) {
			break
		}
	}
	rows, err := r.Results(0)
	if err != nil {
		return err.Error()
	}
	var lines []string
	for _, row := range rows {
		var cells []string
		for _, f := range row {
			if f.Name != "@ptr" {
				cells = append(cells, f.Name+"="+f.Value)
			}
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return strings.Join(lines, "; ")
}

// The user guide's examples for invocation logs, and each command by itself.
func TestQueries(t *testing.T) {
	for _, v := range []struct{ query, want string }{
		{"stats sum(input.inputTokenCount) as tokens by identity.arn | sort tokens desc", "identity.arn=arn:aws:iam::1:user/a tokens=80; identity.arn=arn:aws:iam::1:user/b tokens=20; "},
		{"filter ispresent(identity.arn) | stats sum(input.inputTokenCount) as tokens by identity.arn | sort tokens desc", "identity.arn=arn:aws:iam::1:user/a tokens=80; identity.arn=arn:aws:iam::1:user/b tokens=20"},
		{`filter requestMetadata.team = "blue" | stats count(*) as n, avg(input.inputTokenCount) as mean, max(input.inputTokenCount), pct(input.inputTokenCount, 90) as p by requestMetadata.team`,
			"requestMetadata.team=blue n=2 mean=20 max(input.inputTokenCount)=30 p=30"},
		{"filter ok | stats count_distinct(identity.arn) as users, min(input.inputTokenCount) as least, stddev(input.inputTokenCount) as d", "users=2 least=10 d=12.909944487358056"},
		{"stats count(*) as n by bin(1h)", "bin(1h)=2026-01-16 12:00:00.000 n=1; bin(1h)=2026-01-16 11:00:00.000 n=4"},
		{"stats count(*) as n by bin(5m) as slot | filter n > 1", "slot=2026-01-16 11:55:00.000 n=3"},
		{"fields @timestamp, input.inputTokenCount as n | filter n > 10 and n < 40 | sort n asc | limit 1", "@timestamp=2026-01-16 11:59:00.000 n=20"},
		{"fields input.inputTokenCount * 2 + 1 as n | filter n in [21, 81]", "n=21; n=81"},
		{"filter identity.arn like /user\\/b/ | display @logStream", "@logStream=s"},
		{`filter @message like "took" | parse @message "GET * took * ms for user=[*]" as path, ms, who | display path, ms, who`, "path=/index.html ms=15 who=bob"},
		{`parse @message /took (?<ms>\d+) ms/ | filter ispresent(ms) | display ms`, "ms=15"},
		{`filter not ispresent(ok) | display strlen(@message) as l, toupper(substr(@message, 0, 3)) as verb`, "l=41 verb=GET"},
		{"filter ok | dedup identity.arn | display identity.arn", "identity.arn=arn:aws:iam::1:user/a; identity.arn=arn:aws:iam::1:user/b"},
		{"display list.0.x as x | filter x >= 2", "x=2; x=3"},
		{"display `a.b` | limit 1", "a.b=dotted"},
		{"fields @logStream | limit 1 # a comment", "@logStream=s"},
		{`filter coalesce(requestMetadata.team, "none") = "none" or isempty(requestMetadata.team) | stats count(*) as n`, "n=2"},
		{"display 7 % 4 as a, 2 ^ 3 as b, -(1 - 3) / 4 as c, greatest(1, 5, 3) as d, concat('x', 1) as e, datefloor(@timestamp, 1d) as f | limit 1", "a=3 b=8 c=0.5 d=5 e=x1 f=2026-01-16 00:00:00.000"},
		{"filter input.inputTokenCount not in [10, 20, 30] and identity.arn not like 'none' | stats latest(input.inputTokenCount) as l, earliest(input.inputTokenCount) as e", "l=40 e=40"},
		{"limit 2", "@timestamp=2026-01-16 12:00:00.000 @message=" + string(events()[0].Message) + "; @timestamp=2026-01-16 11:59:00.000 @message=" + string(events()[1].Message)},
	} {
		if got := run(t, v.query); got != v.want {
			t.Errorf("%s\n%s\nwant\n%s", v.query, got, v.want)
		}
	}
}

func TestBadQueries(t *testing.T) {
	for _, text := range []string{
		"", "  ", "select 1", "fields", "filter", "filter a =", "filter (a", "filter a like b", "filter a in 1", "stats", "stats foo(a)", "stats count(*", "stats pct(a, 101)", "sort",
		"limit", "limit 0", "limit 100001", "parse 'a*'", "parse 'a*' as b, c", "parse /(x)/", "parse /(/", "fields bin(5x)", "fields nope(a)", "fields 'open", "fields a b", "fields a |b",
		strings.Repeat("x", 10_001), "\xff", "filter " + strings.Repeat("(", 100) + "a", "filter " + strings.Repeat("not ", 100) + "a", "fields " + strings.Repeat("-", 100) + "1",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), "Malformed query") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// Promise: a query from the network is read or refused, and asking ends.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"stats sum(a.b) as n by c, bin(5m) | sort n desc | limit 3", "fields @timestamp, a*2 | filter a like /x/ and not b in [1,'2']", "parse @message 'a * b *' as x, y | dedup x", "display `a.b`, datefloor(@timestamp, 1d)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			return
		}
		r := q.Run()
		for _, e := range events() {
			if !r.Add(e) {
				break
			}
		}
		r.Results(10)
	})
}
