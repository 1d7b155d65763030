package outcrop_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// The house's import table (docs/architecture.md). A package may import the
// lower layers, the siblings named here, internal/*, and libraries.
var (
	words    = []string{"outcrop", "outcrop/converse"}
	deciders = []string{"iam", "catalog", "pricing", "sigv4", "quota"}
	engines  = map[string][]string{ // with the deciders each may ask
		"reconcile": {}, "usage": {},
		"profile": {"catalog"}, "identity": {"iam", "sigv4"}, "routing": {}, "ledger": {},
		"cost": {"pricing", "catalog"}, "offline": {}, "gateway": {"iam", "quota"}, "metrics": {}, "budget": {}, "objects": {}, "logs": {},
	}
	alone = []string{"identity/guess", "identity/oidc", "identity/sealing"} // inside an engine, and know nothing of it
	edges = []string{"upstream", "awsapi", "telemetry", "sqlite", "postgres", "console"}
)

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestArrowsPointDownwards(t *testing.T) {
	for _, p := range packages(t) {
		for _, to := range p.Imports {
			if strings.HasPrefix(to, "outcrop") && !allowed(p.ImportPath, to) {
				t.Errorf("%s must not import %s: see the import table in docs/architecture.md", p.ImportPath, to)
			}
		}
	}
}

// allowed says whether the house permits from to import to.
func allowed(from, to string) bool {
	if strings.HasPrefix(to, "outcrop/internal/") {
		return true
	}
	from, to = strings.TrimPrefix(from, "outcrop/"), strings.TrimPrefix(to, "outcrop/")
	room := func(p string) string { first, _, _ := strings.Cut(p, "/"); return first }
	switch {
	case from == "outcrop" || room(from) == "internal":
		return false
	case slices.Contains(alone, from):
		return to == "outcrop"
	case room(from) == room(to): // inside a room: subpackages may lean on their parent
		return strings.HasPrefix(from, to+"/") || strings.HasPrefix(to, from+"/") || to == "awsapi/wire" || to == "awsapi/model" || strings.HasSuffix(from, "test") || to == "upstream/upstreamtest" || to == "converse/task" || to == "converse/chat" || to == "converse/messages"
	case to == "outcrop":
		return true
	case room(from) == "converse":
		return false
	case slices.Contains(words, "outcrop/"+room(to)):
		return true
	case slices.Contains(deciders, room(from)):
		return false
	}
	if asks, ok := engines[room(from)]; ok {
		return slices.Contains(asks, room(to))
	}
	if slices.Contains(edges, room(from)) {
		_, engine := engines[room(to)]
		return engine || slices.Contains(deciders, room(to))
	}
	return true // server, cmd, test and tools wire everything
}

func TestEachPackageNameOccursOnce(t *testing.T) {
	seen := map[string]string{}
	for _, p := range packages(t) {
		name := path.Base(p.ImportPath)
		if strings.HasPrefix(p.ImportPath, "outcrop/cmd/") {
			continue // a command is never imported
		}
		if other, ok := seen[name]; ok {
			t.Errorf("%s and %s share a name, so imports read ambiguously", other, p.ImportPath)
		}
		seen[name] = p.ImportPath
	}
}
