package upstream

import (
	"outcrop"
	"outcrop/converse"
)

// Unguarded refuses a request for a guardrail, which only Bedrock itself
// applies: to leave it out would be to say that it held.
func Unguarded(r *converse.Request) error {
	if r.GuardrailConfig == nil {
		return nil
	}
	return outcrop.Errorf(outcrop.Invalid, "The guardrail %s cannot be applied: only upstreams of kind bedrock apply guardrails, and this call is served by another. "+
		"Leave the guardrail out, or have a bedrock upstream serve the model.", r.GuardrailConfig.GuardrailIdentifier)
}
