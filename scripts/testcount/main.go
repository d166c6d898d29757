// Command testcount reads `go test -json` and prints what failed, what was
// skipped and why, each package's result, and one closing line with counts.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
	passed, failed, skipped := 0, 0, 0
	output := map[string]*strings.Builder{}
	blamed := map[string]bool{} // packages of which a test has failed
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Println(lines.Text()) // a build failure, in plain text
			continue
		}
		key := e.Package + " " + e.Test
		if e.Action == "output" || e.Action == "build-output" {
			if output[key] == nil {
				output[key] = &strings.Builder{}
			}
			output[key].WriteString(e.Output)
			if e.Action == "build-output" {
				fmt.Print(e.Output)
			}
			continue
		}
		switch {
		case e.Test == "" && e.Action == "fail":
			fmt.Printf("FAIL %s (%.1f s)\n%s", e.Package, e.Elapsed, text(output[key]))
			if !blamed[e.Package] { // it didn't build, or ended early
				failed++
			}
		case e.Test == "" && e.Action == "pass":
			fmt.Printf("ok   %s (%.1f s)\n", e.Package, e.Elapsed)
		case e.Test == "":
		case e.Action == "pass":
			passed++
		case e.Action == "skip":
			skipped++
			fmt.Printf("skip %s %s: %s\n", e.Package, e.Test, reason(output[key]))
		case e.Action == "fail":
			failed++
			blamed[e.Package] = true
			fmt.Printf("--- FAIL %s %s\n%s", e.Package, e.Test, text(output[key]))
		}
		if e.Test != "" {
			delete(output, key)
		}
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}

// reason is the last line that a skipped test printed itself.
func reason(b *strings.Builder) string {
	last := ""
	for line := range strings.Lines(text(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "---") && !strings.HasPrefix(line, "===") {
			last = line
		}
	}
	return last
}
