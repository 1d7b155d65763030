package bedrock

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"outcrop/sigv4"
)

// Keys that are refused again and again have the chain read once a pause, and
// keys that are taken never.
func TestRefusedKeysAreReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loads, version := 0, 1
		c := &chain{load: func(context.Context) (retrieve, error) {
			loads++
			by := sigv4.Credentials{AccessKey: "key-" + strconv.Itoa(version)}
			return func(context.Context) (sigv4.Credentials, error) { return by, nil }, nil
		}}
		ask := func(wantKey string, wantLoads int) {
			t.Helper()
			by, _, err := c.now(t.Context())
			if err != nil || by.AccessKey != wantKey || loads != wantLoads {
				t.Errorf("%s after %d loads, %v; want %s after %d", by.AccessKey, loads, err, wantKey, wantLoads)
			}
		}
		if err := c.reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		ask("key-1", 1)
		c.refused("key-1")
		version = 2
		ask("key-1", 1) // within the pause
		time.Sleep(reloadPause)
		ask("key-2", 2)
		time.Sleep(reloadPause)
		ask("key-2", 2) // a key that nobody refused
		c.refused("key-2")
		for range 10 {
			ask("key-2", 3) // refused still, yet read once
		}
	})
}
