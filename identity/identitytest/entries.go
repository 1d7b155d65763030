package identitytest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"outcrop"
	"outcrop/identity"
)

// runEntries holds a store to what identity.Entries and EntryLists promise.
func runEntries(t *testing.T, open func(testing.TB) identity.Store) {
	for name, promise := range map[string]func(*testing.T, identity.Store){
		"an entry is found by key and by id":              entryFound,
		"a key is taken once in its kind and scope":       entryTaken,
		"a replacement needs the version that was read":   replaceVersion,
		"a replacement may not take another's key":        replaceTaken,
		"a replacement replaces links":                    replaceLinks,
		"one of many equal replacements wins":             replaceRace,
		"a user with keys is not deleted":                 deleteWithKeys,
		"a deleted entry is gone with its links":          deleteEntry,
		"pages are in order, without gaps or repetitions": pages,
		"links lead back":                                 links,
		"ten thousand users are listed page by page":      tenThousand,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
	t.Run("changes one by one leave what a map would hold", func(t *testing.T) { likeAMap(t, open) })
}

func entry(n int) identity.Entry {
	return identity.Entry{ID: fmt.Sprintf("AGPA%05d", n), Kind: "group", Scope: string(account), Key: fmt.Sprintf("key%05d", n), Body: []byte(`{"a":"é\u0000"}`)}
}

func addEntries(t *testing.T, s identity.Store, entries ...identity.Entry) {
	t.Helper()
	add(t, s, identity.Batch{Entries: entries})
}

func replace(t *testing.T, s identity.Store, e identity.Entry) {
	t.Helper()
	if err := s.Replace(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

func entryFound(t *testing.T, s identity.Store) {
	want := entry(1)
	want.Links = []string{"a:1", "b:2"}
	addEntries(t, s, want)
	want.Version = 1
	got, err := s.Entry(t.Context(), want.Kind, want.Scope, want.Key)
	if err != nil {
		t.Fatal(err)
	}
	wantEntry(t, got, want)
	if got, err = s.EntryByID(t.Context(), want.ID); err != nil {
		t.Fatal(err)
	}
	wantEntry(t, got, want)
	for _, e := range []identity.Entry{{Kind: "user", Scope: want.Scope, Key: want.Key}, {Kind: want.Kind, Scope: string(other), Key: want.Key}, {Kind: want.Kind, Scope: want.Scope, Key: "KEY00001"}} {
		_, err := s.Entry(t.Context(), e.Kind, e.Scope, e.Key)
		wantKind(t, err, outcrop.NotFound)
	}
	_, err = s.EntryByID(t.Context(), "agpa00001")
	wantKind(t, err, outcrop.NotFound)
}

func wantEntry(t *testing.T, got, want identity.Entry) {
	t.Helper()
	if got.ID != want.ID || got.Kind != want.Kind || got.Scope != want.Scope || got.Key != want.Key || got.Version != want.Version ||
		string(got.Body) != string(want.Body) || fmt.Sprint(got.Links) != fmt.Sprint(want.Links) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func entryTaken(t *testing.T, s identity.Store) {
	addEntries(t, s, entry(1))
	key, id := entry(2), entry(1)
	key.Key, id.Key = entry(1).Key, "free"
	wantKind(t, s.Add(t.Context(), identity.Batch{Entries: []identity.Entry{entry(3), key}}), outcrop.Conflict)
	wantKind(t, s.Add(t.Context(), identity.Batch{Entries: []identity.Entry{id}}), outcrop.Conflict)
	_, err := s.EntryByID(t.Context(), entry(3).ID)
	wantKind(t, err, outcrop.NotFound) // whole or not at all
	elsewhere, kind := entry(4), entry(5)
	elsewhere.Scope, elsewhere.Key = string(other), entry(1).Key
	kind.Kind, kind.Key = "role", entry(1).Key
	addEntries(t, s, elsewhere, kind)
}

func replaceVersion(t *testing.T, s identity.Store) {
	e := entry(1)
	wantKind(t, s.Replace(t.Context(), e), outcrop.NotFound)
	addEntries(t, s, e)
	for _, v := range []int64{0, 2, -1} {
		e.Version = v
		wantKind(t, s.Replace(t.Context(), e), outcrop.Conflict)
	}
	for v := int64(1); v < 4; v++ {
		e.Version, e.Body = v, fmt.Appendf(nil, `{"v":%d}`, v)
		replace(t, s, e)
		got, err := s.EntryByID(t.Context(), e.ID)
		if err != nil || got.Version != v+1 || string(got.Body) != string(e.Body) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	wantKind(t, s.Delete(t.Context(), e.ID, 1), outcrop.Conflict)
}

func replaceTaken(t *testing.T, s identity.Store) {
	addEntries(t, s, entry(1), entry(2))
	e := entry(2)
	e.Key, e.Version = entry(1).Key, 1
	wantKind(t, s.Replace(t.Context(), e), outcrop.Conflict)
	e.Key = "free"
	replace(t, s, e)
	_, err := s.Entry(t.Context(), e.Kind, e.Scope, entry(2).Key)
	wantKind(t, err, outcrop.NotFound)
	again := entry(3)
	again.Key = entry(2).Key // free since
	addEntries(t, s, again)
}

func replaceLinks(t *testing.T, s identity.Store) {
	e := entry(1)
	e.Links = []string{"a", "b"}
	addEntries(t, s, e)
	e.Links, e.Version = []string{"b", "c"}, 1
	replace(t, s, e)
	for link, want := range map[string]int{"a": 0, "b": 1, "c": 1} {
		if found, err := s.Linked(t.Context(), link, "", 10); err != nil || len(found) != want {
			t.Errorf("%s: %v, %v", link, found, err)
		}
	}
}

func replaceRace(t *testing.T, s identity.Store) {
	addEntries(t, s, entry(1))
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			e := entry(1)
			e.Version = 1
			switch err := s.Replace(t.Context(), e); {
			case err == nil:
				won.Add(1)
			case outcrop.KindOf(err) != outcrop.Conflict:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d replacements won, want 1", won.Load())
	}
}

func deleteWithKeys(t *testing.T, s identity.Store) {
	b := full(1)
	add(t, s, b)
	for _, id := range []string{b.AccessKeys[0].ID, b.APIKeys[0].ID} {
		wantKind(t, s.Delete(t.Context(), b.Users[0].ID, 1), outcrop.Conflict)
		if err := s.Remove(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Delete(t.Context(), b.Users[0].ID, 1); err != nil {
		t.Fatal(err)
	}
	_, err := s.User(t.Context(), account, "user1")
	wantKind(t, err, outcrop.NotFound)
}

func deleteEntry(t *testing.T, s identity.Store) {
	e := entry(1)
	e.Links = []string{"a"}
	addEntries(t, s, e)
	if err := s.Delete(t.Context(), e.ID, 1); err != nil {
		t.Fatal(err)
	}
	wantKind(t, s.Delete(t.Context(), e.ID, 1), outcrop.NotFound)
	if found, err := s.Linked(t.Context(), "a", "", 10); err != nil || len(found) != 0 {
		t.Errorf("links left: %v, %v", found, err)
	}
	e.Links = nil
	addEntries(t, s, e) // its id and key are free again
}

func pages(t *testing.T, s identity.Store) {
	for _, n := range []int{5, 3, 1, 4, 2} {
		addEntries(t, s, entry(n))
	}
	elsewhere := entry(6)
	elsewhere.Scope = string(other)
	addEntries(t, s, elsewhere)
	after, seen := "", ""
	for {
		page, err := s.Page(t.Context(), "group", string(account), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			seen, after = seen+e.Key[7:], e.Key
		}
		if len(page) < 2 {
			break
		}
	}
	if seen != "12345" {
		t.Errorf("pages show %s", seen)
	}
	if n, err := s.Count(t.Context(), "group", string(account)); err != nil || n != 5 {
		t.Errorf("count %d, %v", n, err)
	}
}

func links(t *testing.T, s identity.Store) {
	for n := range 5 {
		e := entry(n)
		if e.Links = []string{"all"}; n%2 == 1 {
			e.Links = append(e.Links, "odd")
		}
		if n == 4 {
			e.Scope = string(other)
		}
		addEntries(t, s, e)
	}
	got, err := s.Linked(t.Context(), "all", entry(1).ID, 2)
	if err != nil || len(got) != 2 || got[0].ID != entry(2).ID || got[1].ID != entry(3).ID {
		t.Errorf("got %v, %v", got, err)
	}
	for _, want := range []struct {
		link  string
		scope outcrop.AccountID
		n     int
	}{{"all", account, 4}, {"all", other, 1}, {"odd", account, 2}, {"odd", other, 0}, {"al", account, 0}} {
		if n, err := s.CountLinked(t.Context(), want.link, string(want.scope)); err != nil || n != want.n {
			t.Errorf("%v: %d, %v", want, n, err)
		}
	}
}

func tenThousand(t *testing.T, s identity.Store) {
	const n, size = 10_000, 1000
	var b identity.Batch
	for i := range n {
		b.Users = append(b.Users, user(i))
	}
	add(t, s, b)
	after, seen := "", 0
	for {
		page, err := s.Page(t.Context(), "user", string(account), after, size)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			if e.Key <= after {
				t.Fatalf("%s after %s", e.Key, after)
			}
			after = e.Key
		}
		if seen += len(page); len(page) < size {
			break
		}
	}
	if seen != n {
		t.Errorf("%d of %d listed", seen, n)
	}
}

// Property: whatever is added, replaced and deleted, what is left is what a
// map would hold.
func likeAMap(t *testing.T, open func(testing.TB) identity.Store) {
	s, round := open(t), 0
	rapid.Check(t, func(r *rapid.T) {
		model, scope := map[string]identity.Entry{}, fmt.Sprint("round", round)
		round++
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			n := rapid.IntRange(0, 3).Draw(r, "n")
			e := entry(n)
			e.ID, e.Scope = e.ID+scope, scope
			e.Links = []string{fmt.Sprint("l", rapid.IntRange(0, 2).Draw(r, "link"))}
			have, known := model[e.ID]
			var err error
			switch rapid.IntRange(0, 2).Draw(r, "do") {
			case 0:
				if err = s.Add(t.Context(), identity.Batch{Entries: []identity.Entry{e}}); !known {
					e.Version = 1
					model[e.ID] = e
				} else if outcrop.KindOf(err) == outcrop.Conflict {
					err = nil
				}
			case 1:
				e.Version = have.Version
				if err = s.Replace(t.Context(), e); known {
					e.Version++
					model[e.ID] = e
				}
			case 2:
				err = s.Delete(t.Context(), e.ID, have.Version)
				delete(model, e.ID)
			}
			if err != nil && (known || outcrop.KindOf(err) != outcrop.NotFound) {
				r.Fatal(err)
			}
		}
		page, err := s.Page(t.Context(), "group", scope, "", 100)
		if err != nil || len(page) != len(model) {
			r.Fatalf("%d left, want %d, %v", len(page), len(model), err)
		}
		for _, e := range page {
			wantEntry(t, e, model[e.ID])
		}
	})
}
