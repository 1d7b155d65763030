package librechat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// checkRestarted compares the files with what the running LibreChat read.
func checkRestarted(_ context.Context, p *patient) {
	if loaded, ok := loadedConfig(p.Log); ok {
		p.compareLoaded(loaded)
		return
	}
	if p.Started.IsZero() {
		p.undecided("when LibreChat was started is not known: give --process PID, or --log FILE with what it wrote at its start.")
		return
	}
	for _, name := range []string{p.ConfigName, p.EnvName} {
		if at := p.Modified[name]; at.After(p.Started) {
			p.say(place{name, 0}, "Restart LibreChat.", "%s changed at %s, and LibreChat was started at %s.", name, at.Format(time.TimeOnly), p.Started.Format(time.TimeOnly))
		}
	}
}

// loadedConfig finds the configuration that LibreChat writes to its log when
// it starts.
func loadedConfig(log []byte) (loaded map[string]any, ok bool) {
	_, after, found := strings.Cut(string(log), "Custom config file loaded:")
	at := strings.IndexByte(after, '{')
	if !found || at < 0 {
		return nil, false
	}
	err := json.NewDecoder(strings.NewReader(after[at:])).Decode(&loaded)
	return loaded, err == nil
}

func (p *patient) compareLoaded(loaded map[string]any) {
	endpoints, _ := loaded["endpoints"].(map[string]any)
	bedrock, _ := endpoints["bedrock"].(map[string]any)
	profiles, _ := bedrock["inferenceProfiles"].(map[string]any)
	for _, m := range p.mapped {
		if have, _ := profiles[m.model].(string); have != m.value.value() && have != m.resolved {
			p.say(p.yamlAt(m.line), "Restart LibreChat.", "LibreChat runs with '%s' mapped to %q, and the file says %q.", m.model, have, m.value.value())
			return
		}
	}
	if len(profiles) > len(p.mapped) {
		p.say(p.yamlAt(p.bedrock.get("inferenceProfiles").at()), "Restart LibreChat.", "LibreChat runs with %d mappings, and the file has %d.", len(profiles), len(p.mapped))
	}
}

// checkOffer asks the running LibreChat which models it offers.
func checkOffer(ctx context.Context, p *patient) {
	if p.AppURL == "" || p.AppToken == "" {
		p.undecided("what LibreChat offers can be asked with --librechat-url and --librechat-token only.")
		return
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(p.AppURL, "/")+"/api/models", nil)
	if err != nil {
		p.undecided("%v.", err)
		return
	}
	r.Header.Set("Authorization", "Bearer "+p.AppToken)
	answer, err := p.client().Do(r)
	if err != nil {
		p.undecided("LibreChat does not answer: %v.", plain(err))
		return
	}
	defer answer.Body.Close()
	var models map[string][]string
	if answer.StatusCode != http.StatusOK || json.NewDecoder(http.MaxBytesReader(nil, answer.Body, 1<<20)).Decode(&models) != nil {
		p.undecided("LibreChat answers %s to /api/models: the token may have expired.", answer.Status)
		return
	}
	want, have := p.names(), models["bedrock"]
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		p.say(p.yamlAt(p.bedrock.get("models").at()), "Restart LibreChat; look for ENDPOINTS and for the file it reads (CONFIG_PATH).", "LibreChat offers %d models of Bedrock, and the file has %d: %s.", len(have), len(want), difference(have, want))
	}
}

func difference(have, want []string) string {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return "'" + w + "' is missing"
		}
	}
	for _, h := range have {
		if !slices.Contains(want, h) {
			return "'" + h + "' is there and not in the file"
		}
	}
	return "in another order"
}

// A SeenMistake is a client's mistake that the running Outcrop counted.
type SeenMistake struct {
	Kind, Principal, Cure string
	ModelID               string `json:"ModelId"`
	Count                 int64
	First, Last           float64 // seconds since 1970
}

// checkSeen asks the running Outcrop what it has seen clients do.
func checkSeen(ctx context.Context, p *patient) {
	if p.Admin == nil {
		p.undecided("what the gateway has seen is told to its administrator only: give --data of the running Outcrop.")
		return
	}
	var out struct{ Mistakes []SeenMistake }
	if err := p.Admin.Admin(ctx, "ListClientMistakes", map[string]any{}, &out); err != nil {
		if !p.unable(err, "clients' mistakes") {
			p.undecided("clients' mistakes: %v.", err)
		}
		return
	}
	for _, m := range out.Mistakes {
		p.say(place{}, m.Cure, "the gateway has seen %s %s as a model id, from %s: %s.", m.ModelID, times(m.Count), m.Principal, seenWords[m.Kind])
	}
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

var seenWords = map[string]string{
	"UnresolvedVariable": "a variable that nobody replaced",
	"UnmappedModel":      "a model by its own id, from a credential that otherwise calls application profiles",
	"OtherRegion":        "an ARN of another Region than the call was for",
	"StaleBinding":       "a model id bound to a profile that is gone",
}
