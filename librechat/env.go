package librechat

import (
	"regexp"
	"strings"
)

// An Env is what LibreChat's process would find in its environment: an .env
// file, under variables that the process has already. It is read by dotenv's
// rules.
type Env struct {
	Name  string // of the file
	vars  map[string]variable
	lines []string
}

type variable struct {
	value string
	line  int    // 0 when it is of the process
	raw   string // as written, with quotes and line end
}

// assignment is dotenv's own pattern for a line, in Go's words: an optional
// export, a name, = or ": ", and a value that may be in quotes and then go on
// over lines.
var assignment = regexp.MustCompile("(?m)^[ \\t]*(?:export[ \\t]+)?([\\w.-]+)(?:[ \\t]*=[ \\t]*|:[ \\t]+)('(?:\\\\'|[^'])*'|\"(?:\\\\\"|[^\"])*\"|`(?:\\\\`|[^`])*`|[^#\\r\\n]*)?[ \\t]*(?:#.*)?\\r?$")

// ReadEnv parses an .env file. A variable that stands twice has its last value.
func ReadEnv(name string, data []byte) *Env {
	e := &Env{Name: name, vars: map[string]variable{}, lines: strings.Split(string(data), "\n")}
	src := string(data)
	for _, m := range assignment.FindAllStringSubmatchIndex(src, -1) {
		key, raw := src[m[2]:m[3]], ""
		if m[4] >= 0 {
			raw = src[m[4]:m[5]]
		}
		line := 1 + strings.Count(src[:m[2]], "\n")
		if strings.HasSuffix(src[m[0]:m[1]], "\r") {
			raw += "\r"
		}
		e.vars[key] = variable{value: unquote(strings.TrimSuffix(raw, "\r")), line: line, raw: raw}
	}
	return e
}

func unquote(raw string) string {
	v := strings.TrimSpace(raw)
	if len(v) < 2 || v[0] != v[len(v)-1] || !strings.ContainsRune("'\"`", rune(v[0])) {
		return v
	}
	inner := v[1 : len(v)-1]
	if v[0] == '"' {
		inner = strings.NewReplacer(`\n`, "\n", `\r`, "\r").Replace(inner)
	}
	return inner
}

// Over puts variables of the process over the file's: even an empty one wins.
func (e *Env) Over(process map[string]string) {
	for name, value := range process {
		e.vars[name] = variable{value: value, raw: value}
	}
}

// get is a variable's value, empty when it is not set.
func (e *Env) get(name string) string { return e.vars[name].value }

// set says whether a variable is there at all.
func (e *Env) set(name string) bool { _, ok := e.vars[name]; return ok }

// line of a variable in the file; 0 when it is not there.
func (e *Env) line(name string) int { return e.vars[name].line }

// deny are variables that LibreChat never puts into its configuration.
var deny = map[string]bool{
	"JWT_SECRET": true, "JWT_REFRESH_SECRET": true, "CREDS_KEY": true, "CREDS_IV": true, "MONGO_URI": true,
	"REDIS_URI": true, "REDIS_USERNAME": true, "REDIS_PASSWORD": true, "MEILI_MASTER_KEY": true,
}

var (
	whole = regexp.MustCompile(`^\$\{(.+)\}$`)
	inner = regexp.MustCompile(`\$\{([^}]+)\}`)
)

// expand replaces ${VAR} as LibreChat does: a value that is one placeholder,
// then placeholders inside a text. A name that is not set, empty or denied
// stays as it is written.
func (e *Env) expand(value string) string {
	v := strings.TrimSpace(value)
	if m := whole.FindStringSubmatch(v); m != nil {
		return e.replacement(m[1], v)
	}
	return inner.ReplaceAllStringFunc(v, func(one string) string {
		return e.replacement(inner.FindStringSubmatch(one)[1], one)
	})
}

func (e *Env) replacement(name, placeholder string) string {
	if v := e.get(name); v != "" && !deny[name] {
		return v
	}
	return placeholder
}
