// Package task is what is asked of models that do not converse, and what they
// answer: vectors, rankings and pictures. It is the middle form of their native
// bodies, as package converse is of conversations.
package task

import (
	"encoding/json"
	"strconv"

	"outcrop"
	"outcrop/converse"
)

// A Request is one of its first three members.
type Request struct {
	Embed  *Embed
	Rerank *Rerank
	Image  *Image

	RequestMetadata   map[string]string // as of a conversation
	ServiceTier       *converse.ServiceTier
	PerformanceConfig *converse.PerformanceConfiguration
}

// An Embed asks for one vector for each input.
type Embed struct {
	Inputs     []Input
	Purpose    string // in Cohere's words: search_document, search_query, classification, clustering, image; may be empty
	Dimensions int    // of each vector; 0 is the model's own
	Raw        bool   // vectors are not brought to length one
	Truncate   string // what to do with a text that is too long: NONE, START or END; may be empty
}

// An Input has a text, a picture, or both, which are embedded together.
type Input struct {
	Text  string
	Image converse.Base64
}

// A Rerank asks which documents answer a query best.
type Rerank struct {
	Query     string
	Documents []string
	Top       int // how many to name; 0 is all
}

// An Image asks for pictures.
type Image struct {
	Task          string // in Amazon's words: TEXT_IMAGE, IMAGE_VARIATION, INPAINTING and so on
	Prompt        string
	Negative      string // what must not be in it
	Sources       []converse.Base64
	Count         int // at least 1
	Width, Height int
	Seed          int64
	Format        string // png or jpeg
	Quality       string // standard or premium; may be empty
	// Extra is what else the body says, which only its own family understands.
	Extra map[string]json.RawMessage
}

// Buckets of steps, as AWS's metric tells them apart: pictures of up to 50 and
// of more steps have different prices. A model that takes no count of steps has
// a quality, which AWS's price list sets equal.
const (
	standardSteps = 50
	premiumSteps  = 150
)

// Pictured is the size of the pictures asked for and the bucket of their steps;
// nothing of a request that asks for none.
func (r *Request) Pictured() (size string, steps int) {
	i := r.Image
	if i == nil {
		return "", 0
	}
	size = strconv.Itoa(i.Width) + "x" + strconv.Itoa(i.Height)
	asked := 0.0
	if json.Unmarshal(i.Extra["steps"], &asked) == nil && asked > standardSteps || i.Quality == "premium" {
		return size, premiumSteps
	}
	return size, standardSteps
}

// A Response answers the one member that was asked.
type Response struct {
	Vectors [][]float32
	Ranking []Ranked // best first
	Images  [][]byte
	Tokens  *int64 // read, as the upstream counted; nil when it did not
}

// A Ranked is a document and how well it answers, from 0 to 1.
type Ranked struct {
	Index int
	Score float64
}

// documentsPerUnit is how many documents one search unit pays for.
const documentsPerUnit = 100

// Usage is what a request used that was answered: text is counted by tokens,
// and estimated where the upstream did not count it; pictures one by one, and
// rankings by the hundred documents.
func (r *Request) Usage(tokens *int64, made int) outcrop.Usage {
	var u outcrop.Usage
	switch {
	case r.Rerank != nil:
		u.Set(outcrop.SearchUnits, outcrop.Tokens(max(1, (len(r.Rerank.Documents)+documentsPerUnit-1)/documentsPerUnit)))
		return u
	case r.Image != nil:
		if n := len(r.Image.Sources); n > 0 {
			u.Set(outcrop.InputImages, outcrop.Tokens(n))
		}
		u.Set(outcrop.OutputImages, outcrop.Tokens(made))
		return u
	}
	if tokens != nil {
		u.Set(outcrop.InputTokens, outcrop.Tokens(max(0, *tokens)))
	} else {
		u.Set(outcrop.InputTokens, converse.EstimateInputTokens(r.Words()))
		u.Estimated = true
	}
	if n := r.Embed.images(); n > 0 {
		u.Set(outcrop.InputImages, outcrop.Tokens(n))
	}
	return u
}

// Pictures is how many are asked for.
func (r *Request) Pictures() int {
	if r.Image == nil {
		return 0
	}
	return r.Image.Count
}

func (e *Embed) images() (n int) {
	for i := range e.Inputs {
		if len(e.Inputs[i].Image) > 0 {
			n++
		}
	}
	return n
}

// Words is the request's text as a conversation of one turn, for whoever asks
// how much there is to read.
func (r *Request) Words() *converse.Request {
	var blocks []converse.ContentBlock
	add := func(s string) {
		if s != "" {
			blocks = append(blocks, converse.Text(s))
		}
	}
	switch {
	case r.Embed != nil:
		for i := range r.Embed.Inputs {
			add(r.Embed.Inputs[i].Text)
		}
	case r.Rerank != nil:
		add(r.Rerank.Query)
		for _, d := range r.Rerank.Documents {
			add(d)
		}
	case r.Image != nil:
		add(r.Image.Prompt)
		add(r.Image.Negative)
	}
	return &converse.Request{
		Messages:        []converse.Message{{Role: "user", Content: blocks}},
		RequestMetadata: r.RequestMetadata, ServiceTier: r.ServiceTier, PerformanceConfig: r.PerformanceConfig,
	}
}
