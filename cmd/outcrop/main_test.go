package main

import (
	"io"
	"os"
	"os/exec"
	"testing"

	"outcrop/internal/commands"
)

// TestMain is outcrop itself for tests that start it.
func TestMain(m *testing.M) {
	if os.Getenv("OUTCROP_TEST_MAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// itself runs the command line in a process of its own.
func itself(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), "OUTCROP_TEST_MAIN=yes")
	return c
}

func TestTagsOfEveryCommandAreRight(t *testing.T) {
	if err := commands.Check[cli](vars); err != nil {
		t.Error(err)
	}
}

func TestExitStatuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{[]string{"version"}, 0}, {[]string{"--version"}, 0}, {[]string{"serve", "--help"}, 0}, {[]string{"completion", "zsh"}, 0},
		{[]string{"env", "--data", "nowhere"}, failed}, {nil, misused}, {[]string{"srve"}, misused}, {[]string{"serve", "--lsten=x"}, misused},
	} {
		cmd := itself(c.args...)
		cmd.Run() // its status is what is asked
		if got := cmd.ProcessState.ExitCode(); got != c.want {
			t.Errorf("outcrop %q exits with %d, want %d", c.args, got, c.want)
		}
	}
}

// BenchmarkParse is what the command line costs each start.
func BenchmarkParse(b *testing.B) {
	for name, args := range map[string][]string{
		"serve": {"serve", "--listen", "127.0.0.1:0", "--data=x"},
		"usage": {"usage", "query", "--from=24h", "--group-by=day,model", "--limit", "3"},
		"help":  {"librechat", "init", "--help"},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := program()
				p.SetOutput(io.Discard)
				if _, err := p.Parse(args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
