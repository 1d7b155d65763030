package commands

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/google/go-cmp/cmp"
)

type base struct {
	Data string `help:"Folder." default:"./data" placeholder:"DIR"`
}

type say struct {
	base
	Word   string            `arg:"" help:"What is said."`
	More   []string          `arg:"" optional:"" help:"What else."`
	Loud   bool              `help:"Shout." short:"l" xor:"voice"`
	Soft   bool              `help:"Whisper." xor:"voice"`
	Echo   bool              `help:"Twice." negatable:"" default:"true"`
	Times  int               `help:"How often." short:"n" default:"2" placeholder:"N"`
	Big    int64             `help:"A number."`
	Seed   uint64            `help:"A number."`
	Heat   *float64          `help:"Of the voice." placeholder:"X"`
	Steps  []float64         `help:"Numbers."`
	Lang   string            `help:"Language." enum:",en,de" default:""`
	To     []string          `help:"Who hears it." default:"all" placeholder:"NAME"`
	Stop   []string          `help:"Where it ends." sep:"none"`
	Mark   map[string]string `help:"Notes." placeholder:"KEY=VALUE"`
	Label  map[string]string `help:"Labels." mapsep:","`
	Script string            `help:"File of it." type:"existingfile" placeholder:"FILE"`
	Token  string            `help:"Who says it." env:"SAY_TOKEN"`
	EndURL string            `help:"Where: ${place}."`
}

func (*say) Run(context.Context) error { return nil }

type ask struct {
	What string `help:"What is asked." required:"" placeholder:"TEXT" short:"w"`
}

func (*ask) Run(context.Context) error { return nil }

type talk struct {
	Ask  ask `cmd:"" default:"withargs" help:"Ask."`
	Tell say `cmd:"" help:"Tell."`
}

type hidden struct {
	Only ask `cmd:"" help:"Ask."`
}

type world struct {
	Say        say        `cmd:"" group:"To speak" help:"Say something."`
	Talk       talk       `cmd:"" help:"Ask and tell."`
	Quiet      hidden     `cmd:"" group:"Others" help:"Nothing by itself."`
	Completion Completion `cmd:"" help:"Complete."`
}

var place = map[string]string{"place": "http://here"}

func parse(args ...string) (Runner, string, error) {
	var out bytes.Buffer
	p := New[world]("world", "A world of words.", place)
	p.SetOutput(&out)
	p.root.SetErr(io.Discard) // where cobra talks to those who write completions
	command, err := p.Parse(args)
	return command, out.String(), err
}

func float(x float64) *float64 { return &x }

func TestEachTagMeansSomething(t *testing.T) {
	t.Setenv("COLUMNS", "80")
	there := filepath.Join(t.TempDir(), "there")
	if err := os.WriteFile(there, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]func(*say){
		"hi":                                 func(*say) {},
		"hi there you":                       func(s *say) { s.More = []string{"there", "you"} },
		"--data=x hi":                        func(s *say) { s.Data = "x" },
		"hi --data x":                        func(s *say) { s.Data = "x" },
		"hi --data=":                         func(s *say) { s.Data = "" },
		"-l hi":                              func(s *say) { s.Loud = true },
		"hi --loud=no --soft=no":             nil, // both were given
		"hi --no-echo":                       func(s *say) { s.Echo = false },
		"hi --no-echo --echo":                func(s *say) { s.Echo = true },
		"hi --echo=false":                    func(s *say) { s.Echo = false },
		"hi --echo=maybe":                    nil,
		"hi -n 5":                            func(s *say) { s.Times = 5 },
		"hi -n5":                             func(s *say) { s.Times = 5 },
		"hi -ln5":                            func(s *say) { s.Loud, s.Times = true, 5 },
		"hi -n x":                            nil,
		"hi --big=-9000000000":               func(s *say) { s.Big = -9000000000 },
		"hi --seed 18446744073709551615":     func(s *say) { s.Seed = 18446744073709551615 },
		"hi --seed=-1":                       nil,
		"hi --heat 0":                        func(s *say) { s.Heat = float(0) },
		"hi --steps 1,2.5 --steps 3":         func(s *say) { s.Steps = []float64{1, 2.5, 3} },
		"hi --steps 1,x":                     nil,
		"hi --lang de":                       func(s *say) { s.Lang = "de" },
		"hi --lang fr":                       nil,
		"hi --to a,b --to c":                 func(s *say) { s.To = []string{"a", "b", "c"} },
		"hi --to=":                           func(s *say) { s.To = nil }, // none, not even the default
		"hi --to=a,,b,":                      func(s *say) { s.To = []string{"a", "", "b"} },
		"hi --stop=":                         func(s *say) { s.Stop = []string{""} },
		"hi --steps=":                        func(s *say) {},
		"hi --mark=":                         func(s *say) { s.Mark = map[string]string{} },
		`hi --to a\,b`:                       func(s *say) { s.To = []string{"a,b"} },
		"hi --stop a,b --stop c":             func(s *say) { s.Stop = []string{"a,b", "c"} },
		"hi --mark a=1,2;b=x=y --mark c=":    func(s *say) { s.Mark = map[string]string{"a": "1,2", "b": "x=y", "c": ""} },
		"hi --mark a":                        nil,
		"hi --label a=1,b=2":                 func(s *say) { s.Label = map[string]string{"a": "1", "b": "2"} },
		"hi --end-url u":                     func(s *say) { s.EndURL = "u" },
		"-- --loud":                          func(s *say) { s.Word = "--loud" },
		"hi --script " + there:               func(s *say) { s.Script = there },
		"hi --script " + filepath.Dir(there): nil,
		"hi --script nowhere":                nil,
	} {
		got, _, err := parse(append([]string{"say"}, strings.Fields(line)...)...)
		if want == nil {
			if !errors.As(err, new(*UsageError)) {
				t.Errorf("say %s: %v, want a UsageError", line, err)
			}
			continue
		}
		expected := &say{base: base{"./data"}, Word: "hi", Echo: true, Times: 2, To: []string{"all"}}
		want(expected)
		if err != nil {
			t.Errorf("say %s: %v", line, err)
		} else if diff := cmp.Diff(expected, got, cmp.AllowUnexported(say{})); diff != "" {
			t.Errorf("say %s (-want +got):\n%s", line, diff)
		}
	}
}

func TestTheEnvironmentStandsBetweenFlagAndDefault(t *testing.T) {
	t.Setenv("SAY_TOKEN", "mine")
	for want, args := range map[string][]string{"mine": {"say", "hi"}, "other": {"say", "hi", "--token=other"}, "": {"say", "hi", "--token="}} {
		got, _, err := parse(args...)
		if err != nil || got.(*say).Token != want {
			t.Errorf("%q: %+v, %v, want token %q", args, got, err, want)
		}
	}
}

func TestAGroupCanHaveADefault(t *testing.T) {
	for line, want := range map[string]Runner{
		"talk --what x":       &ask{What: "x"},
		"talk -w x":           &ask{What: "x"},
		"talk ask --what x":   &ask{What: "x"},
		"quiet only --what=x": &ask{What: "x"},
		"--what x talk":       &ask{What: "x"},
	} {
		got, _, err := parse(strings.Fields(line)...)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", line, err, diff)
		}
	}
}

func TestAMistakeNamesItsCure(t *testing.T) {
	for line, want := range map[string]string{
		"":                         "expected a command",
		"sya":                      `unknown command "sya", did you mean "say"?`,
		"walk":                     `unknown command "walk", did you mean "talk"?`,
		"xyz":                      `unknown command "xyz"`,
		"qui":                      `unknown command "qui", did you mean "quiet"?`,
		"quiet":                    "expected a command: only",
		"quiet x":                  `unknown command "x": want only`,
		"talk tel":                 `unknown command "tel", did you mean "tell"?`,
		"talk x":                   `unknown command "x": want ask or tell`,
		"talk":                     "missing: --what=TEXT",
		"say":                      "missing: <word>",
		"quiet only x":             `unexpected argument "x"`,
		"say hi --lodu":            `unknown flag --lodu, did you mean "--loud"?`,
		"say hi --no-eco":          `unknown flag --no-eco, did you mean "--no-echo"?`,
		"say hi -data x":           `unknown flag -data, did you mean "--data"?`,
		"say hi --zzzz":            "unknown flag --zzzz",
		"say hi -z":                "unknown flag -z",
		"--zzzz":                   "unknown flag --zzzz: a command has to come before its flags",
		"say hi --data":            "--data needs a value: --data=DIR",
		"say hi -n":                "--times needs a value: --times=N",
		"say hi -n x":              `--times: want a whole number, not "x"`,
		"say hi --seed=-1":         `--seed: want a whole number, 0 or more, not "-1"`,
		"say hi --heat=warm":       `--heat: want a number, not "warm"`,
		"say hi --lang fr":         `--lang: want en or de, not "fr"`,
		"say hi --soft=2":          `--soft: want true or false, not "2"`,
		"say hi --no-echo=2":       `--no-echo: want true or false, not "2"`,
		"say hi --mark a":          `--mark: want KEY=VALUE, not "a"`,
		"say hi --soft -l":         "--loud and --soft can't be used together",
		"say hi --script nowhere":  "--script: nowhere: no such file or directory",
		"say hi --script .":        "--script: . is a folder",
		"completion tcsh":          `<shell>: want bash, zsh, fish or powershell, not "tcsh"`,
		"help sya":                 `unknown command "sya", did you mean "say"?`,
		"talk ask --what x --":     "",
		"talk tell --echo x --foo": "unknown flag --foo",
	} {
		_, _, err := parse(strings.Fields(line)...)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", line, got, want)
		}
	}
	_, _, err := parse("say", "--lodu")
	var wrong *UsageError
	if want := "Usage: world say <word> [<more> ...] [flags]\nRun \"world say --help\" for more.\n"; !errors.As(err, &wrong) || wrong.Usage != want {
		t.Errorf("usage: %q, want %q", wrong.Usage, want)
	}
}

func TestMissingThingsAreNamedAtOnce(t *testing.T) {
	type both struct {
		Do struct{ say } `cmd:"" help:"Do."`
	}
	p := New[both]("world", "", place)
	if _, err := p.Parse([]string{"do"}); err == nil || err.Error() != "missing: <word>" {
		t.Errorf("an embedded argument: %v", err)
	}
	if got := list([]string{"<a>", "--b=B", "--c=C"}, "and"); got != "<a>, --b=B and --c=C" {
		t.Error(got)
	}
}

func TestNamesAreWrittenAsFlagsAre(t *testing.T) {
	for field, want := range map[string]string{"Data": "data", "LogFormat": "log-format", "EndpointURL": "endpoint-url", "URLOf": "url-of", "TLS": "tls", "X": "x", "TopP": "top-p"} {
		if got := kebab(field); got != want {
			t.Errorf("%s: %s, want %s", field, got, want)
		}
	}
}

// Who has a command keeps nothing of the command line: a server lasts.
func TestACommandKeepsNothingOfTheProgram(t *testing.T) {
	p := New[world]("world", "", place)
	root, program := weak.Make(p.root), weak.Make(p)
	command, err := p.Parse([]string{"say", "hi", "--to=a,b", "--soft"})
	if err != nil {
		t.Fatal(err)
	}
	p = nil
	runtime.GC()
	if root.Value() != nil || program.Value() != nil {
		t.Error("the program is still there")
	}
	runtime.KeepAlive(command)
}
