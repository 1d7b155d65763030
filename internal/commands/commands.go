// Package commands makes a command line of structs: a field is a command, a
// flag or an argument, as its tags say.
//
// A command is a struct with a method Run, a group of commands a struct of
// structs. Fields have these tags:
//
//	cmd:""                   is a command, or a group of them
//	default:"withargs"       (command) what its group does when no command is named
//	group:"HEADING"          (command) where the help lists it; holds until the next heading
//	arg:""                   is an argument: a flag otherwise
//	optional:""              (argument) may be left out
//	required:""              (flag) may not
//	name:"NAME"              its name; else the field's, as some-name
//	short:"x"                (flag) also -x
//	help:"TEXT"              what it is for
//	placeholder:"WHAT"       what the help calls its value; FILE and DIR are completed as such
//	default:"VALUE"          its value when none is given
//	env:"NAME"               the environment variable that is asked before that
//	enum:"A,B"               the values there are
//	xor:"GROUP"              (flag) goes with no other of the group
//	negatable:""             (flag) also --no-NAME
//	type:"existingfile"      is a file that is there
//	sep:"X", mapsep:"X"      between the values of a list (default a comma) or map (a semicolon); none: one value each time
//
// In help and default ${name} stands for a variable. The fields of an embedded
// struct belong to the command.
package commands

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
)

// A Runner is a command, ready to run.
type Runner interface {
	Run(ctx context.Context) error
}

// A Program is a command line. It is used once.
type Program struct {
	root       *cobra.Command
	leaves     map[*cobra.Command]*leaf // every command and group
	vars       *strings.Replacer
	completing bool   // for a shell, which asks what may come next
	chosen     Runner // nil while none is
}

// New is a program whose commands are the fields of T. Commands are made as
// they are needed, so that what is not called costs next to nothing.
func New[T any](name, about string, vars map[string]string) *Program {
	var pairs []string
	for k, v := range vars {
		pairs = append(pairs, "${"+k+"}", v)
	}
	p := &Program{leaves: map[*cobra.Command]*leaf{}, vars: strings.NewReplacer(pairs...)}
	cobra.EnableCommandSorting = false // the order is told
	p.root = p.group(name, about, reflect.TypeFor[T]())
	p.root.SilenceErrors, p.root.SilenceUsage = true, true
	p.root.CompletionOptions.DisableDefaultCmd = true
	p.root.SetHelpFunc(p.help)
	p.root.SetHelpCommand(p.helpCommand())
	p.root.SetFlagErrorFunc(p.flagError)
	return p
}

// SetOutput says where help goes; standard output unless told.
func (p *Program) SetOutput(w io.Writer) { p.root.SetOut(w) }

// Parse is the command that args name, with its fields set; nil when all was
// done, because help was asked for. Nothing of the program is kept by it. A
// mistake in args is a *UsageError.
func (p *Program) Parse(args []string) (Runner, error) {
	words := args
	if len(args) > 1 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		p.completing, words = true, args[1:len(args)-1]
	}
	if err := p.prepare(words); err != nil {
		return nil, err
	}
	p.root.SetArgs(append([]string{}, args...)) // of nil cobra takes its own
	cmd, err := p.root.ExecuteC()
	if err != nil {
		return nil, p.usageError(cmd, err)
	}
	return p.chosen, nil
}

// prepare makes the command that words name. To make a group's default may
// change what they name: its flags are then known.
func (p *Program) prepare(words []string) error {
	for {
		cmd, _, err := p.root.Find(words)
		if err != nil {
			return err
		}
		l := p.leaves[cmd]
		if l == nil || l.made {
			return nil
		}
		if err := p.make(cmd, l); err != nil {
			return fmt.Errorf("%s: %w", cmd.CommandPath(), err)
		}
	}
}

// Check reports tags that are wrong anywhere in T.
func Check[T any](vars map[string]string) error {
	p := New[T]("program", "", vars)
	for cmd, l := range p.leaves {
		if l.made {
			continue
		}
		if err := p.make(cmd, l); err != nil {
			return fmt.Errorf("%s: %w", cmd.CommandPath(), err)
		}
	}
	return nil
}
