package commands

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
)

// A leaf is what a command is made of, once it is needed.
type leaf struct {
	shape   reflect.Type // a struct with Run; nil when a group does nothing itself
	heading string       // where the help lists it
	made    bool
	flags   []*option // the command's own, then those of embedded structs
	args    []*option
	heads   int // how many of the flags are its own
}

// group is a command with the commands that the fields of t are.
func (p *Program) group(name, about string, t reflect.Type) *cobra.Command {
	cmd, l := p.command(name, about)
	heading := ""
	for i := range t.NumField() {
		f := t.Field(i)
		if _, ok := f.Tag.Lookup("cmd"); !ok {
			continue
		}
		heading = cmp.Or(f.Tag.Get("group"), heading)
		child := p.child(f)
		p.leaves[child].heading = heading
		cmd.AddCommand(child)
		if f.Tag.Get("default") == "withargs" {
			l.shape = f.Type
		}
	}
	return cmd
}

// child is the command or group that a field is.
func (p *Program) child(f reflect.StructField) *cobra.Command {
	name, about := cmp.Or(f.Tag.Get("name"), kebab(f.Name)), p.vars.Replace(f.Tag.Get("help"))
	if _, ok := reflect.Zero(reflect.PointerTo(f.Type)).Interface().(Runner); !ok {
		return p.group(name, about, f.Type)
	}
	cmd, l := p.command(name, about)
	l.shape = f.Type
	return cmd
}

func (p *Program) command(name, about string) (*cobra.Command, *leaf) {
	cmd, l := &cobra.Command{Use: name, Short: about}, &leaf{}
	cmd.Args = func(cmd *cobra.Command, args []string) error { return p.check(cmd, l, args) }
	cmd.RunE = p.nothingNamed // what has nothing to run is no command to cobra
	p.leaves[cmd] = l
	return cmd, l
}

// make gives cmd the flags and arguments of its struct.
func (p *Program) make(cmd *cobra.Command, l *leaf) error {
	l.made = true
	cmd.ValidArgsFunction = l.completeArgument
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolP("help", "h", false, "Show this help.")
	if l.shape == nil {
		return nil
	}
	command := reflect.New(l.shape)
	runner, ok := command.Interface().(Runner)
	if !ok {
		return fmt.Errorf("%s has no method Run(context.Context) error", l.shape)
	}
	if c, ok := runner.(*Completion); ok {
		c.root = cmd.Root()
	}
	if err := p.read(l, command.Elem(), true); err != nil {
		return err
	}
	for _, o := range l.flags {
		o.register(cmd.Flags())
	}
	cmd.RunE = func(*cobra.Command, []string) error { p.chosen = runner; return nil }
	if p.completing {
		l.prepareCompletion(cmd)
	}
	return nil
}

// read makes options of the fields of v, and of the structs in it.
func (p *Program) read(l *leaf, v reflect.Value, own bool) error {
	t := v.Type()
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous || !f.IsExported() {
			continue
		}
		o, err := p.option(f, v.Field(i))
		switch {
		case err != nil:
			return fmt.Errorf("field %s: %w", f.Name, err)
		case o.argument:
			l.args = append(l.args, o)
		default:
			l.flags = append(l.flags, o)
		}
	}
	if own {
		l.heads = len(l.flags)
	}
	for i := range t.NumField() {
		if t.Field(i).Anonymous {
			if err := p.read(l, v.Field(i), false); err != nil {
				return err
			}
		}
	}
	return nil
}

// kebab is a field's name as flags are written: EndpointURL is endpoint-url.
func kebab(name string) string {
	var b strings.Builder
	upper := func(i int) bool { return i >= 0 && i < len(name) && 'A' <= name[i] && name[i] <= 'Z' }
	for i := range len(name) {
		if i > 0 && upper(i) && (!upper(i-1) || i+1 < len(name) && !upper(i+1)) {
			b.WriteByte('-')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}
