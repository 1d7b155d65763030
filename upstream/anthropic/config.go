package anthropic

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"outcrop"
	"outcrop/upstream"
)

// Config is everything about a server. Only APIKey is required.
type Config struct {
	BaseURL string            // default https://api.anthropic.com; with or without /v1 or /v1/messages
	APIKey  string            // sent with every request as x-api-key; never shown
	Headers map[string]string // sent with every request; their values are never shown

	// MaxOutput is the most tokens a model can answer with, 0 when unknown. The
	// Messages API wants max_tokens with every request, Converse does not; nil
	// stands for a function that knows no model.
	MaxOutput func(outcrop.ModelID) outcrop.Tokens

	upstream.Limits
}

// DefaultBaseURL is where Anthropic itself answers.
const DefaultBaseURL = "https://api.anthropic.com"

// apiVersion is the only version of the Messages API that there is.
const apiVersion = "2023-06-01"

// defaultMaxTokens is asked for when nobody knows how much a model can say:
// every Claude since 3.5 takes it.
const defaultMaxTokens = 8192

// complete fills in defaults and refuses what cannot work.
func (c *Config) complete() error {
	c.Limits.Complete()
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if c.MaxOutput == nil {
		c.MaxOutput = func(outcrop.ModelID) outcrop.Tokens { return 0 }
	}
	return c.checkHeaders()
}

func (c *Config) checkHeaders() error {
	if c.APIKey == "" {
		return errors.New("an anthropic upstream needs an API key")
	}
	if !upstream.Sendable("X-Api-Key", c.APIKey) {
		return errors.New("the API key of an anthropic upstream cannot be sent as a header")
	}
	for name, value := range c.Headers {
		if !upstream.Sendable(name, value) {
			return fmt.Errorf("header %q of an anthropic upstream cannot be sent", name)
		}
	}
	return nil
}

func (c *Config) header() http.Header {
	h := make(http.Header, len(c.Headers)+5)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "outcrop")
	h.Set("Anthropic-Version", apiVersion)
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	h.Set("X-Api-Key", c.APIKey)
	return h
}

// secrets are never shown.
func (c *Config) secrets() []string {
	secrets := []string{c.APIKey}
	for _, value := range c.Headers {
		secrets = append(secrets, value)
	}
	return secrets
}

var version = regexp.MustCompile(`/v[0-9]+$`)

// messagesURL is where the Messages API is under a base URL.
func messagesURL(text string) (string, error) {
	u, err := upstream.ParseBase("anthropic", text)
	if err != nil {
		return "", err
	}
	path := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/messages")
	if !version.MatchString(path) {
		path += "/v1"
	}
	u.Path, u.RawPath = path+"/messages", ""
	return u.String(), nil
}

// countURL is where tokens are counted.
func countURL(messages string) (string, error) {
	u, err := url.Parse(messages)
	if err != nil {
		return "", err
	}
	return u.JoinPath("count_tokens").String(), nil
}
