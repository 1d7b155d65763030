package librechat

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop/access"
	"outcrop/internal/eventstream"
	"outcrop/sigv4"
)

// A cloud answers every question as AWS does when all is well; a test breaks
// one answer.
type cloud struct {
	date      time.Time
	models    map[string]string // profile id to model
	regions   map[string]string // profile id to Region
	who       int               // status of GetCallerIdentity
	decision  string
	agreement string
	guardrail bool
	refuse    map[string]string // path that is refused, with the message
	group     string            // of the invocation log; empty is off
	logged    bool
	inactive  bool     // the tag is
	offer     []string // of LibreChat
	mistakes  string
}

func allWell() *cloud {
	return &cloud{
		models:  map[string]string{"abc123def456": "anthropic.claude-sonnet-4-5-20250929-v1:0", "def456abc123": "amazon.nova-lite-v1:0"},
		regions: map[string]string{"abc123def456": "us-east-1", "def456abc123": "us-east-1"},
		who:     200, decision: "allowed", agreement: "AVAILABLE", guardrail: true, group: "/aws/bedrock", logged: true,
		offer: []string{"us.amazon.nova-lite-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}, mistakes: "[]", refuse: map[string]string{},
	}
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.date.IsZero() {
		w.Header().Set("Date", c.date.UTC().Format(http.TimeFormat))
	}
	target := r.Header.Get("X-Amz-Target")
	switch {
	case target != "":
		c.target(w, target)
	case r.Method == http.MethodPost && r.URL.Path == "/":
		r.ParseForm() // of our own client
		c.form(w, r.Form)
	case strings.HasPrefix(r.URL.Path, "/model/"):
		c.invoke(w, r)
	case r.URL.Path == "/api/models":
		answer(w, map[string]any{"bedrock": c.offer})
	default:
		c.control(w, r)
	}
}

func answer(w http.ResponseWriter, v any) { json.NewEncoder(w).Encode(v) }

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("x-amzn-ErrorType", code)
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q}`, message)
}

func (c *cloud) target(w http.ResponseWriter, target string) {
	_, operation, _ := strings.Cut(target, ".")
	switch operation {
	case "FilterLogEvents":
		events := []any{}
		if c.logged {
			events = append(events, map[string]string{"message": arnA + arnB})
		}
		answer(w, map[string]any{"events": events})
	case "ListCostAllocationTags":
		tags := []any{}
		if !c.inactive {
			tags = append(tags, map[string]string{"TagKey": "Application"})
		}
		answer(w, map[string]any{"CostAllocationTags": tags})
	case "ListClientMistakes":
		fmt.Fprintf(w, `{"Mistakes":%s}`, c.mistakes)
	}
}

func (c *cloud) form(w http.ResponseWriter, form url.Values) {
	const user = "<Arn>arn:aws:iam::123456789012:user/librechat</Arn>"
	switch form.Get("Action") {
	case "GetCallerIdentity":
		if c.who != 200 {
			w.WriteHeader(c.who)
			fmt.Fprint(w, "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error></ErrorResponse>")
			return
		}
		fmt.Fprint(w, "<R><GetCallerIdentityResult>"+user+"<Account>123456789012</Account></GetCallerIdentityResult></R>")
	case "GetUser":
		fmt.Fprint(w, "<R><GetUserResult><User>"+user+"</User></GetUserResult></R>")
	case "SimulatePrincipalPolicy":
		decision := "allowed"
		if strings.Contains(form.Get("ResourceArns.member.1"), "foundation-model") {
			decision = c.decision
		}
		fmt.Fprint(w, "<R><SimulatePrincipalPolicyResult><EvaluationResults><member><EvalDecision>"+decision+"</EvalDecision></member></EvaluationResults></SimulatePrincipalPolicyResult></R>")
	default:
		fmt.Fprint(w, "<R/>")
	}
}

func (c *cloud) invoke(w http.ResponseWriter, r *http.Request) {
	if message, ok := c.refuse[r.URL.Path]; ok {
		refuse(w, 400, "ValidationException", message)
		return
	}
	if strings.HasSuffix(r.URL.Path, "converse-stream") {
		w.Write(eventstream.AppendFrame(nil, eventstream.EventHeaders("messageStop", "application/json"), []byte(`{"stopReason":"end_turn"}`)))
		return
	}
	answer(w, map[string]any{})
}

func (c *cloud) control(w http.ResponseWriter, r *http.Request) {
	scope := r.Header.Get("Authorization")
	switch {
	case strings.HasPrefix(r.URL.Path, "/inference-profiles/"):
		_, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/inference-profiles/"), "application-inference-profile/")
		if id == "" {
			id = strings.TrimPrefix(r.URL.Path, "/inference-profiles/")
		}
		region := c.regions[id]
		if region == "" || !strings.Contains(scope, "/"+region+"/") && !strings.HasPrefix(scope, "Bearer") {
			refuse(w, 404, "ResourceNotFoundException", "not found")
			return
		}
		models := []any{map[string]string{"modelArn": "arn:aws:bedrock:" + region + "::foundation-model/" + c.models[id]}}
		answer(w, map[string]any{"inferenceProfileArn": "arn:aws:bedrock:" + region + ":123456789012:application-inference-profile/" + id, "status": "ACTIVE", "type": "APPLICATION", "models": models})
	case r.URL.Path == "/listTagsForResource":
		answer(w, map[string]any{"tags": []any{map[string]string{"key": "Application", "value": "LibreChat"}}})
	case strings.HasPrefix(r.URL.Path, "/foundation-model-availability/"):
		answer(w, map[string]any{"agreementAvailability": map[string]string{"status": c.agreement}, "authorizationStatus": "AUTHORIZED", "entitlementAvailability": "AVAILABLE", "regionAvailability": "AVAILABLE"})
	case strings.HasPrefix(r.URL.Path, "/guardrails/") && c.guardrail:
		answer(w, map[string]any{})
	case r.URL.Path == "/logging/modelinvocations":
		answer(w, map[string]any{"loggingConfig": map[string]any{"cloudWatchConfig": map[string]string{"logGroupName": c.group}}})
	default:
		refuse(w, 404, "ResourceNotFoundException", "there is none")
	}
}

// serve answers as servers for the JavaScript SDK must: HTTP/2 on a plain port.
func serve(t *testing.T, h http.Handler, h2c bool) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetHTTP1(true)
	s.Config.Protocols.SetUnencryptedHTTP2(h2c)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// pairEnv is the good environment with keys that can be asked whose they are.
func pairEnv(endpoint string) string {
	return strings.Replace(strings.Replace(goodEnv, "BEDROCK_AWS_BEARER_TOKEN=bedrock-api-key-abc", "BEDROCK_AWS_ACCESS_KEY_ID=AKIAEXAMPLE\nBEDROCK_AWS_SECRET_ACCESS_KEY=secret", 1), "http://outcrop:4599", endpoint, 1)
}

func liveOptions(s *httptest.Server) Options {
	o := good()
	o.Env = []byte(pairEnv(s.URL))
	o.Live, o.HTTP, o.LogWait = true, s.Client(), 10*time.Millisecond
	o.Admin = &access.Client{Endpoint: s.URL, Region: "us-east-1", HTTP: s.Client(), Keys: sigv4.Credentials{AccessKey: "AKIAADMIN", Secret: "secret"}}
	o.AppURL, o.AppToken = s.URL, "token"
	return o
}

// A liveBreakage changes what answers, or what is asked.
type liveBreakage struct {
	breakage
	cloud func(*cloud)
	ask   func(*testing.T, *Options)
}

const guardrailed = "    guardrailConfig:\n      guardrailIdentifier: 'gr-1'\n      guardrailVersion: '1'\n    models:"

var liveBreakages = []liveBreakage{
	{breakage: breakage{id: "LC33", says: "speaks plain HTTP"}, ask: func(_ *testing.T, o *Options) {
		o.Env = append(o.Env, "BEDROCK_REVERSE_PROXY="+strings.TrimPrefix(o.AppURL, "http://")+"\n"...)
	}},
	{breakage: breakage{id: "LC40", name: "HTTP/1.1 only", says: "speaks HTTP/1.1 only"}, ask: func(t *testing.T, o *Options) {
		o.Endpoint = serve(t, allWell(), false).URL
	}},
	{breakage: breakage{id: "LC40", name: "nobody there", says: "does not answer"}, ask: func(t *testing.T, o *Options) {
		gone := httptest.NewServer(allWell())
		gone.Close()
		o.Env = []byte(pairEnv(gone.URL))
	}},
	{breakage: breakage{id: "LC40", name: "not trusted", says: "does not trust the certificate"}, ask: func(t *testing.T, o *Options) {
		o.Env = []byte(pairEnv(secure(t, "h2").URL))
	}},
	{breakage: breakage{id: "LC40", name: "TLS without h2", says: "speaks HTTP/1.1 only"}, ask: func(t *testing.T, o *Options) {
		s := secure(t, "http/1.1")
		ca := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Env = append([]byte(pairEnv(s.URL)), "NODE_EXTRA_CA_CERTS="+ca+"\n"...)
	}},
	{breakage: breakage{id: "LC41", name: "slow", says: "differ by 7m"}, cloud: func(c *cloud) { c.date = time.Now().Add(-7*time.Minute - 30*time.Second) }},
	{breakage: breakage{id: "LC41", name: "a little", severity: Warn, says: "differ by 2m"}, cloud: func(c *cloud) { c.date = time.Now().Add(2*time.Minute + 30*time.Second) }},
	{breakage: breakage{id: "LC42", says: "the credentials are refused"}, cloud: func(c *cloud) { c.who = 403 }},
	{breakage: breakage{id: "LC43", name: "elsewhere", at: ".env:4", says: "it exists in us-west-2"}, cloud: func(c *cloud) { c.regions["abc123def456"] = "us-west-2" }},
	{breakage: breakage{id: "LC43", name: "nowhere", says: "does not exist in us-east-1"}, cloud: func(c *cloud) { delete(c.regions, "abc123def456") }},
	{breakage: breakage{id: "LC44", at: "librechat.yaml:9", says: "is mapped to a profile of anthropic.claude-opus-4-1"}, cloud: func(c *cloud) { c.models["abc123def456"] = "anthropic.claude-opus-4-1-20250805-v1:0" }},
	{breakage: breakage{id: "LC45", says: "allowed on the profile, denied on arn:aws:bedrock:us-east-1::foundation-model/"}, cloud: func(c *cloud) { c.decision = "implicitDeny" }},
	{breakage: breakage{id: "LC46", says: "agreementAvailability=NOT_AVAILABLE"}, cloud: func(c *cloud) { c.agreement = "NOT_AVAILABLE" }},
	{breakage: breakage{id: "LC47", says: "the guardrail gr-1 version 1 is not found"}, cloud: func(c *cloud) { c.guardrail = false }, ask: func(_ *testing.T, o *Options) {
		o.Config = []byte(strings.Replace(goodYAML, "    models:", guardrailed, 1))
	}},
	{breakage: breakage{id: "LC48", at: "librechat.yaml:9", says: "thinking is not supported"}, cloud: func(c *cloud) { c.refuse["/model/"+arnA+"/converse-stream"] = "thinking is not supported" }},
	{breakage: breakage{id: "LC49", at: "librechat.yaml:4", says: "the title call to 'us.amazon.nova-lite-v1:0' is refused"}, cloud: func(c *cloud) { c.refuse["/model/"+arnB+"/converse"] = "no" }},
	{breakage: breakage{id: "LC50", says: "no record of these calls"}, cloud: func(c *cloud) { c.logged = false }},
	{breakage: breakage{id: "LC50", name: "off", severity: Info, says: "invocation logging to CloudWatch is off"}, cloud: func(c *cloud) { c.group = "" }},
	{breakage: breakage{id: "LC51", says: "tag Application is on the profile"}, cloud: func(c *cloud) { c.inactive = true }},
	{breakage: breakage{id: "LC61", says: "is missing"}, cloud: func(c *cloud) { c.offer = c.offer[:1] }},
	{breakage: breakage{id: "LC62", says: "a variable that nobody replaced"}, cloud: func(c *cloud) {
		c.mistakes = `[{"Kind":"UnresolvedVariable","ModelId":"${X}","Principal":"p","Count":3,"Cure":"Set it."}]`
	}},
}

func secure(t *testing.T, protocol string) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(allWell())
	s.TLS = &tls.Config{NextProtos: []string{protocol}}
	s.EnableHTTP2 = protocol == "h2"
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// Against an endpoint where all is well there is no finding; each thing that
// is not well is named by its check.
func TestLiveChecks(t *testing.T) {
	for _, f := range examine(t, liveOptions(serve(t, allWell(), true))).Findings {
		if f.Severity != Info {
			t.Errorf("where all is well: %+v", f)
		}
	}
	for _, b := range liveBreakages {
		t.Run(strings.TrimSpace(b.id+" "+b.name), func(t *testing.T) {
			t.Parallel()
			c := allWell()
			if b.cloud != nil {
				b.cloud(c)
			}
			o := liveOptions(serve(t, c, true))
			if b.ask != nil {
				b.ask(t, &o)
			}
			found(t, examine(t, o), b.breakage)
		})
	}
}

// What cannot be decided says so, and why; it is no failure.
func TestUndecided(t *testing.T) {
	o := good()
	o.Live, o.Endpoint = true, serve(t, allWell(), true).URL
	o.Env = []byte(strings.Replace(goodEnv, "BEDROCK_AWS_BEARER_TOKEN=bedrock-api-key-abc", "BEDROCK_AWS_BEARER_TOKEN=user_provided", 1))
	o.Started = time.Time{}
	r := examine(t, o)
	var ids []string
	for _, f := range r.Findings {
		if f.Severity == Undecided && !slices.Contains(ids, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	if want := "LC42 LC43 LC44 LC45 LC46 LC48 LC49 LC50 LC51 LC60 LC61 LC62"; strings.Join(ids, " ") != want || r.Exit(true) != 0 {
		t.Errorf("undecided %v (exit %d), want %s and 0", ids, r.Exit(true), want)
	}
}

func TestOwnerOfAKey(t *testing.T) {
	for key, want := range map[string]string{
		"ABSKbGlicmVjaGF0LWF0LTEyMzQ1Njc4OTAxMjpabw==": "arn:aws:iam::123456789012:user/librechat", "ABSKbGlicmVjaGF0KzEtYXQtMTIzNDU2Nzg5MDEyOm9r": "arn:aws:iam::123456789012:user/librechat",
		"ABSK!": "", "bedrock-api-key-x": "", "": "",
	} {
		if got := ownerOf(key); string(got) != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// What a Bedrock API key cannot ask, since other services take none, is
// undecided in words that name the cure.
func TestAKeyAloneAsksBedrockAlone(t *testing.T) {
	o := good()
	o.Live, o.Endpoint, o.Admin = true, serve(t, allWell(), true).URL, nil
	o.Env = []byte(strings.Replace(goodEnv, "bedrock-api-key-abc", "ABSKbGlicmVjaGF0LWF0LTEyMzQ1Njc4OTAxMjpabw==", 1))
	told := map[string]string{}
	for _, f := range examine(t, o).Findings {
		told[f.ID] = f.Message
	}
	for _, id := range []string{"LC45", "LC51"} {
		if !strings.Contains(told[id], "may ask Bedrock alone: give --data") {
			t.Errorf("%s: %q", id, told[id])
		}
	}
}
