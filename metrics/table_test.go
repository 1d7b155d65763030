package metrics_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/metrics"
)

// laneOf writes a metric and its dimensions: "Invocations{ModelId=m}".
func laneOf(m metrics.Metric) string {
	var dims []string
	for _, d := range m.Dimensions.List() {
		dims = append(dims, d.Name+"="+d.Value)
	}
	return m.Name + "{" + strings.Join(dims, ",") + "}"
}

// everyMetric is the table of reference/runtime-metering-billing.md §5.1 and
// §5.2: each metric, its unit on the wire, and the sets of dimensions it has.
var everyMetric = []struct {
	name, unit string
	of         string // a call (by model, tiers and window), pictures (also by their size), or deliveries (no dimensions)
	want       float64
}{
	{"Invocations", "Count", "call", 1},
	{"InvocationLatency", "Milliseconds", "call", 2000},
	{"InvocationClientErrors", "Count", "call", 1},
	{"InvocationServerErrors", "Count", "call", 1},
	{"InvocationThrottles", "Count", "call", 1},
	{"InputTokenCount", "Count", "call", 10},
	{"OutputTokenCount", "Count", "call", 20},
	{"CacheReadInputTokenCount", "Count", "call", 3},
	{"CacheWriteInputTokenCount", "Count", "call", 9},
	{"OutputImageCount", "Count", "pictures", 2},
	{"LegacyModelInvocations", "Count", "call", 1},
	{"TimeToFirstToken", "Milliseconds", "call", 300},
	{"EstimatedTPMQuotaUsage", "Count", "call", 77},
	{"ModelInvocationLogsCloudWatchDeliverySuccess", "Count", "deliveries", 1},
	{"ModelInvocationLogsCloudWatchDeliveryFailure", "Count", "deliveries", 1},
	{"ModelInvocationLogsS3DeliverySuccess", "Count", "deliveries", 1},
	{"ModelInvocationLogsS3DeliveryFailure", "Count", "deliveries", 1},
	{"ModelInvocationLargeDataS3DeliverySuccess", "Count", "deliveries", 1},
	{"ModelInvocationLargeDataS3DeliveryFailure", "Count", "deliveries", 1},
}

// dimensionSets of the reference, for a call of profile bmcqrhwso453.
var dimensionSets = map[string][]string{
	"deliveries": {""},
	"call": {"", "ModelId=bmcqrhwso453", "ModelId=bmcqrhwso453,ResolvedServiceTier=default,ServiceTier=flex",
		"ContextWindow=200K,ModelId=bmcqrhwso453"},
	"pictures": {"", "ModelId=bmcqrhwso453", "ModelId=bmcqrhwso453,ResolvedServiceTier=default,ServiceTier=flex",
		"ContextWindow=200K,ModelId=bmcqrhwso453", "BucketedStepSize=50,ImageSize=1024x1024,ModelId=bmcqrhwso453"},
}

// everything makes each metric of the table occur exactly once.
func everything() *world {
	w := newWorld()
	rules := metrics.Rules{
		Legacy: func(_ outcrop.Region, m outcrop.ModelID) bool { return m == "old" },
		Window: func(*outcrop.UsageRecord) string { return "200K" },
	}
	w.Metrics = metrics.New(&w.ledger, w.store, rules, func() time.Time { return w.now }, discard)
	whole := record("bmcqrhwso453", noon)
	whole.Model, whole.TierAsked, whole.QuotaTokens, whole.ImageSize, whole.ImageSteps = "old", "flex", 77, "1024x1024", 50
	for kind, n := range map[outcrop.TokenKind]outcrop.Tokens{outcrop.CacheReadTokens: 3, outcrop.CacheWrite5mTokens: 4, outcrop.CacheWrite1hTokens: 5, outcrop.OutputImages: 2} {
		whole.Usage.Set(kind, n)
	}
	w.ledger.settle(whole)
	for _, status := range []int{400, 429} {
		failed := whole
		failed.Usage, failed.Outcome.Status = outcrop.Usage{}, status
		w.ledger.settle(failed)
	}
	broken := whole
	broken.Usage, broken.Outcome.Status, broken.Model = outcrop.Usage{}, 503, "new"
	w.ledger.settle(broken)
	for _, m := range everyMetric {
		if m.of == "deliveries" {
			w.Count(metrics.Lane{Account: viewer.Account, Region: viewer.Region, Namespace: metrics.Namespace}, m.name, 1)
		}
	}
	return w
}

// Promise: each metric of AWS/Bedrock is there with the unit and with each set
// of dimensions that AWS has for it, and with no other.
func TestEveryMetricOfTheReferenceHasItsDimensions(t *testing.T) {
	w := everything()
	var want []string
	for _, m := range everyMetric {
		for _, dims := range dimensionSets[m.of] {
			want = append(want, m.name+"{"+dims+"}")
		}
		if unit := metrics.UnitOf(m.name); unit != m.unit {
			t.Errorf("the unit of %s is %s, want %s", m.name, unit, m.unit)
		}
	}
	listed, err := w.List(t.Context(), viewer, metrics.ListQuery{Namespace: metrics.Namespace})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range listed {
		got = append(got, laneOf(m))
	}
	slices.Sort(got)
	slices.Sort(want)
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("%s is none of AWS's", name)
		}
	}
	w.checkValues(t, listed)
}

// checkValues asks each listed metric for what the records say.
func (w *world) checkValues(t *testing.T, listed []metrics.Metric) {
	t.Helper()
	wants := map[string]float64{}
	for _, m := range everyMetric {
		wants[m.name] = m.want
	}
	wants["Invocations"] = 2 // the server's failure was accepted as well
	for _, m := range listed {
		data, err := w.Data(t.Context(), viewer, []metrics.DataQuery{{ID: "m", Return: true, Ask: &metrics.Ask{Metric: m, Stat: stat(t, "Sum"), Period: 3600, Unit: metrics.UnitOf(m.Name)}}},
			noon.Add(-time.Hour), noon.Add(2*time.Hour))
		if err != nil || len(data[0].Values) != 1 || data[0].Values[0] != wants[m.Name] {
			t.Errorf("%s = %s (%v), want %v", laneOf(m), fmt.Sprint(data[0].Values), err, wants[m.Name])
		}
	}
}

// Promise: pictures of different sizes and steps are counted apart, and add up
// to their model's.
func TestPicturesAreCountedBySize(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		size  string
		steps int
		n     outcrop.Tokens
	}{{"512x512", 50, 1}, {"1024x1024", 50, 2}, {"1024x1024", 150, 4}, {"1024x1024", 50, 8}} {
		r := record("m", noon)
		r.ImageSize, r.ImageSteps = c.size, c.steps
		r.Usage.Set(outcrop.OutputImages, c.n)
		w.ledger.settle(r)
	}
	for dims, want := range map[string]float64{"512x512 50": 1, "1024x1024 50": 10, "1024x1024 150": 4} {
		size, steps, _ := strings.Cut(dims, " ")
		m := metrics.Metric{Namespace: metrics.Namespace, Name: metrics.OutputImageCount, Dimensions: metrics.NewDimensions(
			metrics.Dimension{Name: metrics.DimModelID, Value: "m"}, metrics.Dimension{Name: metrics.DimImageSize, Value: size}, metrics.Dimension{Name: metrics.DimImageSteps, Value: steps})}
		data, err := w.Data(t.Context(), viewer, []metrics.DataQuery{{ID: "m", Return: true, Ask: &metrics.Ask{Metric: m, Stat: stat(t, "Sum"), Period: 3600}}}, noon, noon.Add(time.Hour))
		if err != nil || len(data[0].Values) != 1 || data[0].Values[0] != want {
			t.Errorf("%s: %v (%v), want %v", dims, data[0].Values, err, want)
		}
	}
	if got := w.total(t, metrics.OutputImageCount, "m"); got != 15 {
		t.Errorf("of the model: %v, want 15", got)
	}
}
