package main

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outcrop"
	"outcrop/server/servertest"
)

// A target is one kind of request to one process.
type target struct {
	Name    string
	Path    *path // targets of one path are compared with each other
	Base    bool  // the bare proxy
	Records bool  // each answer must be in a ledger

	pid     int
	addr    string
	ending  string                                       // what the end of every answer holds
	request func(context.Context) (*http.Request, error) // fresh, and signed where it has to be
}

// A path is what a call goes through: how it comes in, and who answers it.
type path struct {
	Name      string
	Most      float64 // the ratio of CPU time to the bare proxy's that is aimed at
	Frames    int     // in one answer; 0 for an answer at once
	Per       int     // connections of the load generator
	operation string
	profile   func(*gateway) (outcrop.ARN, *servertest.Client)
	body      []byte // as the client of Outcrop sends it
	bare      string // where the proxy's client sends bareBody
	bareBody  []byte
	ending    string // of Outcrop's answers
	bareEnd   string
}

// Connections of the load generator, each with one request at a time.
const connections = 32

func ofNova(g *gateway) (outcrop.ARN, *servertest.Client)   { return g.nova, g.us }
func ofClaude(g *gateway) (outcrop.ARN, *servertest.Client) { return g.claude, g.us }
func ofOpen(g *gateway) (outcrop.ARN, *servertest.Client)   { return g.open, g.eu }

// paths are those of saturated load, the main one first.
func paths() []*path {
	converse := func(n int) []byte { return fill(converseForm, n, words) }
	openai := func(n int, stream bool) []byte { return fill(openaiForm(stream), n, words) }
	const chat = "/v1/chat/completions"
	return []*path{
		{Name: "Converse, Bedrock upstream, 1 KB", Most: 1.0, operation: "converse", profile: ofNova, body: converse(1 << 10), bare: bedrockPath("converse"), ending: `"usage"`},
		{Name: "Converse, OpenAI upstream, 1 KB", Most: 1.0, operation: "converse", profile: ofOpen, body: converse(1 << 10), bare: chat, bareBody: openai(1<<10, false), ending: `"usage"`},
		{Name: "Converse, OpenAI upstream, 10 KB", Most: 1.2, operation: "converse", profile: ofOpen, body: converse(10 << 10), bare: chat, bareBody: openai(10<<10, false), ending: `"usage"`},
		{Name: "InvokeModel, Anthropic body, 1 MB image", Most: 1.2, Per: 4, operation: "invoke", profile: ofClaude, body: fill(imageForm, 1<<20, pixels), bare: bedrockPath("invoke"), ending: `"usage"`},
		{Name: "ConverseStream, Bedrock upstream, 100 frames", Most: 1.0, Frames: framesPerStream, operation: "converse-stream", profile: ofNova, body: converse(1 << 10), bare: bedrockPath("converse-stream"), ending: "metadata"},
		{Name: "ConverseStream, from SSE, 100 frames", Most: 1.2, Frames: framesPerStream, operation: "converse-stream", profile: ofOpen, body: converse(1 << 10), bare: chat, bareBody: openai(1<<10, true), ending: "metadata", bareEnd: "[DONE]"},
	}
}

// streamOf is a path of the main stream with a mark for the mock.
func streamOf(name, mark string) *path {
	p := &path{Name: name, operation: "converse-stream", profile: ofNova, bare: bedrockPath("converse-stream"), ending: "metadata"}
	p.body = fill(strings.Replace(converseForm, "%s", mark+" %s", 1), 1<<10, words)
	return p
}

func bedrockPath(operation string) string {
	return "/model/" + url.PathEscape("us."+novaModel) + "/" + operation
}

// connections that drive the path.
func (p *path) connections() int {
	if p.Per > 0 {
		return p.Per
	}
	return connections
}

// references are the targets beside Outcrop: the bare proxy first.
func (w *world) references(p *path) []*target {
	list := []*target{w.bare(p, "httputil.ReverseProxy", w.proxy)}
	list[0].Base = true
	if w.nginx != nil {
		list = append(list, w.bare(p, "nginx", w.nginx))
	}
	return list
}

// targets are everything under saturated load on the paths whose names hold
// only, the base of each path first.
func (w *world) targets(only string) (list []*target) {
	for _, p := range paths() {
		if strings.Contains(p.Name, only) {
			list = append(append(list, w.references(p)...), p.through(w.busy))
		}
	}
	return slices.Clip(list)
}

// bare is the path without Outcrop, through h or, when h is the mock, directly.
func (w *world) bare(p *path, name string, h *helper) *target {
	t := &target{Name: name, Path: p, pid: h.cmd.Process.Pid, addr: h.addr, ending: p.ending}
	if p.bareEnd != "" {
		t.ending = p.bareEnd
	}
	body := p.bareBody
	if body == nil {
		body = p.body
	}
	t.request = func(ctx context.Context) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url()+p.bare, bytes.NewReader(body))
		if err == nil {
			r.Header.Set("Content-Type", "application/json")
		}
		return r, err
	}
	return t
}

// through is the path through Outcrop.
func (p *path) through(g *gateway) *target {
	profile, client := p.profile(g)
	t := &target{Name: "Outcrop", Path: p, Records: true, pid: g.PID(), addr: strings.TrimPrefix(g.Endpoint, "http://"), ending: p.ending}
	where := servertest.Model(string(profile), p.operation)
	t.request = func(ctx context.Context) (*http.Request, error) {
		return client.Request(ctx, "bedrock", where, p.body, nil)
	}
	return t
}

const (
	converseForm = `{"system":[{"text":"You are terse."}],"messages":[{"role":"user","content":[{"text":"%s"}]}],"inferenceConfig":{"maxTokens":1000,"temperature":0.5}}`
	imageForm    = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":1000,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"%s"}},{"type":"text","text":"What is this?"}]}]}`
	words        = "all rocks were something else once, "
	pixels       = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAf" // four characters are three bytes
)

func openaiForm(stream bool) string {
	options := ""
	if stream {
		options = `,"stream":true,"stream_options":{"include_usage":true}`
	}
	return `{"model":"mock","max_tokens":1000,"temperature":0.5` + options + `,"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"%s"}]}`
}

// fill repeats words in the place of %s until the body has about n bytes:
// whole groups of four, so that base64 stays base64.
func fill(form string, n int, words string) []byte {
	room := (n - len(form) + len("%s")) &^ 3
	return []byte(strings.Replace(form, "%s", strings.Repeat(words, room/len(words)+1)[:room], 1))
}
