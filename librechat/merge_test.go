package librechat

import (
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func section() *Section {
	return &Section{
		Models: []string{"us.amazon.nova-lite-v1:0", "us.amazon.nova-pro-v1:0"}, TitleModel: "us.amazon.nova-lite-v1:0", Regions: []string{"us-east-1"},
		Profiles: []ProfileVar{{"us.amazon.nova-lite-v1:0", "LITE", arnA}, {"us.amazon.nova-pro-v1:0", "PRO", arnB}},
	}
}

// Every shape that a file may have: the section comes out whole, what was
// there stays, comments and all, and merging twice is merging once.
func TestMergeYAML(t *testing.T) {
	for name, c := range map[string]struct{ old, keeps string }{
		"nothing":                     {"", ""},
		"no endpoints":                {"version: 1.3.5 # mine\ncache: true\n", "cache: true"},
		"endpoints without bedrock":   {"version: 1.3.5\nendpoints:\n  # agents first\n  agents:\n    recursionLimit: 50\n", "# agents first"},
		"an empty section":            {"endpoints:\n  bedrock:\n  agents:\n    recursionLimit: 50\n", "recursionLimit: 50"},
		"models only":                 {"endpoints:\n    bedrock:\n        models: # on offer\n            - us.amazon.nova-pro-v1:0 # big\n", "nova-pro-v1:0 # big"},
		"a mapping to an ARN":         {"endpoints:\n  bedrock:\n    inferenceProfiles:\n      'us.amazon.nova-lite-v1:0': '" + arnB + "' # old\n", "# old"},
		"a mapping to a variable":     {"endpoints:\n  bedrock:\n    inferenceProfiles:\n      \"us.amazon.nova-lite-v1:0\": \"${LITE}\"\n    streamRate: 25\n", "streamRate: 25"},
		"other models, other mapping": {"endpoints:\n  bedrock:\n    models:\n      - 'a.b'\n    inferenceProfiles:\n      'a.b': '${AB}'\n    titleModel: 'a.b'\n\n# the end\n", "# the end"},
		"list without indentation":    {"endpoints:\n  bedrock:\n    models:\n    - 'a.b'\n    availableRegions:\n    - eu-west-1\n", "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := MergeYAML(c.old, section())
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got, c.keeps) {
				t.Errorf("lost %q:\n%s", c.keeps, got)
			}
			root, err := parseYAML([]byte(got))
			if err != nil {
				t.Fatalf("%v in\n%s", err, got)
			}
			b := root.get("endpoints", "bedrock")
			for _, m := range section().Models {
				found := 0
				for _, n := range b.get("models").strings() {
					if n.value() == m {
						found++
					}
				}
				if found != 1 {
					t.Errorf("%s is %d times on offer in\n%s", m, found, got)
				}
			}
			if b.get("titleModel").value() == "" || len(b.get("availableRegions").strings()) == 0 {
				t.Errorf("no title or Region in\n%s", got)
			}
			if again, err := MergeYAML(got, section()); err != nil || again != got {
				t.Errorf("merged twice: %v\n%s", err, Diff("x", got, again))
			}
		})
	}
}

func TestMergeRefusesWhatItCannotEdit(t *testing.T) {
	for name, old := range map[string]string{
		"models in brackets":  "endpoints:\n  bedrock:\n    models: ['a.b']\n",
		"profiles in braces":  "endpoints:\n  bedrock:\n    inferenceProfiles: {'a.b': 'x'}\n",
		"the section":         "endpoints:\n  bedrock: {models: ['a.b']}\n",
		"an empty section":    "endpoints:\n  bedrock: {}\n",
		"no YAML":             "endpoints: [\n",
		"a value over lines":  "endpoints:\n  bedrock:\n    inferenceProfiles:\n      'us.amazon.nova-lite-v1:0':\n        'x'\n",
		"endpoints in braces": "endpoints: {agents: {}}\n",
	} {
		if got, err := MergeYAML(old, section()); err == nil {
			t.Errorf("%s: merged to\n%s", name, got)
		}
	}
}

func TestMergeEnv(t *testing.T) {
	old := "# mine\nA=1\nLITE=old # c\n"
	vars := []Var{{Name: "A", Value: "1"}, {Name: "LITE", Value: arnA}, {Name: "PRO", Value: arnB}}
	got := MergeEnv(old, vars)
	if want := "# mine\nA=1\nLITE=" + arnA + "\n\n# Amazon Bedrock, through Outcrop\nPRO=" + arnB + "\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := MergeEnv(got, vars); again != got {
		t.Errorf("merged twice:\n%s", again)
	}
}

// Property: a diff holds both texts: without its + lines it is the old one,
// without its - lines the new one, as far as it shows them.
func TestDiff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "\n"})
		before := strings.Join(rapid.SliceOfN(line, 0, 8).Draw(t, "before"), "")
		after := strings.Join(rapid.SliceOfN(line, 0, 8).Draw(t, "after"), "")
		var a, b strings.Builder
		for _, op := range script(strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")) {
			if op.sign != '+' {
				a.WriteString(op.line)
			}
			if op.sign != '-' {
				b.WriteString(op.line)
			}
		}
		if a.String() != before || b.String() != after {
			t.Fatalf("%q and %q became %q and %q", before, after, a.String(), b.String())
		}
		if (Diff("x", before, after) == "") != (before == after) {
			t.Fatalf("Diff of %q and %q: %q", before, after, Diff("x", before, after))
		}
	})
}

const checksDoc = "../docs/librechat-checks.md"

// The table in the docs is the one that runs. OUTCROP_WRITE_DOCS=1 writes it.
func TestTheTableInTheDocsIsCurrent(t *testing.T) {
	want := "# What outcrop librechat doctor checks\n\n" +
		"Each check has a configuration that triggers it and one that does not: `librechat/static_test.go`, `librechat/live_test.go`.\n" +
		"C1 to C6 are the items of the debug check-list in LibreChat's guide to inference profiles, T1 to T6 the rows of its table of problems, L its look at the logs.\n\n" + Table() +
		"\nExit code: 0 when nothing fails, 1 for warnings with `--strict`, 2 for failures. A check that cannot be made says why, and is neither.\n"
	if os.Getenv("OUTCROP_WRITE_DOCS") == "1" {
		if err := os.WriteFile(checksDoc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(checksDoc)
	if err != nil || string(got) != want {
		t.Errorf("%s is not current (%v): run OUTCROP_WRITE_DOCS=1 go test ./librechat -run TheTable", checksDoc, err)
	}
}

// Mappings agree with what the doctor and LibreChat read.
func TestMappings(t *testing.T) {
	list, err := Mappings("librechat.yaml", []byte(goodYAML), ".env", []byte(goodEnv))
	if err != nil || len(list) != 2 || list[0].Profile != arnA || list[1].Profile != arnB || list[1].Line != 10 {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = Mappings("librechat.yaml", []byte(goodYAML), ".env", nil)
	if err == nil || !strings.Contains(err.Error(), "librechat.yaml:9: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' is mapped to ${BEDROCK_SONNET_45_PROFILE}, which is not set in .env") {
		t.Error(err)
	}
}
