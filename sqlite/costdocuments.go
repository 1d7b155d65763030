package sqlite

import (
	"context"
	"database/sql"

	"outcrop"
	"outcrop/cost"
)

// Documents is cost.Documents'.
func (s Costs) Documents(ctx context.Context, account outcrop.AccountID, kind string) ([]cost.Document, error) {
	rows, err := s.db.read.QueryContext(ctx, "SELECT number, id, body FROM cost_documents WHERE account = ? AND kind = ? ORDER BY number", account, kind)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []cost.Document
	for rows.Next() {
		d := cost.Document{Kind: kind}
		if err := rows.Scan(&d.Number, &d.ID, &d.Body); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// PutDocument is cost.Documents'.
func (s Costs) PutDocument(ctx context.Context, account outcrop.AccountID, d cost.Document) error {
	return s.db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO cost_documents (account, kind, id, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (account, kind, id) DO UPDATE SET body = excluded.body`, account, d.Kind, d.ID, d.Body)
		return err
	})
}

// DeleteDocument is cost.Documents'.
func (s Costs) DeleteDocument(ctx context.Context, account outcrop.AccountID, kind, id string) (ok bool, err error) {
	err = s.db.update(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, "DELETE FROM cost_documents WHERE account = ? AND kind = ? AND id = ?", account, kind, id)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		ok = n > 0
		return err
	})
	return ok, err
}
