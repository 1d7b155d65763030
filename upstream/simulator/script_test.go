package simulator

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"outcrop"
	"outcrop/upstream/upstreamtest"
)

func TestParseScript(t *testing.T) {
	for in, want := range map[string]*Script{
		"": {}, " , ": {}, "throttle": {Throttle: time.Second}, "throttle=2s": {Throttle: 2 * time.Second}, "error": {Status: 503}, "status=500": {Status: 500},
		"slow": {TimeToFirst: 5 * time.Second}, "ttft=200ms, pace=10ms,cut=5": {TimeToFirst: 200 * time.Millisecond, Pace: 10 * time.Millisecond, Cut: 5},
		"tokens=200,nousage,attempts=1": {Tokens: 200, NoUsage: true, Attempts: 1},
		"explode":                       nil, "status=200": nil, "cut=0": nil, "cut=-1": nil, "tokens=999999": nil, "pace": nil, "ttft=1h": nil, "ttft=-1s": nil, "error=1": nil, "nousage=x": nil, "status": nil,
	} {
		got, err := ParseScript(in)
		if want == nil {
			if outcrop.KindOf(err) != outcrop.Invalid {
				t.Errorf("%q: %+v %v, want Invalid", in, got, err)
			}
			continue
		}
		if err != nil || got != *want {
			t.Errorf("%q: %+v %v, want %+v", in, got, err, *want)
		}
	}
}

func FuzzParseScript(f *testing.F) {
	f.Add("throttle=2s, status=500, tokens=1")
	f.Fuzz(func(t *testing.T, in string) {
		s, err := ParseScript(in)
		if err == nil && (s.TimeToFirst > maxScriptWait || s.Pace > maxScriptWait || s.Throttle > maxScriptWait || s.Tokens > maxScriptTokens || s.Cut > maxScriptTokens) {
			t.Errorf("%q: %+v is out of bounds", in, s)
		}
	})
}

func TestScriptInMetadataAndSystem(t *testing.T) {
	s := New(Options{Faults: []Fault{{Script: Script{Status: 500}}}})
	in := upstreamtest.Ask("Hello")
	in.RequestMetadata = map[string]string{ScriptKey: "throttle"}
	if _, err := s.Converse(t.Context(), attempt(nova), in); outcrop.KindOf(err) != outcrop.Throttled {
		t.Errorf("metadata: %v", err)
	}
	if _, err := s.Converse(t.Context(), attempt(nova), upstreamtest.Play("error\nBe kind.", "Hello")); outcrop.KindOf(err) != outcrop.Unavailable {
		t.Errorf("system: %v", err)
	}
	if _, err := s.Converse(t.Context(), attempt(nova), upstreamtest.Play("bang", "Hello")); outcrop.KindOf(err) != outcrop.Invalid {
		t.Errorf("unknown word: %v", err)
	}
	if _, err := s.Converse(t.Context(), attempt(nova), upstreamtest.Ask("Hello")); outcrop.KindOf(err) != outcrop.ModelFailed {
		t.Errorf("options: %v", err)
	}
}

func TestLaterAttemptsGoWell(t *testing.T) {
	s := New(Options{})
	for number, want := range map[int]bool{1: false, 2: false, 3: true} {
		a := attempt(nova)
		a.Number = number
		_, err := s.Converse(t.Context(), a, upstreamtest.Play("error,attempts=2", "Hello"))
		if (err == nil) != want {
			t.Errorf("attempt %d: %v", number, err)
		}
	}
}

func TestFaultsFitCalls(t *testing.T) {
	s := New(Options{Faults: []Fault{{Region: "us-west-2", Script: Script{Status: 503}}, {Model: sonnet, Script: Script{Throttle: time.Second}}, {Share: 0.25, Script: Script{Status: 500}}}})
	west := attempt(nova)
	west.Destination.Region = "us-west-2"
	for want, a := range map[outcrop.Kind]outcrop.Attempt{outcrop.Unavailable: west, outcrop.Throttled: attempt(sonnet)} {
		if _, err := s.Converse(t.Context(), a, upstreamtest.Ask("Hello")); outcrop.KindOf(err) != want {
			t.Errorf("%v, want kind %d", err, want)
		}
	}
	failed := 0
	for i := range 1000 {
		a := attempt(nova)
		a.Invocation = outcrop.InvocationID(fmt.Sprint("invocation ", i))
		if _, err := s.Converse(t.Context(), a, upstreamtest.Ask("Hello")); err != nil {
			failed++
		}
	}
	if failed < 180 || failed > 320 {
		t.Errorf("%d of 1000 failed, want about 250", failed)
	}
}

func TestCutAfterExactlySoManyEvents(t *testing.T) {
	for n := 1; n < 6; n++ {
		events, err := upstreamtest.Events(New(Options{}).ConverseStream(t.Context(), attempt(nova), upstreamtest.Play(fmt.Sprint("tokens=99,cut=", n), "Hello")))
		if len(events) != n || outcrop.KindOf(err) != outcrop.StreamFailed {
			t.Errorf("cut=%d: %d events, %v", n, len(events), err)
		}
	}
}

func TestSlowIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if _, err := New(Options{}).Converse(t.Context(), attempt(nova), upstreamtest.Play("slow=90s", "Hello")); err != nil || time.Since(began) != 90*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		var e *outcrop.Error
		_, err := New(Options{}).Converse(t.Context(), attempt(nova), upstreamtest.Play("throttle=2s", "Hello"))
		if !errors.As(err, &e) || e.RetryAfter != 2*time.Second {
			t.Errorf("%v", err)
		}
	})
}
