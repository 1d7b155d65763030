package iam

import (
	"encoding/json"
	"slices"

	"outcrop"
)

// The document of a granted policy, in the order it is read.
type document struct {
	Version   string
	Statement []granted
}

type granted struct {
	Sid       string
	Effect    string
	Action    []string
	Resource  []outcrop.ARN
	Condition map[string]map[string]outcrop.ARN `json:",omitempty"`
}

// LeastPolicy is the least identity policy with which p can be read and
// invoked, and nothing else: its models only by way of the profile. The
// destinations are the profile's; they are passed on their own so that a
// resolved Target's can be used. The text is indented JSON that ParsePolicy
// takes.
func LeastPolicy(p *outcrop.InferenceProfile, destinations []outcrop.Destination) []byte {
	invoke := []string{ActionInvoke, ActionInvokeStream}
	d := document{version2012, []granted{
		{"InvokeProfile", "Allow", append([]string{"bedrock:GetInferenceProfile"}, invoke...), []outcrop.ARN{p.ARN}, nil},
		{"InvokeModelsThroughProfile", "Allow", invoke, grantedModels(p, destinations),
			map[string]map[string]outcrop.ARN{"ArnEquals": {"bedrock:InferenceProfileArn": p.ARN}}},
	}}
	text, _ := json.MarshalIndent(d, "", "  ") // strings only: it cannot fail
	return append(text, '\n')
}

// grantedModels are the resources of the invocation checks after the profile's
// own: the two are made by the same function so that they agree.
func grantedModels(p *outcrop.InferenceProfile, destinations []outcrop.Destination) []outcrop.ARN {
	t := &outcrop.Target{
		Profile: p, Model: outcrop.FoundationModel{ID: p.Model}, Region: p.ARN.Parts().Region,
		Geography: p.Geography, Destinations: destinations,
	}
	var models []outcrop.ARN
	for _, c := range InvocationChecks(t, ActionInvoke)[1:] {
		if !slices.Contains(models, c.Resource) {
			models = append(models, c.Resource)
		}
	}
	return models
}
