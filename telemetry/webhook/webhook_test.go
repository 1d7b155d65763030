package webhook

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestANotificationIsSignedAndTriedAgain(t *testing.T) {
	var tries atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get(SignatureHeader) != Sign([]byte("secret"), body) || string(body) != `{"a":1}` {
			t.Errorf("body %s, signature %s", body, r.Header.Get(SignatureHeader))
		}
		if tries.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	s := New("secret")
	defer s.Close()
	if err := s.Notify(t.Context(), server.URL, []byte(`{"a":1}`)); err != nil || tries.Load() != 2 {
		t.Errorf("err = %v after %d tries, want success at the second", err, tries.Load())
	}
}

func TestWhatCannotBeMendedIsTriedOnce(t *testing.T) {
	var tries atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	}))
	defer server.Close()
	s := New("")
	defer s.Close()
	err := s.Notify(t.Context(), server.URL+"/?token=hush", []byte("{}"))
	if err == nil || tries.Load() != 1 || strings.Contains(err.Error(), "hush") {
		t.Errorf("err = %v after %d tries; a redirect is not followed, and no URL is shown", err, tries.Load())
	}
	server.Close()
	if _, err := s.post(t.Context(), server.URL+"/?token=hush", nil); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("err = %v shows the URL", err)
	}
}
