package profiletest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outcrop/profile"
)

func once(t *testing.T, s profile.Store) {
	first := creation("aaaaaaaaaaaa", noon)
	first.Token, first.Fingerprint, first.Quota, first.UniqueName = "token", "f", 1, true
	made := must(t, s, first)
	again := creation("bbbbbbbbbbbb", noon.Add(time.Hour))
	again.Token, again.Fingerprint, again.Quota, again.UniqueName = "token", "f", 1, true
	again.Profile.Name = first.Profile.Name
	if got := must(t, s, again); !reflect.DeepEqual(got, made) {
		t.Errorf("the repeat made %+v, want the first answer %+v", got, made)
	}
	_, err := s.Profile(t.Context(), again.Key)
	wantErr(t, err, profile.ErrNotFound)
	again.Fingerprint = "g"
	_, err = s.CreateProfile(t.Context(), again)
	wantErr(t, err, profile.ErrTokenReused)
}

func onceTogether(t *testing.T, s profile.Store) {
	var mu sync.Mutex
	ids := map[string]int{}
	together(50, func(i int) {
		c := creation(fmt.Sprintf("%012d", i), noon)
		c.Token, c.Fingerprint = "token", "f"
		p, err := s.CreateProfile(t.Context(), c)
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ids[p.ID]++
	})
	page, err := s.ProfilePage(t.Context(), account, region, profile.Position{}, 100)
	if err != nil || len(page) != 1 || len(ids) != 1 {
		t.Errorf("%d profiles and the answers %v, %v; want one", len(page), ids, err)
	}
}

func forgotten(t *testing.T, s profile.Store) {
	make := func(id string, at time.Time) string {
		c := creation(id, at)
		c.Token, c.Fingerprint = "token", "f"
		return must(t, s, c).ID
	}
	steps := []struct {
		id   string
		at   time.Duration
		want string
	}{
		{"aaaaaaaaaaaa", 0, "aaaaaaaaaaaa"},
		{"bbbbbbbbbbbb", 24 * time.Hour, "aaaaaaaaaaaa"},                  // kept for a day to the microsecond
		{"cccccccccccc", 24*time.Hour + time.Microsecond, "cccccccccccc"}, // and then forgotten
		{"dddddddddddd", 48 * time.Hour, "cccccccccccc"},
	}
	for _, step := range steps {
		if got := make(step.id, noon.Add(step.at)); got != step.want {
			t.Errorf("after %v: %s, want %s", step.at, got, step.want)
		}
	}
	if err := s.DeleteProfile(t.Context(), profile.Key{Account: account, Region: region, ID: "cccccccccccc"}); err != nil {
		t.Fatal(err)
	}
	if got := make("eeeeeeeeeeee", noon.Add(48*time.Hour)); got != "eeeeeeeeeeee" {
		t.Errorf("a deleted profile's token made %s, want a new profile", got)
	}
}

func quota(t *testing.T, s profile.Store) {
	var made, refused atomic.Int32
	together(50, func(i int) {
		c := creation(fmt.Sprintf("%012d", i), noon)
		c.Quota = 7
		switch _, err := s.CreateProfile(t.Context(), c); {
		case err == nil:
			made.Add(1)
		case errors.Is(err, profile.ErrQuota):
			refused.Add(1)
		default:
			t.Error(err)
		}
	})
	if made.Load() != 7 || refused.Load() != 43 {
		t.Errorf("%d made and %d refused, want 7 and 43", made.Load(), refused.Load())
	}
}

func named(t *testing.T, s profile.Store) {
	must(t, s, creation("aaaaaaaaaaaa", noon))
	second := creation("bbbbbbbbbbbb", noon)
	second.Profile.Name = "chat-aaaaaaaaaaaa"
	must(t, s, second) // AWS allows it
	third := creation("cccccccccccc", noon)
	third.Profile.Name, third.UniqueName = "chat-aaaaaaaaaaaa", true
	_, err := s.CreateProfile(t.Context(), third)
	wantErr(t, err, profile.ErrNameTaken)
	third.Profile.Name = "Chat-aaaaaaaaaaaa" // case counts
	must(t, s, third)
}

func identified(t *testing.T, s profile.Store) {
	c := creation("aaaaaaaaaaaa", noon)
	must(t, s, c)
	c.Profile.Name = "other"
	_, err := s.CreateProfile(t.Context(), c)
	wantErr(t, err, profile.ErrIDTaken)
}

// walk reads all pages and says which ids it saw.
func walk(t *testing.T, s profile.Store, limit int, between func()) []string {
	t.Helper()
	var ids []string
	var at profile.Position
	for {
		page, err := s.ProfilePage(t.Context(), account, region, at, limit)
		if err != nil {
			t.Error(err)
			return ids
		}
		for _, p := range page {
			ids = append(ids, p.ID)
			at = profile.Position{Created: p.CreatedAt, ID: p.ID}
		}
		if len(page) < limit {
			return ids
		}
		between()
	}
}

func fill(t *testing.T, s profile.Store, n int) (ids []string) {
	for i := range n { // three share each moment
		id := fmt.Sprintf("old%09d", i)
		must(t, s, creation(id, noon.Add(time.Duration(i/3)*time.Microsecond)))
		ids = append(ids, id)
	}
	return ids
}

func paged(t *testing.T, s profile.Store) {
	want := fill(t, s, 20)
	for _, limit := range []int{1, 2, 3, 7, 19, 20, 21, 1000} {
		if got := walk(t, s, limit, func() {}); !slices.Equal(got, want) {
			t.Errorf("limit %d: %v", limit, got)
		}
	}
	gone := func() { // the profile that a page ended with may go meanwhile
		_ = s.DeleteProfile(t.Context(), profile.Key{Account: account, Region: region, ID: want[2]})
	}
	if got := walk(t, s, 3, gone); !slices.Equal(got, want) {
		t.Errorf("with a deletion: %v", got)
	}
}

func pagedTogether(t *testing.T, s profile.Store) {
	old := fill(t, s, 60)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			// Some arrive with the time of profiles that were listed already.
			c := creation(fmt.Sprintf("new%09d", i), noon.Add(time.Duration(i%40)*time.Microsecond))
			c.Quota = 1 << 20
			if _, err := s.CreateProfile(t.Context(), c); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 5 {
		seen := map[string]int{}
		for _, id := range walk(t, s, 7, func() {}) {
			seen[id]++
			if seen[id] > 1 {
				t.Errorf("%s was listed twice", id)
			}
		}
		for _, id := range old {
			if seen[id] != 1 {
				t.Errorf("%s was listed %d times", id, seen[id])
			}
		}
	}
	close(stop)
	wg.Wait()
}

func tied(t *testing.T, s profile.Store) {
	var want []string
	for _, id := range []string{"zzzzzzzzzzzz", "0aaaaaaaaaaa", "mmmmmmmmmmmm"} {
		must(t, s, creation(id, noon))
		want = append(want, id)
	}
	must(t, s, creation("~earlier", noon.Add(-time.Microsecond)))
	slices.Sort(want)
	want = slices.Insert(want, 0, "~earlier")
	if got := walk(t, s, 2, func() {}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if page, err := s.ProfilePage(t.Context(), "000000000000", region, profile.Position{}, 5); err != nil || len(page) != 0 {
		t.Errorf("page of nobody = %v, %v", page, err)
	}
}
