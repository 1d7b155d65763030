package commands

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A sheet is what help is written on.
type sheet struct {
	io.Writer
	width int
}

// A table has rows of a name and a text; an empty row is an empty line.
type table struct {
	heading string
	rows    [][2]string
}

func (s sheet) paragraph(text string) {
	if text != "" {
		fmt.Fprintf(s, "\n%s\n", strings.Join(wrap(text, s.width), "\n"))
	}
}

// mostLeft bounds the left column: a longer name has its text below it.
const mostLeft = 30

// tables writes them with their texts at one column.
func (s sheet) tables(all ...table) {
	left := 0
	for _, t := range all {
		for _, r := range t.rows {
			if len(r[0]) <= mostLeft {
				left = max(left, len(r[0]))
			}
		}
	}
	for _, t := range all {
		if len(t.rows) > 0 {
			fmt.Fprintf(s, "\n%s\n", t.heading)
		}
		for _, r := range t.rows {
			s.row(r[0], wrap(r[1], s.width-left-4), left)
		}
	}
}

func (s sheet) row(name string, lines []string, left int) {
	if name == "" {
		fmt.Fprintln(s)
		return
	}
	if len(name) > left {
		fmt.Fprintf(s, "  %s\n", name)
		name = ""
	}
	for _, line := range lines {
		fmt.Fprintf(s, "  %-*s  %s\n", left, name, line)
		name = ""
	}
}

// wrap breaks text into lines of at most width columns, but no word.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		if line != "" && used+1+n > width {
			lines, line, used = append(lines, line), "", 0
		}
		if line != "" {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+n
	}
	return append(lines, line)
}
