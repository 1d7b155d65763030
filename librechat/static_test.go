package librechat

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Two profiles of the account that the examples are of.
const (
	arnA = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123def456"
	arnB = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/def456abc123"
)

// goodYAML and goodEnv have no mistake that any static check knows.
const goodYAML = `version: 1.3.5
endpoints:
  bedrock:
    titleModel: 'us.amazon.nova-lite-v1:0'
    models:
      - 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
      - 'us.amazon.nova-lite-v1:0'
    inferenceProfiles:
      'us.anthropic.claude-sonnet-4-5-20250929-v1:0': '${BEDROCK_SONNET_45_PROFILE}'
      'us.amazon.nova-lite-v1:0': '` + arnB + `'
    availableRegions:
      - 'us-east-1'
`

const goodEnv = `BEDROCK_AWS_DEFAULT_REGION=us-east-1
BEDROCK_AWS_BEARER_TOKEN=bedrock-api-key-abc
BEDROCK_SONNET_45_PROFILE=` + arnA + `
AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://outcrop:4599
`

// A breakage changes the good configuration into one with a mistake.
type breakage struct {
	id       string
	name     string
	yaml     [2]string // text and what stands in its place
	env      [2]string
	change   func(*Options)
	severity Severity // of the finding; empty is the check's own
	at       string   // file:line
	says     string
}

const sonnetKey = "'us.anthropic.claude-sonnet-4-5-20250929-v1:0': '${BEDROCK_SONNET_45_PROFILE}'"

var breakages = []breakage{
	{id: "LC01", name: "no YAML", yaml: [2]string{"    models:", "   models: ["}, says: "not valid YAML"},
	{id: "LC01", name: "a key twice", yaml: [2]string{"    models:", "    titleModel: x\n    models:"}, at: "librechat.yaml:5", says: "titleModel"},
	{id: "LC01", name: "no mapping", yaml: [2]string{goodYAML, "- a\n"}, says: "must be a mapping"},
	{id: "LC02", name: "a number in quotes", yaml: [2]string{"    models:", "    streamRate: '25'\n    models:"}, at: "librechat.yaml:5", says: "streamRate is a string and must be a number"},
	{id: "LC02", name: "a version without quotes", yaml: [2]string{"    models:", "    guardrailConfig:\n      guardrailIdentifier: 'g'\n      guardrailVersion: 1\n    models:"}, at: "librechat.yaml:7", says: "guardrailVersion must be a string"},
	{id: "LC02", name: "models as text", yaml: [2]string{"availableRegions:\n      - 'us-east-1'", "availableRegions: us-east-1"}, says: "availableRegions is a string and must be a list"},
	{id: "LC02", name: "a trace nobody knows", yaml: [2]string{"    models:", "    guardrailConfig:\n      guardrailIdentifier: 'g'\n      guardrailVersion: '1'\n      trace: on\n    models:"}, says: "trace is"},
	{id: "LC03", name: "a key without its s", yaml: [2]string{"inferenceProfiles:", "inferenceProfile:"}, at: "librechat.yaml:8", says: "'inferenceProfile' is not a key"},
	{id: "LC03", name: "snake case", yaml: [2]string{"availableRegions:", "available_regions:"}, says: "'available_regions' is not a key"},
	{id: "LC04", name: "an old configuration", yaml: [2]string{"version: 1.3.5", "version: 1.2.8"}, at: "librechat.yaml:1", says: "needs configuration version 1.3.4"},
	{id: "LC04", name: "no version", yaml: [2]string{"version: 1.3.5\n", ""}, says: "has no version"},
	{id: "LC04", name: "an old LibreChat", change: func(o *Options) { o.Version = "v0.8.2" }, says: "inferenceProfiles needs LibreChat v0.8.3-rc1"},
	{id: "LC05", name: "hidden", env: [2]string{"", "ENDPOINTS=openAI,agents\n"}, at: ".env:1", says: "ENDPOINTS hides Bedrock"},
	{id: "LC06", name: "no Region", env: [2]string{"BEDROCK_AWS_DEFAULT_REGION=us-east-1\n", ""}, says: "LibreChat hides the endpoint"},
	{id: "LC06", name: "an empty secret", env: [2]string{"", "BEDROCK_AWS_SECRET_ACCESS_KEY=\n"}, at: ".env:1", says: "set but empty"},
	{id: "LC10", name: "mapped, not offered", yaml: [2]string{"    inferenceProfiles:\n", "    inferenceProfiles:\n      'us.anthropic.claude-3-7-sonnet-20250219-v1:0': '" + arnA + "'\n"}, at: "librechat.yaml:9", says: "is mapped but not offered"},
	{id: "LC11", name: "capitals", yaml: [2]string{sonnetKey, strings.Replace(sonnetKey, "-v1", "-V1", 1)}, at: "librechat.yaml:9", says: "keys compare exactly"},
	{id: "LC11", name: "another geography", yaml: [2]string{sonnetKey, strings.Replace(sonnetKey, "'us.", "'global.", 1)}, says: "keys compare exactly"},
	{id: "LC11", name: "no version", yaml: [2]string{sonnetKey, strings.Replace(sonnetKey, "-v1:0'", "'", 1)}, says: "keys compare exactly"},
	{id: "LC11", name: "a slip of the finger", yaml: [2]string{sonnetKey, strings.Replace(sonnetKey, "sonnet-4-5", "sonet-4-5", 1)}, says: "keys compare exactly"},
	{id: "LC12", name: "not mapped", yaml: [2]string{"    inferenceProfiles:", "      - 'us.amazon.nova-pro-v1:0'\n    inferenceProfiles:"}, at: "librechat.yaml:8", says: "'us.amazon.nova-pro-v1:0' is not mapped"},
	{id: "LC12", name: "nothing mapped", yaml: [2]string{goodYAML[strings.Index(goodYAML, "    inferenceProfiles"):strings.Index(goodYAML, "    availableRegions")], ""}, severity: Warn, says: "maps no model"},
	{id: "LC13", name: "a title elsewhere", yaml: [2]string{"titleModel: 'us.amazon.nova-lite-v1:0'", "titleModel: 'us.amazon.nova-micro-v1:0'"}, at: "librechat.yaml:4", says: "one unattributed Converse call"},
	{id: "LC13", name: "the memory agent", yaml: [2]string{"endpoints:\n", "memory:\n  agent:\n    provider: bedrock\n    model: 'us.amazon.nova-micro-v1:0'\nendpoints:\n"}, says: "is not in inferenceProfiles"},
	{id: "LC20", name: "another spelling", env: [2]string{"BEDROCK_SONNET_45_PROFILE", "BEDROCK_SONNET45_PROFILE"}, at: "librechat.yaml:9", says: "(found BEDROCK_SONNET45_PROFILE)"},
	{id: "LC20", name: "not set", env: [2]string{"BEDROCK_SONNET_45_PROFILE", "X"}, says: "uses ${BEDROCK_SONNET_45_PROFILE}, not set in .env"},
	{id: "LC21", name: "empty", env: [2]string{"BEDROCK_SONNET_45_PROFILE=" + arnA, "BEDROCK_SONNET_45_PROFILE="}, at: ".env:3", says: "set but empty"},
	{id: "LC21", name: "a default", yaml: [2]string{"${BEDROCK_SONNET_45_PROFILE}", "${BEDROCK_SONNET_45_PROFILE:-" + arnA + "}"}, at: "librechat.yaml:9", says: "no default syntax"},
	{id: "LC21", name: "no braces", yaml: [2]string{"${BEDROCK_SONNET_45_PROFILE}", "$BEDROCK_SONNET_45_PROFILE"}, says: "without braces"},
	{id: "LC21", name: "two in a row", yaml: [2]string{"${BEDROCK_SONNET_45_PROFILE}", "${A}${B}"}, env: [2]string{"", "A=arn:aws:bedrock:us-east-1:123456789012:\nB=application-inference-profile/abc123def456\n"}, says: "takes it all for one name"},
	{id: "LC21", name: "denied", yaml: [2]string{"${BEDROCK_SONNET_45_PROFILE}", "${MONGO_URI}"}, env: [2]string{"", "MONGO_URI=x\n"}, says: "never puts MONGO_URI"},
	{id: "LC22", name: "Windows", env: [2]string{arnA + "\n", arnA + "\r\n"}, at: ".env:3", says: "Windows line ends"},
	{id: "LC22", name: "quotes inside", yaml: [2]string{"'" + arnB + "'", `'"` + arnB + `"'`}, at: "librechat.yaml:10", says: "has quotes in it"},
	{id: "LC22", name: "invisible", env: [2]string{arnA, arnA + "\u200b"}, says: "U+200B"},
	{id: "LC23", name: "an id", yaml: [2]string{arnB, "def456abc123"}, at: "librechat.yaml:10", says: "is not the ARN of an inference profile"},
	{id: "LC23", name: "a system profile", yaml: [2]string{arnB, "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"}, severity: Warn, says: "no cost tags"},
	{id: "LC23", name: "the guides' example", yaml: [2]string{"def456abc123", "def456"}, severity: Warn, says: "have 12 characters"},
	{id: "LC23", name: "no account", yaml: [2]string{":123456789012:application-inference-profile/def", "::application-inference-profile/def"}, says: "its account must have 12 digits"},
	{id: "LC24", name: "one profile, two models", yaml: [2]string{arnB, arnA}, at: "librechat.yaml:10", says: "share one profile"},
	{id: "LC25", name: "a free name", yaml: [2]string{"'us.amazon.nova-lite-v1:0': ", "'my-sonnet': '" + arnB + "'\n      'us.amazon.nova-lite-v1:0': "}, at: "librechat.yaml:10", says: "'my-sonnet' names no provider"},
	{id: "LC25", name: "an ARN on offer", yaml: [2]string{"    inferenceProfiles:", "      - '" + arnA + "'\n    inferenceProfiles:"}, says: "an ARN is offered"},
	{id: "LC30", name: "half a pair", env: [2]string{"BEDROCK_AWS_BEARER_TOKEN=bedrock-api-key-abc", "BEDROCK_AWS_ACCESS_KEY_ID=AKIA"}, at: ".env:2", says: "is set without BEDROCK_AWS_SECRET_ACCESS_KEY"},
	{id: "LC30", name: "both", env: [2]string{"", "BEDROCK_AWS_ACCESS_KEY_ID=AKIA\nBEDROCK_AWS_SECRET_ACCESS_KEY=x\n"}, severity: Warn, says: "the bearer key wins"},
	{id: "LC31", name: "the SDK's own", env: [2]string{"", "AWS_BEARER_TOKEN_BEDROCK=x\n"}, at: ".env:1", says: "overrides the keys"},
	{id: "LC32", name: "a scheme", env: [2]string{"", "BEDROCK_REVERSE_PROXY=http://outcrop:4599\n"}, at: ".env:1", says: "looks for a host called http"},
	{id: "LC32", name: "a path", env: [2]string{"", "BEDROCK_REVERSE_PROXY=outcrop:4599/x\n"}, says: "HOST:PORT only"},
	{id: "LC34", name: "shared with S3", yaml: [2]string{"endpoints:\n", "fileStrategy: s3\nendpoints:\n"}, env: [2]string{"", "AWS_ENDPOINT_URL=http://outcrop:4599\n"}, at: ".env:1", says: "S3 file storage"},
	{id: "LC35", name: "switched off", env: [2]string{"", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true\n"}, at: ".env:1", says: "switches the endpoint variables off"},
	{id: "LC35", name: "baseURL", yaml: [2]string{"    models:", "    baseURL: 'http://outcrop:4599'\n    models:"}, at: "librechat.yaml:5", says: "baseURL is not read"},
	{id: "LC35", name: "no URL", env: [2]string{"http://outcrop:4599", "outcrop:4599"}, severity: Fail, says: "is no URL"},
	{id: "LC36", name: "another default", env: [2]string{"REGION=us-east-1", "REGION=us-west-2"}, says: "lives in us-east-1, and BEDROCK_AWS_DEFAULT_REGION is us-west-2"},
	{id: "LC36", name: "Regions to choose", yaml: [2]string{"      - 'us-east-1'\n", "      - 'us-east-1'\n      - 'us-west-2'\n"}, at: "librechat.yaml:12", says: "users who pick us-west-2"},
	{id: "LC37", name: "a key has one Region", yaml: [2]string{"      - 'us-east-1'\n", "      - 'us-east-1'\n      - 'us-west-2'\n"}, says: "not on the wire"},
	{id: "LC60", name: "not restarted", change: func(o *Options) {
		o.Started = time.Unix(1000, 0)
		o.Modified = map[string]time.Time{"librechat.yaml": time.Unix(2000, 0)}
	}, at: "librechat.yaml", says: "Restart LibreChat."},
	{id: "LC60", name: "another file was read", change: func(o *Options) {
		o.Log = []byte("info: Custom config file loaded:\ninfo: " + `{"endpoints":{"bedrock":{"inferenceProfiles":{"us.amazon.nova-lite-v1:0":"old"}}}}`)
	}, says: "Restart LibreChat."},
}

func good() Options {
	return Options{ConfigName: "librechat.yaml", EnvName: ".env", Config: []byte(goodYAML), Env: []byte(goodEnv), Started: time.Unix(3000, 0)}
}

func examine(t *testing.T, o Options) *Report {
	t.Helper()
	return Examine(t.Context(), o)
}

// The good configuration has no finding, and each breakage is named by its
// check, on its line, with a cure.
func TestStaticChecks(t *testing.T) {
	for _, f := range examine(t, good()).Findings {
		if f.Severity != Undecided && f.Severity != Info {
			t.Errorf("the good configuration: %+v", f)
		}
	}
	for _, b := range breakages {
		t.Run(b.id+" "+b.name, func(t *testing.T) {
			o := good()
			o.Config = replaced(t, goodYAML, b.yaml)
			o.Env = replaced(t, goodEnv, b.env)
			if b.change != nil {
				b.change(&o)
			}
			found(t, examine(t, o), b)
		})
	}
}

func replaced(t *testing.T, s string, change [2]string) []byte {
	t.Helper()
	if change[0] == "" { // at the beginning
		return []byte(change[1] + s)
	}
	if !strings.Contains(s, change[0]) {
		t.Fatalf("%q is not in the good file", change[0])
	}
	return []byte(strings.Replace(s, change[0], change[1], 1))
}

func found(t *testing.T, r *Report, b breakage) {
	t.Helper()
	want := b.severity
	if want == "" {
		want = checkOf(b.id).Severity
	}
	for _, f := range r.Findings {
		at := place{f.File, f.Line}.String()
		if f.ID != b.id || !strings.Contains(f.Message+" "+f.Fix, b.says) || f.Severity != want {
			continue
		}
		if b.at != "" && at != b.at {
			t.Errorf("found at %s, want %s", at, b.at)
		}
		if f.Fix == "" && f.Severity != Info {
			t.Errorf("%s has no cure", f.ID)
		}
		return
	}
	t.Errorf("want %s %s with %q; found %+v", b.id, want, b.says, r.Findings)
}

// Every check is provoked somewhere: here, or against an endpoint.
func TestEveryCheckIsProvoked(t *testing.T) {
	provoked := map[string]bool{}
	for _, b := range breakages {
		provoked[b.id] = true
	}
	for _, b := range liveBreakages {
		provoked[b.id] = true
	}
	seen := map[string]bool{}
	for _, c := range Checks {
		if !provoked[c.ID] {
			t.Errorf("nothing provokes %s", c.ID)
		}
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
	}
}

// LibreChat's own rules for ${VAR}, row by row of the reference.
func TestExpand(t *testing.T) {
	e := ReadEnv(".env", []byte("A=x\nB=y\nE=\nJWT_SECRET=s\n"))
	for value, want := range map[string]string{
		"${A}": "x", " ${A} ": "x", "arn:${A}:${B}/z": "arn:x:y/z", "${NOPE}": "${NOPE}", "${E}": "${E}", "${E:-def}": "${E:-def}",
		"${A}${B}": "${A}${B}", "$A": "$A", "${JWT_SECRET}": "${JWT_SECRET}", "plain": "plain",
	} {
		if got := e.expand(value); got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

func TestEnvFiles(t *testing.T) {
	e := ReadEnv(".env", []byte("# c\nexport A=1\nB = 'two words' # c\nC=\"x\\ny\"\nD=a#b\nE=a # b\n#F=1\nA=2\nG: yaml\nH=\r\nI='a\nb'\n"))
	for name, want := range map[string]string{"A": "2", "B": "two words", "C": "x\ny", "D": "a", "E": "a", "G": "yaml", "H": "", "I": "a\nb"} {
		if got := e.get(name); got != want || !e.set(name) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if e.set("F") || e.line("A") != 8 || e.line("G") != 9 {
		t.Errorf("F set: %v; A on line %d, G on line %d", e.set("F"), e.line("A"), e.line("G"))
	}
	e.Over(map[string]string{"A": ""})
	if e.get("A") != "" || !e.set("A") {
		t.Error("an empty variable of the process must win")
	}
}

// Whatever the files hold, an examination ends and tells something usable.
func FuzzExamine(f *testing.F) {
	f.Add([]byte(goodYAML), []byte(goodEnv))
	f.Add([]byte("endpoints: {bedrock: [}"), []byte("A='"))
	f.Add([]byte("a: &a\n  <<: *a\nendpoints:\n  bedrock: *b\n"), []byte("=\n"))
	f.Add([]byte("endpoints:\n  bedrock:\n    inferenceProfiles:\n      ? [a]\n      : b\n"), []byte("\x00"))
	f.Fuzz(func(t *testing.T, config, env []byte) {
		r := Examine(context.Background(), Options{ConfigName: "y", EnvName: "e", Config: config, Env: env})
		if r.Exit(true) < 0 || r.Findings == nil {
			t.Error("no report")
		}
	})
}
