package script

import (
	"cmp"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// sdks is a Python with the packages openai and anthropic; OUTCROP_SDKS names
// one.
func sdks() string { return cmp.Or(os.Getenv("OUTCROP_SDKS"), "python3") }

func TestStoriesWithOtherSDKs(t *testing.T) {
	client(t, "the aws CLI", "aws", "--version")
	client(t, "a Python with openai and anthropic (OUTCROP_SDKS names one)", sdks(), "-c", "import openai, anthropic")
	run(t, "testdata/sdks", "")
}

var bearerKey = regexp.MustCompile(`AWS_BEARER_TOKEN_BEDROCK='?([^'\s]+)`)

// sdk runs a Python program with the administrator's Bedrock API key in
// BEDROCK_API_KEY.
//
//	sdk chat.py
func sdk(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(binary, "env", "--bearer", "--data", ts.MkAbs("outcrop-data"))
	out, err := cmd.Output()
	ts.Check(err)
	key := bearerKey.FindSubmatch(out)
	if key == nil {
		ts.Fatalf("outcrop env --bearer prints no key")
	}
	ts.Setenv("BEDROCK_API_KEY", string(key[1]))
	program(sdks())(ts, neg, args)
	ts.Setenv("BEDROCK_API_KEY", "")
}
