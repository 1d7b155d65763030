package simulator

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode"

	"outcrop"
	"outcrop/converse/task"
)

// Do answers what is no conversation: vectors whose directions are alike where
// texts share words, rankings by those vectors, and pictures of coloured tiles.
// The same question gets the same answer.
func (s *Simulator) Do(ctx context.Context, a outcrop.Attempt, r *task.Request) (*task.Response, error) {
	words := r.Words()
	script, err := s.script(a, words)
	if err == nil {
		err = script.refusal(a)
	}
	if err == nil {
		err = pause(ctx, script.wait(s.options.TimeToFirst))
	}
	if err != nil {
		return nil, err
	}
	out := new(task.Response)
	switch {
	case r.Embed != nil:
		out.Vectors = embed(r.Embed)
	case r.Rerank != nil:
		out.Ranking = rank(r.Rerank)
	case r.Image != nil:
		out.Images, err = paint(r.Image)
	}
	if err == nil && !script.NoUsage {
		n := int64(0)
		for _, b := range words.Messages[0].Content { // texts only
			n += int64(s.tokens.Count(*b.Text))
		}
		out.Tokens = &n
	}
	return out, err
}

const defaultDimensions = 1024

func embed(e *task.Embed) [][]float32 {
	vectors := make([][]float32, len(e.Inputs))
	for i := range e.Inputs {
		v := make([]float64, cmp.Or(e.Dimensions, defaultDimensions))
		spread(v, e.Inputs[i].Text)
		if image := e.Inputs[i].Image; len(image) > 0 {
			tiles(v, image)
		}
		vectors[i] = unit(v, e.Raw)
	}
	return vectors
}

// What a feature weighs, and to how many places it goes.
const (
	wordWeight   = 1
	pieceWeight  = 0.25 // of three letters within a word, so that "profile" is near "profiles"
	placesOfEach = 16
	pieceRunes   = 3
)

// spread adds the features of a text: each goes to some places of the vector,
// chosen by its hash, up or down. Texts that share features point in similar
// directions; others are nearly at right angles.
func spread(v []float64, text string) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })
	if len(words) == 0 {
		words = []string{text} // punctuation alone still is a text
	}
	for _, w := range words {
		feature(v, w, wordWeight)
		runes := []rune("^" + w + "$")
		for i := 0; i+pieceRunes <= len(runes); i++ {
			feature(v, "…"+string(runes[i:i+pieceRunes]), pieceWeight)
		}
	}
}

func feature(v []float64, name string, weight float64) {
	h := hash(name)
	for range placesOfEach {
		h = mix(h)
		if at := h % uint64(len(v)); h>>63 == 0 {
			v[at] += weight
		} else {
			v[at] -= weight
		}
	}
}

// hash is FNV-1a; mix is the finaliser of SplitMix64. Both are the same
// everywhere and for ever, so vectors kept in a database stay comparable.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// unit brings a vector to length one, unless it is wanted raw.
func unit(v []float64, raw bool) []float32 {
	length := 1.0
	if !raw {
		sum := 0.0
		for _, x := range v {
			sum += x * x
		}
		length = max(math.Sqrt(sum), math.SmallestNonzeroFloat32)
	}
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x / length)
	}
	return out
}

// rank orders documents by how alike they are to the query.
func rank(r *task.Rerank) []task.Ranked {
	inputs := []task.Input{{Text: r.Query}}
	for _, d := range r.Documents {
		inputs = append(inputs, task.Input{Text: d})
	}
	v := embed(&task.Embed{Inputs: inputs})
	ranking := make([]task.Ranked, len(r.Documents))
	for i := range r.Documents {
		ranking[i] = task.Ranked{Index: i, Score: score(v[0], v[i+1])}
	}
	slices.SortStableFunc(ranking, func(a, b task.Ranked) int { return cmp.Compare(b.Score, a.Score) })
	if r.Top > 0 && r.Top < len(ranking) {
		ranking = ranking[:r.Top]
	}
	return ranking
}

// score is the cosine, with what points away as no relevance at all.
func score(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	const digits = 1e6
	return math.Round(min(1, max(0, sum))*digits) / digits
}
