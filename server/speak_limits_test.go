package server

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// A session ends at its longest time, however much there is still to say, and
// is billed for what was said.
func TestASessionHasItsLongestTime(t *testing.T) {
	s := start(t, Config{})
	const longest = time.Second
	s.engines.runtime.SessionLimit = longest
	v, err := s.speakTo(t, s.admin(), h2c, sonic)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	v.say(sessionStart, promptStart)
	v.say(audioTurn("c1")...)
	stopped := make(chan struct{})
	go func() { // who goes on speaking is cut off all the same
		defer close(stopped)
		piece := []byte(`{"event":{"audioInput":{"promptName":"p","contentName":"c2","content":"` + base64.StdEncoding.EncodeToString(make([]byte, 320)) + `"}}}`)
		v.stream.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{` + audioTurn("c2")[0] + `}}`)}})
		for v.stream.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: piece}}) == nil {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	v.hear("")
	var late *types.ModelTimeoutException
	if err := v.stream.Err(); !errors.As(err, &late) || !strings.Contains(late.ErrorMessage(), "longest time") {
		t.Errorf("err = %v", err)
	}
	if took := time.Since(began); took < longest*9/10 || took > 10*time.Second {
		t.Errorf("cut off after %s", took)
	}
	v.stream.Close()
	<-stopped
	if r := s.onlyRecord(t); r.Outcome.Status != 408 || r.Usage.Total() == 0 {
		t.Errorf("record: %+v %+v", r.Outcome, r.Usage)
	}
}

// A frame that is larger than AWS takes is refused before it is read whole.
func TestAFrameHasItsLargestSize(t *testing.T) {
	s := start(t, Config{})
	v, err := s.speakTo(t, s.admin(), h2c, sonic)
	if err != nil {
		t.Fatal(err)
	}
	v.say(sessionStart, promptStart, audioTurn("c1")[0])
	large := `{"event":{"audioInput":{"promptName":"p","contentName":"c1","content":"` + strings.Repeat("AAAA", 500_000) + `"}}}`
	v.stream.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: []byte(large)}}) // may fail: the server need not read it
	v.hear("")
	var invalid *types.ValidationException
	if err := v.stream.Err(); !errors.As(err, &invalid) || !strings.Contains(invalid.ErrorMessage(), "larger than 1500000 bytes") {
		t.Errorf("err = %v", err)
	}
	if r := s.onlyRecord(t); r.Outcome.Status != 400 {
		t.Errorf("record: %+v", r.Outcome)
	}
}

// A Bedrock API key signs nothing, so it cannot speak.
func TestAnAPIKeyCannotSpeak(t *testing.T) {
	s := start(t, Config{})
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.Endpoint()+"/model/"+sonic+"/invoke-with-bidirectional-stream", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.first.APIKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "API keys cannot be used for this operation") || !strings.Contains(answer.Header.Get("X-Amzn-Errortype"), "AccessDenied") {
		t.Errorf("%d %s %s", answer.StatusCode, answer.Header.Get("X-Amzn-Errortype"), text)
	}
	if got := records(t, s); len(got) != 0 {
		t.Errorf("%d records", len(got))
	}
}
