package strictyaml

import (
	"bytes"
	"regexp"
)

// flowKey finds an unquoted key with a colon in it inside braces, such as
// {amazon.nova-lite-v1:0: nova}, or at the beginning of a line. YAML lets a colon stand in a plain key unless
// a space follows; the parser in use ends the key at the first one
// inside braces (goccy/go-yaml v1.19.2), and would read another key and another
// value.
var flowKey = regexp.MustCompile(`(^\s*|[{,]\s*)([A-Za-z0-9][A-Za-z0-9._/-]*(?::[A-Za-z0-9][A-Za-z0-9._/-]*)+)(:\s)`)

// A shift says that what stands on a line from a column on was moved to the
// right.
type shift struct{ line, column, by int }

// quoteFlowKeys puts such keys in quotes, and notes what that moves.
func quoteFlowKeys(data []byte) ([]byte, []shift) {
	var shifts []shift
	lines := bytes.SplitAfter(data, []byte("\n"))
	for i, line := range lines {
		lines[i] = flowKey.ReplaceAll(line, []byte(`$1"$2"$3`))
		for n, at := range flowKey.FindAllSubmatchIndex(line, -1) {
			shifts = append(shifts, shift{line: i + 1, column: at[4] + 2 + 2*n, by: 2})
		}
	}
	return bytes.Join(lines, nil), shifts
}

// original is the column in the file as it was written.
func original(line, column int, shifts []shift) int {
	moved := 0
	for _, s := range shifts {
		if s.line == line && s.column <= column {
			moved += s.by
		}
	}
	return max(1, column-moved)
}
