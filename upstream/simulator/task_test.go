package simulator

import (
	"bytes"
	"context"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/converse"
	"outcrop/converse/task"
	"outcrop/upstream/upstreamtest"
)

func vectors(t interface{ Fatal(...any) }, dimensions int, texts ...string) [][]float32 {
	r := &task.Request{Embed: &task.Embed{Dimensions: dimensions}}
	for _, text := range texts {
		r.Embed.Inputs = append(r.Embed.Inputs, task.Input{Text: text})
	}
	out, err := New(Options{}).Do(context.Background(), upstreamtest.Attempt, r)
	if err != nil {
		t.Fatal(err)
	}
	return out.Vectors
}

func TestTextsThatShareWordsAreAlike(t *testing.T) {
	v := vectors(t, 1024, "How do inference profiles work?", "An inference profile works like this.", "The cat sat on the mat.", "how do INFERENCE PROFILES work")
	if near, far := score(v[0], v[1]), score(v[0], v[2]); near < far+0.2 {
		t.Errorf("near %.3f, far %.3f", near, far)
	}
	if same := score(v[0], v[3]); same < 0.999 {
		t.Errorf("the same words in another case: %.3f", same)
	}
}

// Property: vectors are as long as was asked, of length one, and always the
// same.
func TestVectorsAreUnitsAndStay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, n := rapid.String().Draw(t, "text"), rapid.SampledFrom([]int{256, 384, 1024, 1536}).Draw(t, "dimensions")
		v, again := vectors(t, n, text), vectors(t, n, text)
		sum := 0.0
		for _, x := range v[0] {
			sum += float64(x) * float64(x)
		}
		if len(v[0]) != n || math.Abs(sum-1) > 1e-3 || !slices.Equal(v[0], again[0]) {
			t.Fatalf("%d numbers of length %f", len(v[0]), sum)
		}
	})
}

func TestTheBestDocumentComesFirst(t *testing.T) {
	out, err := New(Options{}).Do(t.Context(), upstreamtest.Attempt, &task.Request{Rerank: &task.Rerank{
		Query: "capital of France", Documents: []string{"Bananas are yellow.", "Paris is the capital of France.", "France has mountains."}, Top: 2}})
	if err != nil || len(out.Ranking) != 2 || out.Ranking[0].Index != 1 || out.Ranking[1].Index != 2 || out.Ranking[0].Score <= out.Ranking[1].Score {
		t.Errorf("ranking %+v, %v", out, err)
	}
}

func TestPicturesArePainted(t *testing.T) {
	paint := func(i task.Image) ([][]byte, error) {
		out, err := New(Options{}).Do(t.Context(), upstreamtest.Attempt, &task.Request{Image: &i})
		if err != nil {
			return nil, err
		}
		return out.Images, nil
	}
	cat := task.Image{Task: "TEXT_IMAGE", Prompt: "a cat", Count: 2, Width: 320, Height: 200, Format: "png"}
	images, err := paint(cat)
	if err != nil || len(images) != 2 || bytes.Equal(images[0], images[1]) {
		t.Fatalf("%d images, %v; want two", len(images), err)
	}
	c, format, err := image.DecodeConfig(bytes.NewReader(images[0]))
	if err != nil || format != "png" || c.Width != 320 || c.Height != 200 || len(images[0]) > 8<<10 {
		t.Errorf("%s of %d x %d in %d bytes, %v", format, c.Width, c.Height, len(images[0]), err)
	}
	again, _ := paint(cat)
	if !bytes.Equal(images[0], again[0]) {
		t.Error("the same question got another picture")
	}
	cat.Prompt, cat.Format = "a dog", "jpeg"
	if dog, err := paint(cat); err != nil || bytes.Equal(dog[0], images[0]) || !strings.HasPrefix(string(dog[0]), "\xff\xd8") {
		t.Errorf("a dog in JPEG: %v", err)
	}
	cat.Format = "webp"
	if _, err := paint(cat); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("webp: %v, want a refusal", err)
	}
	// A picture is like itself and unlike another.
	embedded, err := New(Options{}).Do(t.Context(), upstreamtest.Attempt, &task.Request{Embed: &task.Embed{Inputs: []task.Input{
		{Image: converse.Encode64(images[0])}, {Image: converse.Encode64(images[0])}, {Image: converse.Encode64(images[1])}, {Image: converse.Base64("bm90IGEgcGljdHVyZQ==")}}}})
	if err != nil || score(embedded.Vectors[0], embedded.Vectors[1]) < 0.999 || score(embedded.Vectors[0], embedded.Vectors[2]) > 0.9 || len(embedded.Vectors[3]) != defaultDimensions {
		t.Errorf("pictures: %v", err)
	}
}

func TestTasksPlayScripts(t *testing.T) {
	r := &task.Request{Embed: &task.Embed{Inputs: []task.Input{{Text: "a"}}}, RequestMetadata: map[string]string{ScriptKey: "throttle"}}
	if _, err := New(Options{}).Do(t.Context(), upstreamtest.Attempt, r); outcrop.KindOf(err) != outcrop.Throttled {
		t.Errorf("%v, want the throttling that was asked for", err)
	}
}
