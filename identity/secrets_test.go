package identity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"outcrop"
	"outcrop/identity"
	"outcrop/identity/sealing"
	"outcrop/sigv4"
)

// TestNothingPrintsASecret tries the verbs that dig deepest, on the values
// and on what holds them.
func TestNothingPrintsASecret(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	access, err := h.CreateAccessKey(t.Context(), account, identity.AdminName)
	if err != nil {
		t.Fatal(err)
	}
	api, err := h.CreateAPIKey(t.Context(), account, identity.AdminName, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := h.SecretFor(t.Context(), b.AccessKeyID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.APIKey(t.Context(), b.APIKey); err != nil {
		t.Fatal(err)
	}
	sealer, err := sealing.NewSealer(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	cred := b.Credentials("us-east-1", "http://127.0.0.1:4599")
	ring := envelopeKeys(t, h.dir)
	var out bytes.Buffer
	for _, x := range []any{
		*b, b, access, *access, api, *api, key, &key, cred, &cred, sealer, h.Directory,
		struct{ d *identity.Directory }{h.Directory}, []identity.Key{key}, map[string]any{"k": key}, struct{ C identity.Credentials }{cred},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", x)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", x)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", x)
		json.NewEncoder(&out).Encode(x)
	}
	for _, secret := range append(ring, b.SecretAccessKey, b.APIKey, access.Secret, api.Token) {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret), fmt.Sprint([]byte(secret)), fmt.Sprintf("%d", []byte(secret))} {
			if strings.Contains(out.String(), form) {
				t.Errorf("printed %.12s…", form)
			}
		}
	}
}

// envelopeKeys are the raw keys in the envelope file.
func envelopeKeys(t *testing.T, dir string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "envelope-keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Keys []struct{ Key []byte } }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, k := range file.Keys {
		keys = append(keys, string(k.Key))
	}
	return keys
}

func wantPrivate(t *testing.T, file string) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("%s has mode %o, want 600", file, mode)
	}
}

func TestCredentialsFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, err := identity.ReadCredentials(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before the first start: %v", err)
	}
	want := identity.Credentials{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: "a/b+c=d#e;f", Region: "us-east-1", Endpoint: "http://127.0.0.1:4599", APIKey: "ABSKabc=="}
	for range 2 { // the second replaces the first
		if err := identity.WriteCredentials(dir, want); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, identity.CredentialsFile)
	wantPrivate(t, file)
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := identity.ReadCredentials(dir); err != nil || got != want {
		t.Errorf("read %#v, %v", got, err)
	}
	wantPrivate(t, file) // a careless mode is mended
	if err := identity.WriteCredentials(dir, identity.Credentials{AccessKeyID: "a\n[x]", SecretAccessKey: "s"}); err == nil {
		t.Error("a line break was written")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(names)+len(hidden) != 1 {
		t.Errorf("left behind: %v %v", names, hidden)
	}
	for _, content := range []string{"", "[default]\n", "[other]\naws_access_key_id = a\naws_secret_access_key = b\n"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := identity.ReadCredentials(dir); err == nil {
			t.Errorf("%q was read", content)
		}
	}
}

// TestClientsReadTheCredentialsFile: with nothing but
// AWS_SHARED_CREDENTIALS_FILE, the Go SDK and boto3 find key, Region and
// endpoint; boto3 is called where it is installed, and its signature verifies.
func TestClientsReadTheCredentialsFile(t *testing.T) {
	h := newHouse(t)
	h.now = time.Now()
	b := h.bootstrap(t)
	verified := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sig, err := sigv4.Parse(r)
		if err == nil && sig != nil {
			var k identity.Key
			if k, err = h.SecretFor(r.Context(), sig.AccessKey); err == nil {
				err = sig.Verify(r, nil, k.Secret, time.Now())
			}
		}
		verified <- err
		fmt.Fprint(w, `{"inferenceProfileSummaries":[]}`)
	}))
	defer server.Close()
	if err := identity.WriteCredentials(h.dir, b.Credentials("eu-west-3", server.URL)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, identity.CredentialsFile)

	cfg, err := config.LoadDefaultConfig(context.Background(), config.WithSharedConfigFiles(nil), config.WithSharedCredentialsFiles([]string{file}))
	if err != nil || cfg.Region != "eu-west-3" {
		t.Fatalf("Go SDK: region %q, %v", cfg.Region, err)
	}
	if got, err := cfg.Credentials.Retrieve(t.Context()); err != nil || got.AccessKeyID != b.AccessKeyID || got.SecretAccessKey != b.SecretAccessKey {
		t.Errorf("Go SDK: other credentials, %v", err)
	}

	cmd := exec.CommandContext(t.Context(), "python3", "-c", `import boto3; boto3.client("bedrock").list_inference_profiles(); print(boto3.Session().region_name)`)
	cmd.Env = []string{"AWS_SHARED_CREDENTIALS_FILE=" + file, "AWS_CONFIG_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true", "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	out, err := cmd.CombinedOutput()
	if missing := errors.Is(err, exec.ErrNotFound) || strings.Contains(string(out), "No module named 'boto3'"); missing && os.Getenv("OUTCROP_NO_SKIP") != "1" {
		t.Skip("boto3 is not installed")
	}
	if err != nil || strings.TrimSpace(string(out)) != "eu-west-3" {
		t.Fatalf("boto3: %v\n%s", err, out)
	}
	if err := <-verified; err != nil {
		t.Error(err)
	}
}

// TestErrorsKeepSecrets: a store that fails does not make us tell.
func TestErrorsKeepSecrets(t *testing.T) {
	h := newHouse(t)
	b := h.bootstrap(t)
	other := newHouse(t) // whose envelope keys are not these
	sealer, err := sealing.NewSealer(other.dir)
	if err != nil {
		t.Fatal(err)
	}
	d := identity.New(h.store, sealer, time.Now)
	_, err = d.SecretFor(t.Context(), b.AccessKeyID)
	if err == nil || outcrop.KindOf(err) != outcrop.Internal || !strings.Contains(err.Error(), "backup") {
		t.Errorf("without the envelope key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, token := range []string{b.APIKey, generated} {
		if _, err := d.APIKey(ctx, token); err != nil && strings.Contains(err.Error(), token[20:]) {
			t.Errorf("told: %v", err)
		}
	}
}
