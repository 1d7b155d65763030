package commands

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// How wide help is: as the terminal, within reason.
const (
	usualColumns = 80
	mostColumns  = 100
	leastColumns = 50
)

// help writes what a command does and how it is called.
func (p *Program) help(cmd *cobra.Command, _ []string) {
	l := p.leaves[cmd]
	if l == nil {
		return
	}
	if !l.made {
		if err := p.make(cmd, l); err != nil { // Check finds them all
			panic(fmt.Sprintf("%s: %v", cmd.CommandPath(), err))
		}
	}
	s := sheet{Writer: cmd.OutOrStdout(), width: columns()}
	fmt.Fprintln(s, p.usage(cmd))
	s.paragraph(cmd.Short)
	s.tables(table{"Arguments:", argumentRows(l)})
	p.commandTables(s, cmd)
	s.tables(table{"Flags:", flagRows(l)})
	if cmd.HasSubCommands() {
		fmt.Fprintf(s, "\nRun \"%s <command> --help\" for more about one.\n", cmd.CommandPath())
	}
}

// columns is the terminal's width.
func columns() int {
	width, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil {
		if width, _, err = term.GetSize(int(os.Stdout.Fd())); err != nil {
			width = usualColumns
		}
	}
	return max(leastColumns, min(width, mostColumns))
}

// usage is the line that shows how a command is called; two when a group does
// something itself.
func (p *Program) usage(cmd *cobra.Command) string {
	l := p.leaves[cmd]
	call := "Usage: " + cmd.CommandPath()
	if cmd.HasSubCommands() {
		call += " <command>"
		if l.shape == nil {
			return call
		}
		call += "\n       " + cmd.CommandPath()
	}
	for _, o := range l.flags {
		if o.required {
			call += " " + o.String()
		}
	}
	for _, o := range l.args {
		call += " " + o.usage()
	}
	if len(l.flags) > 0 {
		call += " [flags]"
	}
	return call
}

// usage is an argument as a usage line has it.
func (o *option) usage() string {
	word := o.String()
	if o.many {
		word += " ..."
	}
	if o.optional {
		word = "[" + word + "]"
	}
	return word
}

func argumentRows(l *leaf) (rows [][2]string) {
	for _, o := range l.args {
		rows = append(rows, [2]string{o.usage(), o.about()})
	}
	return rows
}

// flagRows has the command's own flags first, then those that others have, too.
func flagRows(l *leaf) (rows [][2]string) {
	for i, o := range l.flags {
		if i == l.heads && i > 0 {
			rows = append(rows, [2]string{})
		}
		name := "    --"
		if o.short != "" {
			name = "-" + o.short + ", --"
		}
		if o.negatable {
			name += "[no-]"
		}
		rows = append(rows, [2]string{name + o.name + o.value(), o.about()})
	}
	return append(rows, [2]string{"-h, --help", "Show this help."})
}

// commandTables lists the commands of a group, each under its heading.
func (p *Program) commandTables(s sheet, cmd *cobra.Command) {
	var tables []table
	for _, c := range cmd.Commands() {
		l := p.leaves[c]
		if l == nil {
			continue
		}
		heading, about := cmp.Or(l.heading, "Commands")+":", c.Short
		if c.HasSubCommands() {
			about += " (" + strings.Join(names(c), ", ") + ")"
		}
		if n := len(tables); n == 0 || tables[n-1].heading != heading {
			tables = append(tables, table{heading: heading})
		}
		last := &tables[len(tables)-1]
		last.rows = append(last.rows, [2]string{c.Name(), about})
	}
	s.tables(tables...)
}

// helpCommand is "help COMMAND", for those who are used to it.
func (p *Program) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [command]", Short: "Show help about a command.", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, left, err := p.root.Find(args)
			if err == nil && len(left) > 0 {
				err = unexpected(about, left[0])
			}
			if err == nil {
				p.help(about, nil)
			}
			return err
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			about, _, _ := p.root.Find(args)
			return names(about), cobra.ShellCompDirectiveNoFileComp
		},
	}
}
