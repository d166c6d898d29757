package vtl

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/butai-dev/butai/internal/gateway/value"
)

// These tests compare the engine with Apache Velocity, Jayway and json-smart.
// They need a JDK and Debian's packages velocity and libjsonpath-java.

const javaFolder = "/usr/share/java"

var oracleJars = []string{
	"velocity", "commons-lang", "commons-collections3", "json-path", "json-smart",
	"accessors-smart", "slf4j-api", "slf4j-nop", "asm",
}

// oracle is a running VtlServer.
type oracle struct {
	in  io.WriteCloser
	out *bufio.Reader
}

// question is one line to the oracle, either a template or a path.
type question struct {
	Template string          `json:"template,omitempty"`
	Path     string          `json:"jsonpath,omitempty"`
	Vars     json.RawMessage `json:"vars,omitempty"`
	Body     string          `json:"body"`
	Params   json.RawMessage `json:"params,omitempty"`
}

type answer struct {
	Out     string `json:"out"`
	Err     string `json:"err"`
	Missing bool   `json:"missing"`
}

func startOracle(t *testing.T) *oracle {
	t.Helper()
	if os.Getenv("BUTAI_VTL_ORACLE") != "1" {
		t.Skip("set BUTAI_VTL_ORACLE=1 to compare with Apache Velocity (needs a JDK; apt-get install velocity libjsonpath-java)")
	}
	dir := t.TempDir()
	path := dir
	for _, jar := range oracleJars {
		path += ":" + filepath.Join(javaFolder, jar+".jar")
	}
	javac := exec.Command("javac", "-Xlint:none", "-cp", path, "-d", dir, "oracle/VtlServer.java")
	if out, err := javac.CombinedOutput(); err != nil {
		t.Fatalf("compile the oracle: %v\n%s", err, out)
	}
	java := exec.Command("java", "-XX:TieredStopAtLevel=1", "-cp", path, "VtlServer")
	java.Stderr = os.Stderr
	in, err := java.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := java.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := java.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := java.Wait(); err != nil {
			t.Errorf("oracle: %v", err)
		}
	})
	return &oracle{in, bufio.NewReaderSize(out, 1<<20)}
}

func (o *oracle) ask(t *testing.T, q question) answer {
	t.Helper()
	line, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
	reply, err := o.out.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if err := json.Unmarshal(reply, &a); err != nil {
		t.Fatalf("oracle said %s: %v", reply, err)
	}
	return a
}

// setting is what a template is rendered with, as JSON texts.
type setting struct{ vars, body, params string }

// usual is the setting of the corpus. Random ones have the same names, with
// values of the same kinds.
var usual = setting{
	vars:   `{"s":"hello","n":5,"d":1.5,"t":true,"f":false,"l":[1,"b",{"k":"v/w"}],"m":{"b":1,"a":"x","l":[1,2]},"e":"","nul":null,"big":12345678901}`,
	body:   `{"a":{"b":"c"},"l":[1,2.50,"x/y"],"nul":null}`,
	params: `{"path":{"id":"7"},"querystring":{},"header":{"h":"v"}}`,
}

// render renders src with what the oracle is given, telling trace of what is
// read, which may be nil.
func (s *setting) render(src string, trace func(Reading)) (string, error) {
	var doc value.Document // so that templates change what stands in a text
	vars, err := doc.Parse([]byte(s.vars))
	if err != nil {
		return "", err
	}
	var params struct{ Path, QueryString, Header map[string]string }
	if err := json.Unmarshal([]byte(s.params), &params); err != nil {
		return "", err
	}
	tmpl, err := Compile(src)
	if err != nil {
		return "", err
	}
	env := &Env{Path: NewTexts(params.Path), Query: NewTexts(params.QueryString), Header: NewTexts(params.Header), Vars: vars.(*value.Map), Trace: trace}
	env.SetBody([]byte(s.body))
	out, err := tmpl.Render(nil, env)
	return string(out), err
}

// agree compares one template and reports the first difference.
func agree(t *testing.T, o *oracle, src string, s *setting) bool {
	t.Helper()
	want := o.ask(t, question{
		Template: src, Body: s.body,
		Vars: json.RawMessage(s.vars), Params: json.RawMessage(s.params),
	})
	got, err := s.render(src, nil)
	switch {
	case strings.Contains(want.Err, "ConcurrentModification"), strings.Contains(want.Err, "StackOverflow"):
		return true // see differences.md
	case (err != nil) != (want.Err != ""):
		t.Errorf("template %q with %+v\n     got %q, error %v\nvelocity %q, error %.200s", src, *s, got, err, want.Out, want.Err)
	case err == nil && got != want.Out:
		t.Errorf("template %q with %+v\n     got %q\nvelocity %q", src, *s, got, want.Out)
	default:
		return true
	}
	return false
}

func TestOracleCorpus(t *testing.T) {
	o := startOracle(t)
	for _, src := range readCorpus(t) {
		agree(t, o, src, &usual)
	}
}

// readCorpus returns one template per line; a line in double quotes is a Go
// string.
func readCorpus(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, `"`) && strings.HasSuffix(line, `"`) && len(line) > 1 {
			if line, err = strconv.Unquote(line); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, line)
	}
	return list
}
