package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/ledger/ledgertest"
)

func counting(n *uint64, err *error) Source {
	return Source{Name: "records", Counted: func(context.Context, time.Time, time.Time) (uint64, error) {
		if err != nil && *err != nil {
			return 0, *err
		}
		return *n, nil
	}}
}

func auditor(settled *uint64, others ...Source) *Auditor {
	a := &Auditor{Sync: func(context.Context) error { return nil }, Settled: counting(settled, nil), Others: others}
	a.Settled.Name = "settled"
	return a
}

// Property: an audit of what stands still is equal exactly when every count is.
func TestEqualMeansEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(0, 5).Draw(t, "settled")
		want := Equal
		var others []Source
		for range rapid.IntRange(1, 3).Draw(t, "sources") {
			m := rapid.Uint64Range(0, 5).Draw(t, "count")
			err := rapid.SampledFrom([]error{nil, nil, errors.New("gone")}).Draw(t, "error")
			others = append(others, counting(&m, &err))
			switch {
			case err == nil && m != n:
				want = Differs
			case err != nil && want == Equal:
				want = CannotTell
			}
		}
		r, err := auditor(&n, others...).Audit(context.Background(), time.Unix(100, 0), time.Unix(5000, 0))
		if err != nil || r.Verdict != want {
			t.Fatalf("%+v, %v; want %s", r, err, want)
		}
		if r.From != time.Unix(0, 0).UTC() || r.To != time.Unix(7200, 0).UTC() {
			t.Fatalf("period %s to %s is not the whole hours around", r.From, r.To)
		}
	})
}

// What is settled during an audit is no difference.
func TestCallsGoOnDuringAnAudit(t *testing.T) {
	var settled uint64 = 10
	grows := Source{Name: "records", Counted: func(context.Context, time.Time, time.Time) (uint64, error) { settled += 5; return settled - 2, nil }}
	if r, err := auditor(&settled, grows).Audit(t.Context(), time.Unix(0, 0), time.Unix(3600, 0)); err != nil || r.Verdict != Equal {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAWatchRemembersAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		settled, records := uint64(3), uint64(3)
		w := &Watch{Auditor: auditor(&settled, counting(&records, nil)), Log: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		time.Sleep(watchEvery + time.Second)
		if s := w.Stats(); s.Audits != 1 || w.Health() != nil || s.Last.Verdict != Equal {
			t.Errorf("%+v, %v", s, w.Health())
		}
		records = 2
		time.Sleep(2 * watchEvery)
		if s := w.Stats(); s.Audits != 3 || s.Differs != 2 || w.Health() == nil || !strings.Contains(w.Health().Error(), "records 2") {
			t.Errorf("%+v, %v", s, w.Health())
		}
		records = 3
		time.Sleep(watchEvery)
		if w.Health() != nil {
			t.Error(w.Health())
		}
		cancel()
		<-done
	})
}

func compare(t *testing.T, file string, records ...outcrop.UsageRecord) Comparison {
	t.Helper()
	q, err := ReadRequests(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	m := q.Compare()
	for i := range records {
		m.Add(&records[i])
	}
	return m.Done()
}

func TestRequestsAreMatchedById(t *testing.T) {
	list := ledgertest.Numbered(1, 3) // 1001 in, 1 out, and so on
	list[0].UpstreamRequest = "req-1"
	file := "Request ID,Input Tokens,output_tokens\nreq-1,1001,1\n" + string(list[1].Invocation) + ",1002,2\n"
	if c := compare(t, file, list[:2]...); c.Verdict != Equal || c.Matched != 2 {
		t.Errorf("%+v", c)
	}
	if c := compare(t, file, list...); c.Verdict != Differs || c.Ours != 1 || len(c.Examples) != 1 {
		t.Errorf("one more in the ledger: %+v", c)
	}
	if c := compare(t, file+"req-9,1,1\n", list[:2]...); c.Verdict != Differs || c.Theirs != 1 {
		t.Errorf("one more in the file: %+v", c)
	}
	if c := compare(t, strings.Replace(file, "1001", "7", 1), list[:2]...); c.Verdict != Differs || c.Unlike != 1 {
		t.Errorf("another count: %+v", c)
	}
	refused := outcrop.UsageRecord{Invocation: "refused"}
	if c := compare(t, file, append(list[:2:2], refused)...); c.Verdict != Equal {
		t.Errorf("a refused call used nothing: %+v", c)
	}
	if c := compare(t, "request_id\n"); c.Verdict != CannotTell {
		t.Errorf("nothing on both sides: %+v", c)
	}
	for name, bad := range map[string]string{
		"empty": "", "no ids": "a,b\n1,2\n", "no number": "id,input_tokens\nx,many\n", "twice": "id\nx\nx\n", "no id": "id,tokens\n,1\n",
		"exponent": "id,input_tokens\nx,1e999999999\n", "ragged": "id,tokens\nx\n",
	} {
		if _, err := ReadRequests(strings.NewReader(bad)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestABillIsComparedByProfileAndKind(t *testing.T) {
	list := ledgertest.Numbered(1, 2)
	profile := string(list[0].Profile)
	bill := func(usageType, amount, unit string) string {
		return fmt.Sprintf("%s,%s,%s,%s\n", usageType, amount, unit, profile)
	}
	head := "line_item_usage_type,line_item_usage_amount,pricing_unit,line_item_resource_id\n"
	for name, c := range map[string]struct {
		file string
		want Verdict
	}{
		"in thousands":   {bill("USE1-NovaLite-input-tokens", "2.003", "1K tokens") + bill("USE1-NovaLite-output-tokens", "0.003", "1K tokens"), Equal},
		"in millions":    {bill("USE1-MP:USE1_InputTokenCount-Units", "0.002003", "Units") + bill("USE1-MP:USE1_output_tokens_standard-Units", "0.000003", "Units"), Equal},
		"by the hour":    {bill("USE1-NovaLite-input-tokens", "1.001", "1K tokens") + bill("USE1-NovaLite-input-tokens", "1.002", "1K tokens") + bill("USE1-NovaLite-output-tokens", "3", "tokens"), Equal},
		"other services": {bill("USE1-BoxUsage:t3.micro", "12", "Hrs") + bill("USE1-NovaLite-input-tokens", "2.003", "1K tokens") + bill("USE1-NovaLite-output-tokens", "0.003", "1K tokens"), Equal},
		"too much":       {bill("USE1-NovaLite-input-tokens", "2.004", "1K tokens") + bill("USE1-NovaLite-output-tokens", "0.003", "1K tokens"), Differs},
		"cache, too":     {bill("USE1-NovaLite-cache-read-input-token-count", "1", "1K tokens") + bill("USE1-NovaLite-input-tokens", "2.003", "1K tokens") + bill("USE1-NovaLite-output-tokens", "0.003", "1K tokens"), Differs},
	} {
		b, err := ReadBill(strings.NewReader(head+c.file), 1_000_000)
		if err != nil {
			t.Fatal(err)
		}
		m := b.Compare()
		for i := range list {
			m.Add(&list[i])
		}
		if got := m.Done(); got.Verdict != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := ReadBill(strings.NewReader("a,b\n"), 1); err == nil {
		t.Error("another file passes for a bill")
	}
}

func FuzzReadRequests(f *testing.F) {
	f.Add("request_id,input_tokens\nx,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		if q, err := ReadRequests(strings.NewReader(text)); err == nil {
			q.Compare().Done()
		}
	})
}

func FuzzReadBill(f *testing.F) {
	f.Add("lineItem/UsageType,lineItem/UsageAmount\nUSE1-NovaLite-input-tokens,1.5\n")
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := ReadBill(strings.NewReader(text), 1000); err == nil {
			b.Compare().Done()
		}
	})
}

// A report without resources knows no profiles, and is compared without them.
func TestABillWithoutResourcesIsComparedByKind(t *testing.T) {
	list := ledgertest.Numbered(1, 2)
	b, err := ReadBill(strings.NewReader("line_item_usage_type,line_item_usage_amount,pricing_unit\nUSE1-NovaLite-input-tokens,2.003,1K tokens\nUSE1-NovaLite-output-tokens,0.003,1K tokens\n"), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	m := b.Compare()
	for i := range list {
		m.Add(&list[i])
	}
	if got := m.Done(); got.Verdict != Equal {
		t.Errorf("%+v", got)
	}
}
