// Package librechat writes, checks and serves LibreChat's Bedrock
// configuration, so that every call lands on the application profile that it
// is meant to be billed to.
package librechat

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"outcrop"
	"outcrop/access"
	"outcrop/sigv4"
)

// A Severity says what a finding means for the exit code.
type Severity string

// The severities. Undecided is a check that could not be made, and why.
const (
	Fail      Severity = "fail"
	Warn      Severity = "warn"
	Info      Severity = "info"
	Undecided Severity = "undecided"
)

// A Finding is one thing that is wrong, or might be, where, and its cure.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	File     string   `json:"file,omitempty"`
	Line     int      `json:"line,omitempty"`
	Message  string   `json:"message"`
	Fix      string   `json:"fix,omitempty"`
}

// A Check looks for one kind of mistake.
type Check struct {
	ID       string
	Severity Severity // of its usual finding
	Guide    string   // C1 to C6: item of the guides' check-list; T1 to T6: row of their table of problems; L: their log verification
	Looks    string   // what it looks for, in one sentence
	Live     bool     // asks an endpoint
	run      func(context.Context, *patient)
}

// Options say what is examined, and what may be asked about it.
type Options struct {
	ConfigName, EnvName string
	Config, Env         []byte
	Process             map[string]string // environment of the running LibreChat, if known
	Started             time.Time         // when LibreChat was started, if known
	Modified            map[string]time.Time
	Log                 []byte // what LibreChat wrote at its start, if known
	Version             string // of LibreChat, such as v0.8.6, if known

	Live     bool
	Endpoint string                     // of every service; empty is AWS itself, or what the .env names
	HTTP     *http.Client               // that trusts the endpoint's authority
	Admin    *access.Client             // of a running Outcrop, whose administrator may ask more; nil otherwise
	Ambient  func(profile string) *Keys // of the SDK's default chain, or of the profile that the .env names; nil when there are none
	Now      func() time.Time
	LogWait  time.Duration // how long an invocation log is waited for; default 60s
	AppURL   string        // of the running LibreChat, with AppToken of one of its users
	AppToken string
}

// Keys are credentials to call with: a pair, or a Bedrock API key.
type Keys struct {
	sigv4.Credentials
	Bearer string
}

// A Report is what an examination found.
type Report struct {
	Findings []Finding `json:"findings"`
	Checked  []string  `json:"checked"` // ids of the checks that were made
}

// Count of findings of a severity.
func (r *Report) Count(s Severity) (n int) {
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// A patient is a configuration under examination.
type patient struct {
	Options
	root, bedrock *node
	env           *Env
	models        []*node // on offer, in order
	mapped        []mapEntry
	report        Report
	check         *Check
	live          *live
}

// A mapEntry is one entry of inferenceProfiles.
type mapEntry struct {
	model    string
	line     int
	value    *node
	resolved string
	arn      outcrop.ARNParts
	isARN    bool
}

// Examine makes every check that it can.
func Examine(ctx context.Context, o Options) *Report {
	p := &patient{Options: o}
	if p.Now == nil {
		p.Now = time.Now
	}
	p.env = ReadEnv(o.EnvName, o.Env)
	p.env.Over(o.Process)
	root, err := parseYAML(o.Config)
	if err != nil {
		p.check = checkOf("LC01")
		p.brokenYAML(err)
		return p.done()
	}
	p.read(root)
	for i := range Checks {
		c := &Checks[i]
		if c.Live && !o.Live || ctx.Err() != nil {
			continue
		}
		p.check = c
		c.run(ctx, p)
		p.report.Checked = append(p.report.Checked, c.ID)
	}
	return p.done()
}

func checkOf(id string) *Check {
	i := slices.IndexFunc(Checks, func(c Check) bool { return c.ID == id })
	return &Checks[i]
}

func (p *patient) done() *Report {
	slices.SortStableFunc(p.report.Findings, func(a, b Finding) int { return cmp.Compare(a.ID, b.ID) })
	if p.report.Findings == nil {
		p.report.Findings = []Finding{}
	}
	return &p.report
}

// read finds what most checks look at.
func (p *patient) read(root *node) {
	p.root = root
	p.bedrock = root.get("endpoints", "bedrock")
	p.models = p.bedrock.get("models").strings()
	if p.bedrock.get("models") == nil {
		p.models = p.offered()
	}
	for _, e := range p.bedrock.get("inferenceProfiles").entries() {
		m := mapEntry{model: e.name, line: e.line, value: e.value, resolved: p.env.expand(e.value.value())}
		m.arn, m.isARN = outcrop.ParseARN(m.resolved)
		p.mapped = append(p.mapped, m)
	}
}

// offered are the models on offer when librechat.yaml has no list.
func (p *patient) offered() (list []*node) {
	names, line := defaultModels, p.bedrock.at()
	if own := splitList(p.env.get("BEDROCK_AWS_MODELS")); len(own) > 0 {
		names, line = own, 0
	}
	for _, name := range names {
		list = append(list, &node{kind: text, text: name, line: line})
	}
	return list
}

func (p *patient) names() (list []string) {
	for _, m := range p.models {
		list = append(list, m.value())
	}
	return list
}

// mapping of a model id; nil when it has none.
func (p *patient) mapping(model string) *mapEntry {
	for i := range p.mapped {
		if p.mapped[i].model == model {
			return &p.mapped[i]
		}
	}
	return nil
}

// A place is a line of one of the two files.
type place struct {
	file string
	line int
}

func (p *patient) yamlAt(line int) place { return place{p.ConfigName, line} }
func (p *patient) envAt(name string) place {
	if line := p.env.line(name); line > 0 {
		return place{p.EnvName, line}
	}
	return place{p.EnvName, 0}
}

// say reports a finding of the check's own severity.
func (p *patient) say(at place, fix, format string, args ...any) {
	p.sayAs(p.check.Severity, at, fix, format, args...)
}

func (p *patient) sayAs(s Severity, at place, fix, format string, args ...any) {
	p.report.Findings = append(p.report.Findings, Finding{
		ID: p.check.ID, Severity: s, File: at.file, Line: at.line, Message: fmt.Sprintf(format, args...), Fix: fix,
	})
}

// undecided reports that the check could not be made.
func (p *patient) undecided(format string, args ...any) {
	p.sayAs(Undecided, place{}, "", format, args...)
}

func (at place) String() string {
	if at.line == 0 {
		return at.file
	}
	return fmt.Sprintf("%s:%d", at.file, at.line)
}
