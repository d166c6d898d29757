package function

import (
	"fmt"
	"strings"

	"github.com/butai-dev/butai/internal/function/runtimes"
)

// Memory of a Java process: Lambda gives the heap 85 % of the function's, and
// so do we, as long as what the virtual machine needs besides it (classes,
// code, threads) still fits. Functions then see OutOfMemoryError before the
// kernel ends them.
const (
	javaHeapShare   = 0.85
	javaBesidesHeap = 48 // MB
)

// javaOptions is where functions put options for the virtual machine
// ("Customize Java runtime startup behavior for Lambda functions").
const javaOptions = "JAVA_TOOL_OPTIONS"

// javaArgs start fast and stay small: one level of compilation and one garbage
// collector thread, as on Lambda, and the JDK's shared class archive. Where the
// function's own options choose differently, ours stay away, because the
// command line would override them.
func javaArgs(spec *Spec) []string {
	heap := min(int(float64(spec.MemoryMB)*javaHeapShare), spec.MemoryMB-javaBesidesHeap)
	defaults := []struct {
		option string
		unless []string // parts of options of the function's
	}{
		{fmt.Sprintf("-Xmx%dm", heap), []string{"-Xmx", "-XX:MaxHeapSize", "-XX:MaxRAM"}},
		{"-XX:+UseSerialGC", []string{"GC "}},
		{"-XX:TieredStopAtLevel=1", []string{"TieredStopAtLevel", "TieredCompilation", "-Xint", "-Xcomp"}},
		{"-Xshare:auto", []string{"-Xshare"}},
		{"-XX:-UsePerfData", []string{"UsePerfData"}},                          // a file in /tmp per process
		{"-Djdk.reflect.useNativeAccessorOnly=true", []string{"jdk.reflect."}}, // the other accessors take 30 ms to set up in newer versions
		{"-Dfile.encoding=UTF-8", []string{"-Dfile.encoding"}},
		{"-Dsun.jnu.encoding=UTF-8", []string{"-Dsun.jnu.encoding"}}, // of variables; the host may lack en_US.UTF-8
	}
	own := spec.Environment[javaOptions] + " "
	var args []string
	for _, d := range defaults {
		if !containsAny(own, d.unless) {
			args = append(args, d.option)
		}
	}
	return append(args, "-jar")
}

func containsAny(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

func javaEnv(spec *Spec, _ *runtimes.Interpreter, at places) map[string]string {
	env := map[string]string{"AWS_EXECUTION_ENV": executionEnv(spec)}
	if !at.isolated {
		env["BUTAI_OPT"] = at.opt
	}
	return env
}
