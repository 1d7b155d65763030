package trail

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// run writes the queue until the trail is closed. A batch that cannot be
// written is held and tried again: while the disk is full, requests go on and
// the queue fills.
func (t *Trail) run() {
	defer close(t.done)
	retry := time.NewTimer(retryInterval)
	defer retry.Stop()
	var rest []byte
	for failing := false; ; {
		select {
		case <-t.closing:
			t.err = t.end(rest)
			return
		case <-retry.C:
		case <-t.wake:
			if failing {
				continue // the retry will find it
			}
		}
		var err error
		rest, err = t.flush(rest)
		if err != nil {
			retry.Reset(retryInterval)
		}
		if failed := err != nil; failed != failing {
			failing = failed
			t.tell(err)
		}
	}
}

// tell logs the beginning and the end of an outage, not every attempt.
func (t *Trail) tell(err error) {
	if err != nil {
		t.opts.Log.Error("the audit trail cannot be written: requests go on, its lines wait", "err", err)
		return
	}
	t.opts.Log.Info("the audit trail is written again", "lost", t.Lost())
}

// flush writes rest, then what is queued, and returns what could not be written.
func (t *Trail) flush(rest []byte) ([]byte, error) {
	for {
		if len(rest) == 0 {
			if rest = t.take(); len(rest) == 0 {
				return nil, nil
			}
		}
		n, err := t.files.write(rest)
		if t.opts.Mirror != nil && n > 0 {
			t.opts.Mirror.Write(rest[:n]) // standard output that has gone is no reason to stop
		}
		rest = rest[n:]
		t.hold(len(rest))
		if err != nil {
			return rest, err
		}
	}
}

func (t *Trail) take() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	batch := t.queue
	t.queue, t.held = nil, len(batch)
	return batch
}

func (t *Trail) hold(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held = n
}

// end writes all that is left, and counts what cannot be.
func (t *Trail) end(rest []byte) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	rest, err := t.flush(rest)
	rest = append(rest, t.take()...)
	lines := uint64(bytes.Count(rest, []byte{'\n'}))
	t.mu.Lock()
	t.lost += lines
	unsaid := t.gap + lines
	t.mu.Unlock()
	if unsaid > 0 {
		t.opts.Log.Error("audit records were lost", "records", unsaid)
	}
	if err = errors.Join(err, t.files.close()); err != nil {
		return fmt.Errorf("close audit trail: %w", err)
	}
	return nil
}
