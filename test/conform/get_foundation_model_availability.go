package conform

const opAvailability = "GetFoundationModelAvailability"

func getFoundationModelAvailabilityChecks() []Check {
	const source = "control-plane.md §3"
	get := func(id string) ask { return ask{path: "/foundation-model-availability/" + id} }
	good := answer{status: 200, body: `{"modelId":"{systemModel}","agreementAvailability":{"status":"AVAILABLE"},"authorizationStatus":"AUTHORIZED","entitlementAvailability":"AVAILABLE","regionAvailability":"AVAILABLE"}`}
	return []Check{
		asks(opAvailability, "has four good values for a model that is enabled by itself", source, Nothing, get("{%systemModel}"), good),
		asks(opAvailability, "answers for the model behind a profile, as the guides ask", "control-plane.md §1.15, 6 (UNVERIFIED)", Nothing, get("{%systemID}"), good),
		asks(opAvailability, "does not find an unknown model", source+" (UNVERIFIED)", Own, get(label("no.such-model-v1:0")), refused(404, "ResourceNotFoundException")),
		asks(opAvailability, "refuses an id beyond the pattern", source, Nothing, get("No.Such"), breaks("modelId", "regular expression pattern: [a-z0-9-]{1,63}[.]{1}")),
		asks(opAvailability, "refuses an ARN", source, Nothing, get(label("arn:aws:bedrock:us-east-1::foundation-model/a.b")), breaks("modelId", "regular expression")),
	}
}
