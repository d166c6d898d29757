package story

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/test/harness"
)

// debugNode debugs by the Chrome DevTools Protocol.
func debugNode(t *testing.T, s *harness.Server) {
	harness.Tool(t, "node")
	newFunction(t, s, "js", "nodejs20.x", "main.handler", map[string]string{
		"main.js": "exports.handler = async (event) => {\n  const who = event.name + '!';\n  return 'hello ' + who;\n};\n",
	})
	d := startDebug(t, s, "js")
	_, page := harness.Get(t, fmt.Sprintf("http://127.0.0.1:%d/json/list", d.port))
	var targets []struct{ WebSocketDebuggerURL string }
	if err := json.Unmarshal([]byte(page), &targets); err != nil || len(targets) != 1 {
		t.Fatalf("the inspector lists %s, %v", page, err)
	}
	c := &inspector{t: t}
	c.conn, c.in = d.dial()
	c.upgrade(targets[0].WebSocketDebuggerURL)
	c.send("Debugger.enable", `{}`)
	c.send("Debugger.setBreakpointByUrl", `{"url":"file:///var/task/main.js","lineNumber":2}`)
	c.send("Runtime.runIfWaitingForDebugger", `{}`)
	var paused struct {
		CallFrames []struct{ CallFrameID string }
		Hit        []string `json:"hitBreakpoints"`
	}
	for c.awaitEvent("Debugger.paused", &paused); len(paused.Hit) == 0; c.awaitEvent("Debugger.paused", &paused) {
		c.send("Debugger.resume", `{}`) // it stopped in front of the bootstrap
	}
	c.send("Debugger.evaluateOnCallFrame", fmt.Sprintf(`{"callFrameId":%q,"expression":"who"}`, paused.CallFrames[0].CallFrameID))
	var value struct{ Result struct{ Value string } }
	if c.awaitAnswer(&value); value.Result.Value != "ada!" {
		t.Errorf("who = %q", value.Result.Value)
	}
	time.Sleep(stare)
	c.send("Debugger.resume", `{}`)
	d.want(`"hello ada!"`)
}

// inspector is a client of Node.js's inspector: JSON messages in a web socket.
type inspector struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	id   int
}

func (i *inspector) upgrade(url string) {
	i.t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "ws://"), "/")
	fmt.Fprintf(i.conn, "GET /%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n", path, host)
	if lines, _ := readHeader(i.t, i.in); !strings.Contains(lines[0], "101") {
		i.t.Fatalf("no web socket: %q", lines)
	}
}

// send writes one masked text frame (RFC 6455); the mask is zero.
func (i *inspector) send(method, params string) {
	i.id++
	body := fmt.Sprintf(`{"id":%d,"method":%q,"params":%s}`, i.id, method, params)
	const text, masked, longer = 0x81, 0x80, 126
	frame := []byte{text, masked | longer}
	frame = binary.BigEndian.AppendUint16(frame, uint16(len(body)))
	frame = append(append(frame, 0, 0, 0, 0), body...)
	if _, err := i.conn.Write(frame); err != nil {
		i.t.Fatal(err)
	}
}

type inspected struct {
	ID             int
	Method         string
	Params, Result json.RawMessage
	Error          json.RawMessage
}

// read returns the next message.
func (i *inspector) read() (m inspected) {
	i.t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(i.in, head[:]); err != nil {
		i.t.Fatal(err)
	}
	length := uint64(head[1])
	var size [8]byte
	switch length {
	case 126:
		_, _ = io.ReadFull(i.in, size[:2]) // the body's read sees an end
		length = uint64(binary.BigEndian.Uint16(size[:]))
	case 127:
		_, _ = io.ReadFull(i.in, size[:])
		length = binary.BigEndian.Uint64(size[:])
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(i.in, body); err != nil {
		i.t.Fatal(err)
	}
	if err := json.Unmarshal(body, &m); err != nil {
		i.t.Fatalf("%s: %v", body, err)
	}
	if m.Error != nil {
		i.t.Fatalf("the inspector says %s", body)
	}
	return m
}

func (i *inspector) awaitEvent(method string, params any) {
	i.t.Helper()
	for {
		if m := i.read(); m.Method == method {
			if err := json.Unmarshal(m.Params, params); err != nil {
				i.t.Fatal(err)
			}
			return
		}
	}
}

// awaitAnswer reads the answer to what was sent last.
func (i *inspector) awaitAnswer(result any) {
	i.t.Helper()
	for {
		if m := i.read(); m.ID == i.id {
			if err := json.Unmarshal(m.Result, result); err != nil {
				i.t.Fatal(err)
			}
			return
		}
	}
}
