package runtimeapi

import (
	"net/http"

	"outcrop/awsapi"
	"outcrop/gateway"
)

// forwardedHeaders are what InvokeModel knows of a request beside its body.
var forwardedHeaders = []string{
	"Content-Type", "Accept", "X-Amzn-Bedrock-Accept", "X-Amzn-Bedrock-Trace", "X-Amzn-Bedrock-Guardrailidentifier", "X-Amzn-Bedrock-Guardrailversion",
	"X-Amzn-Bedrock-Performanceconfig-Latency", "X-Amzn-Bedrock-Service-Tier", "X-Amzn-Bedrock-Request-Metadata",
}

// forwarded picks out what goes along with a body that is forwarded.
func forwarded(h http.Header) map[string]string {
	var out map[string]string
	for _, name := range forwardedHeaders {
		if values := h[name]; len(values) > 0 {
			if out == nil {
				out = make(map[string]string, len(forwardedHeaders))
			}
			out[name] = values[0]
		}
	}
	return out
}

// writeForwarded writes an answer as it came, and lets go of its memory.
func writeForwarded(w http.ResponseWriter, a *gateway.Answer) {
	h, f := w.Header(), a.Forwarded
	h["Content-Type"] = jsonType
	writeHeaders(h, f.Header)
	writeBody(w, f.Body)
	if f.Lent != nil && !a.Kept {
		f.Lent.Return()
	}
}

func writeHeaders(h http.Header, from map[string]string) {
	for name, value := range from {
		h[name] = []string{value}
	}
}

// pass writes a piece of a forwarded stream.
func (f *frames) pass(p *gateway.Piece) error {
	if p.Header != nil && !f.begun {
		writeHeaders(f.w.Header(), p.Header)
	}
	f.passed = true
	switch {
	case p.Frame != nil && p.Later:
		return f.put(p.Frame)
	case p.Frame != nil:
		return f.send(p.Frame)
	}
	return f.chunk(p.Chunk)
}

// free lets go of the request after a stream that was forwarded, and says
// whether it was.
func (f *frames) free(r *awsapi.Request) bool {
	if f.passed {
		r.Free()
	}
	return f.passed
}
