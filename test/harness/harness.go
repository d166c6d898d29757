// Package harness starts the real butai binary for the tests that drive it
// with real tools.
package harness

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a running butai.
type Server struct {
	URL       string
	SecureURL string // of the HTTPS listener; "" without --https
	DataDir   string
	cmd       *exec.Cmd
	log       *lockedBuffer
	exited    chan error
}

// Secret is in the environment of every server, and must stay there.
const Secret = "must not reach functions"

// binary builds butai once per test process, or takes the one that BUTAI_BINARY
// names.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "butai-test-")
	if err != nil {
		return "", err
	}
	// Functions run as another user, who must be able to execute it.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "butai")
	if built := os.Getenv("BUTAI_BINARY"); built != "" {
		// Not by this process: others that it starts meanwhile would hold the
		// file open for writing, and it couldn't be run.
		return path, exec.Command("cp", built, path).Run()
	}
	out, err := exec.Command("go", "build", "-o", path, "github.com/butai-dev/butai/cmd/butai").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// Binary is the path of the butai binary under test.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("build butai: %v", err)
	}
	return path
}

// Start runs butai on a free port until the test ends. Without a --data-dir
// among args it is ephemeral.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	return start(t, nil, args)
}

// Nobody is the user that StartAsNobody starts servers as.
const Nobody = 65534

// StartAsNobody runs butai like Start, but as a user without privileges; the
// test is skipped if it has none itself to give up.
func StartAsNobody(t testing.TB, args ...string) *Server {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	return start(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: Nobody, Gid: Nobody}}, args)
}

func start(t testing.TB, attr *syscall.SysProcAttr, args []string) *Server {
	t.Helper()
	s := &Server{log: &lockedBuffer{}, exited: make(chan error, 1)}
	line := []string{"serve", "--listen", "127.0.0.1:0", "--log-level", "debug"}
	if i := indexOf(args, "--data-dir"); i >= 0 {
		s.DataDir = args[i+1]
	} else {
		line = append(line, "--ephemeral")
	}
	s.cmd = exec.Command(Binary(t), append(line, args...)...)
	s.cmd.Env = append(os.Environ(), "BUTAI_TEST_SECRET="+Secret)
	s.cmd.Stderr, s.cmd.SysProcAttr = s.log, attr
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	for secure := indexOf(args, "--https") >= 0; s.URL == "" || secure && s.SecureURL == ""; {
		text, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("butai ended before it listened: %v\n%s", err, s.log)
		}
		s.readBanner(text)
	}
	go func() {
		_, _ = io.Copy(s.log, lines)
		s.exited <- s.cmd.Wait()
	}()
	t.Cleanup(func() {
		s.Stop(t)
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.log.tail(20_000))
		}
	})
	return s
}

// readBanner takes the addresses from a line of what the server prints.
func (s *Server) readBanner(line string) {
	for word := range strings.FieldsSeq(line) {
		switch {
		case strings.HasPrefix(word, "http://") && s.URL == "":
			s.URL = word
		case strings.HasPrefix(word, "https://") && s.SecureURL == "":
			s.SecureURL = word
		}
	}
}

func indexOf(list []string, want string) int {
	for i, s := range list {
		if s == want {
			return i
		}
	}
	return -1
}

// Stop ends the server as a service manager would, with SIGTERM.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.cmd.ProcessState != nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.exited:
		if err != nil {
			t.Errorf("butai did not end cleanly: %v", err)
		}
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.exited
		t.Errorf("butai did not end within 20 seconds of SIGTERM")
	}
}

// Kill ends the server with SIGKILL, as a crash would.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// PID is the server's process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Log is what the server has logged so far.
func (s *Server) Log() string { return s.log.String() }

// Env is the environment for AWS tools that talk to the server.
func (s *Server) Env() []string {
	env := []string{
		"AWS_ENDPOINT_URL=" + s.URL, "AWS_ACCESS_KEY_ID=000000000000", "AWS_SECRET_ACCESS_KEY=butai",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_MAX_ATTEMPTS=1",
	}
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "AWS_") {
			env = append(env, pair)
		}
	}
	return env
}

// Tool skips the test unless a program is on PATH.
func Tool(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
}

// Run runs a tool against the server and returns its standard output; it
// fails the test if the tool fails.
func (s *Server) Run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	out, errText, err := s.Try(dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errText)
	}
	return out
}

// Try runs a tool against the server and returns what it printed.
func (s *Server) Try(dir, name string, args ...string) (stdout, stderr string, err error) {
	return s.try(nil, dir, name, args...)
}

func (s *Server) try(env []string, dir, name string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(s.Env(), env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cmd.Run()
	return out.String(), errOut.String(), err
}

// API is the URL of a stage of an API, without a slash at its end.
func (s *Server) API(id, stage string) string { return s.URL + "/_aws/execute-api/" + id + "/" + stage }

// AWS runs the AWS CLI and decodes its JSON answer into v, unless v is nil.
func (s *Server) AWS(t testing.TB, v any, args ...string) {
	t.Helper()
	Tool(t, "aws")
	out := s.Run(t, "", "aws", append(args, "--output", "json")...)
	if v != nil {
		if err := json.Unmarshal([]byte(out), v); err != nil {
			t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// Python returns an interpreter with boto3, or skips the test.
func Python(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"python3", "python3.11", "python3.12", "python3.13"} {
		if exec.Command(name, "-c", "import boto3").Run() == nil {
			return name
		}
	}
	t.Skip("no python with boto3 is installed")
	return ""
}

// Get fetches a URL and returns status and body.
func Get(t testing.TB, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

// Post sends a JSON body and returns status and body.
func Post(t testing.TB, url, body string) (int, string) {
	t.Helper()
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, res)
}

func read(t testing.TB, res *http.Response) (int, string) {
	t.Helper()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

// Zip writes files, by name, into a new zip file below the test's directory.
func Zip(t testing.TB, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "code.zip")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o755)
		w, err := z.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// lockedBuffer is a bytes.Buffer for two goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) tail(n int) string {
	s := l.String()
	if len(s) > n {
		s = "…" + s[len(s)-n:]
	}
	return s
}
