package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"outcrop"
	"outcrop/identity"
)

// TestUsersOfEarlierInstallations: users and keys of the version before
// policies are all there after it, and each administrator still may do all.
func TestUsersOfEarlierInstallations(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outcrop.db")
	old, err := connect(file, "immediate", 1, writeCacheKiB)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provider(old)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`INSERT INTO users VALUES ('AIDA1', '123456789012', 'admin', 1700000000), ('AIDA2', '123456789012', 'Bob+x@y.z', 1700000001), ('AIDA3', '210987654321', 'Admin', 1700000002)`,
		`INSERT INTO access_keys VALUES ('AKIA0000000000000001', 'AIDA1', 'v1.k.x', 1, 1700000003), ('AKIA0000000000000002', 'AIDA2', 'v1.k.y', 0, 1700000004)`,
		`INSERT INTO api_keys VALUES ('ACCA1', 'AIDA2', 'bob', zeroblob(32), 1, 1700000005, 1800000000)`,
	} {
		if _, err := old.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := db.Identities()
	for account, want := range map[outcrop.AccountID]string{"123456789012": "AIDA1", "210987654321": "AIDA3"} {
		u, err := s.User(t.Context(), account, "admin")
		if err != nil || u.ID != want || len(u.Attached) != 1 || u.Attached[0] != identity.AdministratorAccess || u.Path != "/" || u.Created.Location() != time.UTC {
			t.Errorf("administrator %+v, %v", u, err)
		}
		e, err := s.EntryByID(t.Context(), want)
		fresh, ferr := identity.UserEntry(u)
		if err != nil || ferr != nil || e.Key != fresh.Key || len(e.Links) != 1 || e.Links[0] != fresh.Links[0] {
			t.Errorf("filed as %+v, a new one would be %+v (%v, %v)", e, fresh, err, ferr)
		}
		if _, err := s.Entry(t.Context(), "account", "", string(account)); err != nil {
			t.Errorf("account %s: %v", account, err)
		}
	}
	k, u, err := s.AccessKey(t.Context(), "AKIA0000000000000002")
	if err != nil || k.Active || k.Sealed != "v1.k.y" || u.Name != "Bob+x@y.z" || len(u.Attached) != 0 || !u.Created.Equal(time.Unix(1700000001, 0)) {
		t.Errorf("%+v of %+v, %v", k, u, err)
	}
	a, u, err := s.APIKey(t.Context(), "bob")
	if err != nil || u.ID != "AIDA2" || a.Expires.Unix() != 1800000000 {
		t.Errorf("%+v of %+v, %v", a, u, err)
	}
	if n, err := s.Count(t.Context(), "user", "123456789012"); err != nil || n != 2 {
		t.Errorf("%d users, %v", n, err)
	}
}

// TestMigrationDown: the tables of before come back with users and keys.
func TestMigrationDown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "outcrop.db")
	db, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	u := identity.User{ID: "AIDA1", Account: "123456789012", Name: "Alice", Path: "/", Created: time.Unix(1700000000, 0).UTC()}
	k := identity.AccessKey{ID: "AKIA1", UserID: u.ID, Sealed: "v1.k.x", Active: true, Created: u.Created}
	if err := db.Identities().Add(t.Context(), identity.Batch{Users: []identity.User{u}, AccessKeys: []identity.AccessKey{k}}); err != nil {
		t.Fatal(err)
	}
	p, err := provider(db.write)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.DownTo(t.Context(), 5); err != nil {
		t.Fatal(err)
	}
	var name string
	var created int64
	if err := db.write.QueryRow(`SELECT u.name, u.created FROM access_keys k JOIN users u ON u.id = k.user_id`).Scan(&name, &created); err != nil || name != "Alice" || created != 1700000000 {
		t.Errorf("%s, %d, %v", name, created, err)
	}
}
