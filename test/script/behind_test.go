package script

import (
	"os"
	"os/exec"

	"github.com/rogpeppe/go-internal/testscript"
)

// behind starts another Outcrop, for the story's own to call as if it were a
// Bedrock Region, and keeps its endpoint and its administrator's keys in
// variables. Its data and its log are in a folder of the same name.
//
//	behind BEDROCK
//	serve URL=$BEDROCK KEY=$BEDROCK_KEY SECRET=$BEDROCK_SECRET --config outcrop.yaml
func behind(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: behind NAME")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	p := launch(ts, dir, nil, nil)
	ts.Defer(func() { end(ts, p) })
	ready(ts, p)
	told := exports(ts, dir)
	ts.Setenv(args[0], told["AWS_ENDPOINT_URL"])
	ts.Setenv(args[0]+"_KEY", told["AWS_ACCESS_KEY_ID"])
	ts.Setenv(args[0]+"_SECRET", told["AWS_SECRET_ACCESS_KEY"])
}

// exports is what outcrop env says in a folder.
func exports(ts *testscript.TestScript, dir string) map[string]string {
	cmd := exec.Command(binary, "env")
	cmd.Dir = dir
	out, err := cmd.Output()
	ts.Check(err)
	told := map[string]string{}
	for _, m := range exported.FindAllStringSubmatch(string(out), -1) {
		told[m[1]] = m[2]
	}
	return told
}
