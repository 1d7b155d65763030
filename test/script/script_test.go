// Package script tells stories: text files under testdata that a customer
// could have written, played with the real aws CLI and boto3 against the real
// binary. Adding a story needs no Go.
package script

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// binary is the outcrop under test, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "outcrop-story")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "outcrop")
	if out, err := exec.Command("go", "build", "-o", binary, "outcrop/cmd/outcrop").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build outcrop: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// client looks for a program and skips the stories that need it, unless the
// environment forbids skipping.
func client(t *testing.T, name string, probe ...string) {
	t.Helper()
	if err := exec.Command(probe[0], probe[1:]...).Run(); err == nil {
		return
	}
	if os.Getenv("OUTCROP_NO_SKIP") == "1" {
		t.Fatalf("these stories need %s, and skipping is forbidden", name)
	}
	t.Skipf("these stories need %s, which is not installed", name)
}

func TestStoriesWithTheCLI(t *testing.T) {
	client(t, "the aws CLI", "aws", "--version")
	run(t, "testdata/cli")
}

func TestStoriesWithBoto3(t *testing.T) {
	client(t, "python3 with boto3", "python3", "-c", "import boto3")
	run(t, "testdata/boto3")
}

func TestStoriesOfTheBinary(t *testing.T) { run(t, "testdata/outcrop") }

func run(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"))
			env.Setenv("PYENV_VERSION", os.Getenv("PYENV_VERSION"))
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("AWS_PAGER", "")
			now := time.Now().UTC()
			env.Setenv("TODAY", now.Format(time.DateOnly))
			env.Setenv("TOMORROW", now.AddDate(0, 0, 1).Format(time.DateOnly))
			env.Setenv("MODEL", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serve, "aws": aws, "save": save, "has": has, "lacks": lacks, "refused": refused,
		},
	})
}

// serve starts the server on a free port and points the story's AWS
// environment at it:  serve [flags]
func serve(ts *testscript.TestScript, neg bool, args []string) {
	data := ts.MkAbs("data")
	cmd := exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	out, err := os.Create(ts.MkAbs("server.log"))
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = out, out
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ts.Defer(func() { stop(ts, cmd, ended) })
	ready(ts, out.Name(), ended)
	environment(ts, data)
}

// stop ends the server as an operator would and expects a clean exit.
func stop(ts *testscript.TestScript, cmd *exec.Cmd, ended chan error) {
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			ts.Logf("the server did not end cleanly on SIGTERM: %v", err)
			ts.Fatalf("exit status %v, want 0", err)
		}
	case <-time.After(30 * time.Second):
		cmd.Process.Kill()
		ts.Fatalf("the server did not end on SIGTERM")
	}
}

var listening = regexp.MustCompile(`listening on (https?)://(\S+)`)

func ready(ts *testscript.TestScript, log string, ended chan error) {
	for range 200 {
		b, _ := os.ReadFile(log)
		if m := listening.FindSubmatch(b); m != nil {
			if r, err := http.Get("http://" + string(m[2]) + "/readyz"); err == nil {
				r.Body.Close()
				return
			}
		}
		select {
		case err := <-ended:
			ended <- err
			ts.Fatalf("the server ended: %v\n%s", err, b)
		case <-time.After(50 * time.Millisecond):
		}
	}
	ts.Fatalf("the server was not ready in time")
}

var exported = regexp.MustCompile(`(?m)^export ([A-Z_]+)='(.*)'$`)

// environment does what eval "$(outcrop env)" does.
func environment(ts *testscript.TestScript, data string) {
	out, err := exec.Command(binary, "env", "--data", data).Output()
	ts.Check(err)
	for _, m := range exported.FindAllStringSubmatch(string(out), -1) {
		ts.Setenv(m[1], m[2])
	}
}

// aws runs the CLI:  aws bedrock list-inference-profiles
func aws(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec("aws", args...)
	if err != nil && !neg {
		ts.Fatalf("aws failed: %v", err)
	}
	if err == nil && neg {
		ts.Fatalf("aws succeeded, and was to be refused")
	}
}

// save keeps a member of the last JSON answer in a variable:
// save ARN .inferenceProfileArn
func save(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: save NAME .member.0.member")
	}
	ts.Setenv(args[0], member(ts, args[1]))
}

func member(ts *testscript.TestScript, path string) string {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("the last answer is no JSON: %v", err)
	}
	for _, step := range strings.Split(strings.TrimPrefix(path, "."), ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(at) {
				ts.Fatalf("%s: no element %s", path, step)
			}
			v = at[i]
		default:
			ts.Fatalf("%s: nothing at %s", path, step)
		}
	}
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	ts.Check(err)
	return string(b)
}

// has expects text in the last answer; $VARIABLES are put in first:
// has 'project$app01'
func has(ts *testscript.TestScript, neg bool, args []string) {
	for _, text := range args {
		if !strings.Contains(ts.ReadFile("stdout"), text) {
			ts.Fatalf("the answer lacks %q", text)
		}
	}
}

// lacks expects text not to be in the last answer.
func lacks(ts *testscript.TestScript, neg bool, args []string) {
	for _, text := range args {
		if strings.Contains(ts.ReadFile("stdout"), text) {
			ts.Fatalf("the answer has %q", text)
		}
	}
}

// refused expects the words of an AWS error from the command before:
// refused ValidationException 'The provided model identifier is invalid.'
func refused(ts *testscript.TestScript, neg bool, args []string) {
	for _, text := range args {
		if !strings.Contains(ts.ReadFile("stderr"), text) {
			ts.Fatalf("the refusal lacks %q", text)
		}
	}
}
