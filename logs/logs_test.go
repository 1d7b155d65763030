package logs_test

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/logs"
)

var (
	noon  = time.Date(2026, 1, 16, 12, 0, 0, 0, time.UTC)
	named = logs.GroupName{Account: "123456789012", Region: "us-east-1", Name: "/aws/bedrock/model-invocations"}
)

type world struct {
	*logs.Store
	dir  string
	now  time.Time
	opts logs.Options
}

func open(t testing.TB, opts logs.Options) *world {
	t.Helper()
	w := &world{dir: filepath.Join(t.TempDir(), "logs"), now: noon, opts: opts}
	w.opts.Now = func() time.Time { return w.now }
	w.reopen(t)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) reopen(t testing.TB) {
	t.Helper()
	if w.Store != nil {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if w.Store, err = logs.Open(w.dir, w.opts); err != nil {
		t.Fatal(err)
	}
}

func (w *world) group(t testing.TB, streams ...string) {
	t.Helper()
	if err := w.CreateGroup(logs.Group{GroupName: named, Class: "STANDARD"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range streams {
		if err := w.CreateStream(named, s); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) put(t testing.TB, stream string, at time.Time, messages ...string) {
	t.Helper()
	var events []logs.Put
	for _, m := range messages {
		events = append(events, logs.Put{Timestamp: at.UnixMilli(), Message: m})
	}
	r, err := w.Put(named, stream, events)
	if err != nil || !r.None() {
		t.Fatalf("%+v, %v", r, err)
	}
}

func (w *world) read(t testing.TB, q logs.Query) (all []string) {
	t.Helper()
	_, _, err := w.Scan(t.Context(), named, q, func(e *logs.Event) bool {
		all = append(all, string(e.Message))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func code(err error) string {
	var e *outcrop.Error
	errors.As(err, &e)
	if e == nil {
		return fmt.Sprint(err)
	}
	return e.Code
}

func TestGroupsAndStreams(t *testing.T) {
	w := open(t, logs.Options{})
	w.group(t, "b", "a")
	if got := code(w.CreateGroup(logs.Group{GroupName: named})); got != "ResourceAlreadyExistsException" {
		t.Error(got)
	}
	if got := code(w.CreateStream(named, "a")); got != "ResourceAlreadyExistsException" {
		t.Error(got)
	}
	other := named
	other.Region = "eu-west-1"
	if _, err := w.Group(other); code(err) != "ResourceNotFoundException" {
		t.Error("a group is seen in another Region")
	}
	w.put(t, "a", noon.Add(-time.Minute), "1")
	w.put(t, "a", noon.Add(-time.Hour), "0")
	w.put(t, "b", noon, "2")
	if err := w.Change(named, func(g *logs.Group) error { g.Retention, g.Tags = 7, outcrop.Tags{"k": "v"}; return nil }); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		streams, err := w.Streams(named)
		if err != nil || len(streams) != 2 || streams[0].Name != "a" || streams[0].Events != 2 ||
			streams[0].First != noon.Add(-time.Hour).UnixMilli() || streams[0].Last != noon.Add(-time.Minute).UnixMilli() {
			t.Errorf("%+v, %v", streams, err)
		}
		g, err := w.Group(named)
		if err != nil || g.Retention != 7 || g.Tags["k"] != "v" || g.Bytes == 0 || g.Created != noon.UnixMilli() {
			t.Errorf("%+v, %v", g, err)
		}
		if got := w.read(t, logs.Query{}); !slices.Equal(got, []string{"0", "1", "2"}) {
			t.Errorf("%q", got)
		}
	}
	check()
	w.reopen(t)
	check()
	if err := w.DeleteStream(named, "a"); err != nil {
		t.Fatal(err)
	}
	if err := w.CreateStream(named, "a"); err != nil { // another one
		t.Fatal(err)
	}
	w.reopen(t)
	if got := w.read(t, logs.Query{}); !slices.Equal(got, []string{"2"}) {
		t.Errorf("%q", got)
	}
	if err := w.DeleteGroup(named); err != nil {
		t.Fatal(err)
	}
	w.reopen(t)
	if entries, _ := os.ReadDir(w.dir); len(w.Groups(named.Account, named.Region)) != 0 || len(entries) != 0 {
		t.Errorf("%v stays behind", entries)
	}
}

// Property: whatever order events come in, however small the segments, a scan
// is the sorted list of what was asked for; from any place, forwards and
// backwards, also after a restart.
func TestScansAreSorted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		w := &world{dir: dir, now: noon, opts: logs.Hasty(logs.Options{SegmentBytes: int64(rapid.IntRange(100, 1000).Draw(rt, "segment"))})}
		w.opts.Now = func() time.Time { return w.now }
		w.reopen(t)
		w.group(t, "a", "b")
		type kept struct {
			at     int64
			seq    int
			stream string
		}
		var all []kept
		for i := range rapid.IntRange(0, 40).Draw(rt, "events") {
			at := noon.Add(time.Duration(rapid.IntRange(-20, 20).Draw(rt, "minute")) * time.Minute)
			stream := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "stream")
			w.put(t, stream, at, fmt.Sprint(i))
			all = append(all, kept{at.UnixMilli(), i, stream})
		}
		if rapid.Bool().Draw(rt, "restart") {
			w.reopen(t)
		}
		defer w.Close()
		slices.SortStableFunc(all, func(a, b kept) int { return int(a.at - b.at) })
		q := logs.Query{Start: noon.Add(time.Duration(rapid.IntRange(-25, 25).Draw(rt, "from")) * time.Minute).UnixMilli(), Backward: rapid.Bool().Draw(rt, "backward")}
		q.End = q.Start + int64(rapid.IntRange(0, 50).Draw(rt, "minutes"))*60_000
		if rapid.Bool().Draw(rt, "one stream") {
			q.Streams = func(s string) bool { return s == "a" }
		}
		if rapid.Bool().Draw(rt, "odd") {
			q.Match = func(m []byte) bool { return (m[len(m)-1]-'0')%2 == 1 }
		}
		var want []string
		for _, k := range all {
			if k.at >= q.Start && k.at < q.End && (q.Streams == nil || k.stream == "a") && (q.Match == nil || k.seq%2 == 1) {
				want = append(want, fmt.Sprint(k.seq))
			}
		}
		if q.Backward {
			slices.Reverse(want)
		}
		q.MaxBytes = int64(rapid.IntRange(0, 200).Draw(rt, "bytes"))
		var got []string
		for rounds := 0; ; rounds++ {
			var last *logs.Cursor
			_, paused, err := w.Scan(t.Context(), named, q, func(e *logs.Event) bool {
				got = append(got, string(e.Message))
				last = &logs.Cursor{Timestamp: e.Timestamp, Seq: e.Seq}
				return rapid.IntRange(0, 3).Draw(rt, "stop") > 0
			})
			if err != nil {
				t.Fatal(err)
			}
			if paused != nil {
				last = paused
			}
			if last == nil {
				break
			}
			if q.After, q.HasAfter = *last, true; rounds > 500 {
				rt.Fatal("it does not end")
			}
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%+v: %q, want %q", q, got, want)
		}
	})
}

func TestWhatIsTooOldOrTooNew(t *testing.T) {
	w := open(t, logs.Options{})
	w.group(t, "s")
	at := func(d time.Duration) logs.Put {
		return logs.Put{Timestamp: noon.Add(d).UnixMilli(), Message: d.String()}
	}
	r, err := w.Put(named, "s", []logs.Put{at(-15 * 24 * time.Hour), at(-time.Hour), at(0), at(3 * time.Hour)})
	if err != nil || r != (logs.Rejected{New: 3, Old: 0, Expired: -1}) {
		t.Errorf("%+v, %v", r, err)
	}
	if got := w.read(t, logs.Query{}); !slices.Equal(got, []string{"-1h0m0s", "0s"}) {
		t.Errorf("%q", got)
	}
	if err := w.Change(named, func(g *logs.Group) error { g.Retention = 1; return nil }); err != nil {
		t.Fatal(err)
	}
	if r, err := w.Put(named, "s", []logs.Put{at(-25 * time.Hour), at(0)}); err != nil || r != (logs.Rejected{New: -1, Old: -1, Expired: 0}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := w.Put(named, "none", nil); code(err) != "ResourceNotFoundException" {
		t.Error(err)
	}
}

// Promise: after the days of retention nobody reads an event, and its file is
// deleted by the next sweep.
func TestRetention(t *testing.T) {
	w := open(t, logs.Options{SegmentBytes: 1})
	w.group(t, "s")
	for i := range 5 {
		w.put(t, "s", w.now, fmt.Sprint(i))
		w.now = w.now.Add(24 * time.Hour)
	}
	if err := w.Change(named, func(g *logs.Group) error { g.Retention = 3; return nil }); err != nil {
		t.Fatal(err)
	}
	if got := w.read(t, logs.Query{}); !slices.Equal(got, []string{"2", "3", "4"}) {
		t.Errorf("%q", got)
	}
	if err := w.Sweep(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(w.dir, "*", "*.seg"))
	if got := w.read(t, logs.Query{}); len(files) != 3 || !slices.Equal(got, []string{"2", "3", "4"}) {
		t.Errorf("%d files, %q", len(files), got)
	}
	w.reopen(t)
	w.put(t, "s", w.now, "5")
	if got := w.read(t, logs.Query{}); !slices.Equal(got, []string{"2", "3", "4", "5"}) {
		t.Errorf("%q", got)
	}
}

// Promise: wherever the last write was torn, all that was acknowledged is
// read, and writing goes on.
func TestTornWrites(t *testing.T) {
	w := open(t, logs.Options{})
	w.group(t, "s")
	w.put(t, "s", noon, "one", "two")
	files, _ := filepath.Glob(filepath.Join(w.dir, "*", "*.seg"))
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		torn := append(slices.Clone(whole), whole[:n]...)
		if n > 20 {
			torn[len(torn)-1] ^= 0xff
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files[0], torn, 0o600); err != nil {
			t.Fatal(err)
		}
		if w.Store, err = logs.Open(w.dir, w.opts); err != nil {
			t.Fatal(err)
		}
		w.put(t, "s", noon.Add(time.Second), "three")
		if got := w.read(t, logs.Query{}); !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Fatalf("torn after %d bytes: %q", n, got)
		}
	}
}

// Promise: with a key, no message is on disk as it was written, and without it
// or with another one nobody reads it.
func TestSealed(t *testing.T) {
	key := func(b byte) cipher.AEAD {
		c, err := aes.NewCipher(slices.Repeat([]byte{b}, 32))
		if err != nil {
			t.Fatal(err)
		}
		aead, err := cipher.NewGCM(c)
		if err != nil {
			t.Fatal(err)
		}
		return aead
	}
	w := open(t, logs.Options{})
	w.group(t, "s")
	w.put(t, "s", noon, "before the key")
	w.opts.Seal = key(1)
	w.reopen(t)
	w.put(t, "s", noon, "a secret conversation")
	if got := w.read(t, logs.Query{}); !slices.Equal(got, []string{"before the key", "a secret conversation"}) {
		t.Errorf("%q", got)
	}
	filepath.WalkDir(w.dir, func(name string, d os.DirEntry, err error) error {
		if text, _ := os.ReadFile(name); strings.Contains(string(text), "secret") {
			t.Errorf("%s holds the message", name)
		}
		return err
	})
	for _, seal := range []cipher.AEAD{nil, key(2)} {
		w.opts.Seal = seal
		w.reopen(t)
		if _, _, err := w.Scan(t.Context(), named, logs.Query{}, func(*logs.Event) bool { return true }); err == nil || !strings.Contains(err.Error(), "key") {
			t.Errorf("read with another key: %v", err)
		}
	}
}

func TestTail(t *testing.T) {
	w := open(t, logs.Options{})
	w.group(t, "s", "other")
	tail := w.Tail(map[logs.GroupName]func(string) bool{named: func(s string) bool { return s == "s" }})
	w.put(t, "other", noon, "not this")
	w.put(t, "s", noon, "this")
	<-tail.Wake
	if events, sampled := tail.Take(); len(events) != 1 || string(events[0].Message) != "this" || sampled {
		t.Errorf("%+v, %v", events, sampled)
	}
	for range 3 {
		w.put(t, "s", noon, slices.Repeat([]string{"x"}, 4000)...)
	}
	if events, sampled := tail.Take(); len(events) != 10_000 || !sampled {
		t.Errorf("%d, %v", len(events), sampled)
	}
	tail.Close()
	w.put(t, "s", noon, "after")
	if events, _ := tail.Take(); len(events) != 0 {
		t.Error("a closed tail hears")
	}
}

func TestAtOnce(t *testing.T) {
	w := open(t, logs.Options{SegmentBytes: 10_000})
	w.group(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 30 {
				if err := w.PutNew(named, fmt.Sprint(i), []logs.Put{{Timestamp: noon.UnixMilli(), Message: strings.Repeat("x", 100)}}); err != nil {
					t.Error(err)
				}
				if j%10 == 0 {
					w.read(t, logs.Query{})
				}
			}
		})
	}
	all.Wait()
	if got := len(w.read(t, logs.Query{})); got != 240 {
		t.Errorf("%d events", got)
	}
}

// BenchmarkFilterADay asks a day of events one question: OUTCROP_LOG_EVENTS
// scales it (default 100,000).
func BenchmarkFilterADay(b *testing.B) {
	n := 100_000
	if text := os.Getenv("OUTCROP_LOG_EVENTS"); text != "" {
		fmt.Sscan(text, &n)
	}
	w := open(b, logs.Options{Log: slog.New(slog.DiscardHandler)})
	w.group(b, "s")
	random := rand.New(rand.NewPCG(1, 2))
	var batch []logs.Put
	for i := range n {
		at := noon.Add(-24 * time.Hour).Add(time.Duration(i) * 24 * time.Hour / time.Duration(n))
		batch = append(batch, logs.Put{Timestamp: at.UnixMilli(), Message: fmt.Sprintf(
			`{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-01-16T16:56:15Z","accountId":"123456789012","identity":{"arn":"arn:aws:iam::123456789012:user/app"},"region":"us-east-1","requestId":"%016x","operation":"Converse","modelId":"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc%d","input":{"inputContentType":"application/json","inputBodyJson":{"messages":[{"role":"user","content":[{"text":"%s"}]}]},"inputTokenCount":%d}}`,
			random.Uint64(), i%1000, strings.Repeat("word ", 60), i%500)})
		if len(batch) == 10_000 || i == n-1 {
			if _, err := w.Put(named, "s", batch); err != nil {
				b.Fatal(err)
			}
			batch = nil
		}
	}
	for b.Loop() {
		found := 0
		stats, _, err := w.Scan(b.Context(), named, logs.Query{Match: func(m []byte) bool { return strings.Contains(string(m), "profile/abc7\"") }}, func(*logs.Event) bool { found++; return true })
		if err != nil || stats.Scanned != int64(n) {
			b.Fatal(stats, err)
		}
		b.SetBytes(stats.Bytes)
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
