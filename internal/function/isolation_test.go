//go:build linux

package function

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
)

// hostile tries one thing after the other and returns what it could do.
const hostile = `
import ctypes, os, signal, socket, subprocess, sys
def read(path):
    with open(path, 'rb') as f:
        f.read(1)
def write(path):
    with open(path, 'w') as f:
        f.write('x')
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result == -1:
        raise OSError(ctypes.get_errno(), 'failed')
def attempts(event):
    yield 'data directory', lambda: os.listdir(event['data'])
    yield 'data file', lambda: read(event['data'] + '/secret')
    yield 'other code', lambda: os.listdir(event['other'])
    yield 'environment of pid 1', lambda: read('/proc/1/environ')
    yield 'memory of pid 1', lambda: read('/proc/1/mem')
    yield 'root of pid 1', lambda: os.listdir('/proc/1/root/')
    yield 'server process', lambda: os.kill(event['pid'], 0)
    yield 'write code', lambda: write('/var/task/x')
    yield 'write runtime', lambda: write('/var/runtime/x')
    yield 'write interpreter', lambda: write('/var/lang/x')
    yield 'write layers', lambda: write('/opt/x')
    yield 'write root', lambda: write('/x')
    yield 'write system', lambda: write('/usr/x')
    yield 'write accounts', lambda: write('/etc/passwd')
    yield 'shadow', lambda: read('/etc/shadow')
    yield 'home of root', lambda: os.listdir('/root/.ssh')
    yield 'block device', lambda: os.mknod('/tmp/disk', 0o060600, os.makedev(254, 0))
    yield 'become root', lambda: os.setuid(0)
    yield 'mount', lambda: check(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))
    if not event['guest']:  # gVisor has user namespaces, of its own: in one, what follows would work, there
        yield 'user namespace', lambda: check(libc.unshare(0x10000000))
    yield 'chroot', lambda: os.chroot('/tmp')
    yield 'ptrace', lambda: check(libc.ptrace(16, 1, 0, 0))
    yield 'raw socket', lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    yield 'packet socket', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    yield 'kernel log', lambda: check(libc.klogctl(3, ctypes.create_string_buffer(10), 10))
    yield 'reboot', lambda: check(libc.reboot(0))
    yield 'hostname', lambda: socket.sethostname('mine')
    yield '2000 files', lambda: [open('/dev/null') for _ in range(2000)]
    yield 'fill /tmp', lambda: write_much('/tmp/much', 80)
def write_much(path, mb):
    try:
        with open(path, 'wb') as f:
            for _ in range(mb):
                f.write(b'x' * (1 << 20))
    finally:
        os.unlink(path)
def handler(event, context):
    done = []
    for name, attempt in attempts(event):
        try:
            attempt()
            done.append(name)
        except (OSError, MemoryError):
            pass
    try:
        if os.getpid() != 1:  # as under gVisor
            os.kill(1, signal.SIGTERM)  # may be allowed, but must have no effect
            os.kill(1, signal.SIGKILL)
    except OSError:
        pass
    write('/tmp/allowed')
    status = open('/proc/self/status').read()
    caps = [line.split()[1] for line in status.splitlines() if line.startswith(('CapEff', 'CapPrm', 'CapBnd'))]
    return {'done': done, 'uid': os.getuid(), 'caps': caps, 'pids': sorted(int(p) for p in os.listdir('/proc') if p.isdigit()),
            'fds': sorted(os.listdir('/proc/self/fd'))[:4]}
`

func isolated(t *testing.T) rig {
	t.Helper()
	r := newRig(t, func(c *Config) { c.Isolation.Min = sandbox.Namespaces })
	if _, err := r.host.Level(); err != nil {
		t.Skip(err)
	}
	return r
}

func TestHostileHandlerGetsNowhere(t *testing.T) {
	t.Parallel()
	r := isolated(t)
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "secret"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := r.python(t, "")
	spec := r.python(t, hostile)
	spec.EphemeralMB, spec.Timeout = 64, 20*time.Second
	event, err := json.Marshal(map[string]any{"data": data, "other": other.CodeDir, "pid": os.Getpid(), "guest": underGVisor(r)})
	if err != nil {
		t.Fatal(err)
	}
	res := r.call(t, spec, string(event))
	if res.FunctionError != "" {
		t.Fatalf("%s", res.Payload)
	}
	got := decode[struct {
		Done, Caps []string
		UID        int
		PIDs       []int
	}](t, res.Payload)
	can := ""
	if underGVisor(r) { // process 1 is the function's own there, and the log is gVisor's
		can = "environment of pid 1, root of pid 1, kernel log"
	}
	want(t, "succeeded attempts", strings.Join(got.Done, ", "), can)
	// The first process is one of butai's own, but for gVisor, where it is outside.
	want(t, "processes seen", len(got.PIDs), map[bool]int{true: 1, false: 2}[underGVisor(r)])
	if got.UID == 0 || got.UID == os.Getuid() && os.Getuid() == 0 {
		t.Errorf("runs as user %d", got.UID)
	}
	for _, c := range got.Caps[:2] {
		want(t, "capabilities", strings.Trim(c, "0"), "")
	}
}

func TestForkBombIsContained(t *testing.T) {
	t.Parallel()
	r := isolated(t)
	spec := r.python(t, `
import os, time
def handler(event, context):
    n = 0
    try:
        while n < 3000:
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
            n += 1
    except OSError as e:
        return [n, type(e).__name__]
    return [n, 'no limit']
`)
	spec.MemoryMB, spec.Timeout = 2048, time.Minute // a virtual machine takes its time
	res := r.call(t, spec, `{}`)
	if underGVisor(r) && strings.Contains(string(res.Payload), typeOutOfMemory) {
		return // each process takes memory of gVisor's, too
	}
	got := decode[[]any](t, res.Payload)
	if got[1] != "BlockingIOError" || got[0].(float64) > 1024 {
		t.Errorf("fork bomb: %v", got)
	}
}

// TestNothingSurvivesATimeout looks for a daemon that a function left behind.
func TestNothingSurvivesATimeout(t *testing.T) {
	t.Parallel()
	r := isolated(t)
	mark := fmt.Sprintf("butai-test-daemon-%d", os.Getpid())
	spec := r.python(t, `
import subprocess, time
def handler(event, context):
    subprocess.Popen(['/bin/sh', '-c', 'while :; do sleep 1; done', event], start_new_session=True)
    time.sleep(60)
`)
	spec.Timeout = 500 * time.Millisecond
	res := r.call(t, spec, `"`+mark+`"`)
	if !strings.Contains(string(res.Payload), "Sandbox.Timedout") {
		t.Fatalf("%s", res.Payload)
	}
	r.Retire(spec.ID)
	want(t, "processes", len(processesWith(t, mark)), 0)
}

// processesWith returns the command lines on the host that hold mark.
func processesWith(t *testing.T, mark string) (found []string) {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if line, err := os.ReadFile(name); err == nil && strings.Contains(string(line), mark) {
			found = append(found, string(line))
		}
	}
	return found
}

// TestWeakerRungs runs a function where namespaces are not to be had.
func TestWeakerRungs(t *testing.T) {
	t.Parallel()
	for _, level := range []sandbox.Level{sandbox.Restricted, sandbox.None} {
		t.Run(level.String(), func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Isolation = sandbox.Wish{Min: level, Max: level} })
			if _, err := r.host.Level(); err != nil {
				t.Skip(err)
			}
			data := t.TempDir()
			if err := os.WriteFile(filepath.Join(data, "secret"), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
			spec := r.python(t, `
import os, tempfile
def handler(event, context):
    with tempfile.TemporaryFile() as f:
        f.write(b'x')
    try:
        open(event).read()
        return 'read it'
    except OSError:
        return 'refused'
`)
			got := string(r.call(t, spec, `"`+filepath.Join(data, "secret")+`"`).Payload)
			want(t, "data file", got, map[sandbox.Level]string{sandbox.Restricted: `"refused"`, sandbox.None: `"read it"`}[level])
			node := r.node(t, "index.js", `exports.handler = async () => require('os').tmpdir();`)
			if res := r.call(t, node, `{}`); res.FunctionError != "" {
				t.Errorf("node: %s", res.Payload)
			}
		})
	}
}

// TestTmpIsADisk fills /tmp beyond the function's memory, as on Lambda.
func TestTmpIsADisk(t *testing.T) {
	t.Parallel()
	r := isolated(t)
	spec := r.python(t, `
import os
def handler(mb, context):
    try:
        with open('/tmp/data', 'wb') as f:
            for _ in range(mb):
                f.write(b'x' * (1 << 20))
    except OSError as e:
        return [os.stat('/tmp/data').st_size >> 20, e.strerror]
    return [os.stat('/tmp/data').st_size >> 20, '']
`)
	spec.MemoryMB, spec.EphemeralMB, spec.Timeout = 128, 256, 20*time.Second
	for _, tt := range []struct{ event, payload, report string }{
		{`200`, `[200, ""]`, "Memory Size: 128 MB\tMax Memory Used: "},
		{`300`, `[256, "No space left on device"]`, "Memory Size: 128 MB\tMax Memory Used: "},
	} {
		res := r.call(t, spec, tt.event)
		want(t, "payload", string(res.Payload), tt.payload)
		if !strings.Contains(string(res.LogTail), tt.report) || strings.Contains(string(res.LogTail), "Used: 128 MB") {
			t.Errorf("%s: log %s", tt.event, res.LogTail)
		}
	}
}
