package server

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/awsapi"
	"outcrop/awsapi/model"
	"outcrop/iam"
	"outcrop/sigv4"
)

// decideThemselves are the operations that the door does not ask for, each
// with the reason and with who asks instead.
var decideThemselves = map[string]string{
	"bedrock-runtime.StartAsyncInvoke":                   "asks about the profile and the model in every destination, as InvokeModel does",
	"bedrock-runtime.Converse":                           "the gateway asks once the model is resolved: for the profile and the model in every destination",
	"bedrock-runtime.ConverseStream":                     "as Converse",
	"bedrock-runtime.InvokeModel":                        "as Converse",
	"bedrock-runtime.InvokeModelWithResponseStream":      "as Converse",
	"bedrock-runtime.InvokeModelWithBidirectionalStream": "as Converse",
	"bedrock-runtime.CountTokens":                        "as Converse, for the model alone",
	"openai.CreateChatCompletion":                        "as InvokeModel",
	"openai.CreateEmbedding":                             "as InvokeModel",
	"openai.CreateResponse":                              "as InvokeModel",
	"openai.GetResponse":                                 "it writes OpenAI's wire, and asks first",
	"openai.DeleteResponse":                              "as GetResponse",
	"openai.CancelResponse":                              "as GetResponse",
	"openai.ListResponseInputItems":                      "as GetResponse",
	"openai.ListModels":                                  "who may see models, or profiles, or neither, sees as much",
	"openai.GetModel":                                    "as ListModels",
	"anthropic.CreateMessage":                            "as InvokeModel",
	"anthropic.CountMessageTokens":                       "as CountTokens",
	"anthropic.ListAnthropicModels":                      "as ListModels",
	"anthropic.GetAnthropicModel":                        "as ListModels",
	"logs.StartLiveTail":                                 "it answers in a stream of its own, and asks for each group first",
	"sts.AssumeRole":                                     "the role's trust policy has a say, not the caller's policies alone",
}

// unsigned are the operations that are answered without credentials, each with
// what proves who asks.
var unsigned = map[string]string{
	"sts.AssumeRoleWithWebIdentity": "the identity provider's token, and the role's trust policy",
}

// askedForAll are the operations whose action has resources in AWS and which
// are nevertheless asked about "*", each with the reason.
var askedForAll = map[string]string{}

// The routing table is walked: whatever is served is refused to somebody whom
// no policy allows anything, in words that name the operation's own action.
func TestNoOperationIsReachedWithoutADecision(t *testing.T) {
	s := start(t, Config{})
	nobody := s.user(t, "nobody", "")
	served := 0
	for service, h := range s.engines.aws(&s.config, slog.New(slog.DiscardHandler)).Served() {
		served++
		t.Run(service+"."+h.Name(), func(t *testing.T) {
			op := model.Load(service).Operation(h.Name())
			rule, known := iam.OperationOf(service, h.Name())
			if op == nil || !known {
				t.Fatalf("modelled: %v, its permission described in iam/operations.txt: %v", op != nil, known)
			}
			checkAsking(t, service+"."+h.Name(), h.Asks(), rule)
			in := inventor{t}.structure(op.Input)
			p := encode(t, op, in)
			if body, ok := compatible[h.Name()]; ok && service != "bedrock-runtime" {
				p.body = body
			}
			if _, ok := bodies[h.Name()]; ok && service == "bedrock-runtime" {
				p.path, p.body = strings.Replace(op.URI, "{modelId}", callable[h.Name()], 1), bodies[h.Name()]
			}
			if h.Asks() == awsapi.AsksNobody {
				status, answer := send(t, s.request(t, p.method, p.path, p.header, p.body))
				if status < 400 || status >= 500 {
					t.Errorf("without a valid proof: %d %s", status, answer)
				}
				return
			}
			r := s.signed(t, nobody, op.Service.SigningName, p.method, p.path, p.header.Clone(), p.body)
			if h.Name() == string(outcrop.OpInvokeModelBidirectional) { // its signature is of the head alone
				r.Header.Set("X-Amz-Content-Sha256", sigv4.StreamingEvents)
				if err := sigv4.Sign(r, sigv4.StreamingEvents, nobody, sigv4.Scope{Region: testRegion, Service: "bedrock"}, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			status, answer := send(t, r)
			if rule.Free {
				if strings.Contains(answer, "is not authorized") || status >= 500 {
					t.Errorf("free for everybody, and refused: %s", answer)
				}
				return
			}
			if want := "is not authorized to perform: " + rule.Action; !refusedWith(status, answer, want) {
				t.Errorf("sent %s %s %s\nanswered %d %s\nwant %q", p.method, p.path, p.body, status, answer, want)
			}
			if status, answer := send(t, s.request(t, p.method, p.path, p.header, p.body)); !refusedWith(status, answer, missingToken) {
				t.Errorf("unsigned: %d %s", status, answer)
			}
		})
	}
	if served < 100 {
		t.Errorf("walked %d operations: the table cannot be all there is", served)
	}
}

const missingToken = "Missing Authentication Token"

// refusedWith says whether an answer is a refusal in these words. The JSON
// protocols answer 400 where the others answer 403, and other providers' forms
// 401 to who shows nothing.
func refusedWith(status int, answer, words string) bool {
	known := status == http.StatusForbidden || status == http.StatusBadRequest || status == http.StatusUnauthorized
	return known && strings.Contains(answer, words)
}

// checkAsking holds the way an operation is decided against AWS's rules and
// the exceptions above.
func checkAsking(t *testing.T, name string, asks awsapi.Asking, rule iam.Operation) {
	t.Helper()
	needsReason := func(table map[string]string, what string) {
		if table[name] == "" {
			t.Errorf("%s %s, and no reason is given for it", name, what)
		}
	}
	switch {
	case asks == awsapi.AsksItself:
		needsReason(decideThemselves, "decides by itself")
	case asks == awsapi.AsksNobody:
		needsReason(unsigned, "is answered without credentials")
	case asks == awsapi.AsksForAll && !rule.Free && len(rule.Resources) > 0:
		needsReason(askedForAll, "has resources in AWS and is asked about *")
	}
}

// The tables of exceptions name nothing that is not served, so that they
// cannot outlive their reasons.
func TestExceptionsFromTheRuleAreStillThere(t *testing.T) {
	s := start(t, Config{})
	asks := map[string]awsapi.Asking{}
	for service, h := range s.engines.aws(&s.config, slog.New(slog.DiscardHandler)).Served() {
		asks[service+"."+h.Name()] = h.Asks()
	}
	for _, table := range []struct {
		names map[string]string
		as    awsapi.Asking
	}{{decideThemselves, awsapi.AsksItself}, {unsigned, awsapi.AsksNobody}, {askedForAll, awsapi.AsksForAll}} {
		for name := range table.names {
			if how, ok := asks[name]; !ok || how != table.as {
				t.Errorf("%s is listed as an exception and is none", name)
			}
		}
	}
}

// A service that is known and not served says so to those who may ask, and
// lets nobody in either.
func TestServicesWithoutOperationsAuthenticateToo(t *testing.T) {
	s := start(t, Config{})
	for _, name := range model.Names() {
		svc := model.Load(name)
		p := encode(t, svc.Operations[0], inventor{t}.structure(svc.Operations[0].Input))
		if status, answer := send(t, s.request(t, p.method, p.path, p.header, p.body)); !refusedWith(status, answer, missingToken) {
			t.Errorf("%s.%s unsigned: %d %s", name, svc.Operations[0].Name, status, answer)
		}
	}
}

// callable is a modelId that each operation of the data plane can resolve.
var callable = map[string]string{
	"Converse": geoProfile, "ConverseStream": geoProfile, "InvokeModel": geoProfile, "InvokeModelWithResponseStream": geoProfile,
	"CountTokens": "amazon.nova-lite-v1:0", "InvokeModelWithBidirectionalStream": sonic,
}

const geoProfile = "us.amazon.nova-lite-v1:0"

// compatible are bodies of other providers' forms.
var compatible = map[string]string{
	"CreateChatCompletion": `{"model":"` + geoProfile + `","messages":[{"role":"user","content":"hi"}]}`,
	"CreateEmbedding":      `{"model":"amazon.titan-embed-text-v2:0","input":"hi"}`,
	"CreateResponse":       `{"model":"` + geoProfile + `","input":"hi"}`,
	"CreateMessage":        `{"model":"` + geoProfile + `","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}`,
	"CountMessageTokens":   `{"model":"anthropic.claude-3-haiku-20240307-v1:0","messages":[{"role":"user","content":"hi"}]}`,
}

// bodies of the data plane, whose operations read the wire themselves.
var bodies = func() map[string]string {
	const converse = `{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`
	const native = `{"messages":[{"role":"user","content":[{"text":"hi"}]}],"inferenceConfig":{"maxTokens":10}}`
	return map[string]string{
		"Converse": converse, "ConverseStream": converse, "InvokeModel": native, "InvokeModelWithResponseStream": native,
		"InvokeModelWithBidirectionalStream": "", // its frames would follow
		"CountTokens":                        `{"input":{"converse":` + converse + `}}`,
		"StartAsyncInvoke":                   `{"modelId":"` + geoProfile + `","modelInput":` + native + `,"outputDataConfig":{"s3OutputDataConfig":{"s3Uri":"s3://bucket/prefix"}}}`,
	}
}()
