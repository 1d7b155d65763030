package metricsapi

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"outcrop/awsapi"

	"github.com/fxamacker/cbor/v2"
)

// A target is one query of a panel of the shipped dashboard.
type target struct {
	ID, Namespace, MetricName, Statistic, Expression, Label string
	Dimensions                                              map[string]string
	MatchExact                                              bool
	Hide                                                    bool
}

type dashboard struct {
	Panels []struct {
		Title   string
		Targets []target
	}
}

// query is what Grafana's data source makes of a target once its variables are
// filled in: a metric where each dimension has one value, else a search.
func (q *target) query(models []string) map[string]any {
	out := map[string]any{"Id": q.ID, "ReturnData": !q.Hide, "Label": q.Label}
	switch {
	case q.Expression != "":
		out["Expression"], out["Period"] = q.Expression, 60
	case len(q.Dimensions) > 0 && (len(models) != 1 || models[0] == "*"):
		out["Expression"] = fmt.Sprintf(`REMOVE_EMPTY(SEARCH('{"%s","ModelId"} MetricName="%s"%s', '%s', 60))`, q.Namespace, q.MetricName, among(models), q.Statistic)
	default:
		dims := []any{}
		for name := range q.Dimensions {
			dims = append(dims, map[string]string{"Name": name, "Value": models[0]})
		}
		out["MetricStat"] = map[string]any{"Metric": map[string]any{"Namespace": q.Namespace, "MetricName": q.MetricName, "Dimensions": dims}, "Period": 60, "Stat": q.Statistic}
	}
	return out
}

// among narrows a search; a star does not.
func among(models []string) string {
	if slices.Contains(models, "*") {
		return ""
	}
	return ` "ModelId"=("` + strings.Join(models, `" OR "`) + `")`
}

// dimensionValues asks what fills the dashboard's variable.
func dimensionValues(t *testing.T, m *awsapi.Mux) (models []string) {
	status, _, answer := postCBOR(t, m, "ListMetrics", mustCBOR(t, map[string]any{"Namespace": "AWS/Bedrock", "MetricName": "Invocations",
		"Dimensions": []any{map[string]string{"Name": "ModelId"}}, "IncludeLinkedAccounts": false}))
	if status != 200 {
		t.Fatal(status, answer)
	}
	for _, x := range answer["Metrics"].([]any) {
		for _, d := range x.(map[string]any)["Dimensions"].([]any) {
			if d := d.(map[string]any); d["Name"] == "ModelId" && !slices.Contains(models, d["Value"].(string)) {
				models = append(models, d["Value"].(string))
			}
		}
	}
	return models
}

// Promise: every panel of the shipped Grafana dashboard is answered, for one
// model, for some, and for all.
func TestGrafanasDashboardIsAnswered(t *testing.T) {
	text, err := os.ReadFile("../../docs/grafana/profiles.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil || len(d.Panels) == 0 {
		t.Fatal(err)
	}
	l := calls("amazon.nova-lite-v1:0", "bmcqrhwso453")
	for i := range l { // something of everything
		switch i % 5 {
		case 1:
			l[i].Outcome.Status = 429
		case 2:
			l[i].Outcome.Status = 400
		case 3:
			l[i].Outcome.Status = 503
		}
	}
	m := serve(l)
	models := dimensionValues(t, m)
	if !slices.Equal(models, []string{"amazon.nova-lite-v1:0", "bmcqrhwso453"}) {
		t.Fatalf("dimension values %v", models)
	}
	for _, chosen := range [][]string{{"*"}, models, {"bmcqrhwso453"}} {
		for _, p := range d.Panels {
			var queries []any
			shown := 0
			for i := range p.Targets {
				queries = append(queries, p.Targets[i].query(chosen))
				if !p.Targets[i].Hide {
					shown++
				}
			}
			status, _, answer := postCBOR(t, m, "GetMetricData", mustCBOR(t, map[string]any{"MetricDataQueries": queries, "ScanBy": "TimestampAscending",
				"StartTime": cbor.Tag{Number: 1, Content: float64(began.Unix())}, "EndTime": cbor.Tag{Number: 1, Content: float64(began.Unix() + 3600)},
				"LabelOptions": map[string]string{"Timezone": "+0000"}}))
			if status != 200 {
				t.Errorf("%s: %d %v", p.Title, status, answer)
				continue
			}
			ids := map[any]bool{}
			for _, r := range answer["MetricDataResults"].([]any) {
				r := r.(map[string]any)
				label, _ := r["Label"].(string)
				if len(r["Values"].([]any)) == 0 || r["StatusCode"] != "Complete" || label == "" || strings.Contains(label, "${") {
					t.Errorf("%s for %v: %v", p.Title, chosen, r)
				}
				ids[r["Id"]] = true
			}
			if len(ids) != shown {
				t.Errorf("%s for %v: %d of %d queries answered", p.Title, chosen, len(ids), shown)
			}
		}
	}
}

// Its health check asks about a namespace that is not there.
func TestGrafanasHealthCheck(t *testing.T) {
	m := serve(nil)
	status, _, answer := postCBOR(t, m, "ListMetrics", mustCBOR(t, map[string]any{"Namespace": "AWS/Billing", "MetricName": "EstimatedCharges"}))
	if status != 200 || len(answer["Metrics"].([]any)) != 0 {
		t.Errorf("%d %v, want an empty list", status, answer)
	}
}
