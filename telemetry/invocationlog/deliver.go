package invocationlog

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"outcrop"
	"outcrop/logs"
)

// LogStream is the one stream that records go to.
const LogStream = "aws/bedrock/modelinvocations"

// A log file holds at most so many batches and bytes of records.
const (
	maxFileBatches = 200
	maxFileBytes   = 32 << 20
)

// deliver empties the spool of a destination, at most every flush, and after a
// failure ever more slowly.
func (l *Logger) deliver(ctx context.Context, d destination, flush time.Duration) {
	delay := flush
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.spool.wake[d]:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		if err := l.deliverOnce(ctx, d); err != nil {
			l.stats.failures.Add(1)
			delay = min(max(2*delay, time.Second), max(maxRetryDelay, flush))
			l.o.Log.Warn("invocation logs were not delivered; they wait on disk and are tried again", "to", d, "in", delay, "err", err)
			select {
			case l.spool.wake[d] <- struct{}{}:
			default:
			}
			continue
		}
		delay = flush
	}
}

// deliverOnce delivers what waits, in the order in which it came.
func (l *Logger) deliverOnce(ctx context.Context, d destination) error {
	names, err := l.spool.batches(d)
	if err != nil {
		return err
	}
	for len(names) > 0 {
		n := 1
		if d == toS3 {
			n = min(len(names), maxFileBatches)
		}
		if err := l.deliverBatches(ctx, d, names[:n]); err != nil {
			return err
		}
		names = names[n:]
	}
	return nil
}

func (l *Logger) deliverBatches(ctx context.Context, d destination, names []string) error {
	sizes := make([]int, len(names))
	var all []entry
	for i, name := range names {
		entries, err := l.spool.read(name)
		if errors.Is(err, errUnreadable) {
			l.stats.drop("unreadable", 1, l.o.Now())
			err = nil
		}
		if err != nil {
			return err
		}
		sizes[i] = len(entries)
		all = append(all, entries...)
	}
	if err := l.deliverEntries(ctx, d, all); err != nil {
		return err
	}
	for i, name := range names {
		if err := l.spool.done(name, sizes[i]); err != nil {
			return err
		}
	}
	return nil
}

// deliverEntries delivers to the places that the configurations name now. An
// account that has turned logging off meanwhile gets nothing any more.
func (l *Logger) deliverEntries(ctx context.Context, d destination, all []entry) error {
	configs := *l.configs.Load()
	places := map[Place][]entry{}
	for _, e := range all {
		places[e.Place] = append(places[e.Place], e)
	}
	for place, entries := range places {
		c, ok := configs[place]
		switch {
		case !ok || d == toLogs && c.LogGroup == "" || d == toS3 && c.Bucket.Name == "":
			l.stats.drop(turnedOff, len(entries), l.o.Now())
			continue
		}
		send := l.toGroup
		if d == toS3 {
			send = l.toBucket
		}
		err := send(ctx, place, &c, entries)
		l.count(place, d.delivery(), err, len(entries))
		if errors.Is(err, errNoGroup) { // lost, and counted as such
			continue
		}
		if err != nil {
			return err
		}
		l.stats.delivered[d].Add(int64(len(entries)))
	}
	return nil
}

// errNoGroup says that records are lost: where they should go is gone.
var errNoGroup = errors.New("no such log group")

func (l *Logger) count(p Place, to Delivery, err error, n int) {
	if l.o.Counts != nil {
		l.o.Counts.Delivered(p, to, err == nil, n)
	}
}

func (d destination) delivery() Delivery {
	if d == toS3 {
		return ToS3
	}
	return ToCloudWatch
}

// toGroup writes a line for each record.
func (l *Logger) toGroup(ctx context.Context, p Place, c *outcrop.InvocationLogging, entries []entry) error {
	name := logs.GroupName{Account: p.Account, Region: p.Region, Name: c.LogGroup}
	if _, err := l.o.Logs.Group(name); outcrop.KindOf(err) == outcrop.NotFound && err != nil {
		l.stats.drop("no such log group", len(entries), l.o.Now())
		l.o.Log.Warn("invocation logs are lost: their log group was deleted", "group", c.LogGroup, "records", len(entries))
		return errNoGroup
	}
	lines := make([]logs.Put, 0, len(entries))
	for _, e := range entries {
		text, err := l.placed(ctx, &e, c.LargeData)
		if err != nil {
			return err
		}
		lines = append(lines, logs.Put{Timestamp: e.At.UnixMilli(), Message: string(text)})
	}
	slices.SortStableFunc(lines, func(a, b logs.Put) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return l.o.Logs.PutNew(name, LogStream, lines)
}

// toBucket writes a file for each hour.
func (l *Logger) toBucket(ctx context.Context, p Place, c *outcrop.InvocationLogging, entries []entry) error {
	slices.SortStableFunc(entries, func(a, b entry) int { return a.At.Compare(b.At) })
	for len(entries) > 0 {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		hour, written, n := entries[0].At.Truncate(time.Hour), 0, 0
		for n < len(entries) && entries[n].At.Truncate(time.Hour).Equal(hour) && written < maxFileBytes {
			text, err := l.placed(ctx, &entries[n], c.Bucket)
			if err != nil {
				return err
			}
			z.Write(append(text, '\n')) // a buffer takes it
			written += len(text)
			n++
		}
		if err := z.Close(); err != nil {
			return err
		}
		key := c.Bucket.Key(fmt.Sprintf("%s%s_%s.json.gz", folder(p, hour), stamp(entries[0].At), randomHex()))
		if err := l.o.Objects.Put(ctx, c.Bucket.Name, key, contentType, &b); err != nil {
			return fmt.Errorf("write %s: %w", c.Bucket.Name, err)
		}
		entries = entries[n:]
	}
	return nil
}

// folder is where a place's files of an hour are, as AWS lays them out.
func folder(p Place, at time.Time) string {
	return fmt.Sprintf("AWSLogs/%s/BedrockModelInvocationLogs/%s/%s/", p.Account, p.Region, at.Format("2006/01/02/15"))
}

func stamp(at time.Time) string { return at.Format("20060102T150405") + at.Format(".000")[1:] + "Z" }

func randomHex() string {
	var b [8]byte
	rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(b[:])
}

// placed is the record with its large bodies put into the bucket, and their
// paths in their place. Without a bucket they are left out.
func (l *Logger) placed(ctx context.Context, e *entry, to outcrop.Bucket) ([]byte, error) {
	if len(e.Input)+len(e.Output) == 0 || to.Name == "" {
		return e.Record, nil
	}
	var r record
	if err := json.Unmarshal(e.Record, &r); err != nil {
		return nil, err
	}
	var err error
	if r.Input.Path, err = l.putLarge(ctx, e, to, "input", e.Input); err != nil {
		return nil, err
	}
	if r.Output != nil {
		if r.Output.Path, err = l.putLarge(ctx, e, to, "output", e.Output); err != nil {
			return nil, err
		}
	}
	return json.Marshal(r)
}

func (l *Logger) putLarge(ctx context.Context, e *entry, to outcrop.Bucket, which string, body []byte) (string, error) {
	if len(body) == 0 {
		return "", nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(body) // a buffer takes it
	if err := z.Close(); err != nil {
		return "", err
	}
	key := to.Key(folder(e.Place, e.At) + "data/" + e.Request + "_" + which + ".json.gz")
	err := l.o.Objects.Put(ctx, to.Name, key, contentType, &b)
	if l.count(e.Place, LargeData, err, 1); err != nil {
		return "", fmt.Errorf("write %s: %w", to.Name, err)
	}
	return "s3://" + to.Name + "/" + key, nil
}
