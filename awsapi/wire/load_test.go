package wire

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func readModel(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "model", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func loadModel(t testing.TB, name string) *Service {
	t.Helper()
	svc, err := Load(readModel(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func modelNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "model", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no models: %v", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(filepath.Base(f), ".json")
	}
	return files
}

func TestLoadBedrock(t *testing.T) {
	svc := loadModel(t, "bedrock")
	if svc.Name != "bedrock" || svc.SigningName != "bedrock" || !slices.Equal(svc.Protocols, []string{"rest-json"}) {
		t.Errorf("service = %s, signs as %s, speaks %v", svc.Name, svc.SigningName, svc.Protocols)
	}
	op := svc.Operation("CreateInferenceProfile")
	if op == nil || op.Method != "POST" || op.URI != "/inference-profiles" || op.Status != 201 || op.Service != svc {
		t.Fatalf("operation = %+v", op)
	}
	var names []string
	for _, m := range op.Input.Members {
		names = append(names, m.Name)
	}
	want := []string{"inferenceProfileName", "description", "clientRequestToken", "modelSource", "tags"}
	if !slices.Equal(names, want) {
		t.Errorf("members = %v, want %v in the model's order", names, want)
	}
	name := op.Input.Member("inferenceProfileName")
	if !name.Required || !name.Shape.HasMax || name.Shape.Max != 64 || name.Shape.Pattern == "" {
		t.Errorf("inferenceProfileName = %+v of %+v", name, name.Shape)
	}
	if e := svc.Error("ConflictException"); e == nil || e.ErrorStatus != 400 {
		t.Errorf("ConflictException = %+v, want status 400", e)
	}
}

// A classic code and a shape's name lead to the same error.
func TestErrorsByCodeAndName(t *testing.T) {
	svc := loadModel(t, "cloudwatch")
	if !svc.QueryMode {
		t.Error("cloudwatch is not in query mode")
	}
	byCode, byName := svc.Error("InvalidParameterValue"), svc.Error("InvalidParameterValueException")
	if byCode == nil || byCode != byName {
		t.Errorf("by code %v, by name %v", byCode, byName)
	}
}

// Every shape that a model names exists, has a type, and is reached by value
// of its members as well.
func TestEveryModelLoads(t *testing.T) {
	for _, name := range modelNames(t) {
		svc := loadModel(t, name)
		if len(svc.Operations) == 0 {
			t.Errorf("%s has no operations", name)
		}
		for _, s := range svc.shapes {
			if s.Type == "" {
				t.Errorf("%s: shape %s is named and not defined", name, s.Name)
			}
			if s.Type == List && s.Elem == nil || s.Type == Map && (s.Key == nil || s.Value == nil) {
				t.Errorf("%s: %s %s lacks what it holds", name, s.Type, s.Name)
			}
			if s.Payload != "" && s.Member(s.Payload) == nil {
				t.Errorf("%s: shape %s has no member %s for its payload", name, s.Name, s.Payload)
			}
		}
	}
}

func TestLoadRefusesWhatIsNoModel(t *testing.T) {
	for _, model := range []string{
		``, `{`, `[]`, `{"shapes":[]}`, `{"shapes":{"A":{"type":7}}}`,
		`{"shapes":{"A":{"type":"structure","members":{"B":7}}}}`,
		`{"operations":{"Op":{"http":7}}}`, `{"operations":{"Op":{"input":{"shape":"Gone"}}}}`,
	} {
		if svc, err := Load([]byte(model)); err == nil {
			t.Errorf("Load(%s) = %+v, want an error", model, svc)
		}
	}
}

func BenchmarkLoadBedrock(b *testing.B) {
	model := readModel(b, "bedrock")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(model); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoadAll(b *testing.B) {
	var models [][]byte
	for _, name := range modelNames(b) {
		models = append(models, readModel(b, name))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, model := range models {
			if _, err := Load(model); err != nil {
				b.Fatal(err)
			}
		}
	}
}
