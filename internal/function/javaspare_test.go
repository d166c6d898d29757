//go:build linux

package function

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/butai-dev/butai/internal/ident"
)

const nosyJava = `
public class Nosy implements RequestHandler<Map<String, Object>, String> {
  static final String AT_START = System.getenv("MARK");
  public String handleRequest(Map<String, Object> event, Context context) {
    try (BufferedReader relative = new BufferedReader(new FileReader("config/name.txt"))) {
      Process child = new ProcessBuilder("/bin/sh", "-c", "echo $MARK $BUTAI_SPARE $(pwd)").start();
      String theirs = new String(child.getInputStream().readAllBytes()).trim();
      context.getLogger().log("mark " + AT_START);
      return String.join("|", AT_START, relative.readLine(), new File("x").getAbsolutePath(), theirs, String.valueOf(System.getenv().containsKey("BUTAI_SPARE")),
          context.getFunctionName(), String.valueOf(new File("/tmp").list().length), String.valueOf(context.getMemoryLimitInMB()));
    } catch (IOException e) { throw new UncheckedIOException(e); }
  }
}`

// TestJavaSpares: a cold start from a spare looks to a Java function like any
// other, though the virtual machine reads variables and its working directory
// but once.
func TestJavaSpares(t *testing.T) {
	t.Parallel()
	r := newRig(t, withSpares)
	classes := compileJava(t, nosyJava)
	if err := os.MkdirAll(filepath.Join(classes, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(classes, "config", "name.txt"), []byte("ada\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for mark, runtime := range map[string]string{"one": "java17", "two": "java17", "newer": "java25"} {
		spec := r.java(t, "demo.Nosy", classes)
		if spec.Runtime = runtime; !r.has(runtime) {
			continue
		}
		spec.Environment = map[string]string{"MARK": mark}
		r.fillShelf(t, spec)
		res, err := r.Invoke(t.Context(), spec, &Request{RequestID: ident.UUID()})
		if err != nil {
			t.Fatal(err)
		}
		want(t, "answer", string(res.Payload), `"`+mark+`|ada|/var/task/x|`+mark+` /var/task|false|demo|0|256"`)
		// Under gVisor nobody inside enters a spare's directory anew, so Java has none.
		want(t, "fresh sandbox", r.Engine.only(t, spec).spareless, underGVisor(r))
	}
}

// has tells whether the host has a runtime.
func (r rig) has(runtime string) bool {
	_, err := r.cfg.Runtimes.Lookup(context.Background(), runtime)
	return err == nil
}
