// Package measure takes the figures that butai promises about itself. It
// prints them and judges nothing: a busy machine is no defect.
package measure

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/sigv4"
)

const (
	rounds = 11
	// idle is how long a server is left alone before its memory is read.
	idle = 2 * time.Second
)

// TestMeasure prints the size of the stripped binary, the time from exec to
// the first answer of an AWS API, and the memory of an idle server.
func TestMeasure(t *testing.T) {
	if os.Getenv("BUTAI_MEASURE") != "1" {
		t.Skip("set BUTAI_MEASURE=1 to measure")
	}
	binary := filepath.Join(t.TempDir(), "butai")
	out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/butai-dev/butai/cmd/butai").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	var ready, memory []float64
	for range rounds {
		r, m := run(t, binary)
		ready, memory = append(ready, r), append(memory, m)
	}
	fmt.Printf("%-28s %8s %8s %8s\n", "", "median", "min", "max")
	row("binary, stripped", "MB", []float64{float64(info.Size()) / 1e6})
	row("ready after exec", "ms", ready)
	row("memory when idle", "MiB", memory)
}

func row(name, unit string, values []float64) {
	slices.Sort(values)
	fmt.Printf("%-24s %-3s %8.1f %8.1f %8.1f\n", name, unit, values[len(values)/2], values[0], values[len(values)-1])
}

// run starts a server on an empty data directory and returns how many
// milliseconds it took until it answered and how many MiB it then keeps.
func run(t *testing.T, binary string) (readyMS, memoryMiB float64) {
	t.Helper()
	address := freeAddress(t)
	cmd := exec.Command(binary, "serve", "--listen", address, "--data-dir", t.TempDir())
	started := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	for !answers(t.Context(), address) {
		if time.Since(started) > time.Minute {
			t.Fatal("the server does not answer")
		}
		time.Sleep(time.Millisecond)
	}
	readyMS = float64(time.Since(started).Microseconds()) / 1000
	time.Sleep(idle)
	return readyMS, residentMiB(t, cmd.Process.Pid)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// answers asks DynamoDB for its tables.
func answers(ctx context.Context, address string) bool {
	body := []byte("{}")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", strings.NewReader("{}"))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
	keys := sigv4.Credentials{AccessKeyID: "000000000000", SecretAccessKey: "butai"}
	if err := sigv4.Sign(ctx, req, body, keys, "dynamodb", "us-east-1", time.Now()); err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// residentMiB is what /proc says of a process's resident memory.
func residentMiB(t *testing.T, pid int) float64 {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skipf("memory is read from /proc: %v", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib / 1024
		}
	}
	t.Fatal("/proc has no VmRSS")
	return 0
}
