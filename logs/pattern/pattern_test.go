package pattern

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	apache  = `127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	trail   = `{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],"objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c","flag":true,"off":false,"latency":22.5,"code":404,"text":"say \"hi\"","nested":{"deep":{"x":"arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"}}}`
	trouble = `[ERROR 400] BAD REQUEST`
)

// The examples of "Filter pattern syntax" in the CloudWatch Logs User Guide,
// and what follows from its sentences.
func TestPatterns(t *testing.T) {
	for _, v := range []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"   ", "anything", true},
		{"ERROR", trouble, true},
		{"error", trouble, false},
		{"ERROR REQUEST", trouble, true},
		{"ERROR ARGUMENTS", trouble, false},
		{"?ERROR ?ARGUMENTS", trouble, true},
		{"?WARN ?ARGUMENTS", trouble, false},
		{"BAD ?ARGUMENTS", trouble, true}, // combined, ? is ignored
		{"ERROR -ARGUMENTS", trouble, true},
		{"ERROR -REQUEST", trouble, false},
		{"-REQUEST", trouble, false},
		{"-nothing", trouble, true},
		{`"BAD REQUEST"`, trouble, true},
		{`"REQUEST BAD"`, trouble, false},
		{`"[ERROR 400]" -"BAD  "`, trouble, true},
		{`"say \"hi\""`, `they say "hi"`, true},
		{`%ERR[A-Z]+ 4\d\d%`, trouble, true},
		{`%^BAD%`, trouble, false},
		{`%100\%%`, "at 100% now", true},

		{`{ $.eventType = "UpdateTrail" }`, trail, true},
		{`{ $.eventType = UpdateTrail }`, trail, true},
		{`{ $.eventType = "Update*" }`, trail, true},
		{`{ $.eventType = "*Trail" && $.code = 404 }`, trail, true},
		{`{ $.eventType = "U*T*l" }`, trail, true},
		{`{ $.eventType = "U*X*l" }`, trail, false},
		{`{ $.eventType != "UpdateTrail" }`, trail, false},
		{`{ $.eventType != "Other" }`, trail, true},
		{`{ $.absent != "Other" }`, trail, false}, // the selector finds nothing to compare
		{`{ $.sourceIPAddress != 123.123.* }`, trail, true},
		{`{ $.sourceIPAddress = 111.111.* }`, trail, true},
		{`{ $.arrayKey[0] = "value" }`, trail, true},
		{`{ $.arrayKey[1] = "value" }`, trail, false},
		{`{ $.arrayKey[*] = "another value" }`, trail, true},
		{`{ $.arrayKey = "value" }`, trail, false}, // a list is no value
		{`{ $.objectList[1].id = 2 }`, trail, true},
		{`{ $.objectList[*].name = "b" }`, trail, true},
		{`{ $.SomeObject IS NULL }`, trail, true},
		{`{ $.eventType IS NULL }`, trail, false},
		{`{ $.absent IS NULL }`, trail, false},
		{`{ $.SomeOtherObject NOT EXISTS }`, trail, true},
		{`{ $.SomeObject NOT EXISTS }`, trail, false},
		{`{ $.flag IS TRUE }`, trail, true},
		{`{ $.off IS FALSE }`, trail, true},
		{`{ $.flag IS FALSE }`, trail, false},
		{`{ $.eventType IS FALSE }`, trail, false},
		{`{ $.latency > 22 }`, trail, true},
		{`{ $.latency >= 22.5 && $.latency <= 2.25e1 }`, trail, true},
		{`{ $.latency < 22.5 }`, trail, false},
		{`{ $.code = 4.04e2 }`, trail, true},
		{`{ $.eventType > 1 }`, trail, false},
		{`{ $.['cluster.name'] = "c" }`, trail, true},
		{`{ $.["cluster.name"] = "c" }`, trail, true},
		{`{ $["cluster.name"] = "c" }`, trail, true},
		{`{ $.cluster.name = "c" }`, trail, false},
		{`{ $.nested.deep.x = "*application-inference-profile*" }`, trail, true},
		{`{ $.nested.*.x = "*abc" }`, trail, true},
		{`{ $.text = "say \"hi\"" }`, trail, true},
		{`{ $.eventType = %Update.*% }`, trail, true},
		{`{ $.eventType = %^Trail$% }`, trail, false},
		{`{ ($.code = 1 || $.code = 404) && $.eventType = "UpdateTrail" }`, trail, true},
		{`{ $.code = 1 || $.code = 404 && $.eventType = "Other" }`, trail, false},
		{`{ $.code = 404 || $.code = 1 && $.eventType = "Other" }`, trail, true},
		{`{ $.eventType = "*" }`, trouble, false},
		{`{ $.x NOT EXISTS }`, trouble, false},                          // no JSON
		{`{ $.eventType = "café" }`, `{"eventType":"caf\u00e9"}`, true}, // the text itself is not there

		{`[ip, user, username, timestamp, request, status_code, bytes > 1000]`, apache, true},
		{`[ip, user, username, timestamp, request, status_code = 4*, bytes]`, apache, true},
		{`[ip, user, username, timestamp, request, status_code = 5*, bytes]`, apache, false},
		{`[ip, user, username, timestamp, request, status_code, bytes > 2000]`, apache, false},
		{`[ip, user, username, timestamp, request]`, apache, false},
		{`[ip, user, username, timestamp, request = *html*, status_code, bytes]`, apache, true},
		{`[..., status_code = 404, bytes]`, apache, true},
		{`[ip = 127.*, ...]`, apache, true},
		{`[ip = 10.*, ...]`, apache, false},
		{`[ip, ..., bytes = 1534]`, apache, true},
		{`[ip, user, username, timestamp = "10/Oct*", request, code, bytes]`, apache, true},
		{`[..., code = 404 || code = 410, bytes]`, apache, true},
		{`[..., code >= 400 && code < 404, bytes]`, apache, false},
		{`[..., code != 404, bytes]`, apache, false},
		{`[..., code = %4\d{2}%, bytes]`, apache, true},
		{`[w1 = ERROR || w1 = %WARN%, ...]`, "WARNING of x", true},
		{`[w1, w2]`, "one  two", true},
		{`[w1, w2]`, "one", false},
	} {
		p, err := Parse(v.pattern)
		if err != nil {
			t.Errorf("%s: %v", v.pattern, err)
			continue
		}
		if got := p.Match([]byte(v.message)); got != v.want {
			t.Errorf("%s on %s: %v", v.pattern, v.message, got)
		}
	}
}

func TestBadPatterns(t *testing.T) {
	for _, text := range []string{
		`a-b`, `"open`, `%open`, `%(%`, `?`, `-`, `{`, `{}`, `{ $ = 1 }`, `{ $. = 1 }`, `{ $.a }`, `{ $.a = }`, `{ $.a = 1`, `{ $.a = 1 } x`, `{ $.a > "b" }`,
		`{ ($.a = 1 }`, `{ $.a = 1 && }`, `{ $.a[x] = 1 }`, `{ $.a IS MAYBE }`, `{ a = 1 }`, `[`, `[]`, `[a`, `[a,]`, `[..., ...]`, `[a = ]`, `[a = 1 || b = 2]`, `[a] b`,
		`{ $.a = "x }`, strings.Repeat("a", 1025), "\xff", `{ ` + strings.Repeat("(", 40) + `$.a = 1`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), "Invalid filter pattern") {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// Property: looking for the texts a pattern needs before anything else never
// changes what matches.
func TestNeedsChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{`"ab"`, `"a*"`, `"*b*c"`, "5", `"é"`, `"q\"q"`, `%a%`})
		text := "{ "
		for i := range rapid.IntRange(1, 3).Draw(t, "conditions") {
			if i > 0 {
				text += rapid.SampledFrom([]string{" && ", " || "}).Draw(t, "joint")
			}
			text += "$." + rapid.SampledFrom([]string{"a", "b", "c.d"}).Draw(t, "at") + rapid.SampledFrom([]string{" = ", " != "}).Draw(t, "op") + word.Draw(t, "value")
		}
		p, err := Parse(text + " }")
		if err != nil {
			t.Fatal(err)
		}
		value := rapid.SampledFrom([]string{`"ab"`, `"abc"`, `"xbxc"`, "5", "5.0", `"\u00e9"`, `"é"`, `"q\"q"`, "null", "[]"})
		message := []byte(`{"a":` + value.Draw(t, "a") + `,"b":` + value.Draw(t, "b") + `,"c":{"d":` + value.Draw(t, "d") + `}}`)
		if got, want := p.Match(message), p.match(message); got != want {
			t.Fatalf("%s on %s: %v, want %v (needs %q)", text, message, got, want, p.needs)
		}
	})
}

// Promise: a pattern from the network is read or refused, and matching ends.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`ERROR ?x -"y z"`, `{ $.a.b[0] = "x*" && ($.c IS NULL || $.d > 1e3) }`, `[a, ..., b = 4* || b = %x%]`, `{$.['a']!=1}`, `%a%`, `{ $`, `[.`} {
		f.Add(seed, trail)
		f.Add(seed, apache)
	}
	f.Fuzz(func(t *testing.T, text, message string) {
		p, err := Parse(text)
		if err == nil {
			p.Match([]byte(message))
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for name, text := range map[string]string{"term": "nowhere", "selector": `{ $.nested.deep.x = "*application-inference-profile/abc" }`, "number": `{ $.code > 500 }`} {
		p, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(trail)))
			for b.Loop() {
				p.Match([]byte(trail))
			}
		})
	}
}
