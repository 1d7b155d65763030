// Package script tells stories: text files under testdata that a customer
// could have written, played with the real aws CLI, boto3 and the JavaScript
// SDK against the real binary. Adding a story needs no Go.
package script

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

func TestStoriesWithTheCLI(t *testing.T) {
	client(t, "the aws CLI", "aws", "--version")
	run(t, "testdata/cli", "")
}

func TestStoriesWithBoto3(t *testing.T) {
	client(t, "python3 with boto3", "python3", "-c", "import boto3")
	run(t, "testdata/boto3", "")
}

func TestStoriesOfAccess(t *testing.T) {
	client(t, "the aws CLI", "aws", "--version")
	run(t, "testdata/access", "")
}

func TestStoriesOfTheBinary(t *testing.T) {
	client(t, "the aws CLI", "aws", "--version")
	run(t, "testdata/outcrop", "")
}

// The SDK's packages are installed beforehand, into test/script/node:
// npm ci --prefix test/script/node
func TestStoriesWithJavaScript(t *testing.T) {
	modules, err := filepath.Abs("node")
	if err != nil {
		t.Fatal(err)
	}
	sdk := filepath.Join(modules, "node_modules", "@aws-sdk", "client-bedrock-runtime", "package.json")
	client(t, "node", "node", "--version")
	client(t, "the JavaScript SDK (npm ci --prefix test/script/node)", "test", "-f", sdk)
	run(t, "testdata/node", modules)
}

// LibreChat's packages are installed beforehand, into test/script/librechat:
// npm ci --prefix test/script/librechat
func TestStoriesOfLibreChat(t *testing.T) {
	modules, err := filepath.Abs("librechat")
	if err != nil {
		t.Fatal(err)
	}
	agents := filepath.Join(modules, "node_modules", "@librechat", "agents", "package.json")
	client(t, "the aws CLI", "aws", "--version")
	client(t, "node", "node", "--version")
	client(t, "LibreChat's packages (npm ci --prefix test/script/librechat)", "test", "-f", agents)
	t.Setenv("LIBRECHAT", modules)
	run(t, "testdata/librechat", "")
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

// run plays the stories of a folder, several at a time.
func run(t *testing.T, dir, node string) {
	path := filepath.Dir(binary) + string(os.PathListSeparator) + clients() + os.Getenv("PATH")
	testscript.Run(t, testscript.Params{
		Dir:           dir,
		UpdateScripts: os.Getenv("OUTCROP_UPDATE") == "1", // what cmp compares is written anew
		Setup: func(env *testscript.Env) error {
			env.Values[storyKey{}] = &story{issuers: map[string]*issuer{}}
			env.Setenv("PATH", path)
			env.Setenv("NODE", node)
			env.Setenv("LIBRECHAT", os.Getenv("LIBRECHAT"))
			env.Setenv("PYTHONUNBUFFERED", "1")
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("AWS_PAGER", "")
			now := time.Now().UTC()
			env.Setenv("TODAY", now.Format(time.DateOnly))
			env.Setenv("YESTERDAY", now.AddDate(0, 0, -1).Format(time.DateOnly))
			month := time.Date(now.Year(), now.Month()-1, 1, 0, 0, 0, 0, time.UTC)
			env.Setenv("LASTMONTH", month.Format(time.RFC3339))
			env.Setenv("LASTMONTHDAY", month.Format(time.DateOnly))
			env.Setenv("TOMORROW", now.AddDate(0, 0, 1).Format(time.DateOnly))
			env.Setenv("MODEL", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serve, "past": past, "behind": behind, "llama": llama, "stop": stop, "mock": mock, "issuer": startIssuer, "token": token, "login": login,
			"aws": program("aws"), "sdk": sdk, "python": program("python3"), "node": program("node"),
			"save": save, "has": has, "lacks": lacks, "refused": refused,
		},
	})
}

// clients is the folder that python3 really runs from, when the aws CLI is
// there too: wrappers that choose a version cost more than a call to Outcrop.
func clients() string {
	out, err := exec.Command("python3", "-c", "import os, sys; print(os.path.dirname(sys.executable))").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		return ""
	}
	if _, err := os.Stat(filepath.Join(dir, "aws")); err != nil {
		return ""
	}
	return dir + string(os.PathListSeparator)
}
