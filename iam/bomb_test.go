package iam

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"outcrop"
)

// bombSteps is how much work one decision may be per byte of policy and
// character of the request, with room to spare: matching is linear.
const bombSteps = 8

// bombs are documents made to hurt; all are of the largest size taken.
func bombs() map[string]string {
	fill := func(unit string) string {
		const room = MaxPolicyBytes - 400
		return strings.Repeat(unit, room/len(unit))
	}
	resource := func(pattern string) string {
		return statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::` + pattern + `"}`)
	}
	list := func(item string) string { return strings.TrimSuffix(fill(quoted(item)+","), ",") }
	return map[string]string{
		"stars":             resource(fill("*a") + "b"),
		"stars in a row":    resource(fill("*") + "b"),
		"questions":         resource("*" + fill("a?") + "b*"),
		"short questions":   resource(fill("*a?a") + "b"),
		"half the value":    resource(fill("*" + strings.Repeat("a?", 500) + "b")),
		"many patterns":     statements(`{"Effect":"Allow","Action":"s3:Get","Resource":[` + list("arn:aws:s3:::*a*a*b") + `]}`),
		"many actions":      statements(`{"Effect":"Allow","Action":[` + list("*:*e*t*x") + `],"Resource":"*"}`),
		"many values":       statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{"StringLike":{"k:long":[` + list("*a*a?a*b") + `]}}}`),
		"variables":         statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{"StringLike":{"k:long":[` + list("*${k:one}?*b") + `]}}}`),
		"many statements":   `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(fill(`{"Effect":"Allow","Action":"s3:*","Resource":"*"},`), ",") + `]}`,
		"set of sets":       statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{"ForAllValues:StringNotLike":{"k:set":[` + list("*a*b") + `]}}}`),
		"arns":              statements(`{"Effect":"Allow","Action":"s3:Get","Resource":"*","Condition":{"ArnLike":{"k:long":[` + list("*:*:*:*:*:*a*b") + `]}}}`),
		"unclosed variable": resource(fill("${") + "b"),
	}
}

// bombRequest has values as long as Outcrop lets in: 2,048 characters.
func bombRequest() Request {
	long := strings.Repeat("a", 2000)
	r := Request{Principal: user, Action: "s3:Get", Resource: outcrop.ARN("arn:aws:s3:::" + long)}
	r.Context.Set("k:long", long)
	r.Context.Set("k:one", "a")
	r.Context.SetMulti("k:set", strings.Split(strings.Repeat("aaaaaaaaa,", 200), ",")...)
	return r
}

// Property: whatever the policy, a decision is work in proportion to the
// patterns times the length of the value they are held against, each by 64
// for patterns with ?. Steps are counted, not timed.
func TestPolicyBombsStayBounded(t *testing.T) {
	for name, doc := range bombs() {
		p, err := ParsePolicy([]byte(doc), IdentityPolicy)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		req := bombRequest()
		patterns := 1
		for _, s := range p.Statements {
			patterns += len(s.Actions) + len(s.Resources)
			for _, c := range s.Conditions {
				patterns += len(c.Values)
			}
		}
		d, steps := Compile(Policies{Identity: []*Policy{p}}).decide(&req)
		// Each pattern may read the value once; a long pattern is read once too,
		// and a piece of it with ? costs a step per 64 of its characters.
		if most := bombSteps * (len(doc) + patterns*2048); steps > most {
			t.Errorf("%s: %d steps, at most %d", name, steps, most)
		}
		if d.Allowed() != (name == "many statements" || name == "set of sets") {
			t.Errorf("%s: %s", name, d.Effect)
		}
	}
}

func TestPolicyBombsAllocateLittle(t *testing.T) {
	for name, doc := range bombs() {
		p, err := ParsePolicy([]byte(doc), IdentityPolicy)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		c, req := Compile(Policies{Identity: []*Policy{p}}), bombRequest()
		values := 0
		for _, s := range p.Statements {
			for _, cond := range s.Conditions {
				values += len(cond.Values)
			}
		}
		most := 100.0 + 40*float64(values) // a variable's pattern is made anew each time
		if got := testing.AllocsPerRun(1, func() { c.Decide(req) }); got > most {
			t.Errorf("%s: %.0f allocations, at most %.0f", name, got, most)
		}
	}
}

func TestDocumentsTooBigOrDeep(t *testing.T) {
	for name, doc := range map[string]string{
		"1 MB of list":   statements(`{"Effect":"Allow","Action":["s3:*"` + strings.Repeat(`,"s3:*"`, 150_000) + `],"Resource":"*"}`),
		"1 MB of space":  statements(fullAccess) + strings.Repeat(" ", 1<<20),
		"lists":          `{"Version":"2012-10-17","Statement":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000) + `}`,
		"objects":        strings.Repeat(`{"Statement":`, 9_000) + `1` + strings.Repeat("}", 9_000),
		"nested in cond": statements(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"a":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}}}`),
		"cut off":        `{"Version":"2012-10-17","Statement":[{"Effect":`,
	} {
		allocs := testing.AllocsPerRun(1, func() {
			if _, err := ParsePolicy([]byte(doc), IdentityPolicy); err == nil {
				t.Errorf("%s was taken", name)
			}
		})
		if allocs > 500 {
			t.Errorf("%s: %.0f allocations before it was refused", name, allocs)
		}
	}
}

// Property: a glob matches what the regular expression of the same meaning
// matches.
func TestGlobAgreesWithRegexp(t *testing.T) {
	seed := randomSeed(t)
	rng := rand.New(rand.NewPCG(seed, 1))
	letters := []string{"a", "b", "a", "é", "*", "?", "*"}
	word := func(from []string, n int) string {
		var b strings.Builder
		for range rng.IntN(n) {
			b.WriteString(from[rng.IntN(len(from))])
		}
		return b.String()
	}
	for range 20_000 {
		p, s := word(letters, 9), word(letters[:4], 12)
		re := regexp.QuoteMeta(p)
		re = strings.ReplaceAll(strings.ReplaceAll(re, `\*`, `.*`), `\?`, `.`)
		want := regexp.MustCompile(`(?s)\A` + re + `\z`).MatchString(s)
		g, steps := compileGlob(appendPattern(nil, p)), 0
		if got := g.match(s, &steps); got != want {
			t.Fatalf("seed %d: %q against %q = %v", seed, p, s, got)
		}
	}
}

// Pieces longer than a machine word carry over its edge.
func TestLongPieces(t *testing.T) {
	for n := 60; n < 200; n++ {
		body := strings.Repeat("a?", n)
		g, steps := compileGlob(appendPattern(nil, "*"+body+"b*")), 0
		text := strings.Repeat("ax", n) + "b"
		for shift := range 3 {
			s := strings.Repeat("y", shift) + text + strings.Repeat("z", shift)
			if !g.match(s, &steps) {
				t.Fatalf("%d, shifted by %d", n, shift)
			}
			if g.match(strings.Replace(s, "b", "c", 1), &steps) {
				t.Fatalf("%d, shifted by %d: matched without its end", n, shift)
			}
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	var s []string
	for i := range 9 {
		s = append(s, fmt.Sprintf(`{"Effect":"Allow","Action":["s3:Get*","logs:Describe*","cloudwatch:*"],"Resource":["arn:aws:s3:::bucket-%d/*","arn:aws:logs:*:*:log-group:g%d:*"],"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}`, i, i))
	}
	s = append(s, `{"Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"Resource":"arn:aws:bedrock:*:*:application-inference-profile/*","Condition":{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"},"Bool":{"aws:SecureTransport":"true"}}}`)
	c := Compile(Policies{Identity: identity(b, s...)})
	req := alice("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abcdefghijkl")
	req.Context.SetTags(KeyPrincipalTag, outcrop.Tags{"team": "blue"})
	req.Context.SetTags(KeyResourceTag, outcrop.Tags{"team": "blue", "cost-center": "42"})
	req.Context.Set(KeySecureTransport, "true")
	req.Context.Set(KeySourceIP, "203.0.113.9")
	b.ReportAllocs()
	for b.Loop() {
		if !c.Decide(req).Allowed() {
			b.Fatal("refused")
		}
	}
}

// BenchmarkInvocation is all checks of a geographic profile with the least
// policy and an SCP, contexts included.
func BenchmarkInvocation(b *testing.B) {
	target := usTarget()
	p := parse(b, IdentityPolicy, "grant", string(LeastPolicy(target.Profile, target.Destinations)))
	c := Compile(Policies{Identity: []*Policy{p}, SCPs: scps(b, deny("*", "*", `{"StringEquals":{"aws:RequestedRegion":"unspecified"}}`))})
	base := alice("", "")
	b.ReportAllocs()
	for b.Loop() {
		if d, _ := c.DecideAll(InvocationChecks(target, ActionInvoke), base); !d.Allowed() {
			b.Fatal("refused")
		}
	}
}

func BenchmarkParsePolicy(b *testing.B) {
	text := []byte(statements(fullAccess, deny("bedrock:*", "*", `{"StringNotEquals":{"aws:RequestedRegion":["us-east-1","us-west-2"]}}`)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePolicy(text, IdentityPolicy); err != nil {
			b.Fatal(err)
		}
	}
}
