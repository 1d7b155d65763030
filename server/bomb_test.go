package server

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"outcrop/sigv4"
)

// What one policy may cost, whoever wrote it. The time is the processor's: a
// machine that does other things must not fail the test. A bomb takes hours.
const (
	bombTime   = 5 * time.Second
	bombMemory = 64 << 20 // bytes kept once a request is over
)

// processor is what this process has taken of the processor's time.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// iam calls an operation of IAM with pairs of names and values.
func (s *Server) iam(t *testing.T, by sigv4.Credentials, action string, pairs ...string) (int, string) {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	begun := processor(t)
	status, answer := send(t, s.signed(t, by, "iam", "POST", "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form.Encode()))
	if took := processor(t) - begun; took > bombTime {
		t.Errorf("%s took %v", action, took)
	}
	return status, answer
}

// statement is one that allows an action on a resource under conditions.
func statement(action, resource, condition string) string {
	return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `","Condition":{` + condition + `}}`
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// A policy that is too long, too deep or no policy is refused in IAM's words,
// whichever way it comes in.
func TestPolicyBombsAreRefused(t *testing.T) {
	s := start(t, Config{})
	s.user(t, "bomber", "")
	deep := func(open, end string, n int) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	for name, document := range map[string]string{
		"huge":                  policyOf(statement("s3:"+strings.Repeat("a", 1<<20), "*", "")),
		"many statements":       policyOf(strings.Repeat(statement("a:b", "*", "")+",", 20_000) + statement("a:b", "*", "")),
		"deep lists":            `{"Version":"2012-10-17","Statement":` + deep("[", "]", 60_000) + `}`,
		"deep objects":          `{"Version":"2012-10-17","Statement":` + strings.Repeat(`{"Condition":`, 8_000) + "1" + strings.Repeat("}", 8_000) + `}`,
		"a number without end":  `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":` + strings.Repeat("9", 100_000) + `,"Resource":"*"}}`,
		"the same member again": `{"Version":"2012-10-17",` + strings.Repeat(`"Statement":[],`, 5_000) + `"Statement":[]}`,
		"no end":                `{"Version":"2012-10-17","Statement":[` + strings.Repeat(`{"Effect":"Allow",`, 1_000),
		"a text without end":    `{"Version":"` + strings.Repeat(`\u0000`, 20_000),
		"spaces":                strings.Repeat(" ", 1<<20) + policyOf(statement("a:b", "*", "")),
	} {
		for action, pairs := range map[string][]string{
			"PutUserPolicy":        {"UserName", "bomber", "PolicyName", "p", "PolicyDocument", document},
			"CreatePolicy":         {"PolicyName", "p", "PolicyDocument", document},
			"CreateRole":           {"RoleName", "p", "AssumeRolePolicyDocument", document},
			"SimulateCustomPolicy": {"PolicyInputList.member.1", document, "ActionNames.member.1", "a:b"},
		} {
			if status, answer := s.iam(t, s.admin(), action, pairs...); status < 400 || status >= 500 {
				t.Errorf("%s, %s: %d %.300s", name, action, status, answer)
			}
		}
	}
	s.stillWorks(t)
}

// A policy that is well-formed and as hard to match as its size allows is
// decided in time: by a simulation, and by the door for whoever has it.
func TestPolicyBombsAreDecidedInTime(t *testing.T) {
	s := start(t, Config{})
	by := s.user(t, "bomber", "")
	stars := strings.Repeat("*a", 850)
	marks := strings.Repeat("*?a", 550)
	value := strings.Repeat("a", 1_800) + "b"
	variables := "arn:aws:s3:::" + strings.Repeat("${aws:username}*", 90)
	for name, document := range map[string]string{
		"stars":      policyOf(statement("bedrock:*", "arn:aws:bedrock:*:*:"+stars+"c", "")),
		"marks":      policyOf(statement("bedrock:*", "arn:aws:bedrock:*:*:"+marks+"c", "")),
		"actions":    policyOf(statement("bedrock:"+strings.Repeat("*e", 800)+"x", "*", "")),
		"conditions": policyOf(statement("*", "*", `"StringLike":{"aws:UserAgent":"`+stars+`c"}`)),
		"arns":       policyOf(statement("*", "*", `"ArnLike":{"aws:PrincipalArn":"arn:*:*:*:*:`+stars+`c"}`)),
		"variables":  policyOf(statement("*", variables+"c", `"StringNotLike":{"aws:UserAgent":"`+strings.Repeat("${aws:userid}*", 20)+`c"}`)),
		"statements": policyOf(strings.TrimSuffix(strings.Repeat(`{"Effect":"Deny","Action":"*:*a*b*","Resource":"arn:*:*:*:*:*x*y"},`, 26), ",")),
	} {
		if status, answer := s.iam(t, s.admin(), "PutUserPolicy", "UserName", "bomber", "PolicyName", "p", "PolicyDocument", document); status != http.StatusOK {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		begun := processor(t)
		r := s.signed(t, by, "bedrock", "GET", "/inference-profiles/"+strings.Repeat("a", 60), http.Header{"User-Agent": {value}}, "")
		if status, _ := send(t, r); status/100 == 5 {
			t.Errorf("%s at the door: %d", name, status)
		}
		if took := processor(t) - begun; took > bombTime {
			t.Errorf("%s at the door took %v", name, took)
		}
		pairs := []string{"ContextEntries.member.1.ContextKeyName", "aws:UserAgent", "ContextEntries.member.1.ContextKeyType", "string", "ContextEntries.member.1.ContextKeyValues.member.1", value}
		for i := range 100 {
			pairs = append(pairs, fmt.Sprintf("ResourceArns.member.%d", i+1), "arn:aws:bedrock:us-east-1::foundation-model/"+value+fmt.Sprint(i), fmt.Sprintf("ActionNames.member.%d", i+1), fmt.Sprintf("bedrock:%sx%d", strings.Repeat("e", 100), i))
		}
		if status, answer := s.iam(t, s.admin(), "SimulatePrincipalPolicy", append(pairs, "PolicySourceArn", "arn:aws:iam::123456789012:user/bomber", "MaxItems", "1000")...); status != http.StatusOK {
			t.Errorf("%s simulated: %d %.300s", name, status, answer)
		}
	}
	s.stillWorks(t)
}

// stillWorks holds the server to have forgotten what it refused.
func (s *Server) stillWorks(t *testing.T) {
	t.Helper()
	if status, answer := s.iam(t, s.admin(), "ListUsers"); status != http.StatusOK {
		t.Errorf("afterwards: %d %s", status, answer)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > bombMemory {
		t.Errorf("%d MB are kept, want at most %d", m.HeapAlloc>>20, bombMemory>>20)
	}
}
