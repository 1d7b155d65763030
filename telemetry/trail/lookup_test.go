package trail

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"
)

// ask fills in what every query of the tests has.
func ask(q outcrop.AuditQuery) outcrop.AuditQuery {
	q.Account, q.Region = "123456789012", "us-east-1"
	return q
}

// found follows all pages of a query.
func found(t *testing.T, tr *Trail, q outcrop.AuditQuery) []outcrop.AuditRecord {
	t.Helper()
	var all []outcrop.AuditRecord
	for q = ask(q); ; {
		p, err := tr.Lookup(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Events...)
		if q.Page = p.Next; q.Page == "" {
			return all
		}
	}
}

// history is a trail of n events, a minute apart from noon on, over several
// files.
func history(t *testing.T, n int) (*Trail, *clock) {
	t.Helper()
	at, dir := &clock{noon}, t.TempDir()
	f := &files{dir: dir, opts: &Options{Now: at.read, MaxFileBytes: 5 << 10, KeepFiles: 10_000, Account: "999999999999"}}
	f.opts.complete()
	tr := &Trail{opts: *f.opts, files: f}
	for i := range n {
		e := event(fmt.Sprintf("Op%d", i), at.now)
		if _, err := f.write(tr.line(&e)); err != nil {
			t.Fatal(err)
		}
		at.now = at.now.Add(time.Minute)
	}
	if err := f.close(); err != nil {
		t.Fatal(err)
	}
	return tr, at
}

func number(r outcrop.AuditRecord) int {
	var n int
	fmt.Sscanf(r.Name, "Op%d", &n)
	return n
}

// Property: a look-up finds what a plain walk over all lines finds, whatever
// the range and the size of its pages.
func TestARangeIsFoundExactly(t *testing.T) {
	const n = 300
	tr, _ := history(t, n)
	if got := len(names(t, tr.files.dir)); got < 20 {
		t.Fatalf("%d files: the test wants many", got)
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	minute := func(i int) time.Time { return noon.Add(time.Duration(i) * time.Minute) }
	for range 300 {
		from, to := random.IntN(n+20)-10, random.IntN(n+20)-10
		q := outcrop.AuditQuery{Start: minute(from), End: minute(to), Max: 1 + random.IntN(50)}
		if random.IntN(4) == 0 {
			q.Start, from = time.Time{}, 0
		}
		if random.IntN(4) == 0 {
			q.End, to = time.Time{}, n-1
		}
		var want []int
		for i := min(to, n-1); i >= max(from, 0); i-- {
			want = append(want, i)
		}
		var got []int
		for _, r := range found(t, tr, q) {
			got = append(got, number(r))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %+v found %v, want %v", seed, q, got, want)
		}
	}
}

// In a large file the end of a range is searched for, not walked to; hours of
// silence between lines mislead nobody.
func TestARangeInALargeFileIsFoundExactly(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 2))
	at := &clock{noon}
	f := &files{dir: t.TempDir(), opts: &Options{Now: at.read, MaxFileAge: 1000 * time.Hour}}
	f.opts.complete()
	tr := &Trail{opts: *f.opts, files: f}
	var times []time.Time
	for i := range 1000 {
		if random.IntN(2) == 0 {
			at.now = at.now.Add(time.Duration(random.IntN(120)) * time.Minute)
		}
		e := event(fmt.Sprintf("Op%d", i), at.now)
		e.Message = strings.Repeat("x", random.IntN(900))
		times = append(times, at.now)
		if _, err := f.write(tr.line(&e)); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range times {
		end := at.Add(disorder / 2)
		want := -1
		for i, at := range times {
			if !at.After(end) {
				want = i
			}
		}
		p, err := tr.Lookup(t.Context(), ask(outcrop.AuditQuery{End: end, Max: 1}))
		if err != nil || (want < 0) != (len(p.Events) == 0) || want >= 0 && number(p.Events[0]) != want {
			t.Fatalf("seed %d: up to %s found %+v, want %d (%v)", seed, end, p.Events, want, err)
		}
	}
}

// The last page says that it is the last: no client comes for an empty one.
func TestAFullLastPageHasNoNext(t *testing.T) {
	tr, _ := history(t, 10)
	p, err := tr.Lookup(t.Context(), ask(outcrop.AuditQuery{Max: 10}))
	if err != nil || len(p.Events) != 10 || p.Next != "" {
		t.Errorf("%d events, next %q, %v", len(p.Events), p.Next, err)
	}
}

func TestEveryLookupAttribute(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{Now: func() time.Time { return noon }})
	role := event("CreateAccessKey", noon)
	role.Service, role.Source = "iam", "iam.amazonaws.com"
	role.Caller.Principal, role.Caller.UserID, role.Caller.AccessKey = "arn:aws:sts::123456789012:assumed-role/r/run-1", "AROA:run-1", "ASIAX"
	role.Input = map[string]any{"userName": "bob"}
	role.Output = map[string]any{"accessKey": map[string]any{"accessKeyId": "AKIANEW", "userName": "bob"}}
	tr.Record(role)
	user := event("GetInferenceProfile", noon)
	user.Input = map[string]any{"inferenceProfileIdentifier": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.x"}
	tr.Record(user)
	elsewhere := event("GetInferenceProfile", noon)
	elsewhere.Caller.Region = "eu-west-1"
	tr.Record(elsewhere)
	other := event("GetInferenceProfile", noon)
	other.Caller.Account = "555555555555"
	tr.Record(other)
	closed(t, tr)
	all := found(t, tr, outcrop.AuditQuery{})
	if len(all) != 2 || all[0].Name != "GetInferenceProfile" || all[1].Name != "CreateAccessKey" {
		t.Fatalf("an account and Region see %+v", all)
	}
	for _, c := range []struct {
		key, value string
		want       []string
	}{
		{"EventName", "CreateAccessKey", []string{"CreateAccessKey"}},
		{"EventName", "CreateAccess", nil},
		{"EventId", all[0].ID, []string{"GetInferenceProfile"}},
		{"ReadOnly", "true", []string{"GetInferenceProfile"}},
		{"ReadOnly", "false", []string{"CreateAccessKey"}},
		{"Username", "run-1", []string{"CreateAccessKey"}},
		{"Username", "ann", []string{"GetInferenceProfile"}},
		{"EventSource", "iam.amazonaws.com", []string{"CreateAccessKey"}},
		{"AccessKeyId", "ASIAX", []string{"CreateAccessKey"}},
		{"ResourceType", "AWS::IAM::AccessKey", []string{"CreateAccessKey"}},
		{"ResourceName", "AKIANEW", []string{"CreateAccessKey"}},
		{"ResourceName", "bob", []string{"CreateAccessKey"}},
		{"ResourceType", "AWS::Bedrock::InferenceProfile", []string{"GetInferenceProfile"}},
		{"ResourceName", `<&">`, nil},
	} {
		var got []string
		for _, r := range found(t, tr, outcrop.AuditQuery{Key: c.key, Value: c.value}) {
			got = append(got, r.Name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s=%s: %v, want %v", c.key, c.value, got, c.want)
		}
	}
}

func TestATokenFitsItsOwnQuestionOnly(t *testing.T) {
	tr, _ := history(t, 20)
	q := ask(outcrop.AuditQuery{Max: 5})
	p, err := tr.Lookup(t.Context(), q)
	if err != nil || p.Next == "" {
		t.Fatal(p.Next, err)
	}
	other := q
	other.Key, other.Value, other.Page = "EventName", "Op1", p.Next
	stranger := q
	stranger.Account, stranger.Page = "555555555555", p.Next
	for _, q := range []outcrop.AuditQuery{other, stranger, ask(outcrop.AuditQuery{Page: "x"}), ask(outcrop.AuditQuery{Page: p.Next + "AA"})} {
		if _, err := tr.Lookup(t.Context(), q); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), "NextToken") {
			t.Errorf("%+v: %v", q, err)
		}
	}
	q.Page, q.Max = p.Next, 50 // the size of a page may change
	if rest, err := tr.Lookup(t.Context(), q); err != nil || len(rest.Events) != 15 {
		t.Errorf("%d events, %v", len(rest.Events), err)
	}
}

// Property: while records arrive and files are rotated, pages neither lose nor
// repeat what was there when the first one was asked for.
func TestPagingHoldsStillWhileRecordsArrive(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{MaxFileBytes: 20 << 10, KeepFiles: 10_000})
	const before = 500
	for i := range before {
		tr.Record(event(fmt.Sprintf("Op%d", i), time.Now()))
	}
	for len(lines(t, dir)) < before {
		time.Sleep(time.Millisecond)
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	writers.Go(func() {
		for i := before; ; i++ {
			select {
			case <-stop:
				return
			default:
				tr.Record(event(fmt.Sprintf("Op%d", i), time.Now()))
				time.Sleep(50 * time.Microsecond)
			}
		}
	})
	for _, size := range []int{7, 50} {
		last := -1
		for _, r := range found(t, tr, outcrop.AuditQuery{Max: size}) {
			if n := number(r); last >= 0 && n != last-1 {
				t.Fatalf("%d follows %d", n, last)
			}
			last = number(r)
		}
		if last != 0 {
			t.Fatalf("the oldest found is %d", last)
		}
	}
	close(stop)
	writers.Wait()
}

// The names of the files are an index by time: other files are not opened.
func TestOtherTimesAreNotRead(t *testing.T) {
	tr, _ := history(t, 100)
	all := names(t, tr.files.dir)
	from, to := noon.Add(45*time.Minute), noon.Add(50*time.Minute)
	for _, name := range all {
		start, _ := fileStart(filepath.Base(name))
		if start.Before(from.Add(-15*time.Minute)) || start.After(to.Add(2*disorder)) {
			if err := os.Chmod(name, 0); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(name, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := found(t, tr, outcrop.AuditQuery{Start: from, End: to}); len(got) != 6 {
		t.Errorf("found %d, want 6", len(got))
	}
}

// A look-up that finds nothing in much says where to go on instead of reading
// on without end.
func TestALookupReadsABoundedAmount(t *testing.T) {
	dir := t.TempDir()
	f := &files{dir: dir, opts: &Options{Now: func() time.Time { return noon }}}
	f.opts.complete()
	tr := &Trail{opts: *f.opts, files: f}
	e := event("Op", noon)
	e.Input = map[string]any{"x": strings.Repeat("y, ", maxTreeBytes/4)}
	line := tr.line(&e)
	for range 2*maxScanBytes/len(line) + 1 {
		if _, err := f.write(line); err != nil {
			t.Fatal(err)
		}
	}
	q, pages := ask(outcrop.AuditQuery{Key: "EventName", Value: "Nothing"}), 0
	for ; pages == 0 || q.Page != ""; pages++ {
		p, err := tr.Lookup(t.Context(), q)
		if err != nil || len(p.Events) > 0 {
			t.Fatal(len(p.Events), err)
		}
		q.Page = p.Next
	}
	if pages != 3 {
		t.Errorf("%d pages, want 3", pages)
	}
}

func TestOnlyNinetyDaysAreShown(t *testing.T) {
	tr, at := history(t, 10)
	at.now = noon.Add(maxAge + 5*time.Minute)
	if got := found(t, tr, outcrop.AuditQuery{}); len(got) != 5 {
		t.Errorf("found %d, want the 5 youngest", len(got))
	}
}

// Garbage, of any length, is skipped.
func TestGarbageBetweenLinesIsSkipped(t *testing.T) {
	tr, _ := history(t, 3)
	name := names(t, tr.files.dir)[0]
	all, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	junk := "\n\n{\"eventTime\":\"2026-11-21T12:00:00Z\"}\nnull\n[]\n\x00\n" + strings.Repeat("z", 3*maxLineBytes) + "\n{}\n"
	joined := junk + strings.ReplaceAll(string(all), "\n", "\n"+junk) + "torn"
	if err := os.WriteFile(name, []byte(joined), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := found(t, tr, outcrop.AuditQuery{Max: 2}); len(got) != 3 {
		t.Errorf("found %d, want 3", len(got))
	}
	if got := found(t, tr, outcrop.AuditQuery{End: noon}); len(got) != 1 {
		t.Errorf("found %d up to noon, want 1", len(got))
	}
}

func FuzzReadLine(f *testing.F) {
	tr := &Trail{}
	e := event("CreateInferenceProfile", noon)
	e.Input = map[string]any{"inferenceProfileName": "app"}
	f.Add(tr.line(&e))
	f.Add([]byte(`{"eventID":"x","eventTime":"2026-11-21T12:00:00Z","userIdentity":{"type":"AssumedRole","principalId":"a"}}`))
	f.Add([]byte(`{"eventTime":"`))
	f.Fuzz(func(t *testing.T, line []byte) {
		timeOf(line)
		r, err := ReadLine(line)
		if err == nil && (r.ID == "" || r.Time.IsZero() || r.Text != string(line)) {
			t.Errorf("%+v", r)
		}
		lines := backwards(strings.NewReader(string(line)), int64(len(line)))
		end := int64(len(line))
		for lines.next() {
			if lines.offset < 0 || lines.offset+int64(len(lines.line)) >= end || strings.ContainsRune(string(lines.line), '\n') {
				t.Fatalf("line %q at %d", lines.line, lines.offset)
			}
			end = lines.offset
		}
		if lines.err != nil {
			t.Error(lines.err)
		}
	})
}
