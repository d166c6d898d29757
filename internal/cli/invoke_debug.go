package cli

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"

	"github.com/butai-dev/butai/internal/server"
)

func debugPage(query url.Values) string { return "/_butai/debug?" + query.Encode() }

// decodeLog returns the text of X-Amz-Log-Result, nil if there is none.
func decodeLog(encoded *string) []byte {
	if encoded == nil {
		return nil
	}
	text, err := base64.StdEncoding.DecodeString(*encoded)
	if err != nil {
		return []byte(*encoded)
	}
	return text
}

// debug calls a function under a debugger, tells how to attach, and waits.
func (a *app) debug(ctx context.Context, o *invokeOptions, target string, payload []byte) error {
	function, qualifier := splitFunction(target)
	c := newClient()
	answer, err := c.Post(ctx, debugPage(url.Values{"function": {function}, "qualifier": {qualifier}, "port": {strconv.Itoa(o.port)}}), payload)
	if err != nil {
		return fmt.Errorf("%s can't debug functions; is it butai? %w", c.Endpoint, err)
	}
	defer answer.Close()
	for lines := json.NewDecoder(answer); ; {
		var line server.DebugEvent
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return errors.New("the server has ended the call")
		} else if err != nil {
			return err
		}
		switch {
		case line.Message != "":
			return errors.New(line.Message)
		case line.Waiting != nil:
			source := cmp.Or(o.source, line.Folder)
			if abs, err := filepath.Abs(source); err == nil && source != "" {
				source = abs
			}
			if err := a.printWaiting(target, &line, cmp.Or(source, "${workspaceFolder}")); err != nil {
				return err
			}
		case line.Outcome != nil:
			log := line.Outcome.LogTail
			if !o.log {
				log = nil
			}
			return a.printAnswer(line.Outcome.Payload, line.Outcome.FunctionError, log)
		}
	}
}

func (a *app) printWaiting(target string, e *server.DebugEvent, source string) error {
	d := e.Waiting
	fmt.Fprintf(a.err, "%s waits for a debugger (%s) on %s:%d\n", target, d.Kind, d.Host, d.Port)
	if d.StopsOnce {
		fmt.Fprintln(a.err, "This Node.js stops once before the handler is loaded: let it continue.")
	}
	config, err := json.MarshalIndent(attachment(target, e, source), "    ", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.err, "For VS Code, .vscode/launch.json:\n\n{\n  \"version\": \"0.2.0\",\n  \"configurations\": [\n    %s\n  ]\n}\n\n", config)
	return err
}

// Configurations of VS Code's debuggers (their documents: "Python debugging",
// "Node.js debugging", "Debugger for Java").
type (
	pythonAttachment struct {
		Name     string        `json:"name"`
		Type     string        `json:"type"`
		Request  string        `json:"request"`
		Connect  pythonConnect `json:"connect"`
		Mappings []pathMapping `json:"pathMappings"`
	}
	pythonConnect struct {
		Host string `json:"host"`
		Port int    `json:"port"`
	}
	pathMapping struct {
		Local  string `json:"localRoot"`
		Remote string `json:"remoteRoot"`
	}
	nodeAttachment struct {
		Name    string   `json:"name"`
		Type    string   `json:"type"`
		Request string   `json:"request"`
		Address string   `json:"address"`
		Port    int      `json:"port"`
		Local   string   `json:"localRoot"`
		Remote  string   `json:"remoteRoot"`
		Skip    []string `json:"skipFiles"`
	}
	javaAttachment struct {
		Name    string   `json:"name"`
		Type    string   `json:"type"`
		Request string   `json:"request"`
		Host    string   `json:"hostName"`
		Port    int      `json:"port"`
		Sources []string `json:"sourcePaths"`
	}
)

func attachment(target string, e *server.DebugEvent, source string) any {
	const attach = "attach"
	d, name := e.Waiting, "butai: "+target
	switch d.Kind {
	case "debugpy":
		return pythonAttachment{name, "debugpy", attach, pythonConnect{d.Host, d.Port}, []pathMapping{{source, d.CodeDir}}}
	case "inspector":
		return nodeAttachment{name, "node", attach, d.Host, d.Port, source, d.CodeDir, []string{"<node_internals>/**", "/var/runtime/**"}}
	default:
		return javaAttachment{name, "java", attach, d.Host, d.Port, []string{source}}
	}
}
