package server

import (
	"time"

	"outcrop/internal/strictyaml"
	"outcrop/upstream"
	"outcrop/upstream/openai"
)

// OpenAIConfig is what servers of OpenAI's protocol do differently. Its zero
// value suits vLLM, llama.cpp and Ollama; OpenAI and Azure are known by their
// addresses.
type OpenAIConfig struct {
	APIKeyHeader   string           `yaml:"api_key_header"`  // default Authorization; at *.azure.com api-key
	MaxStops       strictyaml.Whole `yaml:"max_stops"`       // stop sequences that the server takes; default 4
	FileParts      bool             `yaml:"file_parts"`      // it reads PDF and Office documents as parts of type file
	ReasoningField string           `yaml:"reasoning_field"` // under which reasoning is sent back within a turn, such as reasoning_content; default: it is left out
	Tokenize       bool             `yaml:"tokenize"`        // it counts tokens at /tokenize, as vLLM does
	Dimensions     bool             `yaml:"dimensions"`      // it embeds in as many dimensions as are asked for
}

func (u *UpstreamConfig) openAI() openai.Config {
	o := u.OpenAI
	return openai.Config{
		BaseURL: u.BaseURL, APIKey: u.APIKey, APIKeyHeader: o.APIKeyHeader, Headers: u.Headers, Limits: upstream.Limits{Timeout: time.Duration(u.Timeout)},
		MaxTokensField: u.MaxTokensField, MaxStops: int(o.MaxStops), FileParts: o.FileParts, ReasoningField: o.ReasoningField, Tokenize: o.Tokenize, Dimensions: o.Dimensions,
	}
}
