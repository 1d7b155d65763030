package crash

import (
	"io"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
	"outcrop/server/servertest"
)

const (
	budgetAccount = "123456789012"
	budgetLimit   = "0.01" // dollars: some thousands of calls
	budgetKills   = 3
)

// Property: SIGKILL at any instant, with calls in flight that hold of a hard
// budget, leaves nothing held, counts every record once, and lets nobody spend
// more than there is: what is left can still be spent to the last call.
func TestAKillLeavesNothingHeldOfABudget(t *testing.T) {
	s := newStorm(t)
	t.Logf("seed %d", s.seed)
	made := false
	live := func(end func(*servertest.Server)) {
		server, err := servertest.Start(t.Context(), binary, s.dir, s.config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Kill)
		admin, err := server.Client(http.DefaultClient)
		if err != nil {
			t.Fatal(err)
		}
		if !made {
			makeBudget(t, admin)
			made = true
		}
		c := newCaller(server.Endpoint, s.key(t), s.deliver)
		c.body, c.allow = thrifty, map[int]bool{http.StatusForbidden: true}
		c.begin(connections)
		c.heard.Wait()
		time.Sleep(30*time.Millisecond + time.Duration(s.rng.Int64N(int64(80*time.Millisecond))))
		end(server)
		c.end()
		if c.refused.Load() > 0 {
			t.Errorf("%d calls were refused, such as %v", c.refused.Load(), c.refusal.Load())
		}
	}
	for range budgetKills {
		live(func(server *servertest.Server) { server.Kill() })
	}
	var spent string
	live(func(server *servertest.Server) { spent = s.spendTheRest(t, server) })
	sum := new(big.Rat)
	for _, r := range recordsOf(t, s.dir) {
		m, _ := r.Quote.Cost(&r.Usage)
		one, _ := new(big.Rat).SetString(m.String())
		sum.Add(sum, one)
	}
	got, _ := new(big.Rat).SetString(spent)
	limit, _ := new(big.Rat).SetString(budgetLimit)
	if got == nil || got.Cmp(sum) != 0 || sum.Cmp(limit) > 0 {
		t.Errorf("the budget counts %s, its records come to %s, the limit is %s", spent, sum.FloatString(12), budgetLimit)
	}
	t.Logf("%d calls delivered over %d kills, %s of %s spent", len(s.delivered), budgetKills, spent, budgetLimit)
}

// thrifty is a question whose worst case is small.
const thrifty = `{"messages":[{"role":"user","content":[{"text":"Tell me about rocks."}]}],"inferenceConfig":{"maxTokens":60}}`

func (s *storm) key(t *testing.T) string {
	t.Helper()
	keys, err := identity.ReadCredentials(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	return keys.APIKey
}

func makeBudget(t *testing.T, admin *servertest.Client) {
	t.Helper()
	type m = map[string]any
	budget := m{"BudgetName": "rocks", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": m{"Amount": budgetLimit, "Unit": "USD"}}
	in := m{"AccountId": budgetAccount, "Budget": budget, "ResourceTags": []m{{"Key": "outcrop:enforce", "Value": "hard"}}}
	if err := admin.Budgets(t.Context(), "CreateBudget", in, new(struct{})); err != nil {
		t.Fatal(err)
	}
}

var refusal = regexp.MustCompile(`of ([0-9.]+) USD, ([0-9.]+) are spent and ([0-9.]+) are held by calls under way, and this call may cost up to ([0-9.]+)\.`)

// spendTheRest calls one by one until the budget refuses, and says what the
// budget then counts.
func (s *storm) spendTheRest(t *testing.T, server *servertest.Server) string {
	said := s.untilRefused(t, server.Endpoint)
	part := refusal.FindStringSubmatch(said)
	if part == nil {
		t.Fatalf("the refusal %q does not tell what the budget holds", said)
	}
	sum := func(texts ...string) *big.Rat {
		all := new(big.Rat)
		for _, text := range texts {
			one, _ := new(big.Rat).SetString(text)
			all.Add(all, one)
		}
		return all
	}
	if part[3] != "0" || sum(part[2], part[4]).Cmp(sum(budgetLimit)) <= 0 {
		t.Errorf("nothing is under way, and yet: %s", said)
	}
	admin, err := server.Client(http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Budget struct {
			CalculatedSpend struct{ ActualSpend struct{ Amount string } }
		}
	}
	if err := admin.Budgets(t.Context(), "DescribeBudget", map[string]any{"AccountId": budgetAccount, "BudgetName": "rocks"}, &out); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	return out.Budget.CalculatedSpend.ActualSpend.Amount
}

// untilRefused is the refusal. The clients of this life are calling, too, until
// they are refused; what they hold is let go of soon.
func (s *storm) untilRefused(t *testing.T, endpoint string) (said string) {
	t.Helper()
	key := s.key(t)
	for until := time.Now().Add(60 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint+servertest.Model("us.amazon.nova-lite-v1:0", "converse"), strings.NewReader(thrifty))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Authorization": {"Bearer " + key}, "Content-Type": {"application/json"}}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		switch said = string(text); {
		case answer.StatusCode == http.StatusOK:
			s.deliver(outcrop.InvocationID(answer.Header.Get("X-Amzn-Requestid")))
		case answer.StatusCode != http.StatusForbidden:
			t.Fatalf("%s: %s", answer.Status, said)
		case strings.Contains(said, " 0 are held "):
			return said
		}
	}
	t.Fatalf("the budget was never used up: %s", said)
	return ""
}
