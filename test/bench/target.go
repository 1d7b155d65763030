package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"outcrop/server/servertest"
)

// A target is one kind of request to one process.
type target struct {
	Name    string
	Case    string // targets of one case are compared with each other
	Base    bool   // the bare proxy
	Records bool   // each answer must be in a ledger
	Fronts  bool   // each answer comes from the mock
	Frames  int    // in one answer; 0 for an answer at once

	pid     int
	addr    string
	ending  string                                       // what the end of every answer holds
	request func(context.Context) (*http.Request, error) // fresh and signed
}

const (
	caseConverse = "Converse, 1 KB"
	caseStream   = "stream, 100 frames"
	bodyBytes    = 1024
)

// targets are everything that is measured, the base of each case first: the
// cases whose name holds only.
func (w *world) targets(only string) []*target {
	whole := func(c string) *target { return &target{Case: c, ending: `"usage"`} }
	t := []*target{
		whole(caseConverse).bare(w, openaiBody(false)),
		whole(caseConverse).gateway("Outcrop, openai upstream", w.fronting, "converse", ""),
		whole(caseConverse).gateway("Outcrop, simulator", w.simulated, "converse", fmt.Sprintf("tokens=%d", answerTokens)),
		whole(caseStream).bare(w, openaiBody(true)),
		whole(caseStream).gateway("Outcrop, openai upstream", w.fronting, "converse-stream", ""),
		whole(caseStream).gateway("Outcrop, simulator", w.simulated, "converse-stream", fmt.Sprintf("tokens=%d, pace=%s", 4*framesPerStream, framePace)),
	}
	t[1].Fronts, t[4].Fronts = true, true
	for _, streamed := range t[3:] {
		streamed.Frames, streamed.ending = framesPerStream, "metadata"
	}
	t[3].ending = "[DONE]"
	return slices.DeleteFunc(t, func(t *target) bool { return !strings.Contains(t.Case, only) })
}

func (t *target) bare(w *world, body []byte) *target {
	t.Name, t.Base, t.Fronts = "httputil.ReverseProxy", true, true
	t.pid, t.addr = w.proxy.cmd.Process.Pid, w.proxy.addr
	t.request = func(ctx context.Context) (*http.Request, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.proxy.url()+"/v1/chat/completions", bytes.NewReader(body))
		if err == nil {
			r.Header.Set("Content-Type", "application/json")
		}
		return r, err
	}
	return t
}

func (t *target) gateway(name string, g *gateway, operation, script string) *target {
	t.Name, t.Records, t.pid = name, true, g.PID()
	u, err := url.Parse(g.Endpoint)
	if err == nil {
		t.addr = u.Host
	}
	path, body := servertest.Model(string(g.profile), operation), converseBody(script)
	t.request = func(ctx context.Context) (*http.Request, error) {
		return g.client.Request(ctx, "bedrock", path, body, nil)
	}
	return t
}

// converseBody is a body of bodyBytes, with a script for the simulator.
func converseBody(script string) []byte {
	system := "You are terse."
	if script != "" {
		system = "outcrop.simulate: " + script
	}
	return fill(`{"system":[{"text":"` + system + `"}],"messages":[{"role":"user","content":[{"text":"%s"}]}],"inferenceConfig":{"maxTokens":1000,"temperature":0.5}}`)
}

func openaiBody(stream bool) []byte {
	options := ""
	if stream {
		options = `,"stream":true,"stream_options":{"include_usage":true}`
	}
	return fill(`{"model":"mock","max_tokens":1000,"temperature":0.5` + options + `,"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":"%s"}]}`)
}

// fill puts words in the place of %s until the body has its size.
func fill(form string) []byte {
	words := strings.Repeat("all rocks were something else once, ", bodyBytes/30)
	return []byte(strings.Replace(form, "%s", words[:bodyBytes-len(form)+len("%s")], 1))
}
