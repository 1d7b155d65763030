package sigv4

import (
	"bytes"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Property: of large bodies that are verified at one time, which are hashed
// together, each is judged by itself: one that was tampered with is refused
// whoever it goes with, and no other is.
func TestLargeBodiesAreJudgedByThemselves(t *testing.T) {
	var verifier Verifier
	var all sync.WaitGroup
	for who := range 8 {
		all.Go(func() {
			for turn := range 40 {
				body := bytes.Repeat([]byte{'a' + byte(who)}, 256<<10+turn*who)
				r := httptest.NewRequest("POST", "http://127.0.0.1/model/m/invoke", nil)
				r.RequestURI = r.URL.RequestURI()
				if err := Sign(r, PayloadHash(body), example, bedrockEast, exampleTime); err != nil {
					t.Error(err)
					return
				}
				s, err := Parse(r)
				if err != nil {
					t.Error(err)
					return
				}
				tampered := (who+turn)%2 == 0
				if tampered {
					body[len(body)/(turn+1)-1]++
				}
				err = verifier.Verify(s, r, body, example.Secret, exampleTime)
				if refused := err != nil && strings.Contains(err.Error(), "does not match"); refused != tampered || !refused && err != nil {
					t.Errorf("%d, turn %d: tampered with %v, %v", who, turn, tampered, err)
				}
			}
		})
	}
	all.Wait()
}
