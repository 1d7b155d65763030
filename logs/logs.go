// Package logs keeps log groups, their streams and events in files that are
// only ever appended to, and reads them by time.
package logs

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"outcrop"
)

// A GroupName says which group is meant: names are unique within an account
// and Region.
type GroupName struct {
	Account outcrop.AccountID
	Region  outcrop.Region
	Name    string
}

// ARN of the group, without the ":*" that some answers carry.
func (n GroupName) ARN() outcrop.ARN {
	return outcrop.ARN(fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s", n.Region.Partition(), n.Region, n.Account, n.Name))
}

// An Event is one line of a log.
type Event struct {
	Stream    string
	Timestamp int64 // milliseconds since 1970, as the producer says
	Ingested  int64 // milliseconds, when it came
	Seq       uint64
	Message   []byte // valid until the next event is asked for
}

// Options of a Store.
type Options struct {
	Now  func() time.Time
	Log  *slog.Logger
	Seal cipher.AEAD // encrypts messages on disk; nil leaves them plain

	SegmentBytes int64 // of one file; default 64 MiB

	hasty bool // tests only: nothing is synced to disk
}

const defaultSegmentBytes = 64 << 20

// A Store keeps the groups of all accounts. It is safe for concurrent use.
type Store struct {
	dir  string
	opts Options

	mu     sync.RWMutex
	groups map[GroupName]*group
	tails  tails
}

// Open opens the folder, or makes it, and reads what the groups have.
func Open(dir string, o Options) (*Store, error) {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{dir: dir, opts: o, groups: map[GroupName]*group{}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make logs folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read logs folder: %w", err)
	}
	for _, e := range entries {
		if err := s.load(filepath.Join(dir, e.Name())); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// load opens one group's folder. One without its file was being made or
// deleted when the process ended.
func (s *Store) load(dir string) error {
	g, err := openGroup(dir, &s.opts)
	if errors.Is(err, fs.ErrNotExist) {
		return os.RemoveAll(dir)
	}
	if err != nil {
		return fmt.Errorf("open log group in %s: %w", filepath.Base(dir), err)
	}
	s.groups[g.meta.GroupName] = g
	return nil
}

// Close writes down what is only in memory.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, g := range s.groups {
		errs = append(errs, g.close())
	}
	return errors.Join(errs...)
}

// A Group is what is known of a log group.
type Group struct {
	GroupName
	ID        string       `json:"id"` // names its folder
	Created   int64        `json:"created"`
	Retention int          `json:"retention,omitempty"` // days; 0 keeps for ever
	Class     string       `json:"class"`
	KMSKey    string       `json:"kmsKey,omitempty"`
	Protected bool         `json:"protected,omitempty"` // may not be deleted
	Tags      outcrop.Tags `json:"tags,omitempty"`
	Bytes     int64        `json:"-"` // stored
}

// CreateGroup makes a group.
func (s *Store) CreateGroup(want Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.groups[want.GroupName]; ok {
		return exists("The specified log group already exists")
	}
	want.ID, want.Created = newID(), s.opts.Now().UnixMilli()
	g, err := makeGroup(filepath.Join(s.dir, want.ID), want, &s.opts)
	if err != nil {
		return fmt.Errorf("create log group: %w", err)
	}
	s.groups[want.GroupName] = g
	return nil
}

// DeleteGroup takes a group and all its events away.
func (s *Store) DeleteGroup(name GroupName) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.groups[name]
	if !ok {
		return noGroup()
	}
	if g.info().Protected {
		e := outcrop.Errorf(outcrop.Invalid, "The log group is protected from deletion: turn deletionProtectionEnabled off first.")
		e.Code = "ValidationException"
		return e
	}
	delete(s.groups, name)
	return g.remove()
}

func (s *Store) group(name GroupName) (*group, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g, ok := s.groups[name]
	if !ok {
		return nil, noGroup()
	}
	return g, nil
}

// Group finds a group.
func (s *Store) Group(name GroupName) (Group, error) {
	g, err := s.group(name)
	if err != nil {
		return Group{}, err
	}
	return g.info(), nil
}

// Groups lists the groups of an account and Region by name.
func (s *Store) Groups(account outcrop.AccountID, region outcrop.Region) []Group {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Group
	for name, g := range s.groups {
		if name.Account == account && name.Region == region {
			all = append(all, g.info())
		}
	}
	slices.SortFunc(all, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Change changes what is kept of a group besides its events. change may refuse.
func (s *Store) Change(name GroupName, change func(*Group) error) error {
	g, err := s.group(name)
	if err != nil {
		return err
	}
	return g.change(change)
}

// The refusals of the service.
func noGroup() error {
	e := outcrop.Errorf(outcrop.NotFound, "The specified log group does not exist.")
	e.Code = "ResourceNotFoundException"
	return e
}

func noStream() error {
	e := outcrop.Errorf(outcrop.NotFound, "The specified log stream does not exist.")
	e.Code = "ResourceNotFoundException"
	return e
}

func exists(text string) error {
	e := outcrop.Errorf(outcrop.Clash, "%s", text)
	e.Code = "ResourceAlreadyExistsException"
	return e
}
