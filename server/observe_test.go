package server

import (
	"net/http/httptest"
	"testing"

	"outcrop/telemetry/prom"
)

// Promise: what a scrape tells is for this machine, or for who has the token,
// or for who reaches the address that is set apart for it.
func TestWhoMayScrape(t *testing.T) {
	e := &engines{watching: watching{prom: prom.New()}}
	for name, c := range map[string]struct {
		config          MetricsConfig
		open            bool
		from, auth, via string
		want            int
	}{
		"this machine":                      {from: "127.0.0.1:1", want: 200},
		"this machine, IPv6":                {from: "[::1]:1", want: 200},
		"another":                           {from: "10.0.0.9:1", want: 403},
		"another, by a proxy on this":       {from: "127.0.0.1:1", via: "10.0.0.9", want: 403},
		"another, on the address set apart": {from: "10.0.0.9:1", open: true, want: 200},
		"no token":                          {config: MetricsConfig{Token: "hush"}, from: "127.0.0.1:1", want: 401},
		"a wrong token":                     {config: MetricsConfig{Token: "hush"}, from: "127.0.0.1:1", auth: "Bearer hus", want: 401},
		"the token":                         {config: MetricsConfig{Token: "hush"}, from: "10.0.0.9:1", auth: "Bearer hush", want: 200},
		"no token on the address set apart": {config: MetricsConfig{Token: "hush"}, from: "10.0.0.9:1", open: true, want: 401},
	} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = c.from
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		if c.via != "" {
			r.Header.Set("X-Forwarded-For", c.via)
		}
		w := httptest.NewRecorder()
		e.serveScrape(w, r, &c.config, c.open)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
}

func TestWatchingIsChecked(t *testing.T) {
	half, two := 0.5, 2.0
	for name, err := range map[string]error{
		"no port": (&MetricsConfig{Listen: "localhost"}).check(),
		"no URL":  (&TracesConfig{Endpoint: "localhost:4318"}).check(),
		"sample":  (&TracesConfig{Sample: &two}).check(),
		"webhook": (&AlarmsConfig{Webhooks: map[string]string{"arn:aws:sns:us-east-1:1:a": "ftp://x"}}).check(),
	} {
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := (&TracesConfig{Endpoint: "https://collector:4318/v1/traces", Sample: &half}).check(); err != nil {
		t.Error(err)
	}
}
