package sigv4

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Property: a request that is signed in used room is signed as in new room.
func TestSignedInUsedRoom(t *testing.T) {
	var used Room
	at := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	for i, token := range []string{"", "a session", "", strings.Repeat("t", 900)} {
		by := Credentials{AccessKey: "AKIA" + strings.Repeat("A", 40*i), Secret: "secret", SessionToken: token}
		headers := [2]http.Header{}
		for which, sign := range []func(*http.Request, string, Credentials, Scope, time.Time) error{Sign, used.Sign} {
			r := httptest.NewRequest("POST", "/model/m/converse", nil)
			if err := sign(r, UnsignedPayload, by, Scope{Region: "us-east-1", Service: "bedrock"}, at.Add(time.Duration(i)*time.Second)); err != nil {
				t.Fatal(err)
			}
			headers[which] = r.Header
		}
		if !reflect.DeepEqual(headers[0], headers[1]) {
			t.Errorf("%v in new room\n%v in used room", headers[0], headers[1])
		}
	}
}
