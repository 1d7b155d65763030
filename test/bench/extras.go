package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"outcrop/server/servertest"
)

// Single are figures that are measured by themselves.
type single struct {
	Binary   int64         // bytes, stripped
	Start    time.Duration // to the first answered call, empty folder; the middle of several
	Page     time.Duration // of 1,000 profiles out of Profiles; p50
	Profiles int
	AtRate   int64 // bytes resident at the fixed rate, the most
}

// measureStart starts Outcrop on empty folders and makes one call each time.
func (w *world) measureStart(ctx context.Context, times int) (time.Duration, error) {
	var all []time.Duration
	for i := range times {
		took, err := w.startOnce(ctx, fmt.Sprintf("start%d", i))
		if err != nil {
			return 0, fmt.Errorf("start on an empty folder: %w", err)
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

func (w *world) startOnce(ctx context.Context, name string) (time.Duration, error) {
	began := time.Now()
	s, err := servertest.Start(ctx, w.binary, filepath.Join(w.dir, name), "log: error\n")
	if err != nil {
		return 0, err
	}
	defer s.Kill()
	client, err := s.Client(http.DefaultClient)
	if err != nil {
		return 0, err
	}
	r, err := client.Request(ctx, "bedrock", servertest.Model("us."+novaModel, "converse"), fill(converseForm, 1<<10, words), nil)
	if err == nil {
		_, err = whole(r)
	}
	return time.Since(began), err
}

// whole sends a request and reads its answer, which must be a good one.
func whole(r *http.Request) ([]byte, error) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", r.URL.Path, answer.Status, text)
	}
	return text, err
}

// seedProfiles fills the quiet gateway's store, which it does not have open.
func seedProfiles(ctx context.Context, file string, n int) error {
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file))
	if err != nil {
		return err
	}
	defer db.Close()
	for _, query := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
		INSERT INTO profiles (account, region, id, name, description, geography, source, model, models, destinations, tags, created_at, updated_at)
		SELECT account, region, printf('%012d', i), name || i, description, geography, source, model, models, destinations, tags,
			created_at + i * 1000000, created_at + i * 1000000 FROM profiles, n WHERE name = 'nova'`,
		`UPDATE profile_counts SET n = ?1 WHERE region = 'us-east-1'`,
	} {
		if _, err := db.ExecContext(ctx, query, n); err != nil {
			return fmt.Errorf("fill profiles: %w", err)
		}
	}
	return nil
}

// measurePage walks pages of 1,000 and returns the middle of how long they took.
func (g *gateway) measurePage(ctx context.Context, pages int) (time.Duration, error) {
	var all []time.Duration
	token := ""
	for range pages {
		where := "/inference-profiles?maxResults=1000&type=APPLICATION"
		if token != "" {
			where += "&nextToken=" + url.QueryEscape(token)
		}
		r, err := g.admin.Get(ctx, "bedrock", where)
		if err != nil {
			return 0, err
		}
		began := time.Now()
		text, err := whole(r)
		took := time.Since(began)
		if err != nil {
			return 0, err
		}
		var page struct {
			InferenceProfileSummaries []struct{ InferenceProfileArn string }
			NextToken                 string
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return 0, err
		}
		if len(page.InferenceProfileSummaries) != 1000 {
			return 0, fmt.Errorf("a page holds %d profiles", len(page.InferenceProfileSummaries))
		}
		all, token = append(all, took), page.NextToken
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

func sizeOf(file string) (int64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (w *world) database(g *gateway) string { return filepath.Join(g.DataDir, "outcrop.db") }

const manyProfiles = 100_000

// measureProfiles lists n profiles of a gateway of its own.
func (w *world) measureProfiles(ctx context.Context, n int) (time.Duration, error) {
	g, err := w.gateway(ctx, "listed")
	if err != nil {
		return 0, err
	}
	if err := g.stop(); err != nil {
		return 0, err
	}
	if err := seedProfiles(ctx, w.database(g), n); err != nil {
		return 0, err
	}
	if g.Server, err = servertest.Start(ctx, w.binary, g.DataDir, "log: error\n"); err != nil {
		return 0, err
	}
	defer g.Server.Kill()
	if g.admin, err = g.Client(http.DefaultClient); err != nil {
		return 0, err
	}
	const pages = 50
	return g.measurePage(ctx, pages)
}
