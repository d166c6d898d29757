package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// run executes a command line with files of the given contents in the place
// of their names.
func run(t *testing.T, files map[string]string, args ...string) (code int, out, errOut string) {
	t.Helper()
	dir := t.TempDir()
	for i, arg := range args {
		if content, ok := files[arg]; ok {
			args[i] = filepath.Join(dir, arg)
			if err := os.WriteFile(args[i], []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var stdout, stderr bytes.Buffer
	code = Run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestVTLRender(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"t.vtl": `{"id": "$input.params('id')", "name": "$input.path('$.name')", "stage": "$stageVariables.stage",` +
			` "ip": "$context.identity.sourceIp", "none": "$context.nothing", "l": #foreach($x in $list)$x#if($foreach.hasNext),#end#end}`,
		"b.json": `{"name": "Ada"}`,
		"c.json": `{"params": {"path": {"id": "7"}}, "stageVariables": {"stage": "staging"},` +
			` "context": {"identity": {"sourceIp": "192.0.2.1"}}, "vars": {"list": [1, 2.50, true]}}`,
	}
	code, out, errOut := run(t, files, "vtl", "render", "--template", "t.vtl", "--body", "b.json", "--context", "c.json")
	want := `{"id": "7", "name": "Ada", "stage": "staging", "ip": "192.0.2.1", "none": "", "l": 1,2.5,true}`
	if code != 0 || out != want || errOut != "" {
		t.Errorf("exit %d\n got %s\nwant %s\n%s", code, out, want, errOut)
	}
}

func TestVTLRenderTrace(t *testing.T) {
	t.Parallel()
	files := map[string]string{"t.vtl": "#set($n = $input.path('$.n'))\n#if($n)$n#end", "b.json": `{"n": {"a": 1}}`}
	code, out, errOut := run(t, files, "vtl", "render", "--template", "t.vtl", "--body", "b.json", "--trace")
	want := "1:11: $input.path('$.n') = {a=1}\n2:5: $n = {a=1}\n2:8: $n = {a=1}\n"
	if code != 0 || out != "{a=1}" || errOut != want {
		t.Errorf("exit %d, out %q\n got %s\nwant %s", code, out, errOut, want)
	}
}

func TestVTLRenderErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, template, context string
		code                    int
		want                    string
	}{
		{"syntax", "{\n  #if($x)\n}", "{}", 1, "line 2, column 3: #if has no #end"},
		{"rendering", "a\n $input.path('$.s').substring(9)", "{}", 1, "line 2, column 2: $input.path('$.s').substring(9): "},
		{"context", "", `{"params": {"path": {"id": 7}}}`, 1, `the value of "id" is not a string`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"t.vtl": tt.template, "b.json": `{"s": "short"}`, "c.json": tt.context}
			code, out, errOut := run(t, files, "vtl", "render", "--template", "t.vtl", "--body", "b.json", "--context", "c.json")
			if code != tt.code || out != "" || !strings.Contains(errOut, tt.want) {
				t.Errorf("exit %d, out %q, stderr %q", code, out, errOut)
			}
		})
	}
	if code, _, _ := run(t, nil, "vtl", "render"); code != exitUsage {
		t.Errorf("without a template: exit %d", code)
	}
}

func TestVTLRenderCases(t *testing.T) {
	t.Parallel()
	files := map[string]string{"cases.jsonl": `{"template": "<$input.json('$.a')> $v", "body": "{\"a\": [1]}", "vars": {"v": "\u00e9"}}

{"template": "#set($x", "body": ""}
{"template": "", "body": ""}
not JSON
{"template": "$input.body", "stageVariables": null}`}
	code, out, errOut := run(t, files, "vtl", "render", "--cases", "cases.jsonl")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || errOut != "" || len(lines) != 5 {
		t.Fatalf("exit %d, %s%s", code, out, errOut)
	}
	for i, want := range []string{`{"out":"<[1]> é"}`, `{"err":"mapping template, line 1, column 8`, `{"out":""}`, `{"err":"invalid character`, `{"out":"{}"}`} {
		if !strings.HasPrefix(lines[i], want) {
			t.Errorf("line %d is %s, not %s", i+1, lines[i], want)
		}
	}
}
