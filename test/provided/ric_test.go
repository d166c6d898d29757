package provided

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/butai-dev/butai/test/harness"
)

// client is one of AWS's runtime interface clients, as scripts/setup.sh
// installs it, with a handler in its language.
type client struct {
	dir     string // below .tools
	start   string // what the function's bootstrap executes
	file    string
	handler string
	answer  string            // of an event that has "n": 2
	errors  map[string]string // what failing events come back with, up to what may differ
	log     []string
}

const clientPython = `
import logging, os
logging.getLogger().setLevel(logging.INFO)
def handler(event, context):
    logging.info("n is %s", event.get("n"))
    if "fail" in event:
        raise ValueError(event["fail"])
    if "exit" in event:
        os._exit(event["exit"])
    return {"n": event["n"] + 1, "name": context.function_name, "left": context.get_remaining_time_in_millis() > 1000, "ws": "wörld"}
`

const clientNode = `
exports.handler = async (event, context) => {
  console.log('n is', event.n);
  if (event.fail) throw new RangeError(event.fail);
  if (event.exit) process.exit(event.exit);
  return { n: event.n + 1, name: context.functionName, left: context.getRemainingTimeInMillis() > 1000, ws: 'wörld' };
};
`

var clients = map[string]client{
	"awslambdaric": {
		"ric-python", "python3 -m awslambdaric app.handler", "app.py", clientPython,
		`{"n": 3, "name": "ric", "left": true, "ws": "w\u00f6rld"}`, map[string]string{
			`{"fail": "bad"}`: `{"errorMessage": "bad", "errorType": "ValueError", "requestId": "`,
			`{"exit": 3}`:     `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `,
		}, []string{"[INFO]\t", "\tn is 2\n"},
	},
	"aws-lambda-ric": {
		"ric-node", "node node_modules/aws-lambda-ric/bin/index.mjs app.handler", "app.js", clientNode,
		`{"n":3,"name":"ric","left":true,"ws":"wörld"}`, map[string]string{
			`{"fail": "bad"}`: `{"errorType":"RangeError","errorMessage":"bad","trace":["RangeError: bad","    at `,
			`{"exit": 3}`:     `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: `,
		}, []string{"\tINFO\tn is 2\n"},
	},
}

// TestRuntimeInterfaceClients runs AWS's own clients, unmodified, as the
// bootstraps of provided.al2023.
func TestRuntimeInterfaceClients(t *testing.T) {
	t.Parallel()
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("..", "..", ".tools", c.dir)
			if _, err := os.Stat(dir); err != nil {
				t.Skip("not installed: ", err)
			}
			d := deploy(t, harness.Start(t))
			d.create("ric", architectures[runtime.GOARCH], packClient(t, dir, c))
			for range 2 { // cold and warm
				payload, failed, log := d.invokeTail("ric", `{"n": 2}`)
				if payload != c.answer || failed != "" {
					t.Errorf("%s %s, want %s\n%s", failed, payload, c.answer, log)
				}
				for _, part := range c.log {
					if !strings.Contains(log, part) {
						t.Errorf("the log lacks %q: %s", part, log)
					}
				}
			}
			for event, want := range c.errors {
				payload, failed := d.invoke("ric", event)
				if failed != "Unhandled" || !strings.HasPrefix(payload, want) {
					t.Errorf("%s: %s %s, want %s", event, failed, payload, want)
				}
			}
		})
	}
}

// invokeTail is invoke with the end of the function's log.
func (d *deployment) invokeTail(name, event string) (payload, functionError, log string) {
	d.Helper()
	out, err := d.lambda.Invoke(d.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(event), LogType: types.LogTypeTail})
	if err != nil {
		d.Fatal(err)
	}
	text, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if err != nil {
		d.Fatal(err)
	}
	return string(out.Payload), aws.ToString(out.FunctionError), string(text)
}

// packClient packs a client's folder, its handler and a bootstrap.
func packClient(t *testing.T, dir string, c client) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, mode fs.FileMode, text []byte) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return add(filepath.ToSlash(name), 0o755, text)
	})
	for name, text := range map[string]string{"bootstrap": "#!/bin/sh\nexec " + c.start + "\n", c.file: c.handler} {
		if err == nil {
			err = add(name, 0o755, []byte(text))
		}
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
