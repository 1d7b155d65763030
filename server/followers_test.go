package server

import (
	"net/http"

	"outcrop"
	"outcrop/internal/plainhttp"
	"outcrop/ledger"
)

// Costs, metrics and budgets read records in memory that is used again. In all
// tests here what they may not look at any more is spoiled: a sum of it would
// be wrong, a line of it would be nobody's.
func init() {
	ledger.Spoil = func(list []outcrop.UsageRecord) {
		for i := range list {
			list[i] = outcrop.UsageRecord{Account: "spoiled", Model: "spoiled", Region: "spoiled", Seq: 1 << 62}
			list[i].Usage.Set(outcrop.InputTokens, 1<<39)
		}
	}
}

// The door lets go of requests, and of the headers of their answers. In all
// tests here whoever still looks at one sees what nobody sent, and the race
// detector sees him.
func init() {
	plainhttp.Spoil = func(r *http.Request, answered http.Header) {
		for name, values := range r.Header {
			for i := range values {
				values[i] = "spoiled"
			}
			delete(r.Header, name)
		}
		clear(answered) // its values are often everybody's
		r.Header["Spoiled"], answered["Spoiled"] = []string{"spoiled"}, []string{"spoiled"}
		r.Method, r.Host, r.RequestURI, r.RemoteAddr = "SPOILED", "spoiled", "/spoiled", "spoiled"
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "/spoiled", "", "spoiled"
		r.Body, r.ContentLength = nil, -1
	}
}
