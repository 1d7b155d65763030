package script

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// program is a command that runs a client and fails unless the client does
// what the story says:
//
//	aws bedrock list-inference-profiles
//	! aws bedrock get-inference-profile --inference-profile-identifier gone
func program(name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		err := ts.Exec(name, args...)
		if err != nil && !neg {
			ts.Fatalf("%s failed: %v", name, err)
		}
		if err == nil && neg {
			ts.Fatalf("%s succeeded, and was to be refused", name)
		}
	}
}

// save keeps a member of the last JSON answer in a variable; a number is a
// place in a list:
//
//	save ARN .inferenceProfileSummaries.0.inferenceProfileArn
func save(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: save NAME .member.0.member")
	}
	ts.Setenv(args[0], member(ts, args[1]))
}

func member(ts *testscript.TestScript, path string) string {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("the last answer is no JSON: %v", err)
	}
	for step := range strings.SplitSeq(strings.TrimPrefix(path, "."), ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i < 0 || i >= len(at) {
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

// has expects texts in the last answer:
//
//	has 'project$app01' $ARN
func has(ts *testscript.TestScript, neg bool, args []string) {
	answer := positive(ts, neg, "stdout")
	for _, text := range args {
		if !strings.Contains(answer, text) {
			ts.Fatalf("the answer lacks %q", text)
		}
	}
}

// lacks expects texts not to be in the last answer.
func lacks(ts *testscript.TestScript, neg bool, args []string) {
	answer := positive(ts, neg, "stdout")
	for _, text := range args {
		if strings.Contains(answer, text) {
			ts.Fatalf("the answer has %q", text)
		}
	}
}

// refused expects the words of an error from the command before:
//
//	refused ValidationException 'The provided model identifier is invalid.'
func refused(ts *testscript.TestScript, neg bool, args []string) {
	told := positive(ts, neg, "stderr")
	for _, text := range args {
		if !strings.Contains(told, text) {
			ts.Fatalf("the refusal lacks %q", text)
		}
	}
}

func positive(ts *testscript.TestScript, neg bool, file string) string {
	if neg {
		ts.Fatalf("say it without !: has, lacks and refused are what they say")
	}
	return ts.ReadFile(file)
}
