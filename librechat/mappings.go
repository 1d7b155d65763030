package librechat

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Mapping is one entry of inferenceProfiles, with its variables replaced.
type Mapping struct {
	Model, Profile string
	Line           int
}

// Mappings reads which profiles the section maps models to, by LibreChat's
// rules. A variable that stays unresolved is an error: there is nobody who
// could mean it.
func Mappings(configName string, config []byte, envName string, env []byte) ([]Mapping, error) {
	root, err := parseYAML(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", configName, err)
	}
	e := ReadEnv(envName, env)
	var list []Mapping
	for _, one := range root.get("endpoints", "bedrock", "inferenceProfiles").entries() {
		m := Mapping{one.name, e.expand(one.value.value()), one.line}
		if strings.Contains(m.Profile, "${") {
			return nil, fmt.Errorf("%s:%d: '%s' is mapped to %s, which is not set in %s: outcrop librechat doctor tells more", configName, m.Line, m.Model, m.Profile, envName)
		}
		list = append(list, m)
	}
	return list, nil
}

// Process reads the environment of a running process and when it was started.
func Process(pid int) (vars map[string]string, started time.Time, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	b, err := os.ReadFile(filepath.Join(dir, "environ"))
	if err != nil {
		return nil, started, fmt.Errorf("environment of process %d: %w", pid, err)
	}
	vars = map[string]string{}
	for one := range strings.SplitSeq(string(b), "\x00") {
		if name, value, ok := strings.Cut(one, "="); ok {
			vars[name] = value
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, started, err
	}
	return vars, info.ModTime(), nil
}
