package librechat

import (
	"fmt"
	"strings"
)

// Diff shows what changes from one text to another: every changed line, with
// up to three lines around it. It is empty when nothing does.
func Diff(name, before, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	ops := script(a, b)
	show := make([]bool, len(ops))
	changed := false
	for i, op := range ops {
		if op.sign == ' ' {
			continue
		}
		changed = true
		for j := max(0, i-context3); j <= min(len(ops)-1, i+context3); j++ {
			show[j] = true
		}
	}
	if !changed {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	for i, op := range ops {
		if !show[i] {
			if i > 0 && show[i-1] {
				out.WriteString("@@\n")
			}
			continue
		}
		if op.line != "" {
			fmt.Fprintf(&out, "%c%s\n", op.sign, strings.TrimRight(op.line, "\n"))
		}
	}
	return out.String()
}

const context3 = 3

type diffLine struct {
	sign byte
	line string
}

// script is the shortest way from a to b, by the longest common subsequence:
// the files are of people, and short.
func script(a, b []string) (ops []diffLine) {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			ops = append(ops, diffLine{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			ops = append(ops, diffLine{'-', a[i]})
			i++
		default:
			ops = append(ops, diffLine{'+', b[j]})
			j++
		}
	}
	return ops
}
