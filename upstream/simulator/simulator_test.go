package simulator

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/converse"
	"outcrop/upstream/upstreamtest"
)

// What tests say often.
var text, user, assistant = upstreamtest.Block, upstreamtest.User, upstreamtest.Assistant

func attempt(model outcrop.ModelID) outcrop.Attempt {
	a := upstreamtest.Attempt
	a.Destination.Model = model
	return a
}

const nova, sonnet = "amazon.nova-lite-v1:0", "anthropic.claude-sonnet-4-20250514-v1:0"

func say(t testing.TB, s *Simulator, r *converse.Request) *converse.Response {
	t.Helper()
	response, err := s.Converse(t.Context(), attempt(sonnet), r)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func TestSaysWhatItIsInTheLanguageOfTheQuestion(t *testing.T) {
	s := New(Options{})
	for _, c := range []struct{ question, want string }{
		{"What is an inference profile?", "Outcrop simulator"},
		{"Hallo, wie ben je en wat is het?", "simulator van Outcrop"},
		{"Was ist ein Profil und wer bist du?", "Outcrop-Simulator"},
		{"Bonjour, qui est le modèle et que fait-il ?", "simulateur d'Outcrop"},
		{"Hola, ¿quién eres y qué es una cuenta?", "simulador de Outcrop"},
		{"你好,你是什么模型?请介绍一下你自己。", "Outcrop 模拟器"},
		{"これは何ですか。推論プロファイル", "シミュレーター"},
		{"추론 프로필이 무엇인가요?", "Outcrop 시뮬레이터"},
		{"Что такое профиль?", "симулятор Outcrop"},
		{"ما هو الملف؟", "محاكي Outcrop"},
		{"42", "Outcrop simulator"}, {"👩‍👩‍👧", "Outcrop simulator"},
	} {
		got := upstreamtest.Text(say(t, s, upstreamtest.Ask(c.question)))
		for _, want := range []string{c.want, sonnet, "us-east-1", c.question} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q lacks %q", c.question, got, want)
			}
		}
	}
}

// The script of seed 004: deltas are text and nothing else.
func TestStreamsTextOnly(t *testing.T) {
	r := upstreamtest.Ask("你好,你是什么模型?请介绍一下你自己。")
	r.System = []converse.SystemContentBlock{{Text: new("你是聊天机器人,人类的好朋友,语气要温柔")}}
	r.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: new(int64(2000)), Temperature: new(0.0)}
	events, err := upstreamtest.Events(New(Options{}).ConverseStream(t.Context(), attempt(sonnet), r))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if e.ContentBlockDelta != nil && e.ContentBlockDelta.Delta.Text == nil || e.ContentBlockStart != nil {
			t.Errorf("%+v is no text", e)
		}
	}
}

func TestSameAnswerFromAnotherSimulator(t *testing.T) {
	r := upstreamtest.Play("tokens=100", "Tell me of geographies, dear 模型.")
	r.AdditionalModelRequestFields = json.RawMessage(`{"thinking":{"type":"adaptive"}}`)
	a, b := say(t, New(Options{}), r), say(t, New(Options{PieceTokens: 1}), r)
	x, _ := json.Marshal(a.Output)
	y, _ := json.Marshal(b.Output)
	if string(x) != string(y) {
		t.Errorf("%s\n%s", x, y)
	}
}

func TestReasonsWhenAskedInAnyFamilysWords(t *testing.T) {
	for fields, want := range map[string]bool{
		``: false, `null`: false, `{}`: false, `{"top_k":5}`: false, `{"thinking":{"type":"disabled"}}`: false, `{"reasoning_effort":"none"}`: false,
		`{"thinking":{"type":"enabled","budget_tokens":2000}}`: true, `{"thinking":{"type":"adaptive","display":"summarized"}}`: true,
		`{"reasoning_config":{"type":"enabled","budget_tokens":1024}}`: true, `{"reasoning_config":"low"}`: true, `{"reasoning_effort":"high"}`: true,
		`{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}`: true, `{"inferenceConfig":{"topK":3,"reasoningConfig":{"type":"enabled"}}}`: true,
	} {
		r := upstreamtest.Ask("Seven times eight?")
		r.AdditionalModelRequestFields = json.RawMessage(fields)
		content := say(t, New(Options{}), r).Output.Message.Content
		if got := content[0].ReasoningContent != nil; got != want {
			t.Errorf("%s: reasons %v, want %v", fields, got, want)
		}
		if want && (content[0].ReasoningContent.ReasoningText.Signature == "" || content[1].Text == nil) {
			t.Errorf("%s: no signature, or no answer: %+v", fields, content)
		}
	}
}

func TestAttachmentsAreDescribed(t *testing.T) {
	r := upstreamtest.Ask("What is this?")
	r.Messages[0].Content = append(r.Messages[0].Content,
		converse.ContentBlock{Image: &converse.ImageBlock{Format: "png", Source: converse.ImageSource{Bytes: pngOf(t, 64, 48)}}},
		converse.ContentBlock{Document: &converse.DocumentBlock{Format: "pdf", Name: "report", Source: converse.DocumentSource{Bytes: converse.Encode64(make([]byte, 2500))}}},
		converse.ContentBlock{Video: &converse.VideoBlock{Format: "mp4", Source: converse.VideoSource{S3Location: &converse.S3Location{Uri: "s3://b/v.mp4"}}}},
	)
	got := upstreamtest.Text(say(t, New(Options{}), r))
	for _, want := range []string{"png, 64×48", "report, pdf, 2.5 kB", "mp4, s3://b/v.mp4"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// Property: what CountTokens says is what an answer is billed for as input.
func TestCountTokensIsInput(t *testing.T) {
	s := New(Options{})
	r := upstreamtest.Ask(strings.Repeat("many words and 字 ", 700))
	r.Messages[0].Content = append(r.Messages[0].Content, converse.ContentBlock{CachePoint: &converse.CachePointBlock{Type: "default"}}, text("and now?"))
	n, err := s.CountTokens(t.Context(), attempt(sonnet), r)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		u := say(t, s, r).Usage
		if sum := u.InputTokens + *u.CacheReadInputTokens + *u.CacheWriteInputTokens; sum != int64(n) || *u.CacheReadInputTokens+*u.CacheWriteInputTokens == 0 {
			t.Errorf("billed %d (%+v), counted %d", sum, u, n)
		}
	}
}

func TestStopSequenceIsShownToThoseWhoAsk(t *testing.T) {
	r := upstreamtest.Ask("apple STOP pear")
	r.InferenceConfig = &converse.InferenceConfiguration{StopSequences: []string{"STOP"}}
	r.AdditionalModelResponseFieldPaths = []string{"/stop_sequence"}
	if got := say(t, New(Options{}), r); string(got.AdditionalModelResponseFields) != `{"stop_sequence":"STOP"}` {
		t.Errorf("fields %s", got.AdditionalModelResponseFields)
	}
}

// A limit that falls into the reasoning, the text or the tool call leaves an
// answer that holds.
func TestEveryMaxTokens(t *testing.T) {
	s := New(Options{})
	whole := upstreamtest.Ask("Use get_weather for Paris, 世界👩‍👩‍👧.")
	whole.AdditionalModelRequestFields = json.RawMessage(`{"reasoning_effort":"low"}`)
	tooled := *whole
	tooled.ToolConfig = weather()
	for _, r := range []*converse.Request{whole, &tooled} {
		full := say(t, s, r)
		for n := int64(1); n <= full.Usage.OutputTokens+1; n++ {
			r.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: &n}
			got := say(t, s, r)
			if cut := n < full.Usage.OutputTokens; cut != (got.StopReason == stopMaxTokens) || got.Usage.OutputTokens > n {
				t.Errorf("%d of %d tokens: %s after %d", n, full.Usage.OutputTokens, got.StopReason, got.Usage.OutputTokens)
			}
			if b, err := json.Marshal(got); err != nil || strings.Contains(string(b), `\ufffd`) {
				t.Errorf("%d tokens: %s %v", n, b, err)
			}
		}
		r.InferenceConfig = nil
	}
}

func weather() *converse.ToolConfiguration {
	return &converse.ToolConfiguration{Tools: []converse.Tool{
		{ToolSpec: &converse.ToolSpecification{Name: "get_time", InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"type":"object"}`)}}},
		{ToolSpec: &converse.ToolSpecification{Name: "get_weather", InputSchema: converse.ToolInputSchema{Json: json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","additionalProperties":false,"properties":{"city":{"type":"string"}},"required":["city"]}`)}}},
	}}
}

func TestWhichToolIsCalled(t *testing.T) {
	for question, want := range map[string]string{
		"What's the weather in Paris?": `get_weather {"city":"Paris"}`, "Please call GET_TIME.": "get_time {}",
		"Use a tool.": "get_time {}", "Hello there": "", "Whether or not": "",
	} {
		r := upstreamtest.Ask(question)
		r.ToolConfig = weather()
		got := ""
		for _, b := range say(t, New(Options{}), r).Output.Message.Content {
			if b.ToolUse != nil {
				got = b.ToolUse.Name + " " + string(b.ToolUse.Input)
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", question, got, want)
		}
	}
}

func TestTiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{TimeToFirst: 2 * time.Second, Pace: 100 * time.Millisecond})
		began := time.Now()
		var first time.Duration
		pieces, latency := 0, int64(0)
		for e, err := range s.ConverseStream(t.Context(), attempt(nova), upstreamtest.Play("tokens=40", "Hello")) {
			switch {
			case err != nil:
				t.Fatal(err)
			case e.MessageStart != nil:
				first = time.Since(began)
			case e.ContentBlockDelta != nil:
				pieces++
			case e.Metadata != nil:
				latency = e.Metadata.Metrics.LatencyMs
			}
		}
		if first != 2*time.Second || pieces != 10 || latency != 3000 || time.Since(began) != 3*time.Second {
			t.Errorf("first after %s, %d pieces, latency %d, all after %s", first, pieces, latency, time.Since(began))
		}
		began = time.Now()
		r := say(t, s, upstreamtest.Play("tokens=40", "Hello"))
		if r.Metrics.LatencyMs != 3000 || time.Since(began) != 3*time.Second {
			t.Errorf("whole: latency %d after %s", r.Metrics.LatencyMs, time.Since(began))
		}
	})
}

func TestModelLimits(t *testing.T) {
	s := New(Options{Model: func(id outcrop.ModelID) (outcrop.FoundationModel, bool) {
		return outcrop.FoundationModel{ID: id, MaxOutput: 100, ContextWindow: 50, InputModalities: []string{"TEXT"}}, id == nova
	}})
	long := upstreamtest.Ask(strings.Repeat("word ", 60))
	much := upstreamtest.Ask("Hello")
	much.InferenceConfig = &converse.InferenceConfiguration{MaxTokens: new(int64(101))}
	picture := upstreamtest.Ask("Hello")
	picture.Messages[0].Content = append(picture.Messages[0].Content, converse.ContentBlock{Image: &converse.ImageBlock{Format: "png"}})
	for want, r := range map[string]*converse.Request{"Input is too long for requested model.": long, "exceeds the model limit of 100": much, "doesn't support the image field": picture} {
		if _, err := s.Converse(t.Context(), attempt(nova), r); outcrop.KindOf(err) != outcrop.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := s.Converse(t.Context(), attempt(sonnet), r); err != nil {
			t.Errorf("a model that is not known has no limits: %v", err)
		}
	}
}

func BenchmarkConverse(b *testing.B) {
	s := New(Options{})
	kilobyte := strings.Repeat("What does \"inference profile\" mean?\n", 28)
	asks := map[string]func(i int) *converse.Request{
		"same 1KB": func(int) *converse.Request { return upstreamtest.Ask(kilobyte) },
		"new 1KB": func(i int) *converse.Request {
			return upstreamtest.Ask(string(rune('a'+i%26)) + kilobyte[i%512:] + kilobyte[:i%512])
		},
	}
	for _, name := range []string{"same 1KB", "new 1KB"} {
		b.Run(name+" whole", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := s.Converse(b.Context(), attempt(nova), asks[name](i)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+" streamed", func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				for _, err := range s.ConverseStream(b.Context(), attempt(nova), asks[name](i)) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
