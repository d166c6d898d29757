//go:build linux

package function

import (
	"archive/zip"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/butai-dev/butai/internal/function/sandbox"
	"github.com/butai-dev/butai/internal/ident"
)

// coreSources are the parts of aws-lambda-java-core that handlers of these
// tests use, as the copy that functions pack.
var coreSources = map[string]string{
	"Context": `public interface Context { String getAwsRequestId(); String getLogGroupName(); String getLogStreamName(); String getFunctionName();
		String getFunctionVersion(); String getInvokedFunctionArn(); CognitoIdentity getIdentity(); ClientContext getClientContext();
		int getRemainingTimeInMillis(); int getMemoryLimitInMB(); LambdaLogger getLogger(); }`,
	"CognitoIdentity": `public interface CognitoIdentity { String getIdentityId(); }`,
	"ClientContext":   `public interface ClientContext { Client getClient(); java.util.Map<String, String> getCustom(); java.util.Map<String, String> getEnvironment(); }`,
	"Client":          `public interface Client { String getAppTitle(); }`,
	"LambdaLogger":    `public interface LambdaLogger { void log(String message); void log(byte[] message); }`,
	"RequestHandler":  `public interface RequestHandler<I, O> { O handleRequest(I input, Context context); }`,
	// Shaped like aws-lambda-java-events: other names than in the JSON, classes without setters.
	"events/OrderEvent": `public class OrderEvent {
		public static class Item { private final String eventTime; private final Integer size; public Item(String eventTime, Integer size) { this.eventTime = eventTime; this.size = size; }
			public String getEventTime() { return eventTime; } public Integer getSize() { return size; } }
		private java.util.List<Item> records; private String detailType; private java.util.Date arrival; private java.nio.ByteBuffer data;
		public java.util.List<Item> getRecords() { return records; } public void setRecords(java.util.List<Item> v) { records = v; }
		public String getDetailType() { return detailType; } public void setDetailType(String v) { detailType = v; }
		public java.util.Date getArrival() { return arrival; } public void setArrival(java.util.Date v) { arrival = v; }
		public java.nio.ByteBuffer getData() { return data; } public void setData(java.nio.ByteBuffer v) { data = v; } }`,
	"RequestStreamHandler": `public interface RequestStreamHandler {
		void handleRequest(java.io.InputStream in, java.io.OutputStream out, Context context) throws java.io.IOException; }`,
}

// compileJava returns a folder with the class files of sources, which belong to
// package demo, and of coreSources.
func compileJava(t testing.TB, sources ...string) string {
	t.Helper()
	javac, err := exec.LookPath("javac")
	if err != nil {
		t.Skip("no javac to compile handlers with")
	}
	source, classes := t.TempDir(), t.TempDir()
	args := []string{"--release", "17", "-nowarn", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-encoding", "UTF-8", "-d", classes}
	add := func(name, text string) {
		path := filepath.Join(source, name+".java")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	className := regexp.MustCompile(`(?m)^(?:public )?(?:class|record) (\w+)`)
	for _, text := range sources {
		add("demo/"+className.FindStringSubmatch(text)[1], "package demo;\nimport com.amazonaws.services.lambda.runtime.*;\nimport java.io.*;\nimport java.util.*;\n"+text)
	}
	for name, text := range coreSources {
		full := "com/amazonaws/services/lambda/runtime/" + name
		add(full, "package "+strings.ReplaceAll(filepath.Dir(full), "/", ".")+";\n"+text)
	}
	if out, err := exec.Command(javac, args...).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	return classes
}

// java returns a function with the classes in dir.
func (r rig) java(t testing.TB, handler, dir string) *Spec {
	t.Helper()
	spec := r.function(t, "java17", handler, nil)
	spec.CodeDir, spec.MemoryMB, spec.Timeout = dir, 256, 20*time.Second
	return spec
}

const javaPerson = `
public class Person {
  public enum Rank { LOW, HIGH }
  private String name; private int age; private List<Person> friends; private Rank rank; private boolean happy; private transient String secret = "x";
  public Map<String, Double> scores; public String nothing; public java.math.BigDecimal exact; public Object any; public byte[] data; public java.util.UUID id;
  public String getName() { return name; } public void setName(String v) { name = v; }
  public int getAge() { return age; } public void setAge(int v) { age = v; }
  public List<Person> getFriends() { return friends; } public void setFriends(List<Person> v) { friends = v; }
  public Rank getRank() { return rank; } public void setRank(Rank v) { rank = v; }
  public boolean isHappy() { return happy; } public void setHappy(boolean v) { happy = v; }
  public String getURL() { return "u"; }
}`

const javaMethods = `
class Methods {
  public Methods() {}
  public String text(String s, Context c) { return s + "!"; }
  public int sum(List<Integer> in) { int n = 0; for (int i : in) n += i; return n; }
  public long twice(long n) { return 2 * n; }
  public Person same(Person p) { return p; }
  public List<Person> people(List<Person> in) { in.get(0).setAge(9); return in; }
  public Pair pair(Pair p) { return new Pair(p.right() + 1, p.left()); }
  public void nothing(Map<String, Object> in) {}
  public Object none() { return null; }
  public String only(Context c) { return c.getFunctionName(); }
  public void stream(InputStream in, OutputStream out) throws IOException { out.write('<'); in.transferTo(out); out.write('>'); }
  public static String fixed(Map<String, ?> in) { return in.get("a").getClass().getSimpleName() + in.get("b").getClass().getSimpleName(); }
  public Object over(String s) { return "short"; }
  public Object over(String s, Context c) { return "long"; }
  public Object types(Object in) { return Arrays.asList(in, 1.5f, 'c', new int[] {1, 2}, Optional.of("o"), new StringBuilder("é\n\"\u0001"), Double.NaN,
      new Date(5), java.time.Instant.ofEpochSecond(7, 5), java.time.LocalDate.of(2024, 2, 3), Person.Rank.HIGH, new byte[] {1, 2, 3}, null); }
  String hidden(String s) { return s; }
  public Object two(String a, String b) { return a; }
  public Object event(com.amazonaws.services.lambda.runtime.events.OrderEvent e) { return e; }
  public Object loop(Object in) { List<Object> l = new ArrayList<>(); l.add(l); return l; }
  public Object fail(Object in) throws IOException {
    try { throw new IllegalStateException("inner"); } catch (RuntimeException e) { throw new IOException("outer", e); } }
  public Object overflow(Object in) { return overflow(in); }
  public Object hog(Object in) { List<byte[]> l = new ArrayList<>(); while (true) l.add(new byte[1 << 20]); }
}`

var javaHandlers = []string{javaPerson, javaMethods,
	`record Pair(int left, int right) {}`,
	`public class Values implements RequestHandler<Person, Map<String, Object>> {
  public Map<String, Object> handleRequest(Person p, Context c) {
    if (p == null) return null;
    if (p.getAge() < 0) throw new IllegalArgumentException("age " + p.getAge());
    Map<String, Object> out = new TreeMap<>(); out.put("name", p.getName()); out.put("null", null); return out; } }`,
	`class Generic<T> implements RequestHandler<List<T>, T> { public T handleRequest(List<T> in, Context c) { return in.get(0); } }`,
	`public class Bound extends Generic<Pair> {}`,
	`public class Raw implements RequestHandler { public Object handleRequest(Object in, Context c) { return in; } }`,
	`public class Streams implements RequestStreamHandler {
  public void handleRequest(InputStream in, OutputStream out, Context c) throws IOException { out.write(in.readAllBytes().length + '0'); } }`,
	`public class Plain {}`,
	`public class Broken { static { if (true) throw new IllegalStateException("static"); } public String run() { return ""; } }`,
	`public class Unmade { public Unmade() { throw new IllegalStateException("made"); } public String run() { return ""; } }`,
	`public class Closed { private Closed() {} public String run() { return ""; } }`,
}

// TestJavaHandlers runs each form of handler once; payloads are patterns.
func TestJavaHandlers(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	dir := compileJava(t, javaHandlers...)
	person := `{"name":"Zoë","age":"7","friends":[{"name":"b"}],"rank":"HIGH","happy":true,"scores":{"x":1},"exact":1.10,"any":{"n":1.0},"data":"AQI=","id":"00000000-0000-0001-0000-000000000002","unknown":1,"secret":"y"}`
	tests := []struct{ handler, event, payload string }{
		{"demo.Methods::text", `"hi"`, `"hi!"`},
		{"demo.Methods::text", `5`, `"5!"`},
		{"demo.Methods::sum", `[1,2,"3"]`, `6`},
		{"demo.Methods::sum", `4`, `4`},
		{"demo.Methods::twice", `3000000000`, `6000000000`},
		{"demo.Methods::twice", `null`, `0`},
		{"demo.Methods::same", person, `{"name":"Zoë","age":7,"friends":[{"name":"b","age":0,"happy":false,"URL":"u"}],"rank":"HIGH","happy":true,"scores":{"x":1.0},"exact":1.10,"any":{"n":1.0},"data":"AQI=","id":"00000000-0000-0001-0000-000000000002","URL":"u"}`},
		{"demo.Methods::people", `[{"age":1}]`, `[{"age":9,"happy":false,"URL":"u"}]`},
		{"demo.Methods::pair", `{"left":1,"right":2}`, `{"left":3,"right":1}`},
		{"demo.Methods::nothing", `{}`, `null`},
		{"demo.Methods::none", `{}`, `null`},
		{"demo.Methods::only", `{}`, `"demo"`},
		{"demo.Methods::stream", `{"a": 1}`, `<{"a": 1}>`},
		{"demo.Methods::fixed", `{"a":1,"b":1.5}`, `"IntegerDouble"`},
		{"demo.Methods::over", `"x"`, `"long"`},
		{"demo.Methods::types", `{"a":[1,2.50,null,12345678901234567890,true,"\u00e9\/"]}`, `[{"a":[1,2.5,null,12345678901234567890,true,"é/"]},1.5,"c",[1,2],"o","é\n\"\u0001","NaN",5,7.000000005,[2024,2,3],"HIGH","AQID",null]`},
		{"demo.Methods::event", `{"Records":[{"eventTime":"t","size":2}],"detail-type":"d","arrival":1545084650.987,"data":"AQI="}`, `{"records":[{"eventTime":"t","size":2}],"detailType":"d","arrival":1545084650987,"data":"AQI="}`},
		{"demo.Values", `{"name":"n"}`, `{"name":"n"}`},
		{"demo.Values", `""`, `null`},
		{"demo.Values::handleRequest", `{"name":"n"}`, `{"name":"n"}`},
		{"demo.Bound", `[{"left":1,"right":2}]`, `{"left":1,"right":2}`},
		{"demo.Streams", `[1]`, `3`},
	}
	for _, tt := range tests {
		t.Run(tt.handler+" "+tt.event[:min(10, len(tt.event))], func(t *testing.T) {
			res := r.call(t, r.java(t, tt.handler, dir), tt.event)
			if got := string(res.Payload); got != tt.payload || res.FunctionError != "" {
				t.Errorf("payload %s, want %s\nlog: %s", got, tt.payload, res.LogTail)
			}
		})
	}
}

// TestJavaErrors checks payloads, as patterns, and the log of failures.
func TestJavaErrors(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	dir := compileJava(t, javaHandlers...)
	const mapper = `com\.amazonaws\.lambda\.thirdparty\.com\.fasterxml\.jackson\.databind\.`
	tests := []struct{ handler, event, payload, log string }{
		{"demo.Missing", `{}`, `{"errorMessage":"Class not found: demo\.Missing","errorType":"java\.lang\.ClassNotFoundException"}`, `\nClass not found: demo\.Missing: java\.lang\.ClassNotFoundException\njava\.lang\.ClassNotFoundException: demo\.Missing\n\tat java\.base`},
		{"demo.Plain::run", `{}`, `{"errorMessage":"No public method named run with appropriate method signature found on class demo\.Plain"}`, `found on class demo\.Plain\nEND`},
		{"demo.Methods::hidden", `""`, `{"errorMessage":"No public method named hidden with appropriate method signature found on class demo\.Methods"}`, ``},
		{"demo.Methods::two", `""`, `{"errorMessage":"No public method named two .*"}`, ``},
		{"demo.Plain", `{}`, `{"errorMessage":"Class does not implement an appropriate handler interface: demo\.Plain"}`, ``},
		{"demo.Raw", `{}`, `{"errorMessage":"Class demo\.Raw does not implement RequestHandler with concrete type parameters"}`, ``},
		{"::run", `{}`, "{\"errorMessage\":\"Invalid handler: `::run'\"}", ``},
		{"demo.Closed::run", `{}`, `{"errorMessage":"Class demo\.Closed has no public zero-argument constructor","errorType":"java\.lang\.Exception"}`, ``},
		{"demo.Broken::run", `{}`, `{"errorMessage":"Error loading class demo\.Broken","errorType":"java\.lang\.ExceptionInInitializerError"}`, `INIT_REPORT Init Duration: .* ms\tPhase: invoke\tStatus: error\tError Type: Runtime\.BadFunctionCode\n`},
		{"demo.Unmade::run", `{}`, `{"errorMessage":"made","errorType":"java\.lang\.IllegalStateException"}`, `made: java\.lang\.IllegalStateException\n`},
		{"demo.Values", `{"age":-1}`, `{"errorMessage":"age -1","errorType":"java\.lang\.IllegalArgumentException","stackTrace":\["demo\.Values\.handleRequest\(Values\.java:8\)","demo\.Values\.handleRequest\(Values\.java:5\)"\]}`, `age -1: java\.lang\.IllegalArgumentException\njava\.lang\.IllegalArgumentException: age -1\n\tat demo\.Values\.handleRequest\(Values\.java:8\)\n\tat demo\.Values\.handleRequest\(Values\.java:5\)\n`},
		{"demo.Methods::fail", `{}`, `{"errorMessage":"outer","errorType":"java\.io\.IOException","stackTrace":\["demo\.Methods\.fail\(Methods\.java:\d+\)","java\.base/jdk\.internal\.reflect\.[^\]]*\],"cause":{"errorMessage":"inner","errorType":"java\.lang\.IllegalStateException","stackTrace":\[.*\]}}`, `Caused by: java\.lang\.IllegalStateException: inner\n`},
		{"demo.Methods::text", `{}`, `{"errorMessage":"An error occurred during JSON parsing","errorType":"java\.lang\.RuntimeException","stackTrace":\[\],"cause":{"errorMessage":"` + mapper + `exc\.MismatchedInputException: Cannot deserialize value of type .java\.lang\.String. from Object value \(token .JsonToken\.START_OBJECT.\)","errorType":"java\.io\.UncheckedIOException","stackTrace":\[\],"cause":{"errorMessage":"Cannot .*","errorType":"` + mapper + `exc\.MismatchedInputException","stackTrace":\[\]}}}`, ``},
		{"demo.Methods::twice", `"1000,10"`, `.*exc\.InvalidFormatException: Cannot deserialize value of type .long. from String \\"1000,10\\": not a valid .long. value.*`, ``},
		{"demo.Methods::sum", `[1,99999999999]`, `.*Cannot deserialize value of type .java\.lang\.Integer. from number 99999999999.*`, ``},
		{"demo.Methods::loop", `{}`, `{"errorMessage":"An error occurred during JSON serialization of response",.*nesting depth \(1001\).*`, ``},
		{"demo.Methods::overflow", `{}`, `{"errorMessage":"java\.lang\.StackOverflowError","errorType":"java\.lang\.StackOverflowError",.*`, `Status: error\tError Type: Runtime\.UserException\n`},
		{"demo.Methods::hog", `{}`, `{"errorMessage":"Java heap space","errorType":"java\.lang\.OutOfMemoryError",.*`, `Java heap space: java\.lang\.OutOfMemoryError`},
	}
	for _, tt := range tests {
		t.Run(tt.handler+" "+tt.event, func(t *testing.T) {
			res := r.call(t, r.java(t, tt.handler, dir), tt.event)
			want(t, "function error", res.FunctionError, "Unhandled")
			if !regexp.MustCompile(`(?s)^` + tt.payload + `$`).Match(res.Payload) {
				t.Errorf("payload %s\nwant %s", res.Payload, tt.payload)
			}
			all := r.logs.text()
			if !regexp.MustCompile(tt.log).MatchString(all) {
				t.Errorf("the log lacks %q: %q", tt.log, res.LogTail)
			}
			if strings.Contains(string(res.Payload)+string(res.LogTail), "dev.butai") {
				t.Errorf("the launcher shows: %s\n%s", res.Payload, res.LogTail)
			}
		})
	}
}

const javaContext = `
public class Ctx implements RequestHandler<Map<String, String>, List<Object>> {
  static int calls;
  public List<Object> handleRequest(Map<String, String> in, Context c) {
    System.out.println("out é"); System.err.println("err"); System.out.print("part"); c.getLogger().log("two\nlines"); c.getLogger().log("bytes\n".getBytes());
    ClientContext cc = c.getClientContext();
    return Arrays.asList(++calls, c.getFunctionName(), c.getFunctionVersion(), c.getMemoryLimitInMB(), c.getInvokedFunctionArn(), c.getAwsRequestId().length(),
      c.getLogGroupName(), c.getLogStreamName().equals(System.getenv("AWS_LAMBDA_LOG_STREAM_NAME")), c.getRemainingTimeInMillis() > 1000 && c.getRemainingTimeInMillis() <= 20000,
      c.getIdentity() == null, cc == null ? null : cc.getClient().getAppTitle() + cc.getCustom() + cc.getEnvironment(), System.getenv("AWS_EXECUTION_ENV"),
      System.getProperty("com.amazonaws.xray.traceHeader"), System.getProperty("user.dir"), System.getenv("MINE"), Thread.currentThread().getContextClassLoader() == getClass().getClassLoader());
  }
}`

func TestJavaContextAndLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.java(t, "demo.Ctx", compileJava(t, javaContext))
	spec.Environment = map[string]string{"MINE": "ü"}
	res, err := r.Invoke(t.Context(), spec, &Request{
		RequestID: ident.UUID(), InvokedARN: spec.ARN + ":live", Tail: true, TraceID: "Root=1-2-3", Payload: []byte(`{}`),
		ClientContext: []byte(`{"client":{"app_title":"app"},"custom":{"k":"v"},"env":{"locale":"de"}}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := "/var/task"
	if level, err := r.host.Level(); err != nil || level < sandbox.Namespaces {
		dir = spec.CodeDir
	}
	want(t, "context", string(res.Payload), `[1,"demo","$LATEST",256,"`+spec.ARN+`:live",36,"/aws/lambda/demo",true,true,true,"app{k=v}{locale=de}","AWS_Lambda_java17","Root=1-2-3","`+dir+`","ü",true]`)
	if !strings.Contains(string(res.LogTail), "\nout é\nerr\nparttwo\nlinesbytes\nEND") {
		t.Errorf("log: %q", res.LogTail)
	}
	again := r.call(t, spec, `{}`)
	if !strings.HasPrefix(string(again.Payload), "[2,") || !strings.Contains(string(again.Payload), `true,true,true,null,"AWS_Lambda_java17",null,`) {
		t.Errorf("second call: %s", again.Payload)
	}
}

func TestJavaJSONLog(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.java(t, "demo.Log", compileJava(t, `public class Log { public void run(Context c) { c.getLogger().log("a\n\"b\""); c.getLogger().log("bare".getBytes()); throw new IllegalStateException("bad"); } }`))
	spec.Handler, spec.LogFormat = "demo.Log::run", "JSON"
	res := r.call(t, spec, `{}`)
	for _, pattern := range []string{
		`\n{"timestamp":"[0-9T:.-]+Z","message":"a\\n\\"b\\"","level":"UNDEFINED","AWSRequestId":"[0-9a-f-]{36}"}\nbare{`,
		`{"timestamp":"[0-9T:.-]+Z","message":"bad: java.lang.IllegalStateException\\n.*\\n\\n","level":"ERROR","AWSRequestId":`,
	} {
		if !regexp.MustCompile(pattern).Match(res.LogTail) {
			t.Errorf("log lacks %s: %s", pattern, res.LogTail)
		}
	}
}

const javaEnds = `
public class Ends implements RequestHandler<String, Integer> {
  static int calls;
  public Integer handleRequest(String how, Context c) {
    calls++;
    switch (how) {
      case "exit": System.exit(3);
      case "leave": System.exit(0);
      case "sleep": try { Thread.sleep(60000); } catch (InterruptedException e) { }
      case "throw": throw new IllegalStateException();
      case "overflow": return handleRequest(how, c) + 1;
    }
    return calls;
  }
}`

// TestJavaEnds checks which failures a sandbox survives, and that the others
// give the next call a fresh one.
func TestJavaEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	dir := compileJava(t, javaEnds)
	tests := []struct {
		how, payload string
		survives     bool
	}{
		{"throw", `{"errorMessage":"java.lang.IllegalStateException","errorType":"java.lang.IllegalStateException","stackTrace":["demo.Ends.handleRequest(Ends.java:`, true},
		{"exit", `Error: Runtime exited with error: exit status 3"}`, false},
		{"leave", `Error: Runtime exited without providing a reason"}`, false},
		{"sleep", `Error: Task timed out after 2.00 seconds"}`, false},
		{"overflow", `{"errorMessage":"java.lang.StackOverflowError"`, false},
	}
	for _, tt := range tests {
		t.Run(tt.how, func(t *testing.T) {
			spec := r.java(t, "demo.Ends", dir)
			spec.Timeout = 2 * time.Second
			want(t, "first", string(r.call(t, spec, `"fine"`).Payload), "1")
			res := r.call(t, spec, strconv.Quote(tt.how))
			if !strings.Contains(string(res.Payload), tt.payload) || res.FunctionError != "Unhandled" {
				t.Errorf("payload %s, want %s", res.Payload, tt.payload)
			}
			after := r.call(t, spec, `"fine"`)
			want(t, "cold start afterwards", after.ColdStart, !tt.survives)
			want(t, "calls", string(after.Payload), map[bool]string{true: "3", false: "1"}[tt.survives])
		})
	}
}

// TestJavaLayouts takes classes from jars in the package and in a layer, in
// that order, and lets a function do without aws-lambda-java-core.
func TestJavaLayouts(t *testing.T) {
	t.Parallel()
	r := isolated(t)
	classes := func(from string) string {
		dir := compileJava(t, `public class Where implements RequestHandler<Object, String> { public String handleRequest(Object in, Context c) { return "`+from+`" + c.getFunctionName(); } }`)
		if err := os.RemoveAll(filepath.Join(dir, "com")); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	inRoot, inLib, inLayer := classes("root "), t.TempDir(), t.TempDir()
	jar(t, classes("lib "), filepath.Join(inLib, "lib/b.jar"))
	jar(t, classes("layer "), filepath.Join(inLayer, "java/lib/a.jar"))
	jar(t, classes("lib "), filepath.Join(inRoot, "lib/b.jar"))
	tests := []struct{ dir, want string }{{inRoot, `"root demo"`}, {inLib, `"lib demo"`}, {t.TempDir(), `"layer demo"`}}
	for _, tt := range tests {
		spec := r.java(t, "demo.Where", tt.dir)
		spec.Layers = []string{inLayer}
		want(t, "classes", string(r.call(t, spec, `{}`).Payload), tt.want)
	}
}

// jar packs the files of a folder.
func jar(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	if err := w.AddFS(os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

const javaProbe = `
public class Probe {
  public List<Object> run(Object in) throws Exception {
    File f = File.createTempFile("probe", null);
    int exit = new ProcessBuilder("/bin/sh", "-c", "exit 7").start().waitFor();
    return List.of(Runtime.getRuntime().maxMemory() >> 20, System.getProperty("mine", ""), f.exists(), exit);
  }
}`

// TestJavaMemoryAndOptions runs functions of several sizes, with options of
// their own that contradict ours.
func TestJavaMemoryAndOptions(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	dir := compileJava(t, javaProbe)
	tests := []struct {
		memory     int
		options    string
		least, max int
		property   string
	}{
		{128, "", 70, 80, ""},
		{512, "", 400, 440, ""},
		{512, "-Dmine=yes -XX:+UseParallelGC -Xmx100m -XX:TieredStopAtLevel=4", 80, 110, "yes"},
	}
	for _, tt := range tests {
		t.Run(strconv.Itoa(tt.memory)+tt.options, func(t *testing.T) {
			spec := r.java(t, "demo.Probe::run", dir)
			spec.MemoryMB = tt.memory
			if tt.options != "" {
				spec.Environment = map[string]string{"JAVA_TOOL_OPTIONS": tt.options}
			}
			res := r.call(t, spec, `{}`)
			if res.FunctionError != "" {
				t.Fatalf("%s\n%s", res.Payload, r.logs.text())
			}
			got := decode[[]any](t, res.Payload)
			if heap := int(got[0].(float64)); heap < tt.least || heap > tt.max {
				t.Errorf("heap of %d MB, want %d to %d", heap, tt.least, tt.max)
			}
			want(t, "property", got[1].(string), tt.property)
			want(t, "temporary file", got[2].(bool), true)
			want(t, "exit status of a child", got[3].(float64), 7)
			want(t, "options in the log", strings.Contains(r.logs.text(), "Picked up JAVA_TOOL_OPTIONS"), tt.options != "")
		})
	}
}

func TestJavaOnWeakerRungs(t *testing.T) {
	t.Parallel()
	dir := compileJava(t, javaProbe)
	for _, level := range []sandbox.Level{sandbox.Restricted, sandbox.None} {
		t.Run(level.String(), func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Isolation = sandbox.Wish{Min: level, Max: level} })
			if _, err := r.host.Level(); err != nil {
				t.Skip(err)
			}
			res := r.call(t, r.java(t, "demo.Probe::run", dir), `{}`)
			if res.FunctionError != "" {
				t.Errorf("%s\n%s", res.Payload, r.logs.text())
			}
		})
	}
}

// TestEveryJava runs the same handler under each runtime of the host.
func TestEveryJava(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	dir := compileJava(t, javaHandlers...)
	for _, runtime := range []string{"java8.al2", "java11", "java17", "java21", "java25"} {
		t.Run(runtime, func(t *testing.T) {
			base := r.function(t, runtime, "demo.Bound", nil)
			base.CodeDir, base.MemoryMB, base.Timeout = dir, 256, 20*time.Second
			want(t, "values", string(r.call(t, base, `[{"left":1,"right":2}]`).Payload), `{"left":1,"right":2}`)
			fail := *base
			fail.ID, fail.Handler = ident.UUID(), "demo.Methods::fail"
			res := r.call(t, &fail, `{}`)
			if !strings.HasPrefix(string(res.Payload), `{"errorMessage":"outer","errorType":"java.io.IOException","stackTrace":["demo.Methods.fail(`) || strings.Contains(r.logs.text(), "WARNING") {
				t.Errorf("%s\n%s", res.Payload, r.logs.text())
			}
		})
	}
}

const javaBench = `
public class Bench implements RequestHandler<Map<String, Object>, Map<String, Object>> {
  public Map<String, Object> handleRequest(Map<String, Object> in, Context c) { return Map.of("id", in.get("id"), "name", "someone"); }
}`

// BenchmarkJava measures warm calls of a trivial handler, and cold ones: a new
// sandbox, its init phase and the first call.
func BenchmarkJava(b *testing.B) {
	r := newRig(b, func(c *Config) { c.Logs = discardSink{} })
	dir := compileJava(b, javaBench)
	call := func(spec *Spec) error {
		res, err := r.Invoke(context.Background(), spec, &Request{RequestID: ident.UUID(), InvokedARN: spec.ARN, Payload: benchEvent})
		if err == nil && res.FunctionError != "" {
			b.Errorf("%s", res.Payload)
		}
		return err
	}
	for _, runtime := range []string{"java17", "java21", "java25"} {
		if _, err := r.cfg.Runtimes.Lookup(b.Context(), runtime); err != nil {
			b.Log(err)
			continue
		}
		spec := r.java(b, "demo.Bench", dir)
		spec.Runtime = runtime
		b.Run(runtime+"/warm", func(b *testing.B) {
			if err := call(spec); err != nil {
				b.Fatal(err)
			}
			benchmarkCalls(b, 1, func() error { return call(spec) })
		})
		b.Run(runtime+"/cold", func(b *testing.B) {
			benchmarkCalls(b, 1, func() error {
				fresh := *spec
				fresh.ID = ident.UUID()
				defer r.Retire(fresh.ID)
				return call(&fresh)
			})
		})
	}
}

const javaLeaves = `
public class Leaves implements RequestHandler<Object, Integer> {
  static { Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("java leaves"))); }
  public Integer handleRequest(Object in, Context c) { System.out.println("java works"); return 1; }
}`

// TestJavaBesideAnExtension has a JVM told of its end, which its shutdown hooks
// notice, before the extension is.
func TestJavaBesideAnExtension(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	spec := r.extend(t, r.java(t, "demo.Leaves", compileJava(t, javaLeaves)), "recorder")
	spec.Timeout = 20 * time.Second
	for range 2 {
		want(t, "payload", string(r.call(t, spec, `{}`).Payload), "1")
		waitFor(t, "the sandbox to be free", func() bool { return r.idle(spec) == 1 })
	}
	r.Retire(spec.ID)
	waitFor(t, "the end", r.empty)
	wantLines(t, r.logs.text(), "recorder registered: .*", `EXTENSION\tName: recorder\tState: Ready\t.*`, "START .*", "java works", "END .*", "START .*", "END .*",
		"java leaves", "recorder got SHUTDOWN spindown")
}
