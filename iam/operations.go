package iam

import (
	_ "embed"
	"strings"
	"sync"

	"outcrop"
)

// An Operation says what has to be allowed before an API operation acts.
type Operation struct {
	Action      string // such as bedrock:InvokeModel for Converse
	Level       string // List, Read, Write, Tagging or Permissions
	Resources   []ResourceType
	RequestTags bool // sets aws:RequestTag/k and aws:TagKeys
	TagKeys     bool // sets aws:TagKeys only, as UntagResource does
	Free        bool // answers without any permission, as GetCallerIdentity does
}

// A ResourceType is a kind of resource that an operation is asked about.
type ResourceType struct {
	Name     string
	Required bool // else it counts when the request names one of its kind
	template string
}

// ARN of the resource of this type with the given names, in the order in
// which they stand in the ARN. A name left out becomes *, as in the question
// before a resource has its id.
func (t ResourceType) ARN(region outcrop.Region, account outcrop.AccountID, names ...string) outcrop.ARN {
	var b strings.Builder
	rest := t.template
	for {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			return outcrop.ARN(b.String())
		}
		name, tail, _ := strings.Cut(after, "}")
		rest = tail
		switch name {
		case "Partition":
			b.WriteString(region.Partition())
		case "Region":
			b.WriteString(string(region))
		case "Account":
			b.WriteString(string(account))
		default:
			value := "*"
			if len(names) > 0 {
				value, names = names[0], names[1:]
			}
			b.WriteString(value)
		}
	}
}

// ResourceType of the given name among those of o.
func (o Operation) ResourceType(name string) (ResourceType, bool) {
	for _, t := range o.Resources {
		if t.Name == name {
			return t, true
		}
	}
	return ResourceType{}, false
}

// OperationOf finds an operation by its service (as the files of
// awsapi/model are called) and name. ok is false for one nobody described:
// refuse it.
func OperationOf(service, name string) (Operation, bool) {
	o, ok := operationTable()[service+"."+name]
	return o, ok
}

//go:embed operations.txt
var operationText string

// operationTable is the text above by "service.Operation", read once.
var operationTable = sync.OnceValue(func() map[string]Operation { return readOperations(operationText) })

func readOperations(text string) map[string]Operation {
	table := map[string]Operation{}
	var service, prefix string
	types := map[string]string{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] == "#":
		case f[0] == "service":
			service, prefix = f[1], f[2]
			types = map[string]string{}
		case f[0] == "type":
			types[f[1]] = f[2]
		default:
			table[service+"."+f[0]] = readOperation(f, prefix, types)
		}
	}
	return table
}

func readOperation(f []string, prefix string, types map[string]string) Operation {
	o := Operation{Action: prefix + ":" + f[0], Level: f[1]}
	for _, word := range f[2:] {
		switch {
		case word == "+tags":
			o.RequestTags = true
		case word == "+keys":
			o.TagKeys = true
		case word == "+free":
			o.Free = true
		case word[0] == '=':
			o.Action = prefix + ":" + word[1:]
		default:
			name, required := strings.CutSuffix(word, "*")
			o.Resources = append(o.Resources, ResourceType{name, required, types[name]})
		}
	}
	return o
}
