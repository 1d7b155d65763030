package commands

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"outcrop/internal/slip"
)

// A UsageError is a mistake in how a command was called.
type UsageError struct {
	Err   error
	Usage string // how it is called, and where more is told; a few lines
}

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

func (p *Program) usageError(cmd *cobra.Command, err error) error {
	if p.leaves[cmd] == nil || errors.Is(err, errNothing) {
		return &UsageError{Err: err}
	}
	return &UsageError{Err: err, Usage: fmt.Sprintf("%s\nRun \"%s --help\" for more.\n", p.usage(cmd), cmd.CommandPath())}
}

// errNothing comes with the help.
var errNothing = errors.New("expected a command")

// nothingNamed is what a group does that has no default.
func (p *Program) nothingNamed(cmd *cobra.Command, _ []string) error {
	if !cmd.HasParent() {
		p.help(cmd, nil)
		return errNothing
	}
	return fmt.Errorf("expected a command: %s", oneOf(names(cmd)))
}

// unexpected is an argument that is one too many, or no command.
func unexpected(cmd *cobra.Command, arg string) error {
	if !cmd.HasSubCommands() {
		return fmt.Errorf("unexpected argument %q", arg)
	}
	known := names(cmd)
	if near := nearest(arg, known); near != "" {
		return fmt.Errorf("unknown command %q, did you mean %q?", arg, near)
	}
	if !cmd.HasParent() {
		return fmt.Errorf("unknown command %q", arg) // there are too many to be named
	}
	return fmt.Errorf("unknown command %q: want %s", arg, oneOf(known))
}

// nearest also knows a word that was cut short.
func nearest(word string, known []string) string {
	if near := slip.Nearest(word, known); near != "" || len(word) < 2 {
		return near
	}
	for _, k := range known {
		if strings.HasPrefix(k, word) {
			return k
		}
	}
	return ""
}

// names are those of the commands in a group.
func names(cmd *cobra.Command) []string {
	var all []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			all = append(all, c.Name())
		}
	}
	return all
}

// flagError says what is wrong with a flag in words that name the cure.
func (p *Program) flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var bad *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		return unknownFlag(cmd, unknown)
	case errors.As(err, &empty):
		if o, ok := empty.GetFlag().Value.(*option); ok {
			return fmt.Errorf("--%s needs a value: %s", o.name, o)
		}
	case errors.As(err, &bad):
		return fmt.Errorf("--%s: %w", bad.GetFlag().Name, bad.Unwrap())
	}
	return err
}

func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	word, meant := "--"+e.GetSpecifiedName(), nearest(e.GetSpecifiedName(), flagNames(cmd))
	if short := e.GetSpecifiedShortnames(); short != "" {
		word, meant = "-"+short, ""
		if name, _, _ := strings.Cut(short, "="); len(name) > 1 {
			meant = nearest(name, flagNames(cmd)) // a long flag with one dash
		}
	}
	switch {
	case meant != "":
		return fmt.Errorf("unknown flag %s, did you mean \"--%s\"?", word, meant)
	case cmd.HasSubCommands():
		return fmt.Errorf("unknown flag %s: a command has to come before its flags", word)
	}
	return fmt.Errorf("unknown flag %s", word)
}

func flagNames(cmd *cobra.Command) []string {
	var all []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { all = append(all, f.Name) })
	return all
}

// oneOf lists the values there are, without the empty one.
func oneOf(values []string) string {
	var said []string
	for _, v := range values {
		if v != "" {
			said = append(said, v)
		}
	}
	return list(said, "or")
}

func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
