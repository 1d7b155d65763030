// Package messages is the form of Anthropic's Messages API, as an asker has it:
// it writes conversations as requests, and reads answers and streams.
package messages
