// Package sqlite is the embedded store: one SQLite file in the data folder
// that fulfils the store interfaces of the engines.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// Bounds of the pool of concurrent readers, and of the pages that a connection
// keeps. Each fills its cache in time, whatever it is asked: the caches are a
// part of the process's memory for good. What is not in them comes from the
// operating system's, which all connections share.
const (
	readConnections = 4
	readCacheKiB    = 1 << 10
	writeCacheKiB   = 4 << 10
	readerIdle      = time.Minute // after which a reader that nobody needs is closed
)

// A DB is an open store. Writes go through one connection, one transaction at
// a time; reads run beside them on a pool of their own (WAL mode).
type DB struct {
	write, read *sql.DB
	committed   func(took time.Duration) // may be nil

	usageMu sync.Mutex   // guards usage
	usage   *usageWriter // of Usage.Append
	shapes  shapeCache   // of Usage's readers
}

// Open opens or creates the file and brings its tables up to date.
func Open(ctx context.Context, file string) (*DB, error) {
	// SQLite creates files by umask; settings and keys are their owner's only.
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	f.Close()
	write, err := connect(file, "immediate", 1, writeCacheKiB)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("migrate store: %w", err), write.Close())
	}
	read, err := connect(file, "deferred", readConnections, readCacheKiB)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetConnMaxIdleTime(readerIdle)
	usage, err := newUsageWriter(ctx, write)
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	return &DB{write: write, read: read, usage: usage}, nil
}

func connect(file, txlock string, conns, cacheKiB int) (*sql.DB, error) {
	q := url.Values{"_txlock": {txlock}, "_pragma": {
		"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(ON)", fmt.Sprintf("cache_size(-%d)", cacheKiB),
	}}
	db, err := sql.Open("sqlite", "file:"+url.PathEscape(file)+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// Size is how many bytes the file takes, once what waits beside it has been
// moved in.
func (db *DB) Size(ctx context.Context) (bytes int64, err error) {
	if _, err := db.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		return 0, fmt.Errorf("move in the write-ahead log: %w", err)
	}
	err = db.write.QueryRowContext(ctx, `SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()`).Scan(&bytes)
	return bytes, err
}

// Close closes the store.
func (db *DB) Close() error {
	return errors.Join(db.usage.close(), db.read.Close(), db.write.Close())
}

// update runs fn in one write transaction. It is on disk, with all that was
// committed before it, when update returns nil.
func (db *DB) update(ctx context.Context, fn func(*sql.Tx) error) error {
	return db.commit(ctx, db.write, fn)
}

// derive is update for what can be made again from the ledger: it does not
// wait for the disk. Should the power fail, what was derived last may be gone.
func (db *DB) derive(ctx context.Context, fn func(*sql.Tx) error) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer conn.Close()
	still := context.WithoutCancel(ctx)
	if _, err := conn.ExecContext(still, "PRAGMA synchronous=NORMAL"); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() {
		if _, err := conn.ExecContext(still, "PRAGMA synchronous=FULL"); err != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // nobody may commit on it: the pool opens another
		}
	}()
	return db.commit(ctx, conn, fn)
}

func (db *DB) commit(ctx context.Context, on beginner, fn func(*sql.Tx) error) error {
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	began := time.Now()
	err = tx.Commit()
	if db.committed != nil {
		db.committed(time.Since(began))
	}
	return err
}

// A beginner is a database or one connection to it.
type beginner interface {
	BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
}

// Told has fn told how long each commit takes, from now on. It is not to be
// called while the store is in use.
func (db *DB) Told(fn func(took time.Duration)) { db.committed = fn }
