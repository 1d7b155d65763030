package logs

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A group on disk is a folder: group.json, streams.log and segments.
type group struct {
	dir  string
	opts *Options

	mu       sync.RWMutex
	meta     Group
	streams  map[string]*stream
	byNumber map[uint32]*stream
	next     uint32 // number of the next stream
	segments []*segment
	active   *os.File // appends to the last segment
	seq      uint64   // of the last event
	gone     bool
}

// A stream of a group. Its number stands for it in the segments and is never
// used again.
type stream struct {
	Number  uint32 `json:"number"`
	Name    string `json:"name"`
	Created int64  `json:"created"`
	Deleted bool   `json:"deleted,omitempty"`

	stats
}

// stats are folded from a stream's events.
type stats struct {
	first, last, ingested int64 // milliseconds; meaningful when count > 0
	count                 uint64
}

func (s *stats) add(timestamp, ingested int64) {
	if s.count == 0 || timestamp < s.first {
		s.first = timestamp
	}
	if s.count == 0 || timestamp > s.last {
		s.last = timestamp
	}
	s.ingested = max(s.ingested, ingested)
	s.count++
}

func (s *stats) merge(o stats) {
	if o.count == 0 {
		return
	}
	if s.count == 0 || o.first < s.first {
		s.first = o.first
	}
	if s.count == 0 || o.last > s.last {
		s.last = o.last
	}
	s.ingested = max(s.ingested, o.ingested)
	s.count += o.count
}

const (
	groupFile   = "group.json"
	streamsFile = "streams.log"
)

func newID() string {
	var b [12]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}

func newGroup(dir string, opts *Options) *group {
	return &group{dir: dir, opts: opts, streams: map[string]*stream{}, byNumber: map[uint32]*stream{}, next: 1}
}

func makeGroup(dir string, meta Group, opts *Options) (*group, error) {
	g := newGroup(dir, opts)
	g.meta = meta
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return g, g.saveMeta()
}

func (g *group) saveMeta() error {
	text, err := json.Marshal(g.meta)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(g.dir, groupFile), text)
}

// replaceFile replaces a file durably.
func replaceFile(name string, text []byte) error {
	tmp := name + ".tmp"
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, name)
}

func openGroup(dir string, opts *Options) (*group, error) {
	g := newGroup(dir, opts)
	text, err := os.ReadFile(filepath.Join(dir, groupFile))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &g.meta); err != nil {
		return nil, err
	}
	if err := g.readStreams(); err != nil {
		return nil, err
	}
	return g, g.openSegments()
}

// readStreams folds the file of streams: a line each time one came or went. A
// line that the last process left unfinished is the last one.
func (g *group) readStreams() error {
	text, err := os.ReadFile(filepath.Join(g.dir, streamsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for line := range strings.Lines(string(text)) {
		var s stream
		if json.Unmarshal([]byte(line), &s) != nil {
			continue
		}
		g.next = max(g.next, s.Number+1)
		if s.Deleted {
			if old := g.byNumber[s.Number]; old != nil {
				delete(g.streams, old.Name)
				delete(g.byNumber, s.Number)
			}
			continue
		}
		g.streams[s.Name], g.byNumber[s.Number] = &s, &s
	}
	return nil
}

// noteStream appends to the file of streams. The line begins with a line end,
// in case the one before has none.
func (g *group) noteStream(s *stream) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	out, err := os.OpenFile(filepath.Join(g.dir, streamsFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\n%s\n", text)
	return errors.Join(err, out.Sync(), out.Close())
}

func (g *group) info() Group {
	g.mu.RLock()
	defer g.mu.RUnlock()
	m := g.meta
	m.Tags = m.Tags.Clone()
	for _, s := range g.segments {
		m.Bytes += s.size
	}
	return m
}

func (g *group) change(change func(*Group) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.meta
	m.Tags = m.Tags.Clone()
	if err := change(&m); err != nil {
		return err
	}
	g.meta = m
	return g.saveMeta()
}

func (g *group) remove() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.gone = true
	err := os.Remove(filepath.Join(g.dir, groupFile)) // from here it is not there
	return errors.Join(err, g.closeFiles(), os.RemoveAll(g.dir))
}

func (g *group) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closeFiles()
}

func (g *group) closeFiles() (err error) {
	if g.active != nil {
		err = g.active.Close()
		g.active = nil
	}
	return err
}

// A Stream is what is known of a log stream.
type Stream struct {
	Name                       string
	Created                    int64
	First, Last, LastIngestion int64 // milliseconds; 0 without events
	Events                     uint64
}

func (s *stream) info() Stream {
	return Stream{Name: s.Name, Created: s.Created, First: s.first, Last: s.last, LastIngestion: s.stats.ingested, Events: s.count}
}

// CreateStream makes a stream.
func (s *Store) CreateStream(name GroupName, stream string) error {
	g, err := s.group(name)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.createStream(stream)
}

func (g *group) createStream(name string) error {
	if g.gone {
		return noGroup()
	}
	if _, ok := g.streams[name]; ok {
		return exists("The specified log stream already exists")
	}
	s := &stream{Number: g.next, Name: name, Created: g.opts.Now().UnixMilli()}
	if err := g.noteStream(s); err != nil {
		return fmt.Errorf("create log stream: %w", err)
	}
	g.next++
	g.streams[name], g.byNumber[s.Number] = s, s
	return nil
}

// DeleteStream takes a stream and its events away.
func (s *Store) DeleteStream(name GroupName, streamName string) error {
	g, err := s.group(name)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	st, ok := g.streams[streamName]
	if !ok {
		return noStream()
	}
	if err := g.noteStream(&stream{Number: st.Number, Name: st.Name, Deleted: true}); err != nil {
		return fmt.Errorf("delete log stream: %w", err)
	}
	delete(g.streams, streamName)
	delete(g.byNumber, st.Number)
	return nil
}

// Streams lists a group's streams by name.
func (s *Store) Streams(name GroupName) ([]Stream, error) {
	g, err := s.group(name)
	if err != nil {
		return nil, err
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := make([]Stream, 0, len(g.streams))
	for _, st := range g.streams {
		all = append(all, st.info())
	}
	slices.SortFunc(all, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
