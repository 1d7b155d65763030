// Package chat is the form of OpenAI's chat completions, as an asker has it: it
// writes conversations as requests, and reads answers and streams.
package chat
