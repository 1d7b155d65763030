package invocationlog_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/gateway"
	"outcrop/logs"
	"outcrop/telemetry/invocationlog"
)

var (
	at    = time.Date(2026, 1, 16, 16, 56, 15, 0, time.UTC)
	place = invocationlog.Place{Account: "123456789012", Region: "us-east-1"}
	arn   = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123"
)

// A world has a log group, buckets and a table, all in memory.
type world struct {
	mu      sync.Mutex
	lines   []string
	objects map[string]string
	configs map[invocationlog.Place]outcrop.InvocationLogging
	broken  error // of every delivery
	noGroup bool
	dir     string
	opts    invocationlog.Options
}

func (w *world) Group(logs.GroupName) (logs.Group, error) {
	if w.noGroup {
		return logs.Group{}, outcrop.Errorf(outcrop.NotFound, "The specified log group does not exist.")
	}
	return logs.Group{}, nil
}

func (w *world) PutNew(_ logs.GroupName, stream string, events []logs.Put) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	for _, e := range events {
		w.lines = append(w.lines, e.Message)
	}
	if stream != "aws/bedrock/modelinvocations" {
		return errors.New("another stream")
	}
	return nil
}

func (w *world) Put(_ context.Context, bucket, key, _ string, body io.Reader) error {
	text, err := io.ReadAll(body)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return w.broken
	}
	w.objects[bucket+"/"+key] = string(text)
	return err
}

func (w *world) SaveInvocationLogging(_ context.Context, a outcrop.AccountID, r outcrop.Region, c *outcrop.InvocationLogging) error {
	if delete(w.configs, place); c != nil {
		w.configs[invocationlog.Place{Account: a, Region: r}] = *c
	}
	return nil
}

func (w *world) InvocationLoggings(context.Context) (map[invocationlog.Place]outcrop.InvocationLogging, error) {
	return maps.Clone(w.configs), nil
}

func all() outcrop.InvocationLogging {
	return outcrop.InvocationLogging{
		LogGroup: "g", Role: "arn:aws:iam::123456789012:role/r", LargeData: outcrop.Bucket{Name: "large", Prefix: "p"}, Bucket: outcrop.Bucket{Name: "files"},
		Text: true, Image: true, Embedding: true, Video: true, Audio: true,
	}
}

func newWorld(t *testing.T, c outcrop.InvocationLogging) *world {
	t.Helper()
	w := &world{objects: map[string]string{}, configs: map[invocationlog.Place]outcrop.InvocationLogging{place: c}, dir: t.TempDir()}
	w.opts = invocationlog.Options{Dir: w.dir, Logs: w, Objects: w, Configs: w}
	return w
}

func (w *world) start(t *testing.T) *invocationlog.Logger {
	t.Helper()
	l, err := invocationlog.Start(context.Background(), w.opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (w *world) restore(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = err
}

// exchange is a finished Converse call.
func exchange(id, text string) *gateway.Exchange {
	hi := "hi"
	x := &gateway.Exchange{
		Record: outcrop.UsageRecord{
			Invocation: outcrop.InvocationID(id), Operation: outcrop.OpConverse, Account: place.Account, Region: place.Region, Principal: "arn:aws:iam::123456789012:user/app",
			Started: at, ServedIn: "us-west-2", ModelRef: arn, Profile: outcrop.ARN(arn), Model: "amazon.nova-lite-v1:0", RequestMetadata: map[string]string{"team": "blue"},
		},
		Request:  []byte(`{ "messages": [ {"role":"user","content":[{"text":"` + text + `"}]} ] }`),
		Response: &converse.Response{StopReason: "end_turn", Output: converse.ConverseOutput{Message: &converse.Message{Role: "assistant", Content: []converse.ContentBlock{{Text: &hi}}}}},
	}
	x.Record.Usage.Set(outcrop.InputTokens, 7)
	x.Record.Usage.Set(outcrop.OutputTokens, 1)
	x.Record.Usage.Set(outcrop.CacheReadTokens, 3)
	return x
}

// The record of the guides' logging chapter, to the letter.
func TestRecord(t *testing.T) {
	w := newWorld(t, all())
	l := w.start(t)
	l.Finished(exchange("a8b9d8c9-87b3-41ea-8a02-e8bfdba7782f", "hello"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	want := `{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-01-16T16:56:15Z","accountId":"123456789012",` +
		`"identity":{"arn":"arn:aws:iam::123456789012:user/app"},"region":"us-east-1","requestId":"a8b9d8c9-87b3-41ea-8a02-e8bfdba7782f","operation":"Converse",` +
		`"modelId":"` + arn + `","input":{"inputContentType":"application/json","inputBodyJson":{"messages":[{"role":"user","content":[{"text":"hello"}]}]},` +
		`"inputTokenCount":7,"cacheReadInputTokenCount":3},"output":{"outputContentType":"application/json","outputBodyJson":` +
		`{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","metrics":{"latencyMs":0}},"outputTokenCount":1},` +
		`"requestMetadata":{"team":"blue"},"inferenceRegion":"us-west-2"}`
	if len(w.lines) != 1 || w.lines[0] != want {
		t.Errorf("%s\nwant\n%s", w.lines, want)
	}
	for key, body := range w.objects {
		if !regexp.MustCompile(`\Afiles/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/2026/01/16/16/20260116T165615000Z_[0-9a-f]{16}\.json\.gz\z`).MatchString(key) {
			t.Errorf("the key is %s", key)
		}
		if got := unzip(t, body); got != want+"\n" {
			t.Errorf("the file holds %s", got)
		}
	}
	if s := l.Stats(); s.ToLogs != 1 || s.ToS3 != 1 || s.Waiting != 0 || s.WaitingBytes != 0 || len(s.Dropped) != 0 {
		t.Errorf("%+v", s)
	}
}

// broken writes no answer.
type broken struct{}

func (broken) Output(*gateway.Exchange) ([]byte, error) { panic("lost") }

// An exchange that cannot be written is counted, whatever goes wrong with it,
// and is nobody else's loss.
func TestAnExchangeThatCannotBeWrittenIsDropped(t *testing.T) {
	w := newWorld(t, all())
	l := w.start(t)
	bad := exchange("bad", "hello")
	bad.Response, bad.Native = nil, broken{}
	l.Finished(bad)
	endless := exchange("endless", "hello")
	endless.TooLong = true
	l.Finished(endless)
	l.Finished(exchange("good", "hello"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if s := l.Stats(); s.Dropped["not representable"] != 1 || s.Dropped["too long"] != 1 || s.ToLogs != 1 || len(w.lines) != 1 || !strings.Contains(w.lines[0], `"good"`) {
		t.Errorf("%+v, %s", s, w.lines)
	}
}

func unzip(t *testing.T, body string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestFailuresAndStreams(t *testing.T) {
	w := newWorld(t, all())
	l := w.start(t)
	failed := exchange("failed", "x")
	failed.Response, failed.Record.Outcome = nil, outcrop.Outcome{Status: 429, Error: "ThrottlingException"}
	l.Finished(failed)
	half, text := exchange("half", "x"), "half an ans"
	half.Response, half.Record.Operation = nil, outcrop.OpConverseStream
	half.Events = []converse.Event{
		{MessageStart: &converse.MessageStartEvent{Role: "assistant"}},
		{ContentBlockDelta: &converse.ContentBlockDeltaEvent{Delta: converse.ContentBlockDelta{Text: &text}}},
	}
	l.Finished(half)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.lines[0], `"errorCode":"ThrottlingException"`) || strings.Contains(w.lines[0], `"output"`) {
		t.Error(w.lines[0])
	}
	if !strings.Contains(w.lines[1], `"content":[{"text":"half an ans"}]`) {
		t.Error(w.lines[1])
	}
}

// Bodies of more than 100 KB are objects of their own; without a bucket they
// are left out, and counts stay.
func TestLargeBodies(t *testing.T) {
	for _, bucket := range []string{"large", ""} {
		c := all()
		c.LargeData.Name, c.Bucket.Name = bucket, ""
		w := newWorld(t, c)
		l := w.start(t)
		l.Finished(exchange("big", strings.Repeat("x", 101<<10)))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		path := "p/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/2026/01/16/16/data/big_input.json.gz"
		has := strings.Contains(w.lines[0], `"inputBodyS3Path":"s3://large/`+path+`"`)
		if body, ok := w.objects["large/"+path]; ok != (bucket != "") || has != ok || ok && !strings.Contains(unzip(t, body), "xxxx") ||
			strings.Contains(w.lines[0], "inputBodyJson") || !strings.Contains(w.lines[0], `"inputTokenCount":7`) || !strings.Contains(w.lines[0], "outputBodyJson") {
			t.Errorf("bucket %q: %s; %v", bucket, w.lines[0], slices.Collect(maps.Keys(w.objects)))
		}
	}
}

func TestKindsOfData(t *testing.T) {
	image := `{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"aGk="}}},{"text":"what is it"}]}]}`
	for name, v := range map[string]struct {
		change     func(*outcrop.InvocationLogging, *gateway.Exchange)
		has, lacks string
	}{
		"text off":   {func(c *outcrop.InvocationLogging, _ *gateway.Exchange) { c.Text = false }, `"inputTokenCount":7`, "BodyJson"},
		"images off": {func(c *outcrop.InvocationLogging, x *gateway.Exchange) { c.Image, x.Request = false, []byte(image) }, "what is it", "aGk="},
		"images on":  {func(_ *outcrop.InvocationLogging, x *gateway.Exchange) { x.Request = []byte(image) }, "aGk=", "nothing"},
		"embeddings off": {func(c *outcrop.InvocationLogging, x *gateway.Exchange) {
			c.Embedding, x.Record.Model = false, "amazon.titan-embed-text-v2:0"
		}, `"inputTokenCount":7`, "BodyJson"},
		"embeddings on": {func(c *outcrop.InvocationLogging, x *gateway.Exchange) {
			c.Text, x.Record.Model = false, "amazon.titan-embed-text-v2:0"
		}, "inputBodyJson", "nothing"},
	} {
		c, x := all(), exchange("id", "hello")
		v.change(&c, x)
		w := newWorld(t, c)
		l := w.start(t)
		l.Finished(x)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.lines[0], v.has) || strings.Contains(w.lines[0], v.lacks) {
			t.Errorf("%s: %s", name, w.lines[0])
		}
	}
}

// Promise: what is to be redacted is nowhere: in no line, no object, and in no
// file that waits.
func TestRedaction(t *testing.T) {
	w := newWorld(t, all())
	w.opts.Redaction = invocationlog.Redaction{Fields: []string{"team"}, Patterns: []*regexp.Regexp{regexp.MustCompile(`\d{4}-\d{4}`)}}
	w.broken = errors.New("down")
	l := w.start(t)
	l.Finished(exchange("id", "my card is 1234-5678, "+strings.Repeat("1234-5678 ", 20_000)))
	time.Sleep(50 * time.Millisecond)
	filepath.WalkDir(w.dir, func(name string, d os.DirEntry, err error) error {
		if text, _ := os.ReadFile(name); bytes.Contains(text, []byte("1234-5678")) || bytes.Contains(text, []byte("blue")) {
			t.Errorf("%s holds it", name)
		}
		return err
	})
	w.restore(nil)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, text := range append(w.lines, unzip(t, w.objects["large/p/AWSLogs/123456789012/BedrockModelInvocationLogs/us-east-1/2026/01/16/16/data/id_input.json.gz"])) {
		if strings.Contains(text, "1234-") || strings.Contains(text, "blue") || !strings.Contains(text, "[REDACTED]") {
			t.Errorf("%.300s", text)
		}
	}
}

// Promise: what cannot be delivered waits on disk, sealed when there is a key,
// is tried again, survives a restart, and is counted throughout.
func TestWaiting(t *testing.T) {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	for _, seal := range []cipher.AEAD{nil, seal} {
		w := newWorld(t, all())
		w.opts.Seal, w.broken = seal, errors.New("down")
		synctest.Test(t, func(t *testing.T) {
			l := w.start(t)
			for i := range 3 {
				l.Finished(exchange(fmt.Sprint("id", i), "a secret"))
			}
			time.Sleep(10 * time.Minute)
			if s := l.Stats(); s.Waiting != 6 || s.WaitingBytes == 0 || s.Failures < 5 || s.ToLogs != 0 {
				t.Errorf("%+v", s)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
		filepath.WalkDir(w.dir, func(name string, d os.DirEntry, err error) error {
			if text, _ := os.ReadFile(name); seal != nil && bytes.Contains(text, []byte("secret")) {
				t.Errorf("%s is not sealed", name)
			}
			return err
		})
		synctest.Test(t, func(t *testing.T) {
			l := w.start(t)
			time.Sleep(time.Minute)
			if s := l.Stats(); s.Waiting != 6 {
				t.Errorf("after a restart: %+v", s)
			}
			w.restore(nil)
			time.Sleep(3 * time.Minute)
			if s := l.Stats(); s.Waiting != 0 || s.WaitingBytes != 0 || s.ToLogs != 3 || s.ToS3 != 3 || len(w.lines) != 3 {
				t.Errorf("healed: %+v, %d lines", s, len(w.lines))
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatIsDropped(t *testing.T) {
	w := newWorld(t, all())
	w.opts.MaxSpool, w.broken = 3000, errors.New("down")
	l := w.start(t)
	for i := range 5 {
		l.Finished(exchange(fmt.Sprint(i), strings.Repeat("x", 500)))
		time.Sleep(10 * time.Millisecond)
	}
	l.Close()
	if s := l.Stats(); s.Dropped["spool full"] == 0 || s.WaitingBytes > 3000 {
		t.Errorf("%+v", s)
	}
	w = newWorld(t, all())
	w.noGroup = true
	l = w.start(t)
	l.Finished(exchange("id", "x"))
	l.Close()
	if s := l.Stats(); s.Dropped["no such log group"] != 1 || s.ToS3 != 1 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	w = newWorld(t, all())
	w.opts.Redaction.Sample = 0.25
	l = w.start(t)
	for i := range 1000 {
		l.Finished(exchange(fmt.Sprint(i), "x"))
	}
	l.Close()
	if s := l.Stats(); s.Sampled < 650 || s.Sampled > 850 || s.ToLogs != 1000-s.Sampled {
		t.Errorf("%+v", s)
	}
}

func TestConfigurations(t *testing.T) {
	w := newWorld(t, all())
	l := w.start(t)
	defer l.Close()
	if !l.Wants(place.Account, place.Region) || l.Wants(place.Account, "eu-west-1") {
		t.Error("wanted elsewhere")
	}
	w.noGroup = true
	if err := l.SetLogging(t.Context(), place, all()); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), "Failed to validate permissions for log group: g") {
		t.Error(err)
	}
	w.noGroup = false
	if err := l.SetLogging(t.Context(), place, all()); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"large/p/AWSLogs/123456789012/BedrockModelInvocationLogs/data/amazon-bedrock-logs-permission-check", "files/AWSLogs/123456789012/BedrockModelInvocationLogs/amazon-bedrock-logs-permission-check"} {
		if body, ok := w.objects[key]; !ok || body != "" {
			t.Errorf("%s: %q, %v", key, body, ok)
		}
	}
	if err := l.DeleteLogging(t.Context(), place); err != nil || l.Wants(place.Account, place.Region) {
		t.Error("still wanted", err)
	}
}
