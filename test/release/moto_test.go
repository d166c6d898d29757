package release

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// moto starts moto's server, an independent implementation of the same AWS
// APIs, or skips the test. It has no data plane: nothing answers requests.
func moto(t *testing.T) string {
	t.Helper()
	python := ""
	for _, name := range []string{"../../.tools/moto/bin/python", "python3", "python3.11"} {
		if exec.Command(name, "-c", "import moto.server").Run() == nil {
			python = name
		}
	}
	if python == "" {
		t.Skip("no python with moto's server is installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	cmd := exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", fmt.Sprint(port))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	for range 600 {
		if res, err := http.Get(url + "/moto-api/"); err == nil {
			res.Body.Close()
			return url
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("moto's server doesn't answer")
	return ""
}

// TestOnAnotherImplementation releases on moto's server, as far as that
// implements the APIs: nothing in butai release depends on butai.
func TestOnAnotherImplementation(t *testing.T) {
	t.Parallel()
	url := moto(t)
	env := []string{
		"AWS_ENDPOINT_URL=" + url, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=" + region,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"),
	}
	// It can't patch integrations, so the alias has a variable of its own.
	w := &world{TB: t, url: url, env: env, dir: t.TempDir(), variable: "alias", noPatch: true}
	w.deploy()
	w.does(0, "init")
	path := filepath.Join(w.dir, "butai.yaml")
	data, err := os.ReadFile(path)
	w.must(err)
	text, _, _ := strings.Cut(string(data), "checks:")
	w.must(os.WriteFile(path, []byte(strings.Replace(text, "propagation: 1s", "propagation: 0s", 1)), 0o644))

	w.editGateway("gateway-2")
	w.editCode("code-2", nil)
	w.does(0, "deploy", "staging")
	w.does(0, "promote", "production")
	w.says(0, "production → 2", "status")
	w.does(0, "drift")
	w.does(0, "rollback", "production")
	w.says(0, "production → 1", "status")
	w.says(0, "rollback to 2", "history")
}
