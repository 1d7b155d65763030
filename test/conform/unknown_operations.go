package conform

// unknownOperations is no operation but what happens without one.
const unknownOperations = "Unknown operations"

func unknownOperationChecks() []Check {
	const source, decided = "control-plane.md §0", "runtime-metering-billing.md §1.1 (DECISION)"
	unknown := refused(404, "UnknownOperationException")
	unserved := func(name string) answer { return refused(404, "UnknownOperationException", name) }
	json := func(target string) map[string]string {
		return map[string]string{"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}
	}
	return []Check{
		asks(unknownOperations, "answers 404 to a path of no operation", source, Nothing, ask{path: "/no-such-thing"}, unknown),
		asks(unknownOperations, "answers 404 to a wrong method", source, Nothing, ask{method: "PUT", path: "/inference-profiles"}, unknown),
		asks(unknownOperations, "answers 404 to a profile without its name", source, Own, ask{path: "/inference-profiles/"}, unknown),
		asks(unknownOperations, "answers 404 to a path of no runtime operation", decided, Own, ask{service: "bedrock-runtime", method: "POST", path: "/model/{%systemID}/levitate", body: "{}"}, unknown),
		asks(unknownOperations, "answers 404 to GET of a model call", decided, Own, ask{service: "bedrock-runtime", path: "/model/{%systemID}/converse"}, unknown),
		asks(unknownOperations, "names an operation that AWS has and Outcrop does not serve", "Outcrop", Own, ask{path: "/guardrails"}, unserved("ListGuardrails")),
		asks(unknownOperations, "does so on the runtime", "Outcrop", Own, ask{service: "bedrock-runtime", method: "POST", path: "/guardrail/abc/version/1/apply", body: "{}"}, unserved("ApplyGuardrail")),
		asks(unknownOperations, "does so for a service of which it serves nothing yet", "Outcrop", Own,
			ask{service: "tagging", method: "POST", path: "/", header: json("ResourceGroupsTaggingAPI_20170126.GetResources"), body: "{}"}, refused(400, "UnknownOperationException", "GetResources")),
		asks(unknownOperations, "answers 400 to an unknown X-Amz-Target", "framework", Nothing,
			ask{service: "ce", method: "POST", path: "/", header: target("GetRich"), body: "{}"}, refused(400, "UnknownOperationException")),
		asks(unknownOperations, "asks who it is before it says what it does not serve", "control-plane.md §0", Own, ask{path: "/guardrails", auth: anonymous}, refused(403, "MissingAuthenticationTokenException")),
	}
}

// target names an operation of Cost Explorer.
func target(operation string) map[string]string {
	return map[string]string{"X-Amz-Target": "AWSInsightsIndexService." + operation, "Content-Type": "application/x-amz-json-1.1"}
}
