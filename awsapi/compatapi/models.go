package compatapi

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"outcrop"
	"outcrop/awsapi"
)

// A Model is what may stand as "model" in a request.
type Model struct {
	ID       string // model id, system-defined profile's id, or application profile's ARN
	Name     string
	Provider string
	Created  time.Time
	Profile  bool
}

// splitList reads a header that may hold several values.
func splitList(values []string) []string {
	var all []string
	for _, v := range values {
		for _, one := range strings.Split(v, ",") {
			if one = strings.TrimSpace(one); one != "" {
				all = append(all, one)
			}
		}
	}
	return all
}

// models are what the caller may see of models and profiles: either may be
// refused to him.
func (a *API) models(r *awsapi.Request) ([]Model, error) {
	models, profiles := a.allow(r, "bedrock:ListFoundationModels"), a.allow(r, "bedrock:ListInferenceProfiles")
	if models != nil && profiles != nil {
		return nil, models
	}
	all, err := a.Models(r.Context(), r.Caller)
	return slices.DeleteFunc(all, func(m Model) bool {
		return m.Profile && profiles != nil || !m.Profile && models != nil
	}), err
}

func (a *API) model(r *awsapi.Request) (Model, error) {
	all, err := a.models(r)
	if err != nil {
		return Model{}, err
	}
	i := slices.IndexFunc(all, func(m Model) bool { return m.ID == r.Labels.Get("model") })
	if i < 0 {
		return Model{}, outcrop.Errorf(outcrop.NotFound, "The model %q does not exist or you do not have access to it.", r.Labels.Get("model"))
	}
	return all[i], nil
}

func openAIModel(m Model) map[string]any {
	return map[string]any{"id": m.ID, "object": "model", "created": m.Created.Unix(), "owned_by": m.Provider, "name": m.Name}
}

func (a *API) listModels(w http.ResponseWriter, r *awsapi.Request) error {
	all, err := a.models(r)
	if err != nil {
		return err
	}
	list := make([]any, len(all))
	for i, m := range all {
		list[i] = openAIModel(m)
	}
	return marshalJSON(w, r, map[string]any{"object": "list", "data": list})
}

func (a *API) getModel(w http.ResponseWriter, r *awsapi.Request) error {
	m, err := a.model(r)
	if err != nil {
		return err
	}
	return marshalJSON(w, r, openAIModel(m))
}

func anthropicModel(m Model) map[string]any {
	return map[string]any{"id": m.ID, "type": "model", "display_name": m.Name, "created_at": m.Created.UTC().Format(time.RFC3339)}
}

// Limits of a page of Anthropic's list.
const (
	usualModels = 20
	mostModels  = 1000
)

func (a *API) listAnthropicModels(w http.ResponseWriter, r *awsapi.Request) error {
	all, err := a.models(r)
	if err != nil {
		return err
	}
	q := r.HTTP.URL.Query()
	limit := usualModels
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > mostModels {
			return outcrop.Errorf(outcrop.Invalid, "limit must be between 1 and %d.", mostModels)
		}
	}
	if after := q.Get("after_id"); after != "" {
		all = all[slices.IndexFunc(all, func(m Model) bool { return m.ID == after })+1:]
	}
	if before := q.Get("before_id"); before != "" {
		if i := slices.IndexFunc(all, func(m Model) bool { return m.ID == before }); i >= 0 {
			all = all[max(0, i-limit):i]
		}
	}
	more := len(all) > limit
	all = all[:min(limit, len(all))]
	page := map[string]any{"data": []any{}, "has_more": more, "first_id": nil, "last_id": nil}
	list := make([]any, len(all))
	for i, m := range all {
		list[i] = anthropicModel(m)
	}
	page["data"] = list
	if len(all) > 0 {
		page["first_id"], page["last_id"] = all[0].ID, all[len(all)-1].ID
	}
	return marshalJSON(w, r, page)
}

func (a *API) getAnthropicModel(w http.ResponseWriter, r *awsapi.Request) error {
	m, err := a.model(r)
	if err != nil {
		return err
	}
	return marshalJSON(w, r, anthropicModel(m))
}
