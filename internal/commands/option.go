package commands

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// An option is a flag or an argument, and the field that it sets.
type option struct {
	field                            reflect.Value
	name, short, help, placeholder   string
	fallback, env, xor, sep          string
	enum                             []string
	argument, optional, required     bool
	negatable, existing, many, given bool
}

var tags = []string{"arg", "optional", "required", "name", "short", "help", "placeholder", "default", "env", "enum", "xor", "negatable", "type", "sep", "mapsep"}

// option reads a field's tags, and sets the field to its default.
func (p *Program) option(f reflect.StructField, v reflect.Value) (*option, error) {
	if err := knownTags(f.Tag); err != nil {
		return nil, err
	}
	has := func(tag string) bool { _, ok := f.Tag.Lookup(tag); return ok }
	o := &option{
		field: v, name: cmp.Or(f.Tag.Get("name"), kebab(f.Name)), short: f.Tag.Get("short"),
		help: p.vars.Replace(f.Tag.Get("help")), placeholder: f.Tag.Get("placeholder"),
		fallback: p.vars.Replace(f.Tag.Get("default")), env: f.Tag.Get("env"), xor: f.Tag.Get("xor"),
		argument: has("arg"), optional: has("optional"), required: has("required"),
		negatable: has("negatable"), existing: f.Tag.Get("type") == "existingfile",
		many: v.Kind() == reflect.Slice || v.Kind() == reflect.Map, sep: ",",
	}
	if v.Kind() == reflect.Map {
		o.sep = cmp.Or(f.Tag.Get("mapsep"), ";")
	} else {
		o.sep = cmp.Or(f.Tag.Get("sep"), o.sep)
	}
	if has("enum") {
		o.enum = strings.Split(f.Tag.Get("enum"), ",")
	}
	return o, o.begin(f.Tag)
}

// begin checks that the tags fit one another, and sets the default.
func (o *option) begin(tag reflect.StructTag) error {
	if kind, ok := tag.Lookup("type"); ok && !o.existing {
		return fmt.Errorf("type %q is none", kind)
	}
	switch {
	case strings.Contains(o.help+o.fallback, "${"):
		return errors.New("a variable in it is not known")
	case o.help == "":
		return errors.New("has no help")
	case o.negatable && o.field.Kind() != reflect.Bool:
		return errors.New("is negatable, but no bool")
	case len(o.short) > 1 || o.argument && (o.short != "" || o.xor != "" || o.required):
		return errors.New("its tags do not go together")
	}
	if o.fallback == "" {
		return o.supported()
	}
	err := o.Set(o.fallback)
	o.given = false
	return err
}

// knownTags refuses a tag that means nothing here: it is a slip.
func knownTags(tag reflect.StructTag) error {
	rest := string(tag)
	for rest != "" {
		name, after, ok := strings.Cut(strings.TrimLeft(rest, " "), `:"`)
		if !ok || !slices.Contains(tags, name) {
			return fmt.Errorf("tag %q is not known", name)
		}
		value := 0
		for value < len(after) && after[value] != '"' {
			if after[value] == '\\' {
				value++
			}
			value++
		}
		if value >= len(after) {
			return fmt.Errorf("tag %s has no end", name)
		}
		rest = after[value+1:]
	}
	return nil
}

// register makes it a flag of a command.
func (o *option) register(flags *pflag.FlagSet) {
	flag := flags.VarPF(o, o.name, o.short, o.about())
	if o.field.Kind() != reflect.Bool {
		return
	}
	flag.NoOptDefVal = "true"
	if o.negatable {
		flags.VarPF(negated{o}, "no-"+o.name, "", "Not --"+o.name+".").NoOptDefVal = "true"
	}
}

// about is the help, with what holds when nothing is given.
func (o *option) about() string {
	text := strings.TrimSuffix(o.help, ".")
	if o.env != "" {
		text += " ($" + o.env + ")"
	}
	if o.fallback != "" && !strings.Contains(o.help, "efault") {
		text += " (default " + o.usual() + ")"
	}
	return text + "."
}

func (o *option) usual() string {
	if o.field.Kind() == reflect.Bool {
		return "--" + o.name
	}
	return o.fallback
}

// value is how the help writes its value: =FILE, or nothing for a bool.
func (o *option) value() string {
	if o.field.Kind() == reflect.Bool {
		return ""
	}
	word := cmp.Or(o.placeholder, strings.ToUpper(o.name))
	if o.many && o.sep != "none" {
		word += "[" + o.sep + "...]"
	}
	return "=" + word
}

// String is how a person refers to it: --data=DIR or <profile>. It also makes
// an option a pflag.Value.
func (o *option) String() string {
	if o == nil || !o.field.IsValid() {
		return ""
	}
	if o.argument {
		return "<" + o.name + ">"
	}
	return "--" + o.name + "=" + cmp.Or(o.placeholder, strings.ToUpper(o.name))
}

// label is how an error begins: --data or <profile>.
func (o *option) label() string {
	if o.argument {
		return o.String()
	}
	return "--" + o.name
}
