package sdkhttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// closedEarly is a body of smithy-go that was closed when it had been sent
// and not yet been found to have ended.
type closedEarly struct{ io.Reader }

func (closedEarly) Close() error { return nil }

func (closedEarly) WriteTo(io.Writer) (int64, error) { return 0, io.EOF }

// Property: an answer is read to its end although its request's body was
// closed as soon as its head was there.
func TestABodyClosedEarlyKeepsItsAnswer(t *testing.T) {
	const body = "a question"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := io.ReadAll(r.Body)
		w.Write(asked)
		w.(http.Flusher).Flush()
		select { // the rest comes when the client has had time to break off
		case <-time.After(20 * time.Millisecond):
		case <-r.Context().Done():
		}
		io.WriteString(w, ", answered")
	}))
	defer srv.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, closedEarly{strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len(body))
	res, err := Patient(http.DefaultTransport).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if answer, err := io.ReadAll(res.Body); err != nil || string(answer) != body+", answered" {
		t.Errorf("the answer is %q, %v", answer, err)
	}
}
