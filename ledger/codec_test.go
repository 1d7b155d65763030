package ledger

import (
	"encoding/hex"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/internal/record"
)

// full has every field set, each to something else. A field added to
// UsageRecord must be added here, to the codec and to the stores.
func full() outcrop.UsageRecord {
	r := outcrop.UsageRecord{
		Invocation: "inv", Operation: "op", Account: "acct", Principal: "arn", AccessKey: "key", SDKAttempt: "sdk",
		Started: time.Unix(0, 1).UTC(), FirstByte: time.Unix(0, 2).UTC(), Ended: time.Unix(0, 3).UTC(),
		Region: "r1", ServedIn: "r2", Upstream: "up", Attempts: 4, ModelRef: "ref", MetricID: "metric",
		Profile: "profile", Model: "model", Geography: "geo",
		Usage: outcrop.Usage{Estimated: true}, Quote: outcrop.Quote{Price: "price"},
		Tags: outcrop.Tags{"b": "2", "a": "1"}, RequestMetadata: map[string]string{"m": ""}, ServiceTier: "tier",
		TierAsked: "asked", Latency: "fast", LatencyAsked: "faster", SessionTags: outcrop.Tags{"s": "t"},
		UpstreamRequest: "theirs", QuotaTokens: 6, Binding: "short", Guardrail: "guard", ImageSize: "512x512", ImageSteps: 50,
		Outcome: outcrop.Outcome{Status: 5, Error: "err", StopReason: "stop", HungUp: true, Recovered: true},
	}
	for k := range outcrop.Kinds() {
		r.Usage.Set(k, outcrop.Tokens(k)) // the first is a known zero
		r.Quote.Rates.Set(k, outcrop.Rate(k)<<40)
	}
	return r
}

func TestEveryFieldIsWritten(t *testing.T) {
	want := full()
	got, err := decodeRecord(appendRecord(nil, &want))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[outcrop.UsageRecord]()) {
		if f.Name != "Seq" && reflect.ValueOf(want).FieldByIndex(f.Index).IsZero() {
			t.Errorf("field %s is not in the test: is it in the codec?", f.Name)
		}
	}
}

// first is the record that the first version wrote as goldenFirst: it knew
// fewer fields, and five kinds of token.
func first() outcrop.UsageRecord {
	r := full()
	r.TierAsked, r.Latency, r.LatencyAsked, r.SessionTags = "", "", "", nil
	r.UpstreamRequest, r.QuotaTokens, r.Binding, r.Guardrail, r.ImageSize, r.ImageSteps = "", 0, "", "", "", 0
	r.Usage.PerKind, r.Quote.Rates = outcrop.PerKind[outcrop.Tokens]{}, outcrop.PerKind[outcrop.Rate]{}
	for k := range outcrop.ReasoningTokens {
		r.Usage.Set(k, outcrop.Tokens(k))
		r.Quote.Rates.Set(k, outcrop.Rate(k)<<40)
	}
	return r
}

// second is the record that was written as goldenSecond.
func second() outcrop.UsageRecord {
	r := full()
	r.ImageSize, r.ImageSteps = "", 0
	return r
}

// Bytes on disk must stay readable by every later version.
func TestTheFormatDoesNotChange(t *testing.T) {
	now := full()
	if got := hex.EncodeToString(appendRecord(nil, &now)); got != golden {
		t.Errorf("encoding is\n%s\nwant\n%s", got, golden)
	}
	for name, c := range map[string]struct {
		golden string
		want   outcrop.UsageRecord
	}{"present": {golden, now}, "second": {goldenSecond, second()}, "first": {goldenFirst, first()}} {
		b, err := hex.DecodeString(c.golden)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decodeRecord(b); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: decoding is %+v, %v\nwant %+v", name, got, err, c.want)
		}
	}
}

const golden = "0102026f70030461636374040361726e05036b65790a0272310b0272320c0275700e037265660f066d6574726963100770726f66696c6511056d6f64656c120367656f1505707269636516020000160701808080808020160702808080808040160703808080808060160804808080808080011608058080808080a0011608068080808080c0011608078080808080e001160808808080808080021608098080808080a00216080a8080808080c00216080b8080808080e002170301613117030162321904746965721f0561736b656420046661737421066661737465722203017374250573686f7274260567756172642707353132783531322801640103696e76060373646b0701020801040901060d01081302000013020101130202021302030313020404130205051302060613020707130208081302090913020a0a13020b0b1401011802016d23067468656972732401061a010a1b036572721c0473746f701d01011e0101"

// goldenSecond knew no sizes of pictures.
const goldenSecond = "0102026f70030461636374040361726e05036b65790a0272310b0272320c0275700e037265660f066d6574726963100770726f66696c6511056d6f64656c120367656f1505707269636516020000160701808080808020160702808080808040160703808080808060160804808080808080011608058080808080a0011608068080808080c0011608078080808080e001160808808080808080021608098080808080a00216080a8080808080c00216080b8080808080e002170301613117030162321904746965721f0561736b656420046661737421066661737465722203017374250573686f7274260567756172640103696e76060373646b0701020801040901060d01081302000013020101130202021302030313020404130205051302060613020707130208081302090913020a0a13020b0b1401011802016d23067468656972732401061a010a1b036572721c0473746f701d01011e0101"

const goldenFirst = "010103696e7602026f70030461636374040361726e05036b6579060373646b0701020801040901060a0272310b0272320c0275700d01080e037265660f066d6574726963100770726f66696c6511056d6f64656c120367656f1302000013020101130202021302030313020404140101150570726963651602000016070180808080802016070280808080804016070380808080806016080480808080808001170301613117030162321802016d1904746965721a010a1b036572721c0473746f701d01011e0101"

func TestALaterVersionsFieldIsSkipped(t *testing.T) {
	want := full()
	b := record.AppendString(appendRecord(nil, &want), 200, "from the future")
	b = record.AppendNumbered(b, tagTokens, uint64(outcrop.TokenKinds)+3, 9) // a kind of token yet to come
	got, err := decodeRecord(b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestGarbageIsNoRecord(t *testing.T) {
	r := full()
	whole := appendRecord(nil, &r)
	for name, b := range map[string][]byte{
		"nothing":           nil,
		"another version":   append([]byte{9}, whole[1:]...),
		"no invocation":     record.AppendString([]byte{recordVersion}, tagAccount, "1"),
		"cut short":         whole[:len(whole)-1],
		"a long length":     append(append([]byte{}, whole...), 2, 0xff, 0xff, 0xff, 0xff, 0x7f, 1),
		"a bad number":      append(append([]byte{}, whole...), tagAttempts, 1, 0xff),
		"a bool of 2":       append(append([]byte{}, whole...), tagHungUp, 1, 2),
		"a pair too short":  append(append([]byte{}, whole...), tagTag, 1, 9),
		"a quota of text":   append(append([]byte{}, whole...), tagQuotaTokens, 1, 0xff),
		"tokens of nothing": append(append([]byte{}, whole...), tagTokens, 0),
	} {
		if got, err := decodeRecord(b); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r := full()
	f.Add(appendRecord(nil, &r))
	f.Add(appendRecord(nil, &outcrop.UsageRecord{Invocation: "i"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := decodeRecord(appendRecord(nil, &r))
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%x: %+v became %+v, %v", b, r, again, err)
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add((&header{number: 1, first: 2, prevEnd: 64, salt: 3, created: time.Unix(1, 0)}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := decodeHeader(b); err == nil && string(h.encode()) != string(b[:headerBytes]) {
			t.Fatalf("%x became %x", b, h.encode())
		}
	})
}

func TestRecordsFitTheirBound(t *testing.T) {
	l := &Ledger{opts: Options{}.withDefaults()}
	rapid.Check(t, func(t *rapid.T) {
		r := full()
		r.Tags, r.ModelRef = nil, strings.Repeat("x", rapid.IntRange(0, maxRecordBytes+100).Draw(t, "n"))
		for _, p := range []*time.Time{&r.Started, &r.FirstByte, &r.Ended} {
			*p = time.Unix(0, math.MinInt64)
		}
		for k := range outcrop.Kinds() {
			r.Usage.Set(k, math.MaxUint64)
			r.Quote.Rates.Set(k, math.MaxUint64)
		}
		r.Attempts, r.Outcome.Status = math.MinInt, math.MinInt
		r.Tags = rapid.MapOfN(rapid.String(), rapid.String(), 0, 60).Draw(t, "tags")
		n, err := l.bound(&r)
		if size := record.Size(len(appendRecord(nil, &r))); err == nil && (size > n || n > l.recordLimit()) {
			t.Fatalf("a record of %d bytes was bounded by %d", size, n)
		}
	})
}

func TestSegmentNamesAreExact(t *testing.T) {
	for name, want := range map[string]bool{
		segmentName(1): true, segmentName(1<<63 + 5): true,
		"1.seg": false, segmentName(1) + ".damaged": false, "spare": false, "lock": false, "000000000000000G.seg": false, "": false,
		"00000000000000AB.seg": false,
	} {
		if _, ok := segmentNumber(name); ok != want {
			t.Errorf("segmentNumber(%q) ok = %v", name, ok)
		}
	}
}
