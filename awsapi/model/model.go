// Package model holds the service models: facts pruned from botocore by
// tools/modelprune, read by tools/wiregen and, at run time, by the codecs.
package model

import (
	"embed"
	"fmt"
	"strings"

	"outcrop/awsapi/wire"
)

//go:embed *.json
var files embed.FS

// Names of all models, such as "bedrock-runtime".
func Names() []string {
	entries, _ := files.ReadDir(".") // an embedded folder cannot fail
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".json")
	}
	return names
}

// Load reads a model by its name. The models are part of the program, and a
// test loads each of them: an unknown name is a mistake in the caller.
func Load(name string) *wire.Service {
	b, err := files.ReadFile(name + ".json")
	if err != nil {
		panic(fmt.Sprintf("no service model %q", name))
	}
	svc, err := wire.Load(b)
	if err != nil {
		panic(fmt.Sprintf("service model %q: %v", name, err))
	}
	return svc
}
