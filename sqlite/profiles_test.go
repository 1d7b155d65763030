package sqlite

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"outcrop"
	"outcrop/profile"
	"outcrop/profile/profiletest"
)

func TestProfileStoreKeepsThePromises(t *testing.T) {
	t.Parallel()
	profiletest.Run(t, func(t testing.TB) profile.Store { return openTest(t) })
}

const manyProfiles = 100_000 // in benchmarks

var firstOfMany = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// fillProfiles makes one profile through the store and copies it until there
// are n, a second apart.
func fillProfiles(t testing.TB, db *DB, n int) {
	k := profile.Key{Account: "111122223333", Region: "us-west-2", ID: fmt.Sprintf("%012d", 0)}
	if _, err := db.CreateProfile(t.Context(), profiletest.Creation(k, firstOfMany)); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
		INSERT INTO profiles (account, region, id, name, description, geography, source, model, models, destinations, tags, created_at, updated_at)
		SELECT account, region, printf('%012d', i), name || i, description, geography, source, model, models, destinations, tags,
			created_at + i * 1000000, created_at + i * 1000000 FROM profiles, n WHERE id = '000000000000'`,
		"UPDATE profile_counts SET n = ?1",
	} {
		if _, err := db.write.ExecContext(t.Context(), query, n); err != nil {
			t.Fatal(err)
		}
	}
}

// OUTCROP_PROFILES is how many to page through, instead of ten thousand.
func TestManyProfilesPageWithoutStrain(t *testing.T) {
	t.Parallel()
	many := 10_000
	if text := os.Getenv("OUTCROP_PROFILES"); text != "" {
		var err error
		if many, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	db := openTest(t)
	fillProfiles(t, db, many)
	seen := 0
	var at profile.Position
	for {
		page, err := db.ProfilePage(t.Context(), "111122223333", "us-west-2", at, profile.MaxPage)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			if want := fmt.Sprintf("%012d", seen); p.ID != want {
				t.Fatalf("place %d holds %s", seen, p.ID)
			}
			seen++
			at = profile.Position{Created: p.CreatedAt, ID: p.ID}
		}
	}
	if seen != many {
		t.Errorf("saw %d", seen)
	}
	k := profile.Key{Account: "111122223333", Region: "us-west-2", ID: fmt.Sprintf("%012d", many-1)}
	if p, err := db.Profile(t.Context(), k); err != nil || p.ID != k.ID {
		t.Errorf("found %v, %v", p, err)
	}
	c := profiletest.Creation(profile.Key{Account: k.Account, Region: k.Region, ID: "one-too-many"}, firstOfMany)
	c.Quota = many
	if _, err := db.CreateProfile(t.Context(), c); !errors.Is(err, profile.ErrQuota) {
		t.Errorf("err = %v, want the quota", err)
	}
}

// A page is read from an index alone as long as that has the very text that is
// asked for.
func TestAPageIsInItsIndex(t *testing.T) {
	t.Parallel()
	var made string
	if err := openTest(t).read.QueryRowContext(t.Context(), "SELECT sql FROM sqlite_schema WHERE name = 'profiles_listed'").Scan(&made); err != nil || !strings.Contains(made, packedProfile) {
		t.Errorf("the index is %s, %v; want %s in it", made, err, packedProfile)
	}
}

func BenchmarkProfile(b *testing.B) {
	db := openTest(b)
	fillProfiles(b, db, manyProfiles)
	k := profile.Key{Account: "111122223333", Region: "us-west-2"}
	for i := 0; b.Loop(); i++ {
		k.ID = fmt.Sprintf("%012d", i*7919%manyProfiles)
		if _, err := db.Profile(b.Context(), k); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProfilePage(b *testing.B) {
	db := openTest(b)
	fillProfiles(b, db, manyProfiles)
	at := profile.Position{Created: firstOfMany.Add(manyProfiles / 2 * time.Second)}
	for b.Loop() {
		page, err := db.ProfilePage(b.Context(), "111122223333", "us-west-2", at, profile.MaxPage)
		if err != nil || len(page) != profile.MaxPage {
			b.Fatal(len(page), err)
		}
	}
}

func TestAccessIsKeptByAccount(t *testing.T) {
	db := openTest(t)
	ctx, at := t.Context(), firstOfMany
	if _, _, known, err := db.Agreement(ctx, "111122223333", "m"); known || err != nil {
		t.Errorf("known = %v, %v", known, err)
	}
	for _, active := range []bool{true, false, true} {
		at = at.Add(time.Microsecond)
		if err := db.SetAgreement(ctx, "111122223333", "m", active, at); err != nil {
			t.Fatal(err)
		}
		got, since, known, err := db.Agreement(ctx, "111122223333", "m")
		if got != active || !since.Equal(at) || !known || err != nil {
			t.Errorf("agreement = %v since %v, %v, %v; want %v since %v", got, since, known, err, active, at)
		}
	}
	if _, _, known, _ := db.Agreement(ctx, "444455556666", "m"); known {
		t.Error("another account sees the agreement")
	}
	for _, form := range []string{`{"companyName":"a"}`, `{"companyName":"b"}`} {
		if err := db.SetUseCase(ctx, "111122223333", []byte(form)); err != nil {
			t.Fatal(err)
		}
		if got, err := db.UseCase(ctx, "111122223333"); string(got) != form || err != nil {
			t.Errorf("form = %s, %v", got, err)
		}
	}
	if got, err := db.UseCase(ctx, outcrop.AccountID("444455556666")); got != nil || err != nil {
		t.Errorf("another account's form = %s, %v", got, err)
	}
}

func TestTagKeysInUseAreAnAccountsOwn(t *testing.T) {
	db := openTest(t)
	for i, account := range []outcrop.AccountID{"111111111111", "111111111111", "222222222222"} {
		key := profile.Key{Account: account, Region: "us-east-1", ID: fmt.Sprintf("profile%05d", i)}
		c := profiletest.Creation(key, firstOfMany)
		c.Profile.Tags = outcrop.Tags{"team": "a", fmt.Sprint("only", i): ""}
		if _, err := db.CreateProfile(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	bare := profiletest.Creation(profile.Key{Account: "111111111111", Region: "us-east-1", ID: "withouttags0"}, firstOfMany)
	bare.Profile.Tags = nil
	if _, err := db.CreateProfile(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	keys, err := db.TagKeysInUse(t.Context(), "111111111111")
	if want := []string{"only0", "only1", "team"}; err != nil || !slices.Equal(keys, want) {
		t.Errorf("keys = %v, err %v; want %v", keys, err, want)
	}
}
