package iam

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"outcrop"
)

// differentialCases is how many random questions are compared, some of them
// over the same policies; OUTCROP_IAM_CASES asks for more.
const (
	differentialCases = 20_000
	questionsAWorld   = 4
)

// randomSeed is OUTCROP_SEED, to see a failure again, or a new one.
func randomSeed(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("OUTCROP_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return rand.Uint64()
}

// Property: Decide and the oracle give the same effect, from the same layer,
// for the same reasons, whatever the policies and the request.
func TestDecideAgreesWithTheOracle(t *testing.T) {
	cases := differentialCases
	if s := os.Getenv("OUTCROP_IAM_CASES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		cases = n
	}
	seed := randomSeed(t)
	effects := map[string]int{}
	var w *world
	for i := range cases {
		if i%questionsAWorld == 0 {
			w = newWorld(t, seed, uint64(i))
		} else {
			w.question()
		}
		got, want := w.compare()
		effects[want[:strings.Index(want, "|")]]++
		if got != want {
			t.Fatalf("OUTCROP_SEED=%d, case %d:\n got %s\nwant %s\nrequest %+v\n%s", seed, i, got, want, w.req, strings.Join(w.texts, "\n"))
		}
		if i%10 == 0 {
			w.checkMonotony(t, seed, i)
		}
	}
	t.Logf("seed %d, %d cases", seed, cases)
	for _, effect := range []string{"allowed identity-based policy", "allowed role trust policy", "explicitDeny service control policy", "implicitDeny permissions boundary", "implicitDeny session policy"} {
		if effects[effect] == 0 && cases >= differentialCases {
			t.Errorf("seed %d: the worlds never came to %q: %v", seed, effect, effects)
		}
	}
}

// A world is one random question with its policies, for both evaluators.
type world struct {
	*rand.Rand
	p     Policies
	in    oracleInput
	req   Request
	o     oracle
	texts []string
	t     *testing.T
}

func newWorld(t *testing.T, seed, n uint64) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, n)), t: t}
	w.build()
	w.question()
	return w
}

func pick[T any](w *world, from ...T) T { return from[w.IntN(len(from))] }

// chance is true once in n.
func (w *world) chance(n int) bool { return w.IntN(n) == 0 }

var (
	worldResources = []string{
		"", "*", "arn:aws:s3:::a/b", "arn:aws:bedrock:us-east-1::foundation-model/m",
		"arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/abc", "arn:aws:bedrock:us-east-1:999999999999:inference-profile/x",
	}
	worldActions = []string{"bedrock:InvokeModel", "bedrock:Get", "s3:GetObject", "sts:AssumeRole"}
	worldKeys    = []string{"aws:username", "aws:ResourceTag/Team", "k:number", "k:date", "k:bool", "k:ip", "k:bytes", "k:arn", "k:many", "aws:TagKeys", "k:gone"}
)

func (w *world) question() {
	o := oracle{single: map[string]string{}, multi: map[string][]string{}}
	w.p.Root, w.in.root = false, false
	o.action, o.resource = pick(w, worldActions...), pick(w, worldResources...)
	switch w.IntN(8) {
	case 0:
		o.service = pick(w, "ec2.amazonaws.com", "bedrock.amazonaws.com")
	case 1:
		o.federated = pick(w, "accounts.google.com", "arn:aws:iam::111122223333:oidc-provider/o")
	case 2, 3:
		o.principal = "arn:aws:sts::111122223333:assumed-role/app/s"
		o.role = "arn:aws:iam::111122223333:role/app"
	case 4:
		o.principal = "arn:aws:iam::111122223333:root"
		w.p.Root, w.in.root = true, true
	default:
		o.principal = pick(w, string(user), "arn:aws:iam::999999999999:user/m")
	}
	w.req = Request{Principal: outcrop.ARN(o.principal), Service: o.service, Federated: o.federated, Action: o.action, Resource: outcrop.ARN(o.resource)}
	if o.resource == "" {
		o.resource = "*"
	}
	if f := strings.Split(o.resource, ":"); len(f) > 4 {
		o.owner = f[4]
	}
	for _, k := range worldKeys {
		if k == "k:gone" || w.chance(3) {
			continue
		}
		if k == "k:many" || k == "aws:TagKeys" {
			values := make([]string, w.IntN(4))
			for i := range values {
				values[i] = w.value(pick(w, "text", "text", "text", "ip"))
			}
			w.req.Context.SetMulti(k, values...)
			o.multi[strings.ToLower(k)] = values
			continue
		}
		v := w.value(classOf(k))
		w.req.Context.Set(k, v)
		o.single[strings.ToLower(k)] = v
	}
	w.o = o
}

func classOf(key string) string {
	if name, ok := strings.CutPrefix(key, "k:"); ok && name != "many" && name != "gone" {
		return name
	}
	return "text"
}

// value of a class, now and then of another.
func (w *world) value(class string) string {
	if w.chance(12) {
		class = pick(w, "text", "number", "date", "bool", "ip", "bytes", "arn")
	}
	switch class {
	case "number":
		return pick(w, "0", "1", "10", "10.0", "-3", "2.5")
	case "date":
		return pick(w, "2026-01-01", "2026-01-01T00:00:00Z", "2026-02-02T01:02:03+02:00", "1767225600", "0")
	case "bool":
		return pick(w, "true", "false", "True")
	case "ip":
		return pick(w, "10.0.0.1", "10.0.1.1", "2001:db8::1", "192.168.0.1")
	case "bytes":
		return pick(w, "QQ==", "QUI=", "!")
	case "arn":
		return pick(w, "arn:aws:s3:::a", "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.x:0", "arn:aws:bedrock:us-east-1::foundation-model/m", "a:b")
	}
	return pick(w, "a", "b", "ab", "A", "", "*", "a*", "?", "${", "team-a", "é")
}

// wanted is a value as a policy writes it.
func (w *world) wanted(class string) string {
	switch class {
	case "ip":
		return pick(w, "10.0.0.0/24", "10.0.0.1", "2001:db8::/32", "10.0.0.77/16", "0.0.0.0/0")
	case "arn":
		return pick(w, "*", "arn:aws:s3:::*", "arn:*:bedrock:*:*:inference-profile/us.*", "arn:aws:bedrock:*:foundation-model/*", "arn:aws:*:*:*:*", "${k:arn}", "arn:aws:${aws:username}:::?", "arn:aws:bedrock:*::foundation-model/?", "a:*")
	case "text":
		if w.chance(2) {
			return w.glob()
		}
	}
	return w.value(class)
}

// glob is a random pattern, with variables now and then.
func (w *world) glob() string {
	var b strings.Builder
	for range 1 + w.IntN(4) {
		b.WriteString(pick(w, "a", "b", "*", "?", "team-", "${aws:username}", "${AWS:resourcetag/team, 'a'}", "${k:gone}", "${k:gone,'ab'}", "${*}", "${?}", "${$}", "${k:many}", "${", "A"))
	}
	return b.String()
}

func (w *world) action() string {
	return pick(w, "*", "bedrock:*", "s3:*", "bedrock:InvokeModel", "BEDROCK:invoke*", "*:Get*", "sts:AssumeRole", "bedrock:?et", "s3:${username}")
}

func (w *world) resource() string {
	return pick(w, "*", "*", "arn:aws:s3:::*", "arn:aws:s3:::${aws:username}/?", "arn:aws:bedrock:*::foundation-model/*", "arn:aws:bedrock:*:*:*", "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a?c", "arn:aws:bedrock:*:${k:gone, '999999999999'}:inference-profile/*")
}

var (
	textOperators  = []string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"}
	typedOperators = map[string][]string{
		"number": {"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"},
		"date":   {"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
		"bool":   {"Bool"}, "bytes": {"BinaryEquals"}, "ip": {"IpAddress", "NotIpAddress"},
		"arn": {"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
	}
)

func (w *world) condition() string {
	operators := map[string][]string{}
	for range 1 + w.IntN(2) {
		key := pick(w, worldKeys...)
		class := classOf(key)
		if w.chance(8) {
			class = pick(w, "number", "ip", "arn", "text")
		}
		op := pick(w, textOperators...)
		if class != "text" {
			op = pick(w, typedOperators[class]...)
		}
		if w.chance(10) {
			op, class = "Null", "null"
		} else {
			op = pick(w, "", "", "ForAllValues:", "ForAnyValue:") + op + pick(w, "", "", "IfExists")
		}
		var values []string
		for range w.IntN(3) + 1 {
			v := w.wanted(class)
			if class == "null" {
				v = pick(w, "true", "false")
			}
			if class == "date" {
				v = pick(w, "2026-01-01", "1767225600", "2026-02-02T01:02:03+02:00")
			}
			values = append(values, quoted(v))
		}
		if w.chance(20) {
			values = nil
		}
		if w.chance(2) {
			key = strings.ToUpper(key)
		}
		operators[op] = append(operators[op], quoted(key)+":["+strings.Join(values, ",")+"]")
	}
	var all []string
	for op, keys := range operators {
		if len(keys) == 2 && strings.EqualFold(keys[0][:strings.Index(keys[0], ":[")], keys[1][:strings.Index(keys[1], ":[")]) {
			keys = keys[:1] // the same key twice would be no JSON to rely on
		}
		all = append(all, quoted(op)+":{"+strings.Join(keys, ",")+"}")
	}
	slices.Sort(all)
	return "{" + strings.Join(all, ",") + "}"
}

func (w *world) principals() string {
	return pick(w, `"*"`, `{"AWS":"*"}`, `{"AWS":"arn:aws:iam::111122223333:user/alice"}`, `{"AWS":"111122223333"}`, `{"AWS":["arn:aws:iam::111122223333:root","999999999999"]}`,
		`{"AWS":"arn:aws:iam::111122223333:role/app"}`, `{"AWS":"arn:aws:sts::111122223333:assumed-role/app/s"}`, `{"AWS":"arn:aws:iam::999999999999:user/m","Service":"ec2.amazonaws.com"}`,
		`{"Service":["ec2.amazonaws.com","bedrock.amazonaws.com"]}`, `{"Federated":"accounts.google.com"}`, `{"Federated":"arn:aws:iam::111122223333:oidc-provider/o"}`)
}

func (w *world) list(make func() string) string {
	var items []string
	for range 1 + w.IntN(2) {
		items = append(items, quoted(make()))
	}
	if len(items) == 1 && w.chance(2) {
		return items[0]
	}
	return "[" + strings.Join(items, ",") + "]"
}

func (w *world) statement(kind PolicyKind) string {
	s := `{"Effect":"` + pick(w, "Allow", "Allow", "Allow", "Deny") + `"`
	action := w.action
	if kind == TrustPolicy {
		action = func() string { return pick(w, "sts:AssumeRole", "sts:*", "*") }
	}
	s += `,"` + pick(w, "Action", "Action", "Action", "NotAction") + `":` + w.list(action)
	if kind != TrustPolicy {
		s += `,"` + pick(w, "Resource", "Resource", "Resource", "NotResource") + `":` + w.list(w.resource)
	}
	if kind.hasPrincipals() {
		s += `,"` + pick(w, "Principal", "Principal", "Principal", "Principal", "NotPrincipal") + `":` + w.principals()
	}
	if w.chance(2) {
		s += `,"Condition":` + w.condition()
	}
	return s + `}`
}

func (w *world) policy(kind PolicyKind) (*Policy, oraclePolicy) {
	version := version2012
	if !kind.organisational() && kind != BoundaryPolicy && w.chance(10) {
		version = version2008
	}
	var s []string
	for range 1 + w.IntN(3) {
		s = append(s, w.statement(kind))
	}
	if w.chance(3) && !kind.hasPrincipals() {
		s = append(s, `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	}
	text := `{"Version":"` + version + `","Statement":[` + strings.Join(s, ",") + `]}`
	name := fmt.Sprintf("p%d", len(w.texts))
	w.texts = append(w.texts, fmt.Sprintf("%s kind %d: %s", name, kind, text))
	p, err := ParsePolicy([]byte(text), kind)
	if err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	p.Name = name
	return p, oracleRead(name, text)
}

func (w *world) policies(kind PolicyKind, most int) (ours []*Policy, theirs []oraclePolicy) {
	for range w.IntN(most + 1) {
		a, b := w.policy(kind)
		ours, theirs = append(ours, a), append(theirs, b)
	}
	return ours, theirs
}

// build makes the policies.
func (w *world) build() {
	w.p.StrictLists = true
	w.p.Identity, w.in.identity = w.policies(IdentityPolicy, 3)
	if w.chance(4) {
		w.p.Boundary, w.in.boundary = w.policies(BoundaryPolicy, 2)
		w.p.Boundary, w.in.hasBoundary = append([]*Policy{}, w.p.Boundary...), true
	}
	if w.chance(4) {
		w.p.Session, w.in.session = w.policies(SessionPolicy, 2)
		w.p.Session, w.in.hasSession = append([]*Policy{}, w.p.Session...), true
	}
	if w.chance(2) {
		kind := pick(w, ResourcePolicy, TrustPolicy)
		w.p.Resource, w.in.resource = w.policies(kind, 2)
		w.in.trust = kind == TrustPolicy && len(w.p.Resource) > 0
	}
	if w.chance(2) {
		w.p.SCPs, w.in.hasSCPs = [][]*Policy{}, true
		for range w.IntN(4) {
			a, b := w.policies(ServiceControlPolicy, 2)
			w.p.SCPs, w.in.scps = append(w.p.SCPs, a), append(w.in.scps, b)
		}
	}
}

// compare asks both and writes their answers out: effect, layer, reasons.
func (w *world) compare() (got, want string) {
	d := Decide(w.p, w.req)
	var said []spoke
	for _, r := range d.Reasons {
		said = append(said, spoke{r.Layer.String(), r.Policy, r.Index, map[Effect]string{Allow: "Allow", Deny: "Deny"}[r.Effect]})
	}
	verdict, all := w.o.decide(w.in)
	sortSpoke(said)
	sortSpoke(all)
	return fmt.Sprintf("%s %s|%v", d.Effect, d.Layer, said), fmt.Sprintf("%s|%v", verdict, all)
}

// checkMonotony: a Deny on everything refuses, whichever layer it is in, and
// taking a policy of Denies away never refuses more.
func (w *world) checkMonotony(t *testing.T, seed uint64, i int) {
	t.Helper()
	deny, err := ParsePolicy([]byte(statements(`{"Effect":"Deny","Action":"*","Resource":"*"}`)), SessionPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for _, add := range []func(*Policies){
		func(p *Policies) { p.Identity = append(slices.Clone(p.Identity), deny) },
		func(p *Policies) { p.Boundary = append(slices.Clone(p.Boundary), deny) },
		func(p *Policies) { p.Session = append(slices.Clone(p.Session), deny) },
		func(p *Policies) { p.SCPs = append(slices.Clone(p.SCPs), []*Policy{deny}) },
	} {
		p := w.p
		add(&p)
		if d := Decide(p, w.req); d.Effect != Deny {
			t.Fatalf("OUTCROP_SEED=%d, case %d: a Deny on everything gave %s", seed, i, d.Effect)
		}
	}
}
