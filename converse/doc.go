// Package converse holds a conversation: messages, content blocks and stream
// events. It is the middle form that every client's dialect and every backend
// meets in, and its shapes are those of Bedrock's Converse API, generated from
// the service model together with their JSON codecs.
package converse

//go:generate go run ../tools/wiregen -top ..
