package commands

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// check takes the arguments of cmd, and then holds everything given to what the
// tags ask. Nothing has run yet.
func (p *Program) check(cmd *cobra.Command, l *leaf, args []string) error {
	left, err := l.take(args)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return unexpected(cmd, left[0])
	}
	if err := l.environment(); err != nil {
		return err
	}
	if err := l.complete(); err != nil {
		return err
	}
	if err := l.exclusive(); err != nil {
		return err
	}
	return l.existing()
}

// take sets the arguments, and returns what is too much.
func (l *leaf) take(args []string) ([]string, error) {
	for _, o := range l.args {
		for len(args) > 0 {
			if err := o.Set(args[0]); err != nil {
				return nil, fmt.Errorf("%s: %w", o.label(), err)
			}
			if args = args[1:]; !o.many {
				break
			}
		}
	}
	return args, nil
}

// environment takes flags from the environment that were not given.
func (l *leaf) environment() error {
	for _, o := range l.flags {
		text, ok := os.LookupEnv(o.env)
		if o.env == "" || o.given || !ok {
			continue
		}
		if err := o.Set(text); err != nil {
			return fmt.Errorf("$%s: %w", o.env, err)
		}
	}
	return nil
}

// complete names all that is missing.
func (l *leaf) complete() error {
	var missing []string
	for _, o := range l.args {
		if !o.given && !o.optional {
			missing = append(missing, o.String())
		}
	}
	for _, o := range l.flags {
		if !o.given && o.required {
			missing = append(missing, o.String())
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("missing: %s", list(missing, "and"))
}

// exclusive refuses two flags that say different things about one matter.
func (l *leaf) exclusive() error {
	first := map[string]*option{}
	for _, o := range l.flags {
		if o.xor == "" || !o.given {
			continue
		}
		if other := first[o.xor]; other != nil {
			return fmt.Errorf("--%s and --%s can't be used together", other.name, o.name)
		}
		first[o.xor] = o
	}
	return nil
}

// existing looks for the files that have to be there.
func (l *leaf) existing() error {
	for _, o := range append(append([]*option{}, l.args...), l.flags...) {
		if !o.existing || !o.given {
			continue
		}
		path, err := home(o.field.String())
		if err != nil {
			return err
		}
		o.field.SetString(path)
		info, err := os.Stat(path)
		var wrong *fs.PathError
		switch {
		case errors.As(err, &wrong):
			return fmt.Errorf("%s: %s: %w", o.label(), path, wrong.Err)
		case err != nil:
			return fmt.Errorf("%s: %w", o.label(), err)
		case info.IsDir():
			return fmt.Errorf("%s: %s is a folder", o.label(), path)
		}
	}
	return nil
}

// home is a path whose ~ no shell has replaced, as in --rules=~/rules.yaml.
func home(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	dir, err := os.UserHomeDir()
	return filepath.Join(dir, rest), err
}
