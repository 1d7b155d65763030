package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"outcrop"
)

// SetAgreement keeps that an account made (active) or deleted the agreement
// for a model.
func (db *DB) SetAgreement(ctx context.Context, a outcrop.AccountID, m outcrop.ModelID, active bool, at time.Time) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO model_agreements VALUES (?, ?, ?, ?)", a, m, active, at.UnixMicro())
		return err
	})
}

// Agreement says what became of an account's agreement for a model, and when.
// known is false when nothing was ever kept.
func (db *DB) Agreement(ctx context.Context, a outcrop.AccountID, m outcrop.ModelID) (active bool, at time.Time, known bool, err error) {
	var micros int64
	err = db.read.QueryRowContext(ctx, "SELECT active, changed_at FROM model_agreements WHERE account = ? AND model = ?", a, m).Scan(&active, &micros)
	if errors.Is(err, sql.ErrNoRows) {
		return false, time.Time{}, false, nil
	}
	return active, time.UnixMicro(micros).UTC(), err == nil, err
}

// SetUseCase keeps an account's use-case form, in place of an earlier one.
func (db *DB) SetUseCase(ctx context.Context, a outcrop.AccountID, form []byte) error {
	return db.update(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO use_case_forms VALUES (?, ?)", a, form)
		return err
	})
}

// UseCase is the form that an account handed in last; nil when it never did.
func (db *DB) UseCase(ctx context.Context, a outcrop.AccountID) (form []byte, err error) {
	err = db.read.QueryRowContext(ctx, "SELECT form FROM use_case_forms WHERE account = ?", a).Scan(&form)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return form, err
}
