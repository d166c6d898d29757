//go:build linux

package function

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// proof tries, mechanism by mechanism, what each is to prevent.
const proof = `
import ctypes, os, resource, socket
libc = ctypes.CDLL(None, use_errno=True)
def connect(family, address):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(5)
    s.connect(address)
def key():
    ring = libc.syscall(250, 0, -3, 0)  # KEYCTL_GET_KEYRING_ID of the session
    if ring == -1 and ctypes.get_errno() == 1:
        raise OSError('refused')
def handler(event, context):
    if event['much']:
        return len(b'x' * (300 << 20))
    done = {}
    for name, attempt in {
        'files': lambda: open(event['file']).close(),
        'processes': lambda: os.stat('/proc/%d' % event['pid']),
        'user': lambda: os.kill(event['pid'], 0),
        'system calls': key,
        'core files': lambda: resource.getrlimit(resource.RLIMIT_CORE)[1] == 0 and 1 / 0,
        'abstract sockets': lambda: connect(socket.AF_UNIX, '\0' + event['abstract']),
        'network': lambda: connect(socket.AF_INET, ('127.0.0.1', event['port'])),
    }.items():
        try:
            attempt()
            done[name] = True
        except Exception as e:
            done[name] = False
    return done
`

// TestReportIsTrue compares what is said of each rung with what a function can
// do on it: what isn't prevented works, and the other way round.
func TestReportIsTrue(t *testing.T) {
	t.Parallel()
	for _, level := range []sandbox.Level{sandbox.Namespaces, sandbox.Restricted, sandbox.None} {
		t.Run(level.String(), func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Isolation = sandbox.Wish{Min: level, Max: level} })
			if _, err := r.host.Level(); err != nil {
				t.Skip(err)
			}
			said := map[string]sandbox.Rung{}
			for _, rung := range r.Report(t.Context()) {
				said[rung.Mechanism] = rung
			}
			spec := r.python(t, proof)
			spec.MemoryMB, spec.Timeout = 128, time.Minute
			got := decode[map[string]bool](t, r.call(t, spec, surroundings(t)).Payload)
			for attempt, prevented := range map[string]bool{
				"files":            said["file system"].Reached || said["file access"].Reached,
				"processes":        said["processes"].Reached,
				"user":             said["user"].Reached || level == sandbox.Restricted && !strings.Contains(said["user"].Detail, "can signal"),
				"system calls":     said["system calls"].Reached,
				"core files":       said["resource limits"].Reached,
				"abstract sockets": said["abstract sockets"].Reached,
				"network":          said["network"].Reached,
			} {
				if can, known := got[attempt]; !known || can == prevented && (can || attempt != "core files") { // whose limit may be the server's, too
					t.Errorf("%s: a function can: %v, and it is said to be prevented: %v; %+v", attempt, can, prevented, said)
				}
			}
			res := r.call(t, spec, `{"much": true}`)
			if limited := strings.Contains(string(res.Payload), typeOutOfMemory); limited != said["memory limit"].Reached {
				t.Errorf("memory: %s, but it is said: %+v", res.Payload, said["memory limit"])
			}
		})
	}
}

// surroundings tells a function what there is around it.
func surroundings(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("butai-test-%d-%s", os.Getpid(), filepath.Base(t.Name()))
	port := 0
	for network, address := range map[string]string{"unix": "\x00" + name, "tcp": "127.0.0.1:0"} {
		listener, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		if at, ok := listener.Addr().(*net.TCPAddr); ok {
			port = at.Port
		}
	}
	event, err := json.Marshal(map[string]any{
		"much": false, "file": file, "pid": os.Getpid(), "abstract": name, "port": port,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(event)
}
