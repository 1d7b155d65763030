package outcrop

import "strings"

// A ModelRef is what the client wrote as modelId, parsed once. It says what
// kind of name it is, not whether the thing exists: resolving is the work of
// package profile.
type ModelRef struct {
	Text string   // exactly as written, percent-decoded
	Kind RefKind  // which of the forms below
	ID   string   // the id inside: model, profile, router or prompt id
	ARN  ARNParts // zero unless Text is an ARN
}

// A RefKind is one of the forms a modelId takes
// (reference/runtime-metering-billing.md §1.4).
type RefKind uint8

// The forms of a modelId.
const (
	RefUnknown            RefKind = iota // not a form AWS knows
	RefBare                              // a bare id: a model, a system profile, or (refused at invoke) an application profile id
	RefFoundationModel                   // arn:…::foundation-model/ID
	RefSystemProfile                     // arn:…:inference-profile/ID
	RefApplicationProfile                // arn:…:application-inference-profile/ID
	RefPromptRouter                      // arn:…:prompt-router/ID or default-prompt-router/ID
	RefPrompt                            // arn:…:prompt/ID[:version]
	RefProvisionedModel                  // arn:…:provisioned-model/ID
	RefCustomModel                       // arn:…:custom-model/… or custom-model-deployment/ID
	RefImportedModel                     // arn:…:imported-model/ID
	RefEndpoint                          // arn:aws:sagemaker:…:endpoint/NAME
)

var refKinds = map[string]RefKind{
	"foundation-model":              RefFoundationModel,
	"inference-profile":             RefSystemProfile,
	"application-inference-profile": RefApplicationProfile,
	"prompt-router":                 RefPromptRouter,
	"default-prompt-router":         RefPromptRouter,
	"prompt":                        RefPrompt,
	"provisioned-model":             RefProvisionedModel,
	"custom-model":                  RefCustomModel,
	"custom-model-deployment":       RefCustomModel,
	"imported-model":                RefImportedModel,
}

// ParseModelRef reads a modelId. It never fails: text that is no form AWS
// knows has Kind RefUnknown.
func ParseModelRef(text string) ModelRef {
	ref := ModelRef{Text: text}
	if !strings.HasPrefix(text, "arn:") {
		if text != "" && !strings.ContainsAny(text, "/ ${}") {
			ref.Kind, ref.ID = RefBare, text
		}
		return ref
	}
	p, ok := ParseARN(text)
	if !ok {
		return ref
	}
	ref.ARN, ref.ID = p, p.ResourceID()
	switch {
	case ref.ID == "":
	case p.Service == "bedrock":
		ref.Kind = refKinds[p.ResourceType()]
	case p.Service == "sagemaker" && p.ResourceType() == "endpoint":
		ref.Kind = RefEndpoint
	}
	return ref
}
