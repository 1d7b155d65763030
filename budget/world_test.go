package budget

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"outcrop"
)

// A book is a ledger in memory.
type book struct {
	mu      sync.Mutex
	records []outcrop.UsageRecord
}

func (l *book) Sync(context.Context) error { return nil }

func (l *book) After(_ context.Context, after outcrop.Seq, limit int) ([]outcrop.UsageRecord, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest := l.records[min(int(after), len(l.records)):]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (l *book) settle(r outcrop.UsageRecord) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Seq = outcrop.Seq(len(l.records) + 1)
	l.records = append(l.records, r)
}

// A shelf is a store in memory. What it gives out has been through JSON, as on
// disk.
type shelf struct {
	mu      sync.Mutex
	budgets map[Key]*Saved
	queue   []Delivery
	lose    error // of Count
}

func (s *shelf) Budgets(context.Context) (all []Saved, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.budgets {
		text, err := json.Marshal(x)
		if err != nil {
			return nil, err
		}
		var back Saved
		if err := json.Unmarshal(text, &back); err != nil {
			return nil, err
		}
		all = append(all, back)
	}
	return all, nil
}

func (s *shelf) PutBudget(_ context.Context, b *Budget, recount bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.budgets == nil {
		s.budgets = map[Key]*Saved{}
	}
	x := s.budgets[b.Key]
	if x == nil || recount {
		x = &Saved{Hours: map[int64]outcrop.Money{}}
		s.budgets[b.Key] = x
	}
	x.Budget = *b
	return nil
}

func (s *shelf) DeleteBudget(_ context.Context, k Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.budgets, k)
	return nil
}

func (s *shelf) Count(_ context.Context, c Counted) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lose != nil {
		return s.lose
	}
	for _, k := range c.Budgets {
		s.budgets[k].Seq = c.Seq
	}
	for _, h := range c.Hours {
		s.budgets[h.Key].Hours[h.Hour] = h.Total
	}
	return nil
}

func (s *shelf) QueueDeliveries(_ context.Context, list []Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range list {
		d.ID = int64(len(s.queue) + 1)
		s.queue = append(s.queue, d)
	}
	return nil
}

func (s *shelf) DueDeliveries(_ context.Context, now time.Time, limit int) (due []Delivery, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.queue {
		if !d.Due.After(now) && len(due) < limit {
			due = append(due, d)
		}
	}
	return due, nil
}

func (s *shelf) PutDelivery(_ context.Context, d Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.queue, func(x Delivery) bool { return x.ID == d.ID })
	s.queue[i] = d
	return nil
}

func (s *shelf) DropDelivery(_ context.Context, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = slices.DeleteFunc(s.queue, func(x Delivery) bool { return x.ID == id })
	return nil
}

// A world is budgets among fakes, at a time of its own.
type world struct {
	*Budgets
	ledger *book
	shelf  *shelf
	now    time.Time
	sent   []Delivery
	fail   error // of Send
	hands  []string
}

var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{ledger: &book{}, shelf: &shelf{}, now: noon}
	w.open(t)
	return w
}

// open starts the budgets over what is on disk, as after a crash.
func (w *world) open(t testing.TB) {
	t.Helper()
	b, err := Open(t.Context(), w.ledger, w.shelf, Options{Now: func() time.Time { return w.now }, Bill: bill, Sender: w, Hand: w, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.Budgets = b
	if err := b.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) Send(_ context.Context, d Delivery) error {
	w.sent = append(w.sent, d)
	return w.fail
}

func (w *world) Apply(_ context.Context, _ outcrop.AccountID, d Definition) error {
	w.hands = append(w.hands, "apply "+string(d.Policy))
	return nil
}

func (w *world) Revert(_ context.Context, _ outcrop.AccountID, d Definition) error {
	w.hands = append(w.hands, "revert "+string(d.Policy))
	return nil
}

func bill(r *outcrop.UsageRecord, k outcrop.TokenKind, dimension string) (string, bool, bool) {
	switch dimension {
	case "REGION":
		return string(r.Region), r.Region != "", true
	case "USAGE_TYPE":
		return k.String(), true, true
	}
	return "", false, false
}

// made makes a monthly budget of some dollars, for what is tagged project=app01.
func (w *world) made(t testing.TB, name, dollars string, change ...func(*Budget)) Key {
	t.Helper()
	limit, err := outcrop.ParseMoney(dollars)
	if err != nil {
		t.Fatal(err)
	}
	b := Budget{Key: Key{"1", name}, Type: Cost, Unit: UnitDollars, Limit: limit, Every: Monthly,
		Filter: &Filter{Tag: &Match{Key: "project", Values: []string{"app01"}}}, Tags: outcrop.Tags{TagEnforce: "hard"}}
	for _, c := range change {
		c(&b)
	}
	if err := w.Create(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return b.Key
}

// record is a call with so many tokens of output at a dollar a million.
func (w *world) record(id string, output outcrop.Tokens) outcrop.UsageRecord {
	r := outcrop.UsageRecord{Invocation: outcrop.InvocationID(id), Account: "1", Principal: "arn:aws:iam::1:user/ann", AccessKey: "AKIA1", Region: "us-east-1",
		Model: "x.y", Profile: "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123", Tags: outcrop.Tags{"project": "app01"}, Started: w.now}
	r.Usage.Set(outcrop.OutputTokens, output)
	r.Quote.Price = "list#x.y"
	r.Quote.Rates.Set(outcrop.OutputTokens, 1_000_000)
	return r
}

// call reserves worst, settles real and lets the ledger have it.
func (w *world) call(id string, worst, real outcrop.Tokens) error {
	r := w.record(id, worst)
	if err := w.Reserve(&r); err != nil {
		return err
	}
	done := w.record(id, real)
	w.Settle(&done)
	w.ledger.settle(done)
	return nil
}

func (w *world) spent(t testing.TB, k Key) string {
	t.Helper()
	st, err := w.Get(t.Context(), k)
	if err != nil {
		t.Fatal(err)
	}
	return st.Spent.String()
}
