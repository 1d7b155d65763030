package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"outcrop"
	"outcrop/identity"
)

func addEntry(ctx context.Context, tx *sql.Tx, e identity.Entry) error {
	err := insert(ctx, tx, `INSERT INTO entries (id, kind, scope, key, body, version) VALUES (?, ?, ?, ?, ?, 1)`,
		e.ID, e.Kind, e.Scope, e.Key, string(e.Body))
	if err != nil {
		return fmt.Errorf("add %s: %w", e.Kind, err)
	}
	return addLinks(ctx, tx, e)
}

func addLinks(ctx context.Context, tx *sql.Tx, e identity.Entry) error {
	for _, link := range e.Links {
		if err := insert(ctx, tx, `INSERT INTO entry_links (link, entry) VALUES (?, ?)`, link, e.ID); err != nil {
			return fmt.Errorf("link %s: %w", e.Kind, err)
		}
	}
	return nil
}

// entryColumns are scanned by scanEntry. Links are separated by line feeds,
// which no id and no ARN holds.
const entryColumns = `e.id, e.kind, e.scope, e.key, e.body, e.version,
	(SELECT group_concat(link, char(10) ORDER BY link) FROM entry_links WHERE entry = e.id)`

func scanEntry(row interface{ Scan(...any) error }) (identity.Entry, error) {
	var e identity.Entry
	var links sql.NullString
	err := row.Scan(&e.ID, &e.Kind, &e.Scope, &e.Key, &e.Body, &e.Version, &links)
	if links.Valid {
		e.Links = strings.Split(links.String, "\n")
	}
	return e, err
}

func (s identities) Entry(ctx context.Context, kind identity.EntryKind, scope, key string) (identity.Entry, error) {
	return s.entry(ctx, `e.kind = ? AND e.scope = ? AND e.key = ?`, kind, scope, key)
}

func (s identities) EntryByID(ctx context.Context, id string) (identity.Entry, error) {
	return s.entry(ctx, `e.id = ?`, id)
}

func (s identities) entry(ctx context.Context, which string, args ...any) (identity.Entry, error) {
	e, err := scanEntry(s.db.read.QueryRowContext(ctx, `SELECT `+entryColumns+` FROM entries e WHERE `+which, args...))
	if err != nil {
		return identity.Entry{}, absent(err, "entry")
	}
	return e, nil
}

func (s identities) Replace(ctx context.Context, e identity.Entry) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		if err := sameVersion(ctx, tx, e.ID, e.Version); err != nil {
			return err
		}
		err := insert(ctx, tx, `UPDATE entries SET key = ?, body = ?, version = version + 1 WHERE id = ?`, e.Key, string(e.Body), e.ID)
		if err != nil {
			return fmt.Errorf("replace %s: %w", e.Kind, err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM entry_links WHERE entry = ?`, e.ID); err != nil {
			return fmt.Errorf("replace links: %w", err)
		}
		return addLinks(ctx, tx, e)
	})
}

func (s identities) Delete(ctx context.Context, id string, version int64) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		if err := sameVersion(ctx, tx, id, version); err != nil {
			return err
		}
		err := insert(ctx, tx, `DELETE FROM entries WHERE id = ?`, id)
		if outcrop.KindOf(err) == outcrop.NotFound { // a key's owner may not go
			return outcrop.Errorf(outcrop.Conflict, "entry has keys").Because(err)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM last_uses WHERE id = ?`, id)
		}
		return err
	})
}

// sameVersion holds a change to what it was based on.
func sameVersion(ctx context.Context, tx *sql.Tx, id string, version int64) error {
	var have int64
	if err := tx.QueryRowContext(ctx, `SELECT version FROM entries WHERE id = ?`, id).Scan(&have); err != nil {
		return absent(err, "entry")
	}
	if have != version {
		return outcrop.Errorf(outcrop.Conflict, "entry has changed")
	}
	return nil
}

func (s identities) Page(ctx context.Context, kind identity.EntryKind, scope, after string, n int) ([]identity.Entry, error) {
	return s.entries(ctx, `FROM entries e WHERE e.kind = ? AND e.scope = ? AND e.key > ? ORDER BY e.key LIMIT ?`, kind, scope, after, n)
}

func (s identities) Linked(ctx context.Context, link, after string, n int) ([]identity.Entry, error) {
	return s.entries(ctx, `FROM entry_links l JOIN entries e ON e.id = l.entry WHERE l.link = ? AND l.entry > ? ORDER BY l.entry LIMIT ?`, link, after, n)
}

func (s identities) entries(ctx context.Context, which string, args ...any) ([]identity.Entry, error) {
	rows, err := s.db.read.QueryContext(ctx, `SELECT `+entryColumns+` `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("list entries: %w", err)
	}
	defer rows.Close()
	var all []identity.Entry
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, fmt.Errorf("list entries: %w", err)
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

func (s identities) Count(ctx context.Context, kind identity.EntryKind, scope string) (n int, err error) {
	err = s.db.read.QueryRowContext(ctx, `SELECT count(*) FROM entries WHERE kind = ? AND scope = ?`, kind, scope).Scan(&n)
	return n, err
}

func (s identities) CountLinked(ctx context.Context, link, scope string) (n int, err error) {
	err = s.db.read.QueryRowContext(ctx, `SELECT count(*) FROM entry_links l JOIN entries e ON e.id = l.entry WHERE l.link = ? AND e.scope = ?`, link, scope).Scan(&n)
	return n, err
}

func (s identities) Used(ctx context.Context, last map[string]identity.Use) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		for id, u := range last {
			_, err := tx.ExecContext(ctx, `INSERT INTO last_uses (id, at, service, region)
				SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM access_keys WHERE id = ?1) OR EXISTS (SELECT 1 FROM entries WHERE id = ?1)
				ON CONFLICT (id) DO UPDATE SET at = excluded.at, service = excluded.service, region = excluded.region WHERE excluded.at > at`,
				id, u.At.Unix(), u.Service, u.Region)
			if err != nil {
				return fmt.Errorf("write last use: %w", err)
			}
		}
		return nil
	})
}

func (s identities) LastUse(ctx context.Context, id string) (identity.Use, error) {
	var u identity.Use
	var at int64
	err := s.db.read.QueryRowContext(ctx, `SELECT at, service, region FROM last_uses WHERE id = ?`, id).Scan(&at, &u.Service, &u.Region)
	if err != nil {
		if err = absent(err, "use"); outcrop.KindOf(err) == outcrop.NotFound {
			err = nil
		}
		return identity.Use{}, err
	}
	u.At = time.Unix(at, 0).UTC()
	return u, nil
}
