package sigv4

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"pgregory.net/rapid"
)

// A fataler is a test, of rapid or not.
type fataler interface {
	Helper()
	Fatal(...any)
}

// beginEvents signs the head of an event stream and verifies it.
func beginEvents(t fataler, at time.Time) (*Events, []byte) {
	t.Helper()
	by := Credentials{AccessKey: "AKIDEXAMPLE", Secret: "secret"}
	r, err := http.NewRequest("POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/x/invoke-with-bidirectional-stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Content-Sha256", StreamingEvents)
	if err := Sign(r, StreamingEvents, by, Scope{"us-east-1", "bedrock"}, at); err != nil {
		t.Fatal(err)
	}
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	e, err := new(Verifier).VerifyEvents(s, r, by.Secret, at)
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
	seed, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return e, seed
}

// Property: what the SDK signs, frame after frame and over midnight, holds; and
// no frame can be changed, left out, sent twice or moved.
func TestSignedEventsHoldInTheirOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 11, 28, 23, 59, 0, 0, time.UTC)
		e, seed := beginEvents(t, at)
		signer := v4.NewStreamSigner(aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, "bedrock", "us-east-1", seed)
		type frame struct {
			at               time.Time
			headers, payload []byte
			signature        []byte
		}
		frames := make([]frame, rapid.IntRange(2, 5).Draw(t, "frames"))
		for i := range frames {
			f := &frames[i]
			f.at = at.Add(time.Duration(i) * 30 * time.Second)
			f.headers, f.payload = rapid.SliceOf(rapid.Byte()).Draw(t, "headers"), append([]byte{byte(i)}, rapid.SliceOf(rapid.Byte()).Draw(t, "payload")...)
			var err error
			if f.signature, err = signer.GetSignature(t.Context(), f.headers, f.payload, f.at); err != nil {
				t.Fatal(err)
			}
		}
		bad := rapid.IntRange(0, len(frames)-1).Draw(t, "bad")
		spoil := rapid.SampledFrom([]string{"payload", "headers", "date", "signature", "left out", "twice", "late"}).Draw(t, "spoil")
		verify := func(f frame, now time.Time) error { return e.Verify(f.at, f.headers, f.payload, f.signature, now) }
		for i, f := range frames[:bad] {
			if err := verify(f, f.at); err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
		}
		f, now := frames[bad], frames[bad].at
		switch spoil {
		case "payload":
			f.payload = append(bytes.Clone(f.payload), 'x')
		case "headers":
			f.headers = append(bytes.Clone(f.headers), 'x')
		case "date":
			f.at = f.at.Add(time.Second)
		case "signature":
			f.signature = f.signature[:len(f.signature)-1]
		case "left out":
			if f = frames[(bad+1)%len(frames)]; bad == len(frames)-1 {
				return
			}
		case "twice":
			if bad == 0 {
				return
			}
			f = frames[bad-1]
		case "late":
			now = f.at.Add(ClockSkew + time.Second)
		}
		if verify(f, now) == nil {
			t.Fatalf("frame %d passed, spoilt by %s", bad, spoil)
		}
		for i, f := range frames[bad:] { // a refusal is no link of the chain
			if err := verify(f, f.at); err != nil {
				t.Fatalf("frame %d: %v", bad+i, err)
			}
		}
	})
}

func TestHeadsOfEventStreams(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, payload := range []string{UnsignedPayload, StreamingSigned, PayloadHash(nil)} {
		r, _ := http.NewRequest("POST", "https://host/model/x/invoke-with-bidirectional-stream", nil)
		r.Header.Set("X-Amz-Content-Sha256", payload)
		by := Credentials{AccessKey: "AKIDEXAMPLE", Secret: "secret"}
		if err := Sign(r, payload, by, Scope{"us-east-1", "bedrock"}, at); err != nil {
			t.Fatal(err)
		}
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := new(Verifier).VerifyEvents(s, r, by.Secret, at); err == nil || !strings.Contains(err.Error(), StreamingEvents) {
			t.Errorf("%s: err = %v", payload, err)
		}
	}
}
