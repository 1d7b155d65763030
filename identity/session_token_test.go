package identity

import (
	"bytes"
	"encoding/base64"
	"reflect"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity/sealing"
	"pgregory.net/rapid"
)

func testDirectory(t testing.TB) *Directory {
	sealer, err := sealing.NewSealer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return New(nil, sealer, time.Now)
}

func drawClaims(t *rapid.T) *sessionClaims {
	text := rapid.StringN(0, 40, 120)
	c := &sessionClaims{account: "123456789012", principalID: "AROAEXAMPLE"}
	copy(c.secret[:], rapid.SliceOfN(rapid.Byte(), sessionSecretBytes, sessionSecretBytes).Draw(t, "secret"))
	s := &c.session
	s.Role, s.Name = outcrop.ARN(text.Draw(t, "role")), text.Draw(t, "name")
	s.SourceIdentity, s.Provider = text.Draw(t, "source"), outcrop.ARN(text.Draw(t, "provider"))
	s.Subject, s.Audience = text.Draw(t, "sub"), text.Draw(t, "aud")
	s.Issued = time.Unix(rapid.Int64Range(0, 1<<40-1).Draw(t, "issued"), 0).UTC()
	s.Expires = s.Issued.Add(time.Duration(rapid.Int64Range(0, 1<<32-1).Draw(t, "life")) * time.Second)
	if m := rapid.MapOfN(text, text, 0, 5).Draw(t, "tags"); len(m) > 0 {
		s.Tags = m
	}
	for to, name := range map[*[]string]string{&s.Policies: "policies", &c.policyARNs: "arns", &s.Transitive: "transitive"} {
		if list := rapid.SliceOfN(text, 0, 3).Draw(t, name); len(list) > 0 {
			*to = list
		}
	}
	return c
}

// Property: what a token says is what was put into it.
func TestSessionClaimsRoundTrip(t *testing.T) {
	d := testDirectory(t)
	rapid.Check(t, func(rt *rapid.T) {
		want := drawClaims(rt)
		packed, err := want.pack()
		if err != nil {
			rt.Fatal(err)
		}
		token, err := d.sealSession("ASIAX", want, packed)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := d.openSession("ASIAX", token)
		if err != nil || !reflect.DeepEqual(got, want) {
			rt.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
		}
		if _, err := d.openSession("ASIAY", token); err == nil {
			rt.Fatal("the token opens with another access key")
		}
	})
}

func fullToken(t testing.TB, d *Directory) string {
	c := &sessionClaims{account: "123456789012", principalID: "AROAEXAMPLE"}
	c.session = outcrop.Session{Role: "arn:aws:iam::123456789012:role/app", Name: "web", Tags: outcrop.Tags{"team": "blue"},
		Policies: []string{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*"}]}`},
		Issued:   time.Unix(1e9, 0), Expires: time.Unix(1e9+3600, 0)}
	packed, err := c.pack()
	if err != nil {
		t.Fatal(err)
	}
	token, err := d.sealSession("ASIAX", c, packed)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Every byte of a token counts: changed, taken away or added to, it is refused.
func TestSessionTokenTampered(t *testing.T) {
	d := testDirectory(t)
	token := fullToken(t, d)
	for i := range token {
		for _, c := range []byte{'A', 'B', 'Q', '_', '-', '.', '\n', '\r', '=', 0} {
			if token[i] == c {
				continue
			}
			if _, err := d.openSession("ASIAX", token[:i]+string(rune(c))+token[i+1:]); err == nil {
				t.Fatalf("byte %d changed to %q: still opens", i, c)
			}
		}
		for name, forged := range map[string]string{
			"cut": token[:i], "headless": token[i+1:], "without": token[:i] + token[i+1:],
			"break": token[:i] + "\n" + token[i:], "double": token[:i] + token[i:i+1] + token[i:],
		} {
			if _, err := d.openSession("ASIAX", forged); err == nil {
				t.Fatalf("byte %d, %s: still opens", i, name)
			}
		}
	}
	other := testDirectory(t)
	if _, err := other.openSession("ASIAX", token); err == nil {
		t.Error("a foreign token opens")
	}
	for _, purpose := range []sealing.Purpose{AccessKeySecret, "outcrop identity session-token v2"} {
		sealed, err := d.sealer.Seal(purpose, "ASIAX", string((&sessionClaims{}).encode(nil)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.openSession("ASIAX", string(sealed)); err == nil {
			t.Errorf("what is sealed for %q opens as a session", purpose)
		}
	}
	if _, err := d.openSession("ASIAX", token+strings.Repeat("A", maxSessionTokenBytes)); err == nil {
		t.Error("a token over the limit opens")
	}
}

// The claims inside are read with the same care, whoever sealed them.
func TestSessionClaimsMalformed(t *testing.T) {
	c := &sessionClaims{session: outcrop.Session{Tags: outcrop.Tags{"a": "b"}, Issued: time.Unix(1, 0), Expires: time.Unix(2, 0)}}
	packed, err := c.pack()
	if err != nil {
		t.Fatal(err)
	}
	whole := c.encode(packed)
	bare := len(c.encode(nil)) // cut there, it is a session without policies
	for n := range whole {
		if _, err := decodeClaims(whole[:n]); err == nil && n != bare {
			t.Errorf("the first %d of %d bytes are read", n, len(whole))
		}
	}
	if _, err := decodeClaims(append([]byte{2}, whole[1:]...)); err == nil {
		t.Error("another version is read")
	}
	bomb := &sessionClaims{session: outcrop.Session{Policies: []string{strings.Repeat("a", 2*maxUnpackedBytes)}}}
	if packed, err = bomb.pack(); err != nil {
		t.Fatal(err)
	}
	if _, err := decodeClaims(c.encode(packed)); err == nil || len(packed) > maxPackedBytes {
		t.Errorf("a bomb of %d bytes is unpacked", len(packed))
	}
}

// What AWS's quotas allow of strings fits into every place a token goes to.
func TestSessionTokenSize(t *testing.T) {
	d := testDirectory(t)
	c := &sessionClaims{account: "123456789012", principalID: strings.Repeat("A", 21)}
	c.session = outcrop.Session{
		Role: outcrop.ARN("arn:aws:iam::123456789012:role" + strings.Repeat("/", 512) + strings.Repeat("r", 64)), Name: strings.Repeat("n", 64),
		SourceIdentity: strings.Repeat("s", 64), Provider: outcrop.ARN(strings.Repeat("p", 300)), Subject: strings.Repeat("u", 255), Audience: strings.Repeat("a", 255),
		Issued: time.Now(), Expires: time.Now().Add(12 * time.Hour),
	}
	token, err := d.sealSession("ASIAEXAMPLE", c, make([]byte, maxPackedBytes))
	if err != nil || len(token) > maxSessionTokenBytes {
		t.Fatalf("a full token has %d bytes, limit %d (%v)", len(token), maxSessionTokenBytes, err)
	}
	const query = 400 // the other parameters of a short-term key
	if n := len(shortTermPrefix) + base64.StdEncoding.EncodedLen(query+len(token)); n > maxTokenBytes {
		t.Errorf("a short-term key with a full token has %d bytes, limit %d", n, maxTokenBytes)
	}
	c = &sessionClaims{session: outcrop.Session{Policies: []string{packWords[strings.LastIndex(packWords, `{"Version"`):]}}}
	packed, err := c.pack()
	if err != nil || len(packed) > 32 {
		t.Errorf("a policy of one statement packs to %d bytes (%v)", len(packed), err)
	}
}

func TestSessionKeyIDTellsItsAccount(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := outcrop.AccountID(rapid.StringMatching(`[0-9]{12}`).Draw(rt, "account"))
		id := newSessionKeyID(want)
		if got, ok := accountOfKeyID(id); !ok || got != want || len(id) != 20 || !accessKeyID.MatchString(id) {
			rt.Fatalf("%s tells account %q, want %q", id, got, want)
		}
	})
	// A published example of AWS's own (ASIA ids since 2019).
	if got, ok := accountOfKeyID("ASIAQNZGKIQY56JQ7WML"); !ok || got != "029608264753" {
		t.Errorf("account of AWS's example is %q", got)
	}
	for _, id := range []string{"", "ASIA", "AKIAQNZGKIQY56JQ7WML", "ASIAQNZGKIQY56JQ7WM!", "ASIAQNZGKIQY56JQ"} {
		if got, ok := accountOfKeyID(id); ok {
			t.Errorf("%q tells account %q", id, got)
		}
	}
}

func FuzzToken(f *testing.F) {
	d := testDirectory(f)
	good := fullToken(f, d)
	f.Add(good, []byte{1})
	f.Add("v1.ek.AAAA", (&sessionClaims{}).encode(nil))
	f.Add("", bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, token string, plain []byte) {
		if c, err := d.openSession("ASIAX", token); err == nil && token != good {
			t.Errorf("forged token opens as %+v", c)
		}
		c, err := decodeClaims(plain)
		if err != nil {
			return
		}
		packed, err := c.pack()
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeClaims(c.encode(packed))
		if err == nil && !reflect.DeepEqual(again, c) {
			t.Errorf("read again it says %+v, first %+v", again, c)
		}
	})
}
