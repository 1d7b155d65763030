package commands

import (
	"io"
	"strings"
	"testing"
)

func TestAShellIsToldWhatMayCome(t *testing.T) {
	for line, want := range map[string]string{
		"__complete .":                     "say\tSay something.\ntalk\tAsk and tell.\nquiet\tNothing by itself.\ncompletion\tComplete.\nhelp\tShow help about a command.\n:4\n",
		"__completeNoDesc talk .":          "ask\ntell\n--what\n-w\n:4\n",
		"__completeNoDesc say --no-.":      "--no-echo\n:4\n",
		"__completeNoDesc say --loud --so": ":4\n", // it excludes --soft
		"__complete say --lang .":          "\nen\nde\n:4\n",
		"__complete say --lang=.":          "\nen\nde\n:4\n",
		"__complete say --script .":        ":0\n",
		"__complete say --data .":          ":16\n",
		"__complete say --token .":         ":4\n",
		"__complete say .":                 ":4\n",
		"__complete completion .":          "bash\nzsh\nfish\npowershell\n:4\n",
		"__complete help talk .":           "ask\ntell\n:4\n",
		"__complete talk ask -.":           "--what\tWhat is asked.\n-w\tWhat is asked.\n:4\n",
	} {
		args := strings.Fields(line)
		args[len(args)-1] = strings.TrimSuffix(args[len(args)-1], ".") // "." stands for nothing typed yet
		command, got, err := parse(args...)
		if command != nil || err != nil || got != want {
			t.Errorf("%s: %v\n got %q\nwant %q", line, err, got, want)
		}
	}
}

func TestWhatAShellShowsBesideAFlagIsShort(t *testing.T) {
	type long struct {
		Do struct{ wordy } `cmd:"" help:"Do."`
	}
	p := New[long]("world", "", place)
	var out strings.Builder
	p.SetOutput(&out)
	p.root.SetErr(io.Discard)
	if _, err := p.Parse([]string{"__complete", "do", "--"}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if _, hint, _ := strings.Cut(line, "\t"); len(hint) > mostHint {
			t.Errorf("a hint of %d: %s", len(hint), line)
		}
	}
}

type wordy struct {
	say
	Much string `help:"One word after another and another and another and another and another and one more."`
}
