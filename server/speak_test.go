package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"outcrop"
	"outcrop/sigv4"
)

const sonic = "amazon.nova-sonic-v1:0"

// A voice is the AWS SDK's client in the middle of a spoken conversation.
type voice struct {
	t      *testing.T
	stream *bedrockruntime.InvokeModelWithBidirectionalStreamEventStream
	kinds  []string
	events []map[string]map[string]any
}

// saysHTTP2 lets the SDK, which takes nothing else, speak HTTP/1.1 as well.
type saysHTTP2 struct{ http.RoundTripper }

func (s saysHTTP2) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Proto, answer.ProtoMajor, answer.ProtoMinor = "HTTP/2.0", 2, 0
	}
	return answer, err
}

// speakTo connects by one protocol alone.
func (s *Server) speakTo(t *testing.T, by sigv4.Credentials, protocols func(*http.Protocols), model string) (*voice, error) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	protocols(transport.Protocols)
	if pem, err := os.ReadFile(filepath.Join(s.config.DataDir, CAFile)); err == nil {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	t.Cleanup(transport.CloseIdleConnections)
	client := bedrockruntime.New(bedrockruntime.Options{
		Region: string(testRegion), BaseEndpoint: aws.String(s.Endpoint()), HTTPClient: &http.Client{Transport: saysHTTP2{transport}}, RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: by.AccessKey, SecretAccessKey: by.Secret}, nil
		}),
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	out, err := client.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: &model})
	if err != nil {
		return nil, err
	}
	v := &voice{t: t, stream: out.GetStream()}
	t.Cleanup(func() { v.stream.Close() })
	<-out.GetInitialReply()
	return v, v.stream.Err()
}

func (v *voice) say(events ...string) {
	v.t.Helper()
	if err := v.begin(events...); err != nil {
		v.t.Fatal(err, v.stream.Err())
	}
}

// begin says what the server may cut off, before all of it is said.
func (v *voice) begin(events ...string) error {
	for _, e := range events {
		if err := v.stream.Send(v.t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{` + e + `}}`)}}); err != nil {
			return err
		}
	}
	return nil
}

// hear reads up to the first event of a kind, or to the end.
func (v *voice) hear(until string) map[string]any {
	v.t.Helper()
	for e := range v.stream.Events() {
		chunk, ok := e.(*types.InvokeModelWithBidirectionalStreamOutputMemberChunk)
		if !ok {
			v.t.Fatalf("heard %T", e)
		}
		var body struct{ Event map[string]map[string]any }
		if err := json.Unmarshal(chunk.Value.Bytes, &body); err != nil {
			v.t.Fatal(err)
		}
		v.events = append(v.events, body.Event)
		for kind, fields := range body.Event {
			v.kinds = append(v.kinds, kind)
			if kind == until {
				return fields
			}
		}
	}
	return nil
}

const (
	sessionStart = `"sessionStart":{"inferenceConfiguration":{"maxTokens":1024,"topP":0.9,"temperature":0.7}}`
	promptStart  = `"promptStart":{"promptName":"p","textOutputConfiguration":{"mediaType":"text/plain"},"audioOutputConfiguration":{"mediaType":"audio/lpcm","sampleRateHertz":24000,"sampleSizeBits":16,"channelCount":1,"voiceId":"matthew","encoding":"base64","audioType":"SPEECH"},
		"toolUseOutputConfiguration":{"mediaType":"application/json"},"toolConfiguration":{"tools":[{"toolSpec":{"name":"get_weather","description":"Weather","inputSchema":{"json":"{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}"}}}]}}`
	promptEnd  = `"promptEnd":{"promptName":"p"}`
	sessionEnd = `"sessionEnd":{}`
)

func textTurn(name, role, text string, interactive bool) []string {
	start, _ := json.Marshal(map[string]any{"promptName": "p", "contentName": name, "type": "TEXT", "role": role, "interactive": interactive, "textInputConfiguration": map[string]string{"mediaType": "text/plain"}})
	said, _ := json.Marshal(map[string]string{"promptName": "p", "contentName": name, "content": text})
	return []string{`"contentStart":` + string(start), `"textInput":` + string(said), `"contentEnd":{"promptName":"p","contentName":"` + name + `"}`}
}

// audioTurn is half a second of silence, in five pieces.
func audioTurn(name string) []string {
	events := []string{`"contentStart":{"promptName":"p","contentName":"` + name + `","type":"AUDIO","role":"USER","interactive":true,"audioInputConfiguration":{"mediaType":"audio/lpcm","sampleRateHertz":16000,"sampleSizeBits":16,"channelCount":1,"audioType":"SPEECH","encoding":"base64"}}`}
	for range 5 {
		events = append(events, `"audioInput":{"promptName":"p","contentName":"`+name+`","content":"`+base64.StdEncoding.EncodeToString(make([]byte, 3200))+`"}`)
	}
	return append(events, `"contentEnd":{"promptName":"p","contentName":"`+name+`"}`)
}

func (s *Server) onlyRecord(t *testing.T) outcrop.UsageRecord {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if all := records(t, s); len(all) > 0 {
			if len(all) != 1 {
				t.Fatalf("%d records", len(all))
			}
			return all[0]
		}
		if time.Now().After(deadline) {
			t.Fatal("no record")
		}
	}
}

func TestASpokenConversation(t *testing.T) {
	for _, c := range []struct {
		name      string
		tls       bool
		protocols func(*http.Protocols)
	}{
		{"h2c with prior knowledge", false, func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }},
		{"TLS, h2", true, func(p *http.Protocols) { p.SetHTTP2(true) }},
		{"HTTP/1.1, chunked", false, func(p *http.Protocols) { p.SetHTTP1(true) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, Config{TLS: c.tls})
			v, err := s.speakTo(t, s.admin(), c.protocols, sonic)
			if err != nil {
				t.Fatal(err)
			}
			v.say(sessionStart, promptStart)
			v.say(textTurn("c1", "SYSTEM", "You are brief.", false)...)
			v.say(audioTurn("c2")...)
			v.hear("usageEvent") // while the client has more to say
			v.say(textTurn("c3", "USER", "What is the weather in Paris?", true)...)
			use := v.hear("toolUse")
			if use["toolName"] != "get_weather" {
				t.Errorf("tool use: %v", use)
			}
			v.say(`"contentStart":{"promptName":"p","contentName":"c4","type":"TOOL","role":"TOOL","toolResultInputConfiguration":{"toolUseId":"`+use["toolUseId"].(string)+`","type":"TEXT"}}`,
				`"toolResult":{"promptName":"p","contentName":"c4","content":"21 degrees"}`, `"contentEnd":{"promptName":"p","contentName":"c4"}`, promptEnd)
			v.hear("completionEnd")
			v.say(sessionEnd)
			last := v.hear("")
			if last != nil || v.stream.Err() != nil || v.kinds[len(v.kinds)-1] != "usageEvent" {
				t.Errorf("ended with %v, after %v", v.stream.Err(), v.kinds)
			}
			v.check(s.onlyRecord(t))
		})
	}
}

// check compares the record with what the model told.
func (v *voice) check(r outcrop.UsageRecord) {
	v.t.Helper()
	audio, texts := 0, ""
	for _, e := range v.events {
		if a := e["audioOutput"]; a != nil {
			pcm, err := base64.StdEncoding.DecodeString(a["content"].(string))
			if err != nil {
				v.t.Fatal(err)
			}
			audio += len(pcm)
		}
		if o := e["textOutput"]; o != nil {
			texts += o["content"].(string) + "\n"
		}
	}
	if !strings.Contains(texts, "0.52 seconds of speech") || !strings.Contains(texts, "21 degrees") {
		v.t.Errorf("texts: %s", texts)
	}
	told := v.events[len(v.events)-1]["usageEvent"]
	u := &r.Usage
	if told["totalInputTokens"] != float64(u.Of(outcrop.InputTokens)+u.Of(outcrop.InputAudioTokens)) || told["totalTokens"] != float64(u.Total()) || u.Estimated {
		v.t.Errorf("recorded %+v, told %v", r.Usage, told)
	}
	if got := u.Of(outcrop.InputAudioTokens); got != 13 { // half a second, at 25 in one
		v.t.Errorf("%d tokens of speech heard", got)
	}
	if got := int(u.Of(outcrop.OutputAudioTokens)); audio == 0 || got < audio/(24000*2/25) || got > audio/(24000*2/25)+2 {
		v.t.Errorf("%d tokens of speech for %d bytes", got, audio)
	}
	if r.Operation != outcrop.OpInvokeModelBidirectional || r.Model != sonic || r.Outcome.Status != 200 || r.FirstByte.IsZero() {
		v.t.Errorf("record: %+v", r)
	}
}

func h2c(p *http.Protocols) { p.SetUnencryptedHTTP2(true) }

func TestASpeakerWhoHangsUpIsBilled(t *testing.T) {
	for name, protocols := range map[string]func(*http.Protocols){"h2c": h2c, "HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) }} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Config{})
			v, err := s.speakTo(t, s.admin(), protocols, sonic)
			if err != nil {
				t.Fatal(err)
			}
			v.say(sessionStart, promptStart)
			v.say(audioTurn("c1")...)
			v.hear("usageEvent")
			v.say(audioTurn("c2")[:4]...)
			v.stream.Close()
			r := s.onlyRecord(t)
			if !r.Outcome.HungUp && r.Outcome.Status != 400 || !r.Usage.Estimated || r.Usage.Of(outcrop.InputAudioTokens) < 13 || r.Usage.Of(outcrop.OutputAudioTokens) == 0 {
				t.Errorf("record: %+v %+v", r.Outcome, r.Usage)
			}
		})
	}
}

func TestSpokenConversationsThatFail(t *testing.T) {
	s := start(t, Config{})
	nobody := s.user(t, "nobody", "")
	streams := s.user(t, "streams", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"Resource":"*"}}`)
	for _, by := range []sigv4.Credentials{nobody, streams} {
		_, err := s.speakTo(t, by, h2c, sonic)
		var denied *types.AccessDeniedException
		if !errors.As(err, &denied) || !strings.Contains(denied.ErrorMessage(), "bedrock:InvokeModelWithBidirectionalStream") {
			t.Errorf("err = %v", err)
		}
	}
	var invalid *types.ValidationException
	if _, err := s.speakTo(t, s.admin(), h2c, geoProfile); !errors.As(err, &invalid) || !strings.Contains(invalid.ErrorMessage(), "takes no speech") {
		t.Errorf("err = %v", err)
	}
	for name, c := range map[string]struct {
		say  []string
		want string
	}{
		"no session":     {[]string{promptStart}, "sessionStart comes first"},
		"no such event":  {[]string{sessionStart, promptStart, `"dance":{"promptName":"p"}`}, "dance"},
		"no prompt":      {append([]string{sessionStart}, audioTurn("a")...), "promptName"},
		"two in one":     {[]string{sessionStart, `"promptEnd":{},"promptStart":{}`}, "exactly one member"},
		"a wrong member": {[]string{sessionStart, `"promptStart":{"promptName":1}`}, "promptName must not be a number"},
	} {
		v, err := s.speakTo(t, s.admin(), h2c, sonic)
		if err != nil {
			t.Fatal(err)
		}
		v.begin(c.say...)
		v.hear("")
		if err := v.stream.Err(); !errors.As(err, &invalid) || !strings.Contains(invalid.ErrorMessage(), c.want) {
			t.Errorf("%s: err = %v", name, err)
		}
		v.stream.Close()
	}
}

func TestASilentSpeakerIsCutOff(t *testing.T) {
	s := start(t, Config{})
	s.engines.runtime.SilenceLimit = 100 * time.Millisecond
	v, err := s.speakTo(t, s.admin(), h2c, sonic)
	if err != nil {
		t.Fatal(err)
	}
	v.say(sessionStart, promptStart)
	v.hear("")
	var late *types.ModelTimeoutException
	if err := v.stream.Err(); !errors.As(err, &late) || !strings.Contains(late.ErrorMessage(), "Timed out waiting for input events") {
		t.Errorf("err = %v", err)
	}
	if r := s.onlyRecord(t); r.Outcome.Status != 408 {
		t.Errorf("record: %+v", r.Outcome)
	}
}
