package openai

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"outcrop/upstream"
)

// Config is everything about a server. Only BaseURL is required.
type Config struct {
	BaseURL      string            // http://10.0.0.7:8000 or …/v1; a query, such as Azure's api-version, is kept
	APIKey       string            // sent with every request; never shown
	APIKeyHeader string            // default Authorization, with the word Bearer; Azure takes api-key
	Headers      map[string]string // sent with every request; their values are never shown

	MaxTokensField string // default max_completion_tokens at OpenAI and Azure, max_tokens elsewhere
	MaxStops       int    // stop sequences the server takes; default 4, as OpenAI does
	FileParts      bool   // the server reads PDF and Office documents as parts of type file
	ReasoningField string // under which reasoning is sent back within a turn, such as reasoning_content; default: it is dropped
	Tokenize       bool   // the server counts tokens at /tokenize, as vLLM does
	Dimensions     bool   // the server embeds in as many dimensions as are asked for; always so at OpenAI and Azure

	upstream.Limits
}

// complete fills in defaults and refuses what cannot work.
func (c *Config) complete() error {
	c.Limits.Complete()
	if c.MaxStops <= 0 {
		c.MaxStops = 4
	}
	if c.Dimensions = c.Dimensions || atOpenAI(c.BaseURL) || atAzure(c.BaseURL); atAzure(c.BaseURL) && c.APIKeyHeader == "" {
		c.APIKeyHeader = "api-key"
	}
	if c.APIKeyHeader == "" {
		c.APIKeyHeader = "Authorization"
	}
	if c.MaxTokensField == "" {
		c.MaxTokensField = maxTokensField(c.BaseURL)
	}
	if !plainName.MatchString(c.MaxTokensField) || c.ReasoningField != "" && !plainName.MatchString(c.ReasoningField) {
		return fmt.Errorf("field names of an openai upstream are letters and underscores")
	}
	return c.checkHeaders()
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

func (c *Config) checkHeaders() error {
	if !upstream.Sendable(c.APIKeyHeader, c.APIKey) {
		return fmt.Errorf("the API key of an openai upstream cannot be sent as a header")
	}
	for name, value := range c.Headers {
		if !upstream.Sendable(name, value) {
			return fmt.Errorf("header %q of an openai upstream cannot be sent", name)
		}
	}
	return nil
}

// maxTokensField: OpenAI's newer models refuse max_tokens, and many other
// servers know no other.
func maxTokensField(base string) string {
	if atOpenAI(base) || atAzure(base) {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

func atOpenAI(base string) bool { return hostOf(base) == "api.openai.com" }
func atAzure(base string) bool  { return strings.HasSuffix(hostOf(base), ".azure.com") }

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (c *Config) header() http.Header {
	h := make(http.Header, len(c.Headers)+4)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "outcrop")
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	switch {
	case c.APIKey == "":
	case http.CanonicalHeaderKey(c.APIKeyHeader) == "Authorization":
		h.Set("Authorization", "Bearer "+c.APIKey)
	default:
		h.Set(c.APIKeyHeader, c.APIKey)
	}
	return h
}

// base is where the operations of a server are.
type base struct{ chat, tokenize string }

var version = regexp.MustCompile(`/v[0-9]+[a-z0-9]*$`)

// parseBase takes a base URL with or without /v1, an Azure deployment, or the
// whole address of chat/completions.
func parseBase(text string) (base, error) {
	u, err := upstream.ParseBase("openai", text)
	if err != nil {
		return base{}, err
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/chat/completions")
	whole := path != strings.TrimRight(u.Path, "/")
	root := *u
	root.Path, root.RawPath, root.RawQuery = version.ReplaceAllString(path, "")+"/tokenize", "", ""
	if !whole && !version.MatchString(path) && !strings.Contains(path, "/deployments/") {
		path += "/v1"
	}
	u.Path, u.RawPath = path+"/chat/completions", ""
	return base{chat: u.String(), tokenize: root.String()}, nil
}

// secrets are never shown.
func (c *Config) secrets() []string {
	secrets := []string{c.APIKey}
	for _, value := range c.Headers {
		secrets = append(secrets, value)
	}
	return secrets
}
