package librechat

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Section is what endpoints.bedrock is to say. Existing lines, comments and
// their order are kept.
type Section struct {
	Models     []string
	Profiles   []ProfileVar // in the order of Models
	TitleModel string       // set when the file has none; empty leaves it
	Regions    []string     // set when the file has none
}

// A ProfileVar is a model's mapping: its profile stands in a variable.
type ProfileVar struct{ Model, Variable, ARN string }

// text of a new file.
func (s *Section) text() string {
	var b strings.Builder
	b.WriteString("version: 1.3.5\n\nendpoints:\n")
	for _, l := range s.lines("  ") {
		b.WriteString(l + "\n")
	}
	return b.String()
}

// lines of a section that is not there yet.
func (s *Section) lines(indent string) (out []string) {
	out = append(out, indent+"bedrock:")
	in := indent + "  "
	if s.TitleModel != "" {
		out = append(out, in+"# Titles are calls of their own: map their model too.", in+"titleModel: "+quote(s.TitleModel))
	}
	out = append(out, s.modelLines(in)...)
	out = append(out, s.profileLines(in)...)
	return append(out, s.regionLines(in)...)
}

func (s *Section) modelLines(in string) []string {
	out := []string{in + "models:"}
	for _, m := range s.Models {
		out = append(out, in+"  - "+quote(m))
	}
	return out
}

func (s *Section) profileLines(in string) []string {
	out := []string{in + "inferenceProfiles:"}
	for _, p := range s.Profiles {
		out = append(out, in+"  "+quote(p.Model)+": '${"+p.Variable+"}'")
	}
	return out
}

func (s *Section) regionLines(in string) []string {
	if len(s.Regions) == 0 {
		return nil
	}
	out := []string{in + "# A profile lives in one Region and spreads over its destinations by itself.", in + "availableRegions:"}
	for _, r := range s.Regions {
		out = append(out, in+"  - "+quote(r))
	}
	return out
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// A merger edits lines, from the last to the first, so that the numbers of
// those before stay good.
type merger struct {
	lines []string
	edits []edit
}

// An edit puts lines after a line (from 1; 0 is the beginning), or in its
// place.
type edit struct {
	line    int
	replace bool
	text    []string
}

var errFlow = errors.New("it is written in braces or brackets on one line: write one entry per line first, so that it can be edited with its comments")

// MergeYAML puts the section into a file.
func MergeYAML(old string, s *Section) (string, error) {
	if strings.TrimSpace(old) == "" {
		return s.text(), nil
	}
	root, err := parseYAML([]byte(old))
	if err != nil {
		return "", err
	}
	m := &merger{lines: strings.Split(strings.TrimRight(old, "\n"), "\n")}
	if err := m.section(root, s); err != nil {
		return "", err
	}
	merged := m.apply()
	return merged, verify(merged, s)
}

func (m *merger) section(root *node, s *Section) error {
	endpoints := entryOf(root, "endpoints")
	if endpoints == nil {
		text := append([]string{"", "endpoints:"}, s.lines("  ")...)
		m.edits = append(m.edits, edit{line: len(m.lines), text: text})
		return nil
	}
	bedrock := entryOf(endpoints.value, "bedrock")
	if bedrock == nil {
		indent := "  "
		if keys := endpoints.value.entries(); len(keys) > 0 {
			indent = m.indent(keys[0].line)
		}
		m.after(endpoints.line, s.lines(indent))
		return m.block(*endpoints)
	}
	if len(bedrock.value.entries()) == 0 {
		m.after(bedrock.line, s.lines(m.indent(bedrock.line))[1:])
		return m.block(*bedrock)
	}
	if err := m.block(*bedrock); err != nil {
		return err
	}
	return m.keys(bedrock, s)
}

// keys adds what the section lacks, key by key.
func (m *merger) keys(bedrock *entry, s *Section) error {
	in := m.indent(bedrock.value.entries()[0].line)
	var fresh []string
	if s.TitleModel != "" && entryOf(bedrock.value, "titleModel") == nil {
		fresh = append(fresh, in+"titleModel: "+quote(s.TitleModel))
	}
	models, profiles := entryOf(bedrock.value, "models"), entryOf(bedrock.value, "inferenceProfiles")
	if models == nil || len(models.value.strings()) == 0 && models.value.kind == null {
		if models != nil {
			m.after(models.line, s.modelLines(in)[1:])
		} else {
			fresh = append(fresh, s.modelLines(in)...)
		}
	} else if err := m.models(models, s); err != nil {
		return fmt.Errorf("models: %w", err)
	}
	if profiles == nil || profiles.value.kind == null {
		if profiles != nil {
			m.after(profiles.line, s.profileLines(in)[1:])
		} else {
			fresh = append(fresh, s.profileLines(in)...)
		}
	} else if err := m.profiles(profiles, s); err != nil {
		return fmt.Errorf("inferenceProfiles: %w", err)
	}
	if entryOf(bedrock.value, "availableRegions") == nil {
		fresh = append(fresh, s.regionLines(in)...)
	}
	m.after(bedrock.line, fresh)
	return nil
}

func (m *merger) models(e *entry, s *Section) error {
	if err := m.block(*e); err != nil {
		return err
	}
	items := e.value.strings()
	if len(items) == 0 {
		return errFlow
	}
	last := items[len(items)-1]
	indent := m.indent(last.line)
	var more []string
	for _, model := range s.Models {
		if !slices.ContainsFunc(items, func(n *node) bool { return n.value() == model }) {
			more = append(more, indent+"- "+quote(model))
		}
	}
	m.after(last.line, more)
	return nil
}

// profiles adds mappings. One that is there keeps its variable: Section has
// it; one that names another profile is replaced.
func (m *merger) profiles(e *entry, s *Section) error {
	if err := m.block(*e); err != nil {
		return err
	}
	keys := e.value.entries()
	if len(keys) == 0 {
		return errFlow
	}
	last := keys[len(keys)-1]
	var more []string
	for _, p := range s.Profiles {
		want := "${" + p.Variable + "}"
		had := entryOf(e.value, p.Model)
		switch {
		case had == nil:
			more = append(more, m.indent(last.line)+quote(p.Model)+": "+quote(want))
		case strings.TrimSpace(had.value.value()) != want:
			line := m.lines[had.line-1]
			if had.value.line != had.line || !strings.Contains(line, had.value.value()) || had.value.value() == "" {
				return fmt.Errorf("%s on line %d: %w", p.Model, had.line, errFlow)
			}
			at := strings.LastIndex(line, had.value.value())
			m.edits = append(m.edits, edit{line: had.line, replace: true, text: []string{line[:at] + want + line[at+len(had.value.value()):]}})
		}
	}
	m.after(max(last.line, last.value.at()), more)
	return nil
}

// block refuses a mapping or list in flow style, which has no lines to add to.
func (m *merger) block(e entry) error {
	for _, child := range e.value.entries() {
		if child.line == e.line {
			return fmt.Errorf("%s: %w", e.name, errFlow)
		}
	}
	for _, item := range e.value.strings() {
		if item.line == e.line {
			return fmt.Errorf("%s: %w", e.name, errFlow)
		}
	}
	if rest := strings.TrimSpace(m.lines[e.line-1]); e.value.kind == null && strings.ContainsAny(strings.SplitN(rest, "#", 2)[0], "{[~") {
		return fmt.Errorf("%s: %w", e.name, errFlow)
	}
	return nil
}

func (m *merger) after(line int, text []string) {
	if len(text) > 0 {
		m.edits = append(m.edits, edit{line: line, text: text})
	}
}

func (m *merger) indent(line int) string {
	l := m.lines[line-1]
	return l[:len(l)-len(strings.TrimLeft(l, " "))]
}

func (m *merger) apply() string {
	slices.SortStableFunc(m.edits, func(a, b edit) int { return b.line - a.line })
	for _, e := range m.edits {
		if e.replace {
			m.lines[e.line-1] = e.text[0]
			continue
		}
		m.lines = slices.Insert(m.lines, e.line, e.text...)
	}
	return strings.Join(m.lines, "\n") + "\n"
}

func entryOf(n *node, name string) *entry {
	for i, e := range n.entries() {
		if e.name == name {
			return &n.keys[i]
		}
	}
	return nil
}

// verify reads what was merged: a file that came out otherwise is not written.
func verify(merged string, s *Section) error {
	root, err := parseYAML([]byte(merged))
	if err != nil {
		return fmt.Errorf("the edited file would not be YAML: %w", err)
	}
	b := root.get("endpoints", "bedrock")
	for _, p := range s.Profiles {
		if got := b.get("inferenceProfiles").get(p.Model).value(); got != "${"+p.Variable+"}" {
			return fmt.Errorf("the file has a form that cannot be edited: %s would be mapped to %q", p.Model, got)
		}
	}
	return nil
}

// A Var is a line of an .env file.
type Var struct{ Name, Value, Comment string }

// MergeEnv sets variables in an .env file: where they stand, or at its end.
func MergeEnv(old string, vars []Var) string {
	lines := strings.Split(strings.TrimRight(old, "\n"), "\n")
	if strings.TrimSpace(old) == "" {
		lines = nil
	}
	env := ReadEnv("", []byte(old))
	headed := false
	for _, v := range vars {
		if at := env.line(v.Name); at > 0 {
			if env.get(v.Name) != v.Value {
				lines[at-1] = v.Name + "=" + v.Value
			}
			continue
		}
		if !headed {
			if len(lines) > 0 {
				lines = append(lines, "")
			}
			lines, headed = append(lines, "# Amazon Bedrock, through Outcrop"), true
		}
		if v.Comment != "" {
			lines = append(lines, "# "+v.Comment)
		}
		lines = append(lines, v.Name+"="+v.Value)
	}
	return strings.Join(lines, "\n") + "\n"
}
