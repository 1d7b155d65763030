package librechat

import (
	"fmt"
	"io"
	"strings"
)

// Exit is the exit code that a report asks for: 2 for failures, 1 for
// warnings when strict, else 0.
func (r *Report) Exit(strict bool) int {
	switch {
	case r.Count(Fail) > 0:
		return 2
	case strict && r.Count(Warn) > 0:
		return 1
	}
	return 0
}

// Write tells the findings, one per line with its cure below.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s  %-9s ", f.ID, f.Severity)
		if f.File != "" {
			b.WriteString(f.File)
			if f.Line > 0 {
				fmt.Fprintf(&b, ":%d", f.Line)
			}
			b.WriteString(": ")
		}
		fmt.Fprintln(&b, f.Message)
		if f.Fix != "" {
			fmt.Fprintf(&b, "      %9s fix: %s\n", "", f.Fix)
		}
	}
	fmt.Fprintf(&b, "%d checks: %s, %s, %d could not be decided.\n", len(r.Checked), count(r.Count(Fail), "failure"), count(r.Count(Warn), "warning"), r.Count(Undecided))
	_, err := io.WriteString(w, b.String())
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Table is the list of checks as Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| check | finds | severity | guides | needs |\n|---|---|---|---|---|\n")
	for _, c := range Checks {
		needs := "the files"
		if c.Live {
			needs = "an endpoint"
		}
		fmt.Fprintf(&b, "| %s | unless %s | %s | %s | %s |\n", c.ID, c.Looks, c.Severity, c.Guide, needs)
	}
	return b.String()
}
