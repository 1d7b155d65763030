package ledgertest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"outcrop"
	"outcrop/ledger"
)

// killDir tells a child process of Kill which folder to work in, killLife
// which of the children it is.
const (
	killDir  = "OUTCROP_LEDGERTEST_DIR"
	killLife = "OUTCROP_LEDGERTEST_LIFE"
)

// Kill runs the calling test again in a child process that settles from many
// goroutines and tells each acknowledgement, kills that with SIGKILL at a
// random instant, and does so times times. Then every invocation that was
// acknowledged is in the store once. open opens the store that lives in dir,
// and gives the function that closes it. OUTCROP_KILLS replaces times.
func Kill(t *testing.T, times int, opts ledger.Options, open func(tb testing.TB, dir string) (ledger.Store, func() error)) {
	if dir := os.Getenv(killDir); dir != "" {
		store, _ := open(t, dir)
		settleForever(dir, store, opts)
	}
	dir, seed := t.TempDir(), uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	if text := os.Getenv("OUTCROP_KILLS"); text != "" {
		var err error
		if times, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	acked := map[outcrop.InvocationID]bool{}
	for life := range times {
		for _, id := range killedChild(t, dir, life, time.Duration(20+rng.IntN(250))*time.Millisecond) {
			acked[outcrop.InvocationID(id)] = true
		}
	}
	store, closeStore := open(t, dir)
	defer closeStore()
	checkKilled(t, dir, store, acked)
}

// killedChild lets a child live for a while after its first acknowledgement
// and returns all of them.
func killedChild(t *testing.T, dir string, life int, lifetime time.Duration) (acks []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), killDir+"="+dir, fmt.Sprintf("%s=%d", killLife, life))
	var stderr bytes.Buffer
	child.Stderr = &stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // a line without an end was not said
		}
		if id, ok := strings.CutPrefix(line, "ack "); ok {
			if acks = append(acks, strings.TrimSpace(id)); len(acks) == 1 {
				time.AfterFunc(lifetime, func() { _ = child.Process.Kill() })
			}
		}
	}
	_ = child.Wait() // it was killed
	if len(acks) == 0 {
		t.Fatalf("child %d acknowledged nothing: %s", life, stderr.String())
	}
	return acks
}

// settleForever is the child. It never returns.
func settleForever(dir string, store ledger.Store, opts ledger.Options) {
	opts.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	l, err := ledger.Start(filepath.Join(dir, "ledger"), store, opts)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var all sync.WaitGroup
	for g := range 32 {
		all.Go(func() {
			for n := 0; ; n++ {
				r := Record(n)
				r.Invocation = outcrop.InvocationID(fmt.Sprintf("life-%s-%d-%d", os.Getenv(killLife), g, n))
				if err := l.Open(context.Background(), r); err != nil {
					continue
				}
				if l.Settle(context.Background(), r) == nil {
					fmt.Printf("ack %s\n", r.Invocation) // one write each, so lines stay whole
				}
			}
		})
	}
	all.Wait()
}

func checkKilled(t *testing.T, dir string, store ledger.Store, acked map[outcrop.InvocationID]bool) {
	l, err := ledger.Start(filepath.Join(dir, "ledger"), store, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := map[outcrop.InvocationID]bool{}
	for seq := outcrop.Seq(0); ; {
		list, err := l.After(t.Context(), seq, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if seq++; r.Seq != seq || seen[r.Invocation] {
				t.Fatalf("record %d has seq %d, invocation %s (twice: %v)", seq, r.Seq, r.Invocation, seen[r.Invocation])
			}
			seen[r.Invocation] = true
		}
		if len(list) == 0 {
			break
		}
	}
	for id := range acked {
		if !seen[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	t.Logf("%d acknowledged, %d recorded", len(acked), len(seen))
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
