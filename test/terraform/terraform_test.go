// Package terraform plays a story with the real Terraform binary and the AWS
// provider against the real binary of Outcrop.
package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outcrop/identity"
	"outcrop/server/servertest"
	"outcrop/sigv4"
)

// mirrorVariable names the folder with the AWS provider, laid out as a
// filesystem mirror: registry.terraform.io/hashicorp/aws/VERSION/OS_ARCH/.
// `terraform providers mirror DIR` in testdata makes one.
const mirrorVariable = "OUTCROP_TF_MIRROR"

// A workspace is a folder with the story's configuration, and a server.
type workspace struct {
	t      *testing.T
	dir    string
	server *servertest.Server
	env    []string
}

func TestTerraformAppliesPlansEmptyAndDestroys(t *testing.T) {
	w := open(t)
	w.run("init", "-input=false", "-no-color")
	w.run("apply", "-auto-approve")
	w.planIsEmpty("right after apply")
	w.keySignsIn()

	w.run("apply", "-auto-approve", "-var", "hours=3", "-var", "team=green")
	w.planIsEmpty("after a change in place", "-var", "hours=3", "-var", "team=green")

	w.run("destroy", "-auto-approve")
	if left := w.run("state", "list"); strings.TrimSpace(left) != "" {
		t.Errorf("after destroy the state has %s", left)
	}
	w.nothingIsLeft()
}

// open starts a server and lays out the configuration, or skips.
func open(t *testing.T) *workspace {
	t.Helper()
	mirror := requirements(t)
	dir := t.TempDir()
	main, err := os.ReadFile(filepath.Join("testdata", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main.tf"), string(main))
	rc := filepath.Join(dir, "terraform.rc")
	write(t, rc, fmt.Sprintf("disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror { path = %q }\n}\n", mirror))
	w := &workspace{t: t, dir: dir, server: serve(t)}
	keys, err := identity.ReadCredentials(w.server.DataDir)
	if err != nil {
		t.Fatal(err)
	}
	w.env = append(withoutAWS(os.Environ()), "TF_CLI_CONFIG_FILE="+rc, "TF_IN_AUTOMATION=1", "TF_INPUT=0", "TF_VAR_endpoint="+w.server.Endpoint,
		"AWS_ACCESS_KEY_ID="+keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+keys.SecretAccessKey, "AWS_EC2_METADATA_DISABLED=true")
	return w
}

// requirements returns the mirror's folder, or skips with what is missing.
func requirements(t *testing.T) string {
	t.Helper()
	mirror := os.Getenv(mirrorVariable)
	missing := ""
	if _, err := exec.LookPath("terraform"); err != nil {
		missing = "the terraform binary"
	} else if mirror == "" {
		missing = mirrorVariable + ", the folder of a filesystem mirror with the AWS provider"
	} else if found, _ := filepath.Glob(filepath.Join(mirror, "registry.terraform.io", "hashicorp", "aws", "*")); len(found) == 0 {
		missing = "the AWS provider in " + mirrorVariable
	}
	if missing != "" { // the provider is in no package registry, so that it can be asked for, not required
		t.Skipf("this story needs %s", missing)
	}
	return mirror
}

func serve(t *testing.T) *servertest.Server {
	t.Helper()
	dir := t.TempDir()
	binary, err := servertest.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := servertest.Start(t.Context(), binary, filepath.Join(dir, "data"), "log: debug\n")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withoutAWS drops settings of the machine that would lead the provider
// elsewhere.
func withoutAWS(env []string) []string {
	var kept []string
	for _, v := range env {
		if !strings.HasPrefix(v, "AWS_") && !strings.HasPrefix(v, "TF_") {
			kept = append(kept, v)
		}
	}
	return kept
}

func (w *workspace) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(w.t.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// run runs terraform and returns what it prints.
func (w *workspace) run(args ...string) string {
	w.t.Helper()
	out, err := w.command(args...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("terraform %s: %v\n%s\nserver:\n%s", strings.Join(args, " "), err, out, w.server.Output())
	}
	return string(out)
}

// planIsEmpty wants a plan without a single change: with -detailed-exitcode
// status 2 means that there are some.
func (w *workspace) planIsEmpty(when string, vars ...string) {
	w.t.Helper()
	out, err := w.command(append([]string{"plan", "-detailed-exitcode", "-no-color"}, vars...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("the plan %s is not empty: %v\n%s", when, err, out)
	}
}

// keySignsIn calls GetCallerIdentity with the access key that Terraform made.
func (w *workspace) keySignsIn() {
	w.t.Helper()
	var key struct{ ID, Secret string }
	cmd := w.command("output", "-json", "key")
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &key)
	}
	if err != nil {
		w.t.Fatalf("terraform output: %v", err)
	}
	body := w.query(sigv4.Credentials{AccessKey: key.ID, Secret: key.Secret}, "sts", "Action=GetCallerIdentity&Version=2011-06-15")
	if !strings.Contains(body, ":user/apps/chat</Arn>") {
		w.t.Errorf("the new key is of %s, want the user chat", body)
	}
}

// nothingIsLeft lists users, roles and groups as the administrator.
func (w *workspace) nothingIsLeft() {
	w.t.Helper()
	keys, err := identity.ReadCredentials(w.server.DataDir)
	if err != nil {
		w.t.Fatal(err)
	}
	admin := sigv4.Credentials{AccessKey: keys.AccessKeyID, Secret: keys.SecretAccessKey}
	for action, lacks := range map[string]string{"ListUsers": "<UserName>chat", "ListRoles": "<RoleName>workload", "ListGroups": "<GroupName>", "ListPolicies&Scope=Local": "<PolicyName>", "ListOpenIDConnectProviders": "<Arn>"} {
		if body := w.query(admin, "iam", "Action="+action+"&Version=2010-05-08"); strings.Contains(body, lacks) {
			w.t.Errorf("%s after destroy: %s", action, body)
		}
	}
}

// query calls an operation of a query service and returns the answer.
func (w *workspace) query(who sigv4.Credentials, service, form string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.Endpoint+"/", strings.NewReader(form))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := sigv4.Sign(r, sigv4.PayloadHash([]byte(form)), who, sigv4.Scope{Region: "us-east-1", Service: service}, time.Now()); err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err != nil || answer.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s, %v\n%s", form, answer.Status, err, body)
	}
	return string(body)
}
