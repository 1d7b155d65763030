// Command wiregen turns the service models of awsapi/model into Go. The file
// awsapi/model/operations.txt lists which operations to write types for, and
// into which package: adding an operation is one line there and one function.
//
// It is run by go generate (converse/doc.go); its output is committed.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"outcrop/awsapi/wire"
)

func main() {
	log.SetFlags(0)
	top := flag.String("top", "", "top folder of the module; default: found from the current one upwards")
	flag.Parse()
	if err := generate(*top); err != nil {
		log.Fatalf("wiregen: %v", err)
	}
}

func generate(top string) (err error) {
	if top == "" {
		if top, err = findTop(); err != nil {
			return err
		}
	}
	models := filepath.Join(top, "awsapi", "model")
	targets, err := readTargets(filepath.Join(models, "operations.txt"))
	if err != nil {
		return err
	}
	for _, t := range targets {
		if err := t.write(top, models); err != nil {
			return fmt.Errorf("%s: %w", t.folder, err)
		}
	}
	return nil
}

// A target is one package to write types into.
type target struct {
	folder     string // awsapi/bedrockapi
	model      string // bedrock
	static     bool   // with static JSON codecs: the data plane
	operations []string
}

func (t *target) pkg() string { return filepath.Base(t.folder) }

// readTargets reads lines of "folder model [static] Operation Operation ...".
func readTargets(name string) ([]*target, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var targets []*target
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		word := strings.Fields(line)
		if len(word) < 3 {
			continue
		}
		t := &target{folder: word[0], model: word[1], operations: word[2:]}
		if i := slices.IndexFunc(targets, func(o *target) bool { return o.folder == t.folder }); i >= 0 {
			targets[i].operations = append(targets[i].operations, t.operations...)
			continue
		}
		if t.operations[0] == "static" {
			t.static, t.operations = true, t.operations[1:]
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// findTop is the nearest folder, from the current one upwards, that holds
// go.mod.
func findTop() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod in this folder or above it")
		}
		dir = filepath.Dir(dir)
	}
}

// write generates the target's files into the tree at top.
func (t *target) write(top, models string) error {
	b, err := os.ReadFile(filepath.Join(models, t.model+".json"))
	if err != nil {
		return err
	}
	svc, err := wire.Load(b)
	if err != nil {
		return err
	}
	g, err := collect(t, svc)
	if err != nil {
		return err
	}
	if err := writeGo(filepath.Join(top, t.folder, "types_gen.go"), g.types()); err != nil || !t.static {
		return err
	}
	src, err := g.codec()
	if err != nil {
		return err
	}
	return writeGo(filepath.Join(top, t.folder, "codec_gen.go"), src)
}

func writeGo(name string, src []byte) error {
	out, err := format.Source(src)
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, src)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, out, 0o644)
}
