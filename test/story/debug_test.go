package story

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/test/harness"
)

// stare is longer than the functions of these tests may take.
const stare = 1200 * time.Millisecond

// debugged is a running butai invoke --debug.
type debugged struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout bytes.Buffer
	port   int
	config string // what it says of VS Code
}

// startDebug calls a function under a debugger, and waits until there is one.
func startDebug(t *testing.T, s *harness.Server, target string) *debugged {
	t.Helper()
	d := &debugged{t: t}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	d.cmd = exec.CommandContext(ctx, harness.Binary(t), "invoke", target, "-p", `{"name":"ada"}`, "--debug")
	d.cmd.Env, d.cmd.Stdout = s.Env(), &d.stdout
	errText, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(errText)
	line, err := lines.ReadString('\n')
	if _, address, found := strings.Cut(line, " on 127.0.0.1:"); !found || err != nil {
		t.Fatalf("butai invoke --debug said %q, %v", line, err)
	} else if _, err := fmt.Sscan(address, &d.port); err != nil {
		t.Fatal(err)
	}
	for !strings.HasSuffix(d.config, "\n}\n") {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("no configuration came: %q", d.config)
		}
		d.config += line
	}
	go func() { _, _ = io.Copy(os.Stderr, lines) }()
	return d
}

// want checks that the call ends with an answer.
func (d *debugged) want(answer string) {
	d.t.Helper()
	if err := d.cmd.Wait(); err != nil || strings.TrimSpace(d.stdout.String()) != answer {
		d.t.Errorf("the debugged call ended with %v and %s, want %s", err, d.stdout.String(), answer)
	}
}

func (d *debugged) dial() (net.Conn, *bufio.Reader) {
	d.t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", d.port))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	return c, bufio.NewReader(c)
}

// TestDebug stops handlers of each runtime at a breakpoint for longer than
// their functions' timeout, reads a variable, and lets them go on.
func TestDebug(t *testing.T) {
	t.Parallel()
	s := invokeWorld(t)
	t.Run("python", func(t *testing.T) {
		t.Parallel()
		if exec.Command("python3.11", "-c", "import debugpy").Run() != nil {
			t.Skip("debugpy is not installed")
		}
		debugPython(t, s)
	})
	t.Run("node", func(t *testing.T) { t.Parallel(); debugNode(t, s) })
	t.Run("java", func(t *testing.T) { t.Parallel(); debugJava(t, s) })
	t.Run("provided", func(t *testing.T) {
		t.Parallel()
		newFunction(t, s, "own", "provided.al2023", "x", map[string]string{"bootstrap": "#!/bin/sh"})
		if _, text, err := s.Try("", harness.Binary(t), "invoke", "own", "--debug"); err == nil || !strings.Contains(text, "can't be debugged") {
			t.Errorf("debugging a program of the function's own: %v %s", err, text)
		}
	})
}

// debugPython debugs a folder that butai dev has linked, by the Debug Adapter
// Protocol, with breakpoints in the folder's files.
func debugPython(t *testing.T, s *harness.Server) {
	newFunction(t, s, "py", "python3.11", "main.handler", map[string]string{"main.py": "old"})
	dir := t.TempDir()
	main := filepath.Join(dir, "main.py")
	if err := os.WriteFile(main, []byte("def handler(event, context):\n    who = event['name'] * 2\n    return 'hello ' + who\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Run(t, "", harness.Binary(t), "dev", "py", dir, "--once")
	d := startDebug(t, s, "py")
	if want := fmt.Sprintf(`"localRoot": %q`, dir); !strings.Contains(d.config, want) || !strings.Contains(d.config, `"remoteRoot": "/var/task"`) {
		t.Errorf("the configuration doesn't map %s:\n%s", dir, d.config)
	}
	c := &adapter{t: t}
	c.conn, c.in = d.dial()
	c.send("initialize", `{"adapterID":"butai","pathFormat":"path"}`)
	c.await("initialize", nil)
	c.send("attach", fmt.Sprintf(`{"pathMappings":[{"localRoot":%q,"remoteRoot":"/var/task"}]}`, dir))
	c.await("initialized", nil)
	c.send("setBreakpoints", fmt.Sprintf(`{"source":{"path":%q},"breakpoints":[{"line":3}]}`, main))
	c.send("configurationDone", `{}`)
	var stopped struct{ ThreadID int }
	c.await("stopped", &stopped)
	c.send("stackTrace", fmt.Sprintf(`{"threadId":%d}`, stopped.ThreadID))
	var stack struct {
		StackFrames []struct {
			ID     int
			Source struct{ Path string }
		}
	}
	c.await("stackTrace", &stack)
	if top := stack.StackFrames[0]; top.Source.Path != main {
		t.Errorf("it stopped in %s, want %s", top.Source.Path, main)
	}
	c.send("evaluate", fmt.Sprintf(`{"expression":"who","frameId":%d}`, stack.StackFrames[0].ID))
	var value struct{ Result string }
	if c.await("evaluate", &value); value.Result != "'adaada'" {
		t.Errorf("who = %s", value.Result)
	}
	time.Sleep(stare)
	c.send("continue", fmt.Sprintf(`{"threadId":%d}`, stopped.ThreadID))
	d.want(`"hello adaada"`)
}

// adapter is a client of the Debug Adapter Protocol.
type adapter struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	seq  int
}

func (a *adapter) send(command, arguments string) {
	a.seq++
	body := fmt.Sprintf(`{"seq":%d,"type":"request","command":%q,"arguments":%s}`, a.seq, command, arguments)
	if _, err := fmt.Fprintf(a.conn, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		a.t.Fatal(err)
	}
}

// await reads messages until an event or the answer to a command of that name.
func (a *adapter) await(name string, body any) {
	a.t.Helper()
	for {
		_, length := readHeader(a.t, a.in)
		text := make([]byte, length)
		if _, err := io.ReadFull(a.in, text); err != nil {
			a.t.Fatalf("awaiting %s: %v", name, err)
		}
		var m struct {
			Event, Command, Message string
			Body                    json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			a.t.Fatal(err)
		}
		if m.Event != name && m.Command != name {
			continue
		}
		if body != nil {
			if err := json.Unmarshal(m.Body, body); err != nil {
				a.t.Fatalf("%s answered %s: %v", name, text, err)
			}
		}
		return
	}
}

func readHeader(t *testing.T, in *bufio.Reader) (lines []string, length int) {
	t.Helper()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line = strings.TrimSpace(line); line == "" {
			return lines, length
		}
		lines = append(lines, line)
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			_, _ = fmt.Sscan(value, &length) // 0 is noticed
		}
	}
}

// debugJava attaches the JDK's own debugger.
func debugJava(t *testing.T, s *harness.Server) {
	harness.Tool(t, "javac")
	harness.Tool(t, "jdb")
	dir := t.TempDir()
	source := filepath.Join(dir, "Main.java")
	if err := os.WriteFile(source, []byte(`public class Main {
	public String handle(java.util.Map<String, String> event) {
		String who = event.get("name") + "!";
		return "hello " + who;
	}
}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("javac", "--release", "17", "-g", "-d", dir, source).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	class, err := os.ReadFile(filepath.Join(dir, "Main.class"))
	if err != nil {
		t.Fatal(err)
	}
	newFunction(t, s, "jvm", "java17", "Main::handle", map[string]string{"Main.class": string(class)})
	d := startDebug(t, s, "jvm")
	jdb := exec.Command("jdb", "-attach", fmt.Sprintf("127.0.0.1:%d", d.port))
	in, err := jdb.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := jdb.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := jdb.Start(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ say, until string }{
		{"", "Initializing jdb"},
		{"stop at Main:4", "Deferring breakpoint Main:4"},
		{"resume", "Breakpoint hit"},
		{"", "main[1]"}, // its prompt, before which it knows no frame
		{"print who", `who = "ada!"`},
	} {
		if step.say != "" {
			fmt.Fprintln(in, step.say)
		}
		awaitText(t, out, step.until)
	}
	time.Sleep(stare)
	fmt.Fprintln(in, "cont")
	go func() { _, _ = io.Copy(io.Discard, out) }()
	d.want(`"hello ada!"`)
	_ = jdb.Wait() // it ends with what it was attached to
}

// awaitText reads until a text has come.
func awaitText(t *testing.T, in io.Reader, text string) {
	t.Helper()
	var seen []byte
	for one := make([]byte, 1); !bytes.Contains(seen, []byte(text)); {
		if _, err := in.Read(one); err != nil {
			t.Fatalf("%v; awaiting %q, there came\n%s", err, text, seen)
		}
		seen = append(seen, one[0])
	}
}
