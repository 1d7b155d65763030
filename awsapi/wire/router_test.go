package wire

import (
	"maps"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	someARN    = "arn:aws:bedrock:us-west-2:111122223333:application-inference-profile/k3x09m2p7q1z"
	encodedARN = "arn%3Aaws%3Abedrock%3Aus-west-2%3A111122223333%3Aapplication-inference-profile%2Fk3x09m2p7q1z"
	systemARN  = "arn:aws:bedrock:us-west-2:111122223333:inference-profile/us.amazon.nova-lite-v1:0"
)

func TestRouterBedrock(t *testing.T) {
	control, runtime := NewRouter(loadModel(t, "bedrock")), NewRouter(loadModel(t, "bedrock-runtime"))
	tests := []struct {
		router *Router
		method string
		path   string
		op     string // empty: no match
		labels map[string]string
	}{
		{control, "POST", "/inference-profiles", "CreateInferenceProfile", nil},
		{control, "GET", "/inference-profiles", "ListInferenceProfiles", nil},
		{control, "GET", "/inference-profiles/us.amazon.nova-lite-v1%3A0", "GetInferenceProfile", map[string]string{"inferenceProfileIdentifier": "us.amazon.nova-lite-v1:0"}},
		{control, "GET", "/inference-profiles/us.amazon.nova-lite-v1:0", "GetInferenceProfile", map[string]string{"inferenceProfileIdentifier": "us.amazon.nova-lite-v1:0"}},
		{control, "DELETE", "/inference-profiles/" + encodedARN, "DeleteInferenceProfile", map[string]string{"inferenceProfileIdentifier": someARN}},
		{control, "GET", "/inference-profiles/" + someARN, "GetInferenceProfile", map[string]string{"inferenceProfileIdentifier": someARN}},
		{control, "GET", "/inference-profiles/arn%3Aaws%3Abedrock%3Aus-west-2%3A1%3Ainference-profile/x", "GetInferenceProfile", map[string]string{"inferenceProfileIdentifier": "arn:aws:bedrock:us-west-2:1:inference-profile/x"}},
		{control, "GET", "/inference-profiles/a%2525b", "GetInferenceProfile", map[string]string{"inferenceProfileIdentifier": "a%25b"}}, // once, not twice
		{control, "GET", "/inference-profiles/a+b", "GetInferenceProfile", map[string]string{"inferenceProfileIdentifier": "a+b"}},       // + is no space in a path
		{control, "POST", "/custom-models/create-custom-model", "CreateCustomModel", nil},
		{control, "GET", "/custom-models/create-custom-model", "GetCustomModel", map[string]string{"modelIdentifier": "create-custom-model"}},
		{control, "POST", "/evaluation-jobs/batch-delete", "BatchDeleteEvaluationJob", nil},
		{control, "PUT", "/logging/modelinvocations", "PutModelInvocationLoggingConfiguration", nil},
		{control, "GET", "/automated-reasoning-policies/" + someARN + "/build-workflows/w1/result-assets", "GetAutomatedReasoningPolicyBuildWorkflowResultAssets", map[string]string{"policyArn": someARN, "buildWorkflowId": "w1"}},
		{control, "GET", "/inference-profiles/a/b", "", nil}, // a bare slash is for ARNs alone
		{control, "GET", "/inference-profiles/", "", nil},
		{control, "PATCH", "/inference-profiles", "", nil},
		{control, "GET", "/inference-profiles/%zz", "", nil},
		{control, "GET", "", "", nil},
		{control, "GET", "*", "", nil},
		{control, "GET", "//", "", nil},
		{control, "GET", strings.Repeat("/arn:", 1000), "", nil},
		{runtime, "POST", "/model/amazon.nova-lite-v1%3A0/converse", "Converse", map[string]string{"modelId": "amazon.nova-lite-v1:0"}},
		{runtime, "POST", "/model/" + encodedARN + "/converse-stream", "ConverseStream", map[string]string{"modelId": someARN}},
		{runtime, "POST", "/model/" + systemARN + "/converse", "Converse", map[string]string{"modelId": systemARN}},
		{runtime, "POST", "/model/" + systemARN + "/invoke-with-response-stream", "InvokeModelWithResponseStream", map[string]string{"modelId": systemARN}},
		{runtime, "POST", "/model/arn:aws:sagemaker:us-east-1:1:endpoint/a/invoke/invoke", "InvokeModel", map[string]string{"modelId": "arn:aws:sagemaker:us-east-1:1:endpoint/a/invoke"}},
		{runtime, "POST", "/guardrail/arn:aws:bedrock:us-east-1:1:guardrail/g1/version/DRAFT/apply", "ApplyGuardrail", map[string]string{"guardrailIdentifier": "arn:aws:bedrock:us-east-1:1:guardrail/g1", "guardrailVersion": "DRAFT"}},
		{runtime, "POST", "/model//converse", "", nil},
		{runtime, "POST", "/model/x/unknown", "", nil},
	}
	for _, tt := range tests {
		op, labels, ok := tt.router.Match(tt.method, tt.path, "")
		if !ok {
			if tt.op != "" {
				t.Errorf("%s %.120s: no match, want %s", tt.method, tt.path, tt.op)
			}
			continue
		}
		if op.Name != tt.op || !maps.Equal(mapOf(labels), tt.labels) {
			t.Errorf("%s %s: %s %v, want %q %v", tt.method, tt.path, op.Name, labels, tt.op, tt.labels)
		}
	}
}

// routerOf makes a router for operations named by their route.
func routerOf(routes ...string) *Router {
	svc := &Service{}
	for _, r := range routes {
		method, uri, _ := strings.Cut(r, " ")
		svc.Operations = append(svc.Operations, &Operation{Name: r, Method: method, URI: uri, Service: svc})
	}
	return NewRouter(svc)
}

func TestRouterTemplates(t *testing.T) {
	r := routerOf("GET /{bucket}", "GET /{bucket}/{key+}", "GET /{bucket}?acl", "GET /{bucket}?list-type=2",
		"GET /a/{x+}/end", "GET /a/fixed/end", "GET /(a+)+/{x}")
	tests := []struct {
		path, query, op string
		labels          map[string]string
	}{
		{"/b", "", "GET /{bucket}", map[string]string{"bucket": "b"}},
		{"/b", "acl", "GET /{bucket}?acl", map[string]string{"bucket": "b"}},
		{"/b", "x=1&acl=", "GET /{bucket}?acl", map[string]string{"bucket": "b"}},
		{"/b", "list-type=2", "GET /{bucket}?list-type=2", map[string]string{"bucket": "b"}},
		{"/b", "list-type=3", "GET /{bucket}", map[string]string{"bucket": "b"}},
		{"/b/k/e%2Fy", "", "GET /{bucket}/{key+}", map[string]string{"bucket": "b", "key": "k/e/y"}},
		{"/a/1/2/end", "", "GET /{bucket}/{key+}", map[string]string{"bucket": "a", "key": "1/2/end"}},
		{"/a/fixed/end", "", "GET /a/fixed/end", nil},
		{"/(a+)+/v", "", "GET /(a+)+/{x}", map[string]string{"x": "v"}},
		{"/%28a%2B%29%2B/v", "", "GET /(a+)+/{x}", map[string]string{"x": "v"}},
	}
	for _, tt := range tests {
		op, labels, ok := r.Match("GET", tt.path, tt.query)
		if !ok || op.Name != tt.op || !maps.Equal(mapOf(labels), tt.labels) {
			t.Errorf("%s?%s: %v %v %v, want %s %v", tt.path, tt.query, op, labels, ok, tt.op, tt.labels)
		}
	}
	r = routerOf("GET /a/{x+}/end")
	if _, labels, ok := r.Match("GET", "/a/1/2/end", ""); !ok || labels.Get("x") != "1/2" {
		t.Errorf("greedy label before the end: %v %v", labels, ok)
	}
}

// Property: the label that a client percent-encodes is the label that arrives,
// whatever is in it.
func TestRouterRoundTrip(t *testing.T) {
	r := NewRouter(loadModel(t, "bedrock-runtime"))
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringN(1, 40, -1).Draw(t, "id")
		op, labels, ok := r.Match("POST", "/model/"+url.PathEscape(id)+"/converse", "")
		if !ok || op.Name != "Converse" || labels.Get("modelId") != id {
			t.Fatalf("%q arrives as %v (%v)", id, labels, ok)
		}
	})
}

func FuzzRouter(f *testing.F) {
	for _, s := range []string{"/model/x/converse", "/model/" + systemARN + "/invoke", "/inference-profiles/%zz", "/", "", "/guardrail/arn:/arn:/version/arn:/apply", "//%2F/"} {
		f.Add(s, "a&b=1")
	}
	control, runtime := NewRouter(loadModel(f, "bedrock")), NewRouter(loadModel(f, "bedrock-runtime"))
	f.Fuzz(func(t *testing.T, path, query string) {
		for _, r := range []*Router{control, runtime} {
			for _, method := range []string{"GET", "POST"} {
				op, labels, ok := r.Match(method, path, query)
				if !ok {
					continue
				}
				if op.Method != method {
					t.Fatalf("%s %q matched %s %s", method, path, op.Method, op.URI)
				}
				checkRoundTrip(t, r, op, labels)
			}
		}
	})
}

// checkRoundTrip encodes the labels into their template and matches again.
func checkRoundTrip(t *testing.T, r *Router, op *Operation, labels Labels) {
	uri := op.URI
	for name, value := range mapOf(labels) {
		if value == "" {
			t.Fatalf("%s: label %s is empty", op.Name, name)
		}
		uri = strings.Replace(uri, "{"+name+"}", strings.ReplaceAll(url.PathEscape(value), "{", "%7B"), 1)
	}
	again, same, ok := r.Match(op.Method, uri, "")
	if !ok || again.Method != op.Method || again == op && !maps.Equal(mapOf(labels), mapOf(same)) {
		t.Fatalf("%s with %q is %s: matched %v with %q", op.Name, labels, uri, again, same)
	}
}

func BenchmarkRouterConverse(b *testing.B) {
	r := NewRouter(loadModel(b, "bedrock-runtime"))
	path := "/model/" + encodedARN + "/converse"
	b.ReportAllocs()
	for b.Loop() {
		r.Match("POST", path, "")
	}
}

func BenchmarkRouterMiss(b *testing.B) {
	r := NewRouter(loadModel(b, "bedrock"))
	b.ReportAllocs()
	for b.Loop() {
		r.Match("GET", "/automated-reasoning-policies/arn:a/arn:b/arn:c/arn:d/arn:e/arn:f/arn:g/arn:h", "")
	}
}

// mapOf is nil for no labels at all.
func mapOf(l Labels) map[string]string {
	if l == nil {
		return nil
	}
	m := map[string]string{}
	for _, label := range l {
		m[label.Name] = label.Value
	}
	return m
}
