package function

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// coreSources are the parts of aws-lambda-java-core that handlers of these
// tests use, as their own copy.
var coreSources = map[string]string{
	"Context": `public interface Context { String getAwsRequestId(); String getLogGroupName(); String getLogStreamName(); String getFunctionName();
		String getFunctionVersion(); String getInvokedFunctionArn(); CognitoIdentity getIdentity(); ClientContext getClientContext();
		int getRemainingTimeInMillis(); int getMemoryLimitInMB(); LambdaLogger getLogger();
		default String added() { return "by default"; } String later(); }`,
	"CognitoIdentity": `public interface CognitoIdentity { String getIdentityId(); }`,
	"ClientContext":   `public interface ClientContext { Client getClient(); java.util.Map<String, String> getCustom(); java.util.Map<String, String> getEnvironment(); }`,
	"Client":          `public interface Client { String getAppTitle(); }`,
	"LambdaLogger":    `public interface LambdaLogger { void log(String message); void log(byte[] message); }`,
	"RequestHandler":  `public interface RequestHandler<I, O> { O handleRequest(I input, Context context); }`,
	"RequestStreamHandler": `public interface RequestStreamHandler {
		void handleRequest(java.io.InputStream in, java.io.OutputStream out, Context context) throws java.io.IOException; }`,
}

// java compiles sources, by class name in package demo, into a function.
func (r rig) java(t testing.TB, handler string, sources map[string]string) *Spec {
	t.Helper()
	files := map[string]string{}
	for name, text := range sources {
		files["demo/"+name+".java"] = "package demo;\nimport com.amazonaws.services.lambda.runtime.*;\nimport java.io.*;\nimport java.util.*;\n" + text
	}
	for name, text := range coreSources {
		files["com/amazonaws/services/lambda/runtime/"+name+".java"] = "package com.amazonaws.services.lambda.runtime;\n" + text
	}
	spec := r.function(t, "java17", handler, nil)
	spec.CodeDir, spec.MemoryMB = compileJava(t, files), 256
	return spec
}

// compileJava returns a folder with the class files.
func compileJava(t testing.TB, files map[string]string) string {
	t.Helper()
	javac, err := exec.LookPath("javac")
	if err != nil {
		t.Skip("no javac to compile handlers with")
	}
	source, classes := t.TempDir(), t.TempDir()
	args := []string{"--release", "17", "-nowarn", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-encoding", "UTF-8", "-d", classes}
	for name, text := range files {
		path := filepath.Join(source, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	if out, err := exec.Command(javac, args...).CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	return classes
}

func TestJavaThin(t *testing.T) {
	r := newRig(t, nil)
	spec := r.java(t, "demo.Hello", map[string]string{"Hello": `
public class Hello implements RequestHandler<Map<String, Object>, Map<String, Object>> {
  public Map<String, Object> handleRequest(Map<String, Object> in, Context c) {
    System.out.println("got " + in);
    c.getLogger().log("two\nlines");
    return Map.of("hello", in.get("name"));
  }
}`})
	res := r.call(t, spec, `{"name":"wörld"}`)
	t.Logf("%s\n%s", res.Payload, res.LogTail)
	for range 3 {
		res = r.call(t, spec, `{"name":"wörld"}`)
		t.Logf("%s %v\n%s", res.Payload, res.Duration, res.LogTail)
	}
}
