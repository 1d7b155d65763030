package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"outcrop/identity"
	"outcrop/sigv4"
)

// A budget's action is carried out with nobody's permissions: who may make
// budgets and nothing else gets nothing attached or detached by one.
func TestABudgetActionGivesNobodyMoreThanTheyHave(t *testing.T) {
	s := start(t, Config{})
	const onlyBudgets = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"budgets:*","Resource":"*"}]}`
	const guarded = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["budgets:*","iam:*"],"Resource":"*"},` +
		`{"Effect":"Deny","Action":"iam:Attach*","Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AdministratorAccess"}}}]}`
	weak, half := s.user(t, "weak", onlyBudgets), s.user(t, "half", guarded)
	account := string(s.config.Account)
	budgets := func(by sigv4.Credentials, operation, body string) (int, string) {
		h := http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"AWSBudgetServiceGateway." + operation}}
		return send(t, s.signed(t, by, "budgets", http.MethodPost, "/", h, body))
	}
	if status, body := budgets(weak, "CreateBudget", fmt.Sprintf(`{"AccountId":%q,"Budget":{"BudgetName":"b","BudgetType":"COST","TimeUnit":"MONTHLY","BudgetLimit":{"Amount":"1","Unit":"USD"}}}`, account)); status != 200 {
		t.Fatal(status, body)
	}
	action := func(kind, definition string) string {
		return fmt.Sprintf(`{"AccountId":%q,"BudgetName":"b","NotificationType":"ACTUAL","ActionType":%q,"ActionThreshold":{"ActionThresholdValue":100,"ActionThresholdType":"PERCENTAGE"},`+
			`"Definition":%s,"ExecutionRoleArn":"arn:aws:iam::%s:role/r","ApprovalModel":"MANUAL","Subscribers":[{"SubscriptionType":"EMAIL","Address":"a@example.com"}]}`, account, kind, definition, account)
	}
	attaching := func(policy, user string) string {
		return action("APPLY_IAM_POLICY", fmt.Sprintf(`{"IamActionDefinition":{"PolicyArn":%q,"Users":[%q]}}`, policy, user))
	}
	for _, c := range []struct {
		by          sigv4.Credentials
		body, words string // of the refusal; none when allowed
	}{
		{weak, attaching(string(identity.AdministratorAccess), "weak"), "iam:AttachUserPolicy on resource: arn:aws:iam::" + account + ":user/weak"},
		{weak, action("APPLY_SCP_POLICY", `{"ScpActionDefinition":{"PolicyId":"p-12345678","TargetIds":["`+account+`"]}}`), "organizations:AttachPolicy"},
		{half, attaching("arn:aws:iam::aws:policy/administratoraccess", "half"), "with an explicit deny"},
		{half, attaching("arn:aws:iam::aws:policy/AmazonBedrockReadOnly", "weak"), ""},
		{s.admin(), attaching(string(identity.AdministratorAccess), "weak"), ""},
	} {
		status, body := budgets(c.by, "CreateBudgetAction", c.body)
		if c.words == "" != (status == 200) || !strings.Contains(body, c.words) {
			t.Errorf("%s: %d %s, want %q", c.body, status, body, c.words)
		}
	}
}
