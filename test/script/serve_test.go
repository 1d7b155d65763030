package script

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Waits of a story.
const (
	readyTries    = 400
	readyInterval = 25 * time.Millisecond
	stopTimeout   = 30 * time.Second
)

// A process is the server of one story. Its log is server.log in the story's
// folder.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
	err   error // once ended
}

// A story remembers the server that runs for it, one at a time, and the
// issuers of web identities.
type story struct {
	server  *process
	issuers map[string]*issuer // by URL
}

// storyKey finds the story among the values of its environment.
type storyKey struct{}

func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

// serve starts the server on a free port, with ./outcrop-data as its data
// folder, and points the story's AWS environment at it. Variables may stand
// before its flags:
//
//	serve GPU_KEY=secret --config outcrop.yaml
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("a server that must not start is told with ! exec outcrop serve")
	}
	stop(ts, false, nil)
	var vars []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		vars, args = append(vars, args[0]), args[1:]
	}
	p := launch(ts, ts.MkAbs("."), vars, args)
	storyOf(ts).server = p
	ts.Defer(func() { stop(ts, false, nil) })
	ready(ts, p)
	environment(ts)
}

// launch starts a server in a folder, which gets its log and its data.
func launch(ts *testscript.TestScript, dir string, vars, args []string) *process {
	p := &process{ended: make(chan struct{}), log: filepath.Join(dir, "server.log")}
	log, err := os.Create(p.log)
	ts.Check(err)
	p.cmd = exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, log, log
	p.cmd.Env = append(os.Environ(), vars...)
	ts.Check(p.cmd.Start())
	go func() {
		p.err = p.cmd.Wait()
		log.Close()
		close(p.ended)
	}()
	return p
}

// stop ends the server as an operator would, with SIGTERM, and expects a
// clean exit. Without it the story's end does the same.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	s := storyOf(ts)
	p := s.server
	if p == nil {
		return
	}
	s.server = nil
	end(ts, p)
}

func end(ts *testscript.TestScript, p *process) {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		if p.err != nil {
			b, _ := os.ReadFile(p.log)
			ts.Fatalf("the server ended with %v on SIGTERM, want exit status 0\n%s", p.err, b)
		}
	case <-time.After(stopTimeout):
		p.cmd.Process.Kill()
		<-p.ended
		ts.Fatalf("the server did not end on SIGTERM")
	}
}

var listening = regexp.MustCompile(`listening on https?://(\S+)`)

// ready waits until the server says where it listens and that it can work.
func ready(ts *testscript.TestScript, p *process) {
	var log []byte
	for range readyTries {
		log, _ = os.ReadFile(p.log)
		if m := listening.FindSubmatch(log); m != nil && healthy(string(m[1])) {
			return
		}
		select {
		case <-p.ended:
			ts.Fatalf("the server ended: %v\n%s", p.err, log)
		case <-time.After(readyInterval):
		}
	}
	ts.Fatalf("the server was not ready in time\n%s", log)
}

func healthy(address string) bool {
	r, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

var exported = regexp.MustCompile(`(?m)^export ([A-Z_]+)='(.*)'$`)

// environment does what eval "$(outcrop env)" does, but for what it unsets: a
// story starts with none of that. ADDRESS is where the server listens.
func environment(ts *testscript.TestScript) {
	for name, value := range exports(ts, ts.MkAbs(".")) {
		ts.Setenv(name, value)
	}
	u, err := url.Parse(ts.Getenv("AWS_ENDPOINT_URL"))
	ts.Check(err)
	ts.Setenv("ADDRESS", u.Host)
}
