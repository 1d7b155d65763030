package commands

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHelpIsForReading(t *testing.T) {
	t.Setenv("COLUMNS", "60")
	for line, want := range map[string]string{
		"--help": `Usage: world <command>

A world of words.

To speak:
  say         Say something.
  talk        Ask and tell. (ask, tell)

Others:
  quiet       Nothing by itself. (only)
  completion  Complete.

Flags:
  -h, --help  Show this help.

Run "world <command> --help" for more about one.
`,
		"talk -h": `Usage: world talk <command>
       world talk --what=TEXT [flags]

Ask and tell.

Commands:
  ask   Ask.
  tell  Tell.

Flags:
  -w, --what=TEXT  What is asked.
  -h, --help       Show this help.

Run "world talk <command> --help" for more about one.
`,
		"help say": `Usage: world say <word> [<more> ...] [flags]

Say something.

Arguments:
  <word>        What is said.
  [<more> ...]  What else.

Flags:
  -l, --loud                  Shout.
      --soft                  Whisper.
      --[no-]echo             Twice (default --echo).
  -n, --times=N               How often (default 2).
      --big=BIG               A number.
      --seed=SEED             A number.
      --heat=X                Of the voice.
      --steps=STEPS[,...]     Numbers.
      --lang=LANG             Language.
      --to=NAME[,...]         Who hears it (default all).
      --stop=STOP             Where it ends.
      --mark=KEY=VALUE[;...]  Notes.
      --label=LABEL[,...]     Labels.
      --script=FILE           File of it.
      --token=TOKEN           Who says it ($SAY_TOKEN).
      --end-url=END-URL       Where: http://here.

      --data=DIR              Folder (default ./data).
  -h, --help                  Show this help.
`,
	} {
		command, got, err := parse(strings.Fields(line)...)
		if command != nil || err != nil {
			t.Errorf("%s: %v, %v", line, command, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

func TestHelpFitsTheTerminal(t *testing.T) {
	for columns, want := range map[string]int{"55": 55, "5": leastColumns, "500": mostColumns, "": usualColumns, "x": usualColumns} {
		t.Setenv("COLUMNS", columns)
		_, got, err := parse("say", "--help")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(got) {
			if n := len(strings.TrimRight(line, "\n")); n > want {
				t.Errorf("%q columns: a line of %d: %s", columns, n, line)
			}
		}
	}
}

func TestWordsAreNotBroken(t *testing.T) {
	got := wrap("a word, averyverylongone and ünïcödé text", 12)
	if diff := cmp.Diff([]string{"a word,", "averyverylongone", "and ünïcödé", "text"}, got); diff != "" {
		t.Error(diff)
	}
}
